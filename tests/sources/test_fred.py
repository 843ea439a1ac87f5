import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import DataError
from features.schemas import SCHEMAS
from sources.errors import WebError
from sources.fred import SERIES, Published, fetch_fred, parse_fred
from sources.known import RULES
from tests.sources.local_server import Answer

DAILY = Published("REAL_YIELD_10Y", "next_business_day")
TEXT = b"observation_date,DFII10\n2024-01-12,1.7\n2024-01-15,.\n2024-01-16,\n2024-01-17,-0.25\n"


def test_missing_values_are_no_records():
    frame = parse_fred(TEXT, "DFII10", DAILY)
    assert list(frame["date"].dt.day) == [12, 17]
    assert list(frame["value"]) == [1.7, -0.25]
    SCHEMAS["macro"].validate(frame)


def test_values_are_known_in_the_afternoon_of_the_next_business_day():
    # the 15th is a federal holiday: Friday's value is Tuesday's
    known = parse_fred(TEXT, "DFII10", DAILY)["known_at"]
    assert [f"{instant:%m-%d %H:%M:%S}" for instant in known] == ["01-16 21:30:00", "01-18 21:30:00"]


@pytest.mark.parametrize("head", ["observation_date", "DATE", "\ufeffobservation_date"])
def test_both_headers_are_read(head):
    text = f"{head},DFII10\r\n2024-01-12,1.7\r\n"
    assert len(parse_fred(text.encode(), "DFII10", DAILY)) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "the body is empty"),
        (b"<!DOCTYPE html><title>Page Not Found</title>", "a web page, 'Page Not Found'"),
        (b'{"error_code": 400}', "the body is JSON"),
        (b"PK\x03\x04", "a zip archive"),
        (TEXT[:-4], "the last line has no end: the file is cut off"),
        (TEXT.replace(b"DFII10", b"DGS10"), r"FRED DFII10: column 'DFII10' is missing; the file has observation_date, DGS10"),
        (TEXT.replace(b"observation_date", b"day"), "column 'observation_date' is missing"),
        (TEXT.replace(b"1.7", b"1,7"), "this is no CSV|is a number"),
        (TEXT.replace(b"1.7", b"n.a."), r"line 2, column 'DFII10': 'n.a.' breaks the rule 'is a number'"),
        (TEXT.replace(b"1.7", b"inf"), "breaks the rule 'is a number'"),
        (
            TEXT.replace(b"2024-01-12", b"12/01/2024"),
            r"line 2, column 'observation_date': '12/01/2024' breaks the rule 'is a date written as",
        ),
        (TEXT.replace(b"2024-01-12", b""), "breaks the rule 'is a date from 1914-01-01 to 2035-12-31'"),
        (TEXT.replace(b"2024-01-12", b"1900-01-01"), "'1900-01-01' breaks the rule 'is a date from"),
        (TEXT.replace(b"2024-01-12", b"2100-01-01"), "'2100-01-01' breaks the rule 'is a date from"),
        (TEXT.replace(b"2024-01-12", b"2024-01-15"), "lines 2 and 3 have the same key"),
        (b"observation_date,DFII10\n2024-01-15,.\n", "no row has a value"),
        (b"observation_date" + b",DFII10" * 1_000_000 + b"\n", "more than 64 columns"),
        (b"observation_date,DFII10\n2024-01-15,1\n".replace(b"1\n", b"1,2,3\n"), "this is no CSV|rows have more"),
        (b"observation_date,DFII10\n2024-01-15,\xff\xfe1\n", "byte 35 is no UTF-8"),
        (TEXT.decode().encode("utf-16"), "byte 0 is no UTF-8"),
    ],
)
def test_other_text_is_refused(text, words):
    with pytest.raises(DataError, match=words):
        parse_fred(text, "DFII10", DAILY)


def test_series_that_is_rewritten_is_refused():
    with pytest.raises(DataError, match="FRED NFCI: is rewritten as a whole at every release"):
        parse_fred(TEXT, "NFCI", DAILY)


def test_unknown_rule_is_named():
    with pytest.raises(DataError, match="'tomorrow' is no rule for known-at; the rules are session_close"):
        parse_fred(TEXT, "DFII10", Published("X", "tomorrow"))


def test_series_have_rules_that_exist_and_names_of_their_own():
    assert {each.known_at for each in SERIES.values()} <= set(RULES)
    assert len({each.name for each in SERIES.values()}) == len(SERIES)


@given(
    st.dictionaries(
        st.dates(min_value=pd.Timestamp("1990-01-01").date(), max_value=pd.Timestamp("2030-12-31").date()),
        st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)),
        min_size=1,
        max_size=30,
    ).filter(lambda rows: any(value is not None for value in rows.values()))
)
def test_every_value_comes_back_and_is_known_after_its_date(rows):
    lines = [f"{day:%Y-%m-%d},{'.' if value is None else repr(value)}" for day, value in rows.items()]
    frame = parse_fred(("\n".join(["DATE,DFII10", *lines]) + "\n").encode(), "DFII10", DAILY)
    kept = [value for value in rows.values() if value is not None]
    np.testing.assert_allclose(frame["value"], kept, rtol=1e-15)
    assert (frame["known_at"] > frame["date"].dt.tz_localize("UTC") + pd.Timedelta(days=1)).all()


def test_fetch_asks_for_each_series(server, client):
    server.on(
        "/graph/fredgraph.csv",
        Answer(TEXT, headers={"Content-Type": "application/csv"}),
        Answer(status=503),
        Answer(TEXT.replace(b"DFII10", b"WALCL")),
    )
    chosen = {name: SERIES[name] for name in ("DFII10", "WALCL")}
    frame = fetch_fred(client, chosen, address=server.url)
    assert [path.split("?")[1] for path, _ in server.seen] == ["id=DFII10", "id=WALCL", "id=WALCL"]
    assert list(frame["series"]) == ["REAL_YIELD_10Y"] * 2 + ["WALCL"] * 2


def test_fetch_of_an_unknown_series_is_refused(server, client):
    server.on("/graph/fredgraph.csv", Answer(b"<html><title>Not Found</title></html>", 404))
    with pytest.raises(WebError, match="answers 404"):
        fetch_fred(client, {"NONE": DAILY}, address=server.url)
    with pytest.raises(DataError, match="no series named"):
        fetch_fred(client, {}, address=server.url)


@pytest.mark.parametrize(("identifier", "file", "n"), [("DFII10", "DFII10.csv", 5627), ("M2SL", "M2SL.csv", 318)])
def test_real_files_of_the_service_are_read(data_root, identifier, file, n):
    data = (data_root / "macro" / file).read_bytes()
    frame = parse_fred(data, identifier, SERIES[identifier])
    plain = pd.read_csv(data_root / "macro" / file).dropna()
    assert len(frame) == len(plain) == n
    np.testing.assert_array_equal(frame["value"], plain[identifier])
