"""Documents of the true form, and what is no such document."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from features.errors import DataError
from sources.sec import read_companies, read_companyfacts
from sources.sec.facts import FACTS
from tests.sources.sec.handmade import document, entry, write_document

GOOD = entry("2016-01-01", "2016-03-31", 100)


def test_facts_keep_their_key_and_every_vintage(tmp_path: Path) -> None:
    again = entry("2016-01-01", "2016-03-31", 90, filed="2017-05-01", form="10-Q/A")
    found = read_companyfacts(write_document(tmp_path / "CIK0000320193.json", document(NetIncomeLoss=[again, GOOD], Assets=[GOOD])))
    assert dict(found.facts.schema) == dict(FACTS)
    assert found.facts.rows(named=True) == [
        {
            "cik": 320193,
            "concept": "NetIncomeLoss",
            "start": date(2016, 1, 1),
            "end": date(2016, 3, 31),
            "value": value,
            "accn": f"0000000001-{filed}",
            "form": form,
            "filed": filed,
            "known_at": known,
        }
        for value, form, filed, known in (
            (100.0, "10-Q", date(2016, 5, 2), datetime(2016, 5, 3, 13, tzinfo=UTC)),  # 09:00 New York time of the next session
            (90.0, "10-Q/A", date(2017, 5, 1), datetime(2017, 5, 2, 13, tzinfo=UTC)),
        )
    ]
    assert found.counts() == {}


def test_a_known_acceptance_is_used(tmp_path: Path) -> None:
    path = write_document(tmp_path / "a.json", document(NetIncomeLoss=[GOOD]))
    accepted = pl.DataFrame({"accn": ["0000000001-2016-05-02"], "accepted": [datetime(2016, 5, 2, 7, 30)]})
    assert read_companyfacts(path, accepted).facts["known_at"].to_list() == [datetime(2016, 5, 2, 11, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (entry(None, "2016-03-31", 1), "period start is missing: an instant"),
        (entry("soon", "2016-03-31", 1), "period start is missing: an instant"),
        (entry("2016-01-01", "2016-02-30", 1), "period end is missing or absurd"),
        (entry("2016-01-01", 20160331, 1), "period end is missing or absurd"),
        (entry("1899-12-31", "1900-03-31", 1), "period end is missing or absurd"),
        (entry("2116-01-01", "2116-03-31", 1), "period end is missing or absurd"),
        (entry("2016-04-01", "2016-06-30", 1), "period ends after the filing date"),
        (entry("2016-03-31", "2016-01-01", 1), "period ends before it starts"),
        (entry("2003-06-01", "2016-03-31", 1), "period is longer than 400 days"),
        (entry("2016-01-01", "2016-03-31", float("nan")), "value is no number"),
        (entry("2016-01-01", "2016-03-31", float("inf")), "value is no number"),
        (entry("2016-01-01", "2016-03-31", "100"), "value is no number"),
        (entry("2016-01-01", "2016-03-31", None), "value is no number"),
        (entry("2016-01-01", "2016-03-31", True), "value is no number"),
        (entry("2016-01-01", "2016-03-31", 10**400), "value is no number"),
        (entry("2016-01-01", "2016-03-31", -(10**15)), "value is beyond 10 trillion USD"),
        (entry("2016-01-01", "2016-03-31", 1, form="8-K"), "form is no 10-K or 10-Q"),
        (entry("2016-01-01", "2016-03-31", 1, filed="1900-01-01"), "filing date is missing or absurd"),
        (entry("2016-01-01", "2016-03-31", 1, filed="2100-01-01"), "filing date is missing or absurd"),
        (entry("2016-01-01", "2016-03-31", 1, accn=None), "accession number is missing"),
        ("text", "accession number is missing"),
    ],
)
def test_a_fact_that_breaks_a_rule_is_set_aside_and_counted(tmp_path: Path, bad: object, rule: str) -> None:
    found = read_companyfacts(write_document(tmp_path / "a.json", document(NetIncomeLoss=[bad, GOOD])))
    assert found.counts() == {rule: 1}
    assert found.facts["value"].to_list() == [100]
    quarantine = found.quarantine()
    assert list(quarantine.columns) == ["frame", "series", "date", "rule"]
    assert quarantine["rule"].tolist() == [rule]


def test_other_units_are_set_aside(tmp_path: Path) -> None:
    units = {"CAD": [GOOD], "USD": [GOOD], "USD/shares": [GOOD]}
    found = read_companyfacts(write_document(tmp_path / "a.json", document(NetIncomeLoss=units)))
    assert found.counts() == {"unit is not USD": 2}
    assert len(found.facts) == 1


def test_repeats_are_one_fact_and_contradictions_none(tmp_path: Path) -> None:
    twice = [GOOD, GOOD | {"frame": "CY2016Q1", "fy": 2017}]
    other = [entry("2015-01-01", "2015-03-31", value) for value in (7, 7000)]
    found = read_companyfacts(write_document(tmp_path / "a.json", document(NetIncomeLoss=[*twice, *other])))
    assert found.facts["value"].to_list() == [100]
    assert found.counts() == {"one filing states several values for the period": 2}


def test_a_company_without_us_gaap_has_no_facts(tmp_path: Path) -> None:
    found = read_companyfacts(write_document(tmp_path / "a.json", {"cik": "0000320193", "facts": {"ifrs-full": {}}}))
    assert found.facts.is_empty()
    assert found.quarantine().empty


WHOLE = json.dumps(document(NetIncomeLoss=[GOOD])).encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (WHOLE[: len(WHOLE) // 2], "no JSON"),
        (b"", "no JSON"),
        (b"<!DOCTYPE html><html><body>Request Rate Threshold Exceeded", "web page"),
        (b"\xef\xbb\xbf  <html>", "web page"),
        (b'{"cik": "\xff\xfe"}', "no JSON"),
        (b"[" * 200_000, "no JSON"),
        (b'{"cik": ' + b"9" * 5000 + b"}", "no JSON"),
        (b"[1, 2]", "'document' is list"),
        (b"{}", "'cik' is 'None'"),
        (b'{"cik": -5, "facts": {}}', "'cik' is '-5'"),
        (b'{"cik": "../../x", "facts": {}}', "'cik' is '../../x'"),
        (b'{"cik": 1, "facts": []}', "'facts' is list"),
        (b'{"cik": 1, "facts": {"us-gaap": {"NetIncomeLoss": {}}}}', "'NetIncomeLoss.units' is NoneType"),
        (b'{"cik": 1, "facts": {"us-gaap": {"NetIncomeLoss": {"units": {"USD": 5}}}}}', "'NetIncomeLoss.units.USD' is int"),
    ],
)
def test_what_is_no_document_is_refused_by_name(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "CIK0000000001.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read_companyfacts(path)
    assert str(caught.value).startswith("CIK0000000001.json")
    assert len(str(caught.value)) < 500


def test_a_document_of_absurd_size_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "CIK0000000001.json"
    with path.open("wb") as stream:
        stream.truncate(300 << 20)  # sparse
    with pytest.raises(DataError, match="314,572,800 bytes"):
        read_companyfacts(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_companyfacts(tmp_path / "absent.json")


def test_a_folder_is_read_but_for_a_rare_fault(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file CIK"):
        read_companies(tmp_path)
    for cik in (1, 2):
        write_document(tmp_path / f"CIK{cik:010d}.json", document(cik, NetIncomeLoss=[GOOD]))
    (tmp_path / "CIK0000000003.json").write_bytes(b"<html>")
    found, faults = read_companies(tmp_path)
    assert found.facts["cik"].to_list() == [1, 2]
    assert len(faults) == 1
    assert "CIK0000000003.json" in faults[0]
    (tmp_path / "CIK0000000004.json").write_bytes(b"<html>")
    with pytest.raises(DataError, match="2 of 4 documents"):
        read_companies(tmp_path)
