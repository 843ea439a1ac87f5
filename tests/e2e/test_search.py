"""A small search through the command line: what it leaves in MLflow, in the ledger and on disk."""

import json

import pandas as pd
import pytest
import yaml

import training.search.tries
from tests.e2e.command import make_desk
from tests.store import put_store
from training.config import load_config
from training.ledger.ledger import Ledger
from training.ledger.trial import config_hash_of

SPACE = """
trials: 3
batch: 2
space:
  regime.kappa: {low: 20, high: 500, log: true}
  walk.refit_every: {choices: [126, 252]}
"""


def search_desk(folder):
    desk = make_desk(folder)
    put_store(folder)
    config = yaml.safe_load(desk.config.read_text()) | {"assets": ["BTC"], "horizons": [5]}
    config["regime"]["specifications"] = []
    desk.config.write_text(yaml.safe_dump(config))
    (folder / "search.yaml").write_text(SPACE)
    return desk


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    desk = search_desk(tmp_path_factory.mktemp("searched"))
    words = ("--space", "search.yaml", *desk.study(), "--out", "best.yaml", "--json")
    done = desk.invoke("search", *words)
    assert done.exit_code == 0, done.stderr
    return desk, json.loads(done.stdout)


def test_every_candidate_is_a_child_run_and_a_trial_of_one_family(searched):
    desk, said = searched
    children = [run for run in desk.runs() if run.data.tags.get("mlflow.parentRunId") == said["run_id"]]
    assert {run.info.run_id for run in children} == {each["run_id"] for each in said["candidates"]}
    assert {run.info.status for run in desk.runs()} == {"FINISHED"}
    entries = Ledger(desk.folder / "mlflow.ledger").read().entries
    assert {each.run_id for each in entries} == {said["run_id"], *(run.info.run_id for run in children)}
    assert len({each.family_id for each in entries}) == 1
    assert {each.state for each in entries} == {"finished"}
    assert all(each.losses and each.baselines for each in entries)
    assert {each.trial.parent for each in entries} == {"", said["run_id"]}
    assert len({each.trial.hypothesis_id for each in entries}) == 1 + len(children)


def test_first_candidate_is_the_config_as_it_is(searched):
    desk, said = searched
    first = said["candidates"][0]
    entry = Ledger(desk.folder / "mlflow.ledger").read().find(first["run_id"])
    assert entry.trial.config_hash == config_hash_of(load_config(desk.config))
    assert (first["regime.kappa"], first["walk.refit_every"]) == (100.0, 126)


def test_procedure_follows_its_choices_on_rows_after_the_split(searched):
    desk, said = searched
    (artifacts,) = desk.folder.glob(f"mlruns/*/{said['run_id']}/artifacts/evaluation")
    losses = pd.read_parquet(artifacts / "oos_losses.parquet")
    before = losses["session"] < pd.Timestamp(said["split"])
    assert set(losses.loc[before, "candidate"]) == {0}
    served = said["skill"][0]
    own = losses[(losses["rung"] == "served") & losses["outer"] & ~before]
    assert served["n"] == own["crps"].notna().sum()
    assert served["crps"] == pytest.approx(own["crps"].mean(), rel=1e-12)
    assert losses.loc[losses["lockbox"], "y"].isna().all()
    assert losses["lockbox"].any()
    entry = Ledger(desk.folder / "mlflow.ledger").read().entries[0]
    assert (entry.trial.locked, entry.trial.sealed_from) == (0.2, f"{losses.loc[losses['lockbox'], 'session'].min():%Y-%m-%d}")
    choices = pd.read_csv(artifacts / "choices.csv")
    assert choices["position"].is_monotonic_increasing
    assert set(losses["candidate"]) == set(choices["candidate"])


def test_chosen_config_is_one_that_training_takes(searched):
    desk, said = searched
    best = load_config(desk.folder / "best.yaml")
    assert best.model_dump(mode="json") == said["config"]
    chosen = said["candidates"][said["best"]]
    assert (best.regime.kappa, best.walk.refit_every) == (chosen["regime.kappa"], chosen["walk.refit_every"])


def test_candidate_that_fails_ends_its_run_and_still_counts(tmp_path, monkeypatch):
    desk = search_desk(tmp_path)

    def fail(*_given):
        raise MemoryError("no room")

    monkeypatch.setattr(training.search.tries, "walk_candidate", fail)
    done = desk.invoke("search", "--space", "search.yaml", *desk.study())
    assert done.exit_code == 1
    assert [run.info.status for run in desk.runs()] == ["FAILED"] * 3
    entries = Ledger(desk.folder / "mlflow.ledger").read().entries
    assert [each.state for each in entries] == ["failed"] * 3


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("regime.kappa", "regime.kapa", "key 'regime.kapa' of the space is none of the training config"),
        ("[126, 252]", "[126, 1]", "greater than or equal to 5"),
        ("batch: 2", "batch: 0", "key 'batch'"),
    ],
)
def test_fault_of_the_space_is_told_before_a_run_is_opened(tmp_path, old, new, told):
    desk = search_desk(tmp_path)
    (tmp_path / "search.yaml").write_text(SPACE.replace(old, new))
    done = desk.invoke("search", "--space", "search.yaml", *desk.study())
    assert done.exit_code == 2
    assert told in done.stderr
    assert desk.runs() == []
