import json

import pandas as pd
import pytest

from serving.errors import LabelError
from serving.label_place import SeriesOf
from serving.label_rows import publish_answer, said_of
from serving.label_rules import SERVING, WALK, label_columns
from serving.label_words import NONE_YET, gather_labels, publication_words, render_labels, render_verified, verify_labels
from serving.output import as_records
from tests.serving.labels import DAYS, said, series_in

NONE = float("nan")
ROWS = pd.DataFrame(
    {
        "session": pd.to_datetime(DAYS[:4]),
        "status": ["before the first fit", "published", "published, on other values", "scored"],
        "regime": [None, "risk_off", "unidentified", "risk_on"],
        "p_risk_on": [NONE, 0.1, 0.5, 0.75],
        "p_risk_off": [NONE, 0.9, 0.5, 0.25],
        "p_risk_on_lo": [NONE, NONE, 0.4, 0.7],
        "p_risk_on_hi": [NONE, NONE, 0.6, 0.8],
        "BTC_5_p_up": [0.5] * 4,
    }
)


def answer(*, name: str = "sample", given: str | None = None) -> dict:
    market = {"name": name, "simulated": True, "note": "simulated, seed 0; 40 stocks"}
    rows = as_records(ROWS[label_columns(ROWS)])
    return json.loads(json.dumps({"rows": 4, "labels": {"trained": market, "given": market | {"name": given or name}, "rows": rows}}))


def test_labels_are_read_off_answers_and_silence_is_left_out():
    read = said_of(as_records(ROWS[label_columns(ROWS)]))
    assert [each.session for each in read] == DAYS[1:4]
    assert [each.by for each in read] == [WALK, WALK, SERVING]
    assert [dict(each.probabilities) for each in read] == [{"risk_on": p, "risk_off": 1 - p} for p in (0.1, 0.5, 0.75)]
    assert [(each.low, each.high) for each in read] == [(None, None), (0.4, 0.6), (0.7, 0.8)]


def test_name_without_a_probability_is_refused():
    with pytest.raises(LabelError, match=f"session {DAYS[0]} is called risk_on without a probability"):
        said_of(as_records(ROWS.assign(regime="risk_on", status="scored")[label_columns(ROWS)]))


def test_champions_answer_is_published_under_its_market(tmp_path):
    given = answer()
    assert publish_answer(given, tmp_path / "labels", "appetite", "3") is None
    assert (given["labels"]["version"], given["labels"]["published"], given["labels"]["revised"]) == ("3", 3, 0)
    assert given["labels"]["words"] == f"3 sessions published ({DAYS[1]} to {DAYS[3]}); no published label is revised"
    series = series_in(tmp_path, SeriesOf("appetite", "sample", simulated=True, draw="simulated, seed 0"))
    assert series.published()["by"].tolist() == [WALK, WALK, SERVING]
    json.dumps(given, allow_nan=False)


def test_answer_of_no_champion_or_of_another_market_publishes_nothing(tmp_path):
    for given, version in ((answer(), None), (answer(given="live"), "3"), ({"rows": 1}, None)):
        assert publish_answer(given, tmp_path / "labels", "appetite", version) is None
        assert given["labels"]["published"] == 0
        assert given["labels"]["words"].startswith("none published: ")
    assert not list(tmp_path.iterdir())


def test_card_is_told_the_newest_revision_once_there_is_one(tmp_path):
    first = answer() | {"card": {"session": DAYS[3]}}
    assert publish_answer(first, tmp_path / "labels", "appetite", "3") is None
    assert "last_revision" not in first["card"]
    second = answer() | {"card": {"session": DAYS[3]}}
    second["labels"]["rows"][1] |= {"regime": "risk_on", "p_risk_on": 0.7, "p_risk_off": 0.3}
    assert publish_answer(second, tmp_path / "labels", "appetite", "4") is None
    told = {"session": DAYS[1], "was": "risk_off", "is": "risk_on", "was_p": 0.1, "p": 0.7, "version": "4"}
    assert second["card"]["last_revision"] == told
    third = answer() | {"card": {}}
    assert publish_answer(third, tmp_path / "labels", "appetite", "3") is None
    assert third["card"]["last_revision"] == told  # said long ago, and still the last


def test_fault_is_given_back_and_said_in_the_answer(tmp_path):
    (tmp_path / "labels").write_text("a file")
    given = answer()
    fault = publish_answer(given, tmp_path / "labels", "appetite", "3")
    assert isinstance(fault, LabelError)
    assert given["labels"] == {"published": 0, "words": f"not published: {fault}"}


def test_words_say_what_was_revised_and_what_was_left_out(tmp_path):
    series = series_in(tmp_path)
    series.publish("1", [said(day) for day in range(2, 6)])
    words = publication_words(series.publish("2", [said(day, 0.2 if day == 4 else 0.9) for day in range(8)]))
    assert words == (
        f"2 sessions published ({DAYS[6]} to {DAYS[7]}); 1 published label revised, last that of {DAYS[4]}: what was published stays; 3 of "
        "earlier versions confirmed; 2 sessions before the series begins or passed over by another version: left out"
    )
    again = publication_words(series.publish("2", [said(day) for day in range(6, 8)]))
    assert again == "nothing new: all sessions were published before, and none is revised"


