"""Published labels through the command line: the walk of a champion, what it answers later, and a successor that rewrites nothing."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

from features.market import Market
from serving.label_place import SeriesOf
from serving.label_series import LabelSeries
from sources import simulate_market
from tests.e2e.command import Desk, make_desk, small_config
from tests.store import put_store

LATER = (40, 20, 0)
"""Sessions that the market is short of at the first training, at the second, and at the end."""

SPEC = {
    "kind": "files",
    "name": "desk",
    "root": ".",
    "calendar": {"start": "2017-01-03"},
    "prices": {"R2000": {"path": "r2000.csv", "date": "date", "close": "close", "known_at": "session_close"}},
    "coins": [{"path": "BTC.csv", "date": "date", "asset": "BTC", "close": "close", "known_at": "end_of_utc_day"}],
}
RULES = {
    "sound": {
        **{"min_outer_rows": 1, "coverage_80": [0.0, 1.0], "min_crps_skill": -9, "max_degenerate_share": 1, "max_churn": 1},
        "min_label_gain": -9,
    },
    "better": {"min_common_rows": 1, "min_gain": -9.0, "min_gain_errors": 0.0},
}


@pytest.fixture(scope="module")
def market() -> Market:
    return simulate_market(years=8, n_stocks=10)


@pytest.fixture(scope="module")
def desk(tmp_path_factory, market) -> Desk:
    """Lay out the files of a market as it grew, two configurations and lenient rules."""
    folder = tmp_path_factory.mktemp("labels")
    put_store(folder)
    desk = make_desk(folder)
    for series, frame, column, name in (("r2000", market.prices, "series", "R2000"), ("BTC", market.coins, "asset", "BTC")):
        frame.loc[frame[column] == name, ["date", "close"]].to_csv(folder / f"{series}.csv", index=False)
    for number, later in enumerate(LATER, start=1):
        calendar = SPEC["calendar"] | {"end": f"{market.sessions[-1 - later]:%Y-%m-%d}"}
        (folder / f"market{number}.yaml").write_text(yaml.safe_dump(SPEC | {"calendar": calendar}), encoding="utf-8")
    tree = small_config() | {"assets": ["BTC"], "horizons": [5]}
    tree["regime"] |= {"columns": ["momentum__ret_1", "momentum__log_vol_21"], "bootstrap": 4, "n_init": 1}
    tree["forecast"]["features"] = ["momentum__mom_63", "momentum__dd"]
    tree["walk"]["refit_every"] = 252
    desk.config.write_text(yaml.safe_dump(tree), encoding="utf-8")
    tree["regime"] |= {"kappa": 5}
    (folder / "other.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    (folder / "rules.yaml").write_text(yaml.safe_dump(RULES), encoding="utf-8")
    return desk


def train(desk: Desk, market: str, config: Path | str) -> subprocess.CompletedProcess[str]:
    return desk.run("train", "--market", market, "--config", config, "--rules", "rules.yaml")


def say(desk: Desk, *words: object) -> list | dict:
    done = desk.run(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def series_of(desk: Desk) -> LabelSeries:
    return LabelSeries(desk.folder / "labels", SeriesOf("appetite", "desk", simulated=False))


@pytest.fixture(scope="module")
def first(desk) -> str:
    """Train the first champion; gives what was printed."""
    assert "no label is published yet" in desk.run("labels").stdout
    done = train(desk, "market1.yaml", desk.config)
    assert done.returncode == 0, done.stderr
    return done.stdout


def walk_of(desk: Desk, version: str) -> pd.DataFrame:
    run = desk.client().get_run(desk.client().get_model_version("appetite", version).run_id)
    table = pd.read_parquet(Path(run.info.artifact_uri.removeprefix("file://")) / "evaluation" / "published.parquet")
    return table[table["status"] == "published"].reset_index(drop=True)


@pytest.fixture(scope="module")
def lived(desk, first) -> dict:
    """Live on: the champion answers later, a second one follows it, and answers later still."""
    out: dict = {"walk": series_of(desk).published()}
    out["score"] = say(desk, "score", "--market", "market2.yaml")
    out["again"] = say(desk, "score", "--market", "market2.yaml")
    out["before"] = series_of(desk).published()
    second = train(desk, "market2.yaml", "other.yaml")
    assert second.returncode == 0, second.stderr
    out["second"] = second.stdout
    out["after"] = series_of(desk).published()
    out["former"] = say(desk, "score", "--model", "models:/appetite/1", "--market", "market3.yaml")
    out["last"] = say(desk, "score", "--model", "models:/appetite/2", "--market", "market3.yaml")
    return out


def test_walk_of_the_first_champion_is_published_as_training_wrote_it(desk, first, lived):
    walk, published = walk_of(desk, "1"), lived["walk"]
    assert f"labels   {len(walk)} sessions published" in first
    assert set(published["by"]) == {"walk"}
    for column in ("session", "regime", "p_risk_on", "p_risk_off"):
        assert published[column].tolist() == walk[column].tolist(), column
    pd.testing.assert_series_equal(published["low"], walk["p_risk_on_lo"], check_names=False)


def test_champion_publishes_the_sessions_it_first_answers_for_once(lived, market):
    labels = lived["score"]["labels"]
    assert (labels["published"], labels["revised"], labels["version"]) == (20, 0, "1")
    assert labels["last"] == f"{market.sessions[-1 - LATER[1]]:%Y-%m-%d}"
    assert lived["again"]["labels"]["words"] == "nothing new: all sessions were published before, and none is revised"
    before = lived["before"]
    assert before["by"].tolist() == ["walk"] * len(lived["walk"]) + ["serving"] * 20
    pd.testing.assert_frame_equal(before.iloc[: len(lived["walk"])], lived["walk"])


def test_second_champion_rewrites_nothing_and_its_walk_is_a_series_of_revisions(desk, lived):
    assert "labels   0 sessions published; " in lived["second"]
    assert "published labels revised" in lived["second"]
    pd.testing.assert_frame_equal(lived["after"], lived["before"])
    revisions = series_of(desk).revisions()
    assert set(revisions["version"]) == {"2"}
    assert revisions["session"].tolist() == lived["before"]["session"].tolist()
    walk = walk_of(desk, "2")
    assert revisions["p_risk_on"].tolist() == walk["p_risk_on"].tolist()
    assert revisions["published_p_risk_on"].tolist() == lived["before"]["p_risk_on"].tolist()
    (compared,) = series_of(desk).summary()["compared"]
    apart = (walk["p_risk_on"] - lived["before"]["p_risk_on"]).abs().mean()
    assert compared["revision"] == pytest.approx(apart, rel=1e-12)
    assert apart > 0


def test_second_champion_goes_on_and_the_former_one_publishes_nothing_more(desk, lived, market):
    assert lived["former"]["labels"] == {"published": 0, "words": "none published: the champion's are, and no other model's"}
    assert (lived["last"]["labels"]["published"], lived["last"]["labels"]["version"]) == (20, "2")
    published = series_of(desk).published()
    pd.testing.assert_frame_equal(published.iloc[: len(lived["after"])], lived["after"])
    assert published["version"].iloc[len(lived["after"]) :].tolist() == ["2"] * 20
    assert published["session"].tolist() == list(market.sessions[-len(published) :])
    assert lived["last"]["card"]["model"] == "models:/appetite/2"


def test_labels_are_listed_and_verified(desk, lived):
    (listed,) = say(desk, "labels", "--newest", "3")
    assert [row["version"] for row in listed["published"]] == ["2"] * 3
    assert [each["version"] for each in listed["summary"]["versions"]] == ["1", "2"]
    (revised,) = say(desk, "labels", "--revisions", "--newest", "0")
    assert len(revised["revisions"]) == len(lived["after"])
    done = desk.invoke("labels")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("appetite on the market desk\n")
    assert desk.invoke("labels", "--verify").stdout == "appetite on the market desk: every line is as it was written\n"


def test_broken_series_is_an_error_with_a_way_out_and_the_answer_is_given(desk, lived):
    path = series_of(desk).folder / "published.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"by": "walk"', b'"by": "me"', 1))
    try:
        verified = desk.invoke("labels", "--verify")
        listed = desk.invoke("labels")
        promoted = desk.invoke("promote", "--version", "2", "--rules", "rules.yaml")
        scored = desk.run("score", "--market", "market3.yaml", "--json")
    finally:
        path.write_bytes(whole)
    assert verified.exit_code == 1
    assert "line 1 of 'published.jsonl' was altered" in verified.stdout
    for done in (listed, promoted):
        assert done.exit_code == 2
        assert "line 1 of 'published.jsonl' was altered" in done.stderr
        assert "restore the folder from a copy" in done.stderr
    assert "appetite promote --version 2" in promoted.stderr
    assert scored.returncode == 2
    assert "restore the folder from a copy" in scored.stderr
    answer = json.loads(scored.stdout)
    assert answer["card"]["regime"]["name"]
    assert answer["labels"]["published"] == 0


def test_training_is_not_lost_where_labels_cannot_be_written(desk, lived, tmp_path):
    (tmp_path / "labels").write_text("a file")
    done = desk.run(
        "train", "--market", "market3.yaml", "--config", desk.config, "--rules", "rules.yaml", APPETITE_LABELS=str(tmp_path / "labels")
    )
    assert done.returncode == 0, done.stderr
    assert "appetite version 3: champion" in done.stdout
    assert "repeat that with `appetite promote --version 3`" in done.stderr
    assert str(desk.client().get_model_version_by_alias("appetite", "champion").version) == "3"
    assert desk.runs()[0].info.status == "FINISHED"
    done = desk.invoke("promote", "--version", "3", "--rules", "rules.yaml")
    assert done.exit_code == 0, done.stderr
    assert "labels: " in done.stdout
    assert "3" in set(series_of(desk).revisions()["version"])
