"""Published labels through the command line: the walk of a champion, what it answers later, and a successor that rewrites nothing."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml

import serving.batch
from features.market import Market
from serving.label_place import SeriesOf
from serving.label_series import LabelSeries
from sources import simulate_market
from tests.e2e.command import ROOT, Desk, make_desk, small_config
from tests.e2e.files_market import write_closes, write_market
from tests.store import put_store

LATER = (40, 20, 0)
"""Sessions that the market is short of at the first training, at the second, and at the end."""

SCORE = serving.batch.score_in_fresh_process
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


@pytest.fixture(scope="module", params=["copied", pytest.param("trained", marks=pytest.mark.slow)])
def trained(request) -> bool:
    """Whether the second champion is really trained, and every answer its own process; else the first one is copied and altered."""
    return request.param == "trained"


@pytest.fixture(scope="module")
def desk(tmp_path_factory, market, trained) -> Desk:
    """Lay out the files of a market as it grew, two configurations and lenient rules."""
    folder = tmp_path_factory.mktemp("labels")
    put_store(folder)
    desk = make_desk(folder)
    write_closes(folder, market)
    for number, later in enumerate(LATER, start=1):
        write_market(folder / f"market{number}.yaml", market.sessions[-1 - later])
    tree = small_config() | {"assets": ["BTC"], "horizons": [5]}
    tree["regime"] |= {"columns": ["momentum__ret_1", "momentum__log_vol_21"], "bootstrap": 4, "n_init": 1}
    tree["forecast"]["features"] = ["momentum__mom_63", "momentum__dd"]
    tree["walk"]["refit_every"] = 252
    desk.config.write_text(yaml.safe_dump(tree), encoding="utf-8")
    tree["regime"] |= {"kappa": 5}
    (folder / "other.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    (folder / "rules.yaml").write_text(yaml.safe_dump(RULES), encoding="utf-8")
    return desk


def train(desk: Desk, market: str, config: Path | str, **variables: str) -> subprocess.CompletedProcess[str]:
    done = desk.run("train", "--market", market, "--config", config, "--rules", "rules.yaml", **variables)
    assert done.returncode == 0, done.stderr
    return done


def say(desk: Desk, *words: object) -> list | dict:
    done = desk.invoke(*words, "--json", PYTHONPATH=str(ROOT))
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def series_of(desk: Desk) -> LabelSeries:
    return LabelSeries(desk.folder / "labels", SeriesOf("appetite", "desk", simulated=False))


@dataclass
class Answers:
    """Scores in a fresh process, which takes seconds, or gives again what one of them gave for the longest market, up to a session."""

    again: bool = False
    last: str = ""

    def score(self, model: str, market: str, out: Path | None, **more: object) -> dict:
        if self.again and self.last:
            answer = json.loads(self.last)
            later = LATER[int(market.removeprefix("market").removesuffix(".yaml")) - 1]
            answer["labels"]["rows"] = answer["labels"]["rows"][: len(answer["labels"]["rows"]) - later]
            return answer
        longest = "market3.yaml" if self.again else market
        self.last = json.dumps(SCORE(model, longest, out, **more))
        return self.score(model, market, out) if self.again else json.loads(self.last)


@pytest.fixture(scope="module")
def answers(trained) -> Iterator[Answers]:
    with pytest.MonkeyPatch.context() as patch:
        answers = Answers(again=not trained)
        patch.setattr(serving.batch, "score_in_fresh_process", answers.score)
        yield answers


def walk_of(desk: Desk, version: str) -> pd.DataFrame:
    run = desk.client().get_run(desk.client().get_model_version("appetite", version).run_id)
    table = pd.read_parquet(Path(run.info.artifact_uri.removeprefix("file://")) / "evaluation" / "published.parquet")
    return table[table["status"] == "published"].reset_index(drop=True)


def copy_champion(desk: Desk) -> None:
    """Register what the first champion's run left once more, with smaller losses and another opinion of every session."""
    client = desk.client()
    run = client.get_run(client.get_model_version("appetite", "1").run_id)
    folder = Path(run.info.artifact_uri.removeprefix("file://")) / "evaluation"
    copy = desk.folder / "copy"
    shutil.copytree(folder, copy)
    walk, losses = pd.read_parquet(folder / "published.parquet"), pd.read_parquet(folder / "oos_losses.parquet")
    walk.assign(p_risk_on=walk["p_risk_on"] / 2, p_risk_off=1 - walk["p_risk_on"] / 2).to_parquet(copy / "published.parquet")
    losses.assign(crps=losses["crps"] * 0.9).to_parquet(copy / "oos_losses.parquet")
    new = client.create_run(run.info.experiment_id, tags={name: run.data.tags[name] for name in ("market", "market.note", "simulated")})
    client.log_artifacts(new.info.run_id, str(copy), "evaluation")
    for name, value in run.data.metrics.items():
        client.log_metric(new.info.run_id, name, value)
    client.set_terminated(new.info.run_id)
    client.create_model_version("appetite", "file:///nowhere", new.info.run_id)


