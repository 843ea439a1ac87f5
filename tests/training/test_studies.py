"""Several walks: the same as one by one, in any number of processes, and not done twice."""

import numpy as np
import pandas as pd
import pytest

import training.studies
from tests.e2e.command import small_config
from training.config import TrainConfig
from training.regimes import RegimeWalk, walk_regimes
from training.studies import run_walks

pytestmark = pytest.mark.filterwarnings("ignore::models.degenerate.DegenerateFitWarning")


@pytest.fixture(scope="module")
def given() -> tuple[pd.DataFrame, pd.Series, dict[str, TrainConfig]]:
    rng = np.random.default_rng(0)
    tree = small_config()
    tree["walk"]["start"] = pd.Timestamp("2015-01-02").date()
    index = pd.bdate_range("2015-01-02", periods=900, name="session")
    sd = np.where(np.arange(900) // 150 % 2, 0.02, 0.01)
    columns = tree["regime"]["columns"]
    X = pd.DataFrame(rng.normal(size=(900, len(columns))) * sd[:, None], index=index, columns=columns)
    base = TrainConfig.model_validate(tree)
    other = base.model_copy(update={"regime": base.regime.model_copy(update={"kappa": 10.0, "specifications": []})})
    return X, pd.Series(100 * np.exp(np.cumsum(X.iloc[:, 0])), index=index), {"base": base, "other": other}


def same(one: RegimeWalk, other: RegimeWalk) -> None:
    pd.testing.assert_frame_equal(one.published, other.published, check_exact=True)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_walks_are_those_made_one_by_one(given, n_jobs):
    X, price, configs = given
    seen: list[tuple[int, int]] = []
    walks = run_walks(X, price, configs, n_jobs=n_jobs, progress=lambda *at: seen.append(at))
    assert list(walks) == ["base", "other"]
    assert seen == [(1, 2), (2, 2)]
    for name, config in configs.items():
        same(walks[name], walk_regimes(X, price, config, lambda what, done, of: None))


def test_study_that_was_stopped_goes_on_where_it_was(given, tmp_path, monkeypatch):
    X, price, configs = given
    first = run_walks(X, price, {"base": configs["base"]}, cache=tmp_path)
    made: list[float] = []

    def counted(X, price, config, progress):
        made.append(config.regime.kappa)
        return walk_regimes(X, price, config, progress)

    monkeypatch.setattr(training.studies, "walk_regimes", counted)
    again = run_walks(X, price, configs, cache=tmp_path)
    assert made == [10.0]  # the other alone
    same(again["base"], first["base"])
    run_walks(X * 2.0, price, {"other": configs["other"]}, cache=tmp_path)
    assert made == [10.0, 10.0]  # other data
    monkeypatch.setattr(training.studies, "_code", lambda: "changed")
    run_walks(X, price, {"other": configs["other"]}, cache=tmp_path)
    assert made == [10.0] * 3
