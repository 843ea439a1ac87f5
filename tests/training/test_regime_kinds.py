"""Kinds of regime model in the walk: what a driven model reads and carries on from refit to refit, and how a jump model is set."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.jump_settings import check_settings
from models.regime_jump import RegimeJump
from models.regime_tvtp import RegimeTVTP
from tests.e2e.command import small_config
from tests.models.driven_worlds import driven_returns
from training.config import TrainConfig
from training.refit import Refit, make_refit
from training.refit_names import names_inverted
from training.regime_kinds import jump_settings, specification_settings

FIRST, SECOND, ROWS = 799, 862, 925


def config(**regime: object) -> TrainConfig:
    tree = small_config()
    tree["walk"]["start"] = pd.Timestamp(tree["walk"]["start"]).date()
    plain = {"kind": "tvtp", "columns": ["ret"], "score_column": "ret", "drivers": ["vix", "late"], "kappa": 20.0, "evidence": 0}
    tree["regime"] |= plain | regime
    return TrainConfig.model_validate(tree)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Returns, their driver, and a second driver that is there for too few rows at the first refit."""
    _, X, z, _ = driven_returns(ROWS, 3)
    late = np.random.default_rng(0).normal(size=ROWS)
    late[:165] = np.nan
    days = pd.bdate_range("2015-01-01", periods=ROWS, name="session")
    return pd.DataFrame({"ret": X[:, 0], "vix": 20.0 + 5.0 * z[:, 0], "late": late}, index=days)


def two_refits(frame: pd.DataFrame, settings: TrainConfig) -> tuple[Refit, Refit]:
    price = pd.Series(np.exp(frame["ret"].cumsum()), index=frame.index)
    first = make_refit(frame, price, 0, FIRST, SECOND, 0, None, settings)
    return first, make_refit(frame, price, 0, SECOND, ROWS, 1, first, settings)


def test_driver_below_coverage_leaves_that_fit_and_is_listed(frame):
    first, second = two_refits(frame, config())
    assert (first.model.drivers, first.left_out) == (("vix",), ("late",))
    assert (second.model.drivers, second.left_out) == (("vix", "late"), ())
    assert not first.faults
    assert first.states.shape == (SECOND, 2, 2)
    np.testing.assert_array_equal(first.probs, first.states[:, 0])


def test_walk_goes_on_with_constant_transitions_while_no_driver_is_there(frame):
    first, _ = two_refits(frame, config(drivers=["late"]))
    assert (first.model.drivers, first.left_out) == ((), ("late",))
    np.testing.assert_allclose(first.probs, first.model.base.filter_proba(frame.iloc[:SECOND]), atol=1e-12)


def test_evidence_of_names_is_weighed_and_carried_on(frame):
    first, second = two_refits(frame, config(drivers=["vix"], evidence=3))
    known = first.model.identity
    assert np.isfinite([known.order_prob, known.gain_z]).all()
    assert (second.model.identity.order_prob, second.model.identity.gain_z) == (known.order_prob, known.gain_z)
    assert second.model.identity.scores != known.scores


def test_swap_of_names_is_seen(frame):
    model = two_refits(frame, config(drivers=["vix"]))[0].model
    turned = replace(model, base=replace(model.base, params=model.base.params.reordered(np.array([1, 0]))))
    assert isinstance(model, RegimeTVTP)
    assert not names_inverted(model, model)
    assert names_inverted(model, turned)


def test_fit_that_ran_out_of_iterations_is_a_fault(frame):
    with pytest.warns(UserWarning, match="did not converge in 2 iterations"):
        refit = make_refit(frame, frame["ret"], 0, FIRST, SECOND, 0, None, config(drivers=["vix"], n_iter=2, tol=1e-9))
    assert "did not converge" in refit.faults[0]


@pytest.mark.parametrize("n_components", [2, 3, 4])
def test_jump_model_is_set_as_configured_on_a_grid_that_is_allowed(n_components):
    settings = jump_settings(config(kind="jump", jump_continuous=True, jump_penalty=7.0, n_components=n_components))
    check_settings(settings)
    assert (settings.continuous, settings.jump_penalty, settings.n_components) == (True, 7.0, n_components)
    assert not jump_settings(config(kind="jump")).continuous


@pytest.mark.parametrize(("n_iter", "rounds"), [(300, 1000), (5000, 5000)])
def test_rounds_of_a_jump_model_are_raised_by_n_iter_and_never_lowered(n_iter, rounds):
    assert jump_settings(config(kind="jump", n_iter=n_iter)).max_iter == rounds


def test_continuous_jump_model_is_fitted_and_warm_at_the_next_refit(frame):
    first, second = two_refits(frame, config(kind="jump", jump_continuous=True, columns=["ret", "vix"], jump_penalty=20.0))
    assert isinstance(second.model, RegimeJump)
    assert first.model.params.grid is not None
    assert first.states.shape == (SECOND, 21)
    assert second.churn < 0.1


def test_specifications_are_of_the_hmm_alone():
    assert len(specification_settings(config(kind="hmm"))) == 5
    assert specification_settings(config(kind="tvtp")) == {}


def test_swap_of_a_jump_models_names_is_seen(frame):
    model = two_refits(frame.assign(ret=frame["ret"].abs()), config(kind="jump", jump_penalty=1.0))[0].model
    assert isinstance(model, RegimeJump)
    turned = replace(model, params=replace(model.params, centers=model.params.centers[::-1]))
    moved = replace(model, center=model.center + 0.1 * model.scale, scale=1.1 * model.scale)  # the same centers on another scale
    assert not names_inverted(model, model)
    assert names_inverted(model, turned)
    assert not names_inverted(model, moved)