@pytest.fixture(scope="module")
def lived(desk, trained, answers) -> dict:
    """Train, answer later, train a second champion, and answer later still. The first time, labels cannot be written."""
    out: dict = {"empty": say(desk, "labels")}
    (desk.folder / "no-folder").write_text("a file")
    out["first"] = train(desk, "market1.yaml", desk.config, APPETITE_LABELS=str(desk.folder / "no-folder"))
    out["run"] = desk.runs()[0].info.status
    out["champion"] = str(desk.client().get_model_version_by_alias("appetite", "champion").version)
    out["promote"] = say(desk, "promote", "--version", "1", "--rules", "rules.yaml")
    out["walk"] = series_of(desk).published()
    out["score"] = say(desk, "score", "--market", "market2.yaml")
    out["again"] = say(desk, "score", "--market", "market2.yaml")
    out["before"] = series_of(desk).published()
    if trained:
        out["second"] = train(desk, "market2.yaml", "other.yaml").stdout
    else:
        copy_champion(desk)
        out["second"] = desk.invoke("promote", "--rules", "rules.yaml").stdout
    out["after"], out["revisions"], out["summary"] = series_of(desk).published(), series_of(desk).revisions(), series_of(desk).summary()
    out["last"] = say(desk, "score", "--model", "models:/appetite/2", "--market", "market3.yaml")
    answers.again = True
    return out


def test_training_is_not_lost_where_labels_cannot_be_written_and_they_are_published_later(lived):
    assert lived["empty"] == []
    assert "appetite version 1: champion" in lived["first"].stdout
    assert "repeat that with `appetite promote --version 1`" in lived["first"].stderr
    assert (lived["run"], lived["champion"]) == ("FINISHED", "1")
    assert lived["promote"]["labels"].startswith(f"{len(lived['walk'])} sessions published")


def test_walk_of_the_first_champion_is_published_as_training_wrote_it(desk, lived):
    walk, published = walk_of(desk, "1"), lived["walk"]
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
    assert "labels" in lived["second"]
    assert " 0 sessions published; " in lived["second"]
    assert "published labels revised" in lived["second"]
    pd.testing.assert_frame_equal(lived["after"], lived["before"])
    revisions, walk = lived["revisions"], walk_of(desk, "2")
    assert set(revisions["version"]) == {"2"}
    both = lived["before"].merge(walk, on="session", suffixes=("", "_walk"))
    assert len(both) >= len(lived["walk"])
    assert revisions["session"].tolist() == both["session"].tolist()
    assert revisions["p_risk_on"].tolist() == both["p_risk_on_walk"].tolist()
    assert revisions["published_p_risk_on"].tolist() == both["p_risk_on"].tolist()
    (compared,) = lived["summary"]["compared"]
    apart = (both["p_risk_on_walk"] - both["p_risk_on"]).abs().mean()
    assert compared["revision"] == pytest.approx(apart, rel=1e-12)
    assert apart > 0


def test_card_tells_the_last_revision_of_a_published_label(lived):
    assert lived["score"]["card"]["last_revision"] is None
    told, newest = lived["last"]["card"]["last_revision"], lived["revisions"][lived["revisions"]["differs"]].iloc[-1]
    assert (told["session"], told["version"]) == (f"{newest['session']:%Y-%m-%d}", "2")
    assert (told["was"], told["is"]) == (newest["published_regime"], newest["regime"])
    assert (told["was_p"], told["p"]) == (newest["published_p_risk_on"], newest["p_risk_on"])


def test_second_champion_goes_on_and_the_former_one_publishes_nothing_more(desk, lived, market):
    former = say(desk, "score", "--model", "models:/appetite/1", "--market", "market3.yaml")
    assert former["labels"] == {"published": 0, "words": "none published: the champion's are, and no other model's"}
    assert (lived["last"]["labels"]["published"], lived["last"]["labels"]["version"]) == (20, "2")
    published = series_of(desk).published()
    pd.testing.assert_frame_equal(published.iloc[: len(lived["after"])], lived["after"])
    assert published["version"].iloc[len(lived["after"]) :].tolist() == ["2"] * 20
    assert published["session"].tolist() == list(market.sessions[-len(published) :])


def test_labels_are_listed_and_verified(desk, lived):
    (listed,) = say(desk, "labels", "--newest", "3")
    assert [row["version"] for row in listed["published"]] == ["2"] * 3
    assert [each["version"] for each in listed["summary"]["versions"]] == ["1", "2"]
    (revised,) = say(desk, "labels", "--revisions", "--newest", "0")
    assert len(revised["revisions"]) >= len(lived["revisions"])
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
        scored = desk.invoke("score", "--market", "market3.yaml", "--json")
    finally:
        path.write_bytes(whole)
    assert verified.exit_code == 1
    assert "line 1 of 'published.jsonl' was altered" in verified.stdout
    for done in (listed, promoted, scored):
        assert done.exit_code == 2
        assert "line 1 of 'published.jsonl' was altered" in done.stderr
        assert "restore the folder from a copy" in done.stderr
    assert "appetite promote --version 2" in promoted.stderr
    answer = json.loads(scored.stdout)
    assert answer["card"]["regime"]["name"]
    assert answer["labels"]["published"] == 0