@pytest.fixture
def root(tmp_path):
    drawn = SeriesOf("appetite", "sample", simulated=True, draw="simulated, seed 0")
    for of in (SeriesOf("appetite", "files", simulated=False), drawn):
        series = series_in(tmp_path, of)
        series.publish("1", [said(day, low=0.8, high=0.95, by=WALK) for day in range(4)])
        series.publish("2", [said(day, 0.3 if day == 2 else 0.9, low=0.8, high=0.95) for day in range(6)])
    return tmp_path / "labels"


def test_list_names_every_series_and_its_newest_sessions(root):
    text = render_labels(gather_labels(root, "appetite", newest=2, revisions=False))
    real, drawn = text.split("\n\n")
    assert real.startswith("appetite on the market files\n6 sessions published")
    assert drawn.startswith("SIMULATED appetite on the market sample (simulated, seed 0)\n")
    flat = [" ".join(line.split()) for line in real.replace("\n    ", " ").splitlines()]
    assert f"version 1: 4 sessions, {DAYS[0]} to {DAYS[3]}, 4 by the walk-forward" in flat
    assert "version 2 on 4 sessions that others published: mean change of P(risk-on) 0.1500, another name on 25.0%" in flat
    assert "revised: 16.7% of sessions; called by another name since: 16.7%" in flat
    listed = flat[flat.index("session regime P(risk-on) range version by published") + 1 :]
    assert [line.split()[0] for line in listed] == DAYS[4:6]
    assert listed[0].startswith(f"{DAYS[4]} risk-on .90 .80 - .95 2 serving 20")
    assert max(map(len, text.splitlines())) <= 100


def test_revisions_say_what_was_published_and_what_is_said_now(root):
    text = render_labels(gather_labels(root, "appetite", newest=0, revisions=True, market="files"))
    flat = [" ".join(line.split()) for line in text.splitlines()]
    assert any(line.startswith(f"{DAYS[2]} risk-on 0.9000 1 risk-off 0.3000 2 20") for line in flat)
    assert any(line.startswith(f"{DAYS[1]} risk-on 0.9000 1 the same 2 20") for line in flat)
    assert "SIMULATED" not in text


def test_revisions_that_change_a_label_come_first_and_crowd_out_what_is_confirmed(root):
    def listed(newest: int) -> list[tuple[str, bool]]:
        (each,) = gather_labels(root, "appetite", newest=newest, revisions=True, market="files")
        return [(row["session"], row["differs"]) for row in each["revisions"]]

    series_in(root.parent, SeriesOf("appetite", "files", simulated=False)).publish("3", [said(day, 0.2) for day in (0, 1)])
    changed = [(DAYS[2], True), (DAYS[0], True), (DAYS[1], True)]
    assert listed(0) == [*changed, (DAYS[0], False), (DAYS[1], False), (DAYS[3], False)]
    assert listed(4) == [*changed, (DAYS[3], False)]
    assert listed(2) == changed[1:]


def test_version_that_was_taken_back_is_said_where_it_spoke(root):
    taken_back = {"2": "2024-03-01T00:00:00Z: flows were counted twice", "7": "2024-03-01T00:00:00Z: of no label"}
    text = render_labels(gather_labels(root, "appetite", newest=1, revisions=False, market="files", taken_back=taken_back))
    said_of_it = "version 2 was taken back (2024-03-01T00:00:00Z: flows were counted twice); what it published stays"
    assert said_of_it in " ".join(text.split())
    assert "of no label" not in text


def test_market_that_no_label_is_of_is_refused_by_its_name(root, tmp_path):
    for refused in (
        lambda: gather_labels(root, "appetite", newest=1, revisions=False, market="nope"),
        lambda: verify_labels(root, "appetite", market="nope"),
    ):
        with pytest.raises(LabelError, match=r"of a market 'nope'; rule: .* There are 'files', 'sample'"):
            refused()
    with pytest.raises(LabelError, match="There are none of any other either"):
        gather_labels(tmp_path / "empty", "appetite", newest=1, revisions=False, market="nope")


def test_list_is_plain_json(root):
    listed = gather_labels(root, "appetite", newest=1, revisions=False)
    assert json.loads(json.dumps(listed, allow_nan=False)) == listed
    (row,) = listed[0]["published"]
    assert (row["session"], row["version"], row["p_risk_on"], row["published_at"][-1]) == (DAYS[5], "2", 0.9, "Z")
    revised = gather_labels(root, "appetite", newest=0, revisions=True)[0]["revisions"]
    assert [each["differs"] for each in revised] == [True, False, False, False]
    json.dumps(revised, allow_nan=False)


def test_verification_names_the_series_and_the_line(root):
    assert render_verified(verify_labels(root, "appetite")).count("every line is as it was written") == 2
    path = root / "appetite" / "real" / "files" / "published.jsonl"
    path.write_text(path.read_text().replace('"risk_on": 0.9', '"risk_on": 0.8', 1))
    checked = verify_labels(root, "appetite")
    assert [each["broken"] is None for each in checked] == [False, True]
    assert (checked[0]["broken"]["line"], checked[0]["broken"]["file"]) == (1, "published.jsonl")
    assert "appetite on the market files: line 1 of 'published.jsonl' was altered" in render_verified(checked)
    assert verify_labels(root, "appetite", market="sample")[0]["broken"] is None


def test_no_series_says_how_one_begins(tmp_path):
    assert render_labels(gather_labels(tmp_path, "appetite", newest=5, revisions=False)) == NONE_YET
    assert render_verified(verify_labels(tmp_path, "appetite")) == NONE_YET
