"""Fitting the regime model with driven transitions: no slopes, warm starts, gaps, known slopes, what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.errors import FitError
from models.regime_fit import HMMSettings, fit_regime_hmm
from models.regime_tvtp_fit import fit_regime_tvtp
from tests.models.driven_worlds import COEFS, driven_returns
from tests.models.worlds import balanced_accuracy, frame_of, with_gaps

SETTINGS = HMMSettings(2, 20.0, 2, 300, 1e-3, "ret")


def driven_frame(n_obs: int, seed: int) -> tuple[np.ndarray, pd.DataFrame]:
    """States and a frame of returns and of the driver, which is in units of its own."""
    states, X, z, _ = driven_returns(n_obs, seed)
    return states, frame_of(np.column_stack([X, 20.0 + 5.0 * z]), ("ret", "vix"))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_without_slopes_or_drivers_it_is_the_hmm():
    _, frame = driven_frame(1200, 1)
    sure = replace(SETTINGS, tol=1e-8, n_iter=2000)
    plain = fit_regime_hmm(frame, ("ret",), sure, rng())
    probs = plain.filter_proba(frame)
    for each in (
        fit_regime_tvtp(frame, ("ret",), ("vix",), sure, rng(), ridge=np.inf),
        fit_regime_tvtp(frame, ("ret",), (), sure, rng()),
    ):
        np.testing.assert_allclose(each.filter_proba(frame), probs, atol=1e-4)
        np.testing.assert_allclose(each.predict_proba_ahead(probs, 21, frame), plain.predict_proba_ahead(probs, 21), atol=1e-4)
        assert each.base.fit.log_posterior == pytest.approx(plain.fit.log_posterior, abs=1e-3)


def test_known_slopes_are_found_and_states_are_in_order():
    """6,000 days hold some 75 moves each way: standard errors of a slope are near .15, and the prior draws a little towards 0."""
    states, frame = driven_frame(6000, 2)
    model = fit_regime_tvtp(frame, ("ret",), ("vix",), SETTINGS, rng())
    slopes = model.coefs[:, :, 1] / model.driver_scale * 5.0
    np.testing.assert_allclose(slopes, COEFS[:, :, 1], atol=0.5)
    assert np.diff(model.identity.scores)[0] < 0.0
    assert balanced_accuracy(states, model.filter_proba(frame)) > 0.85
    assert model.base.fit.converged
    assert model.base.fit.fell < 1e-6 * abs(model.base.fit.log_posterior)


def test_drivers_add_to_the_posterior_of_constant_transitions():
    _, frame = driven_frame(1500, 3)
    plain = fit_regime_tvtp(frame, ("ret",), ("vix",), SETTINGS, rng(), ridge=np.inf)
    driven = fit_regime_tvtp(frame, ("ret",), ("vix",), SETTINGS, rng())
    assert driven.base.fit.log_posterior > plain.base.fit.log_posterior + 5.0
    assert driven.log_next(frame).sum() > plain.log_next(frame).sum() + 5.0


def test_refit_from_the_model_before_ends_where_a_cold_one_does_in_fewer_iterations():
    """Rows more, so other units of columns and drivers; the states in the order of the scores, which need not be that of EM."""
    _, frame = driven_frame(1563, 4)
    sure = replace(SETTINGS, tol=1e-4)
    before = fit_regime_tvtp(frame.iloc[:1500], ("ret",), ("vix",), sure, rng())
    warm = fit_regime_tvtp(frame, ("ret",), ("vix",), sure, rng(), before)
    cold = fit_regime_tvtp(frame, ("ret",), ("vix",), sure, rng())
    assert warm.base.fit.log_posterior == pytest.approx(cold.base.fit.log_posterior, abs=0.05)
    assert warm.base.fit.n_iter < cold.base.fit.n_iter
    np.testing.assert_allclose(warm.filter_proba(frame), cold.filter_proba(frame), atol=0.05)


def test_model_of_other_drivers_is_no_start():
    _, frame = driven_frame(1200, 5)
    frame = frame.assign(flow=np.random.default_rng(1).normal(size=len(frame)))
    other = fit_regime_tvtp(frame, ("ret",), ("flow",), SETTINGS, rng())
    model = fit_regime_tvtp(frame, ("ret",), ("vix", "flow"), SETTINGS, rng(), other)
    assert model.coefs.shape == (2, 2, 3)
    assert model.base.fit.converged


def test_rows_with_gaps_are_fitted_and_filtered():
    _, frame = driven_frame(2500, 6)
    gaps = np.random.default_rng(2)
    torn = frame.assign(ret=with_gaps(frame["ret"].to_numpy(), gaps, 0.03), vix=with_gaps(frame["vix"].to_numpy(), gaps, 0.1))
    whole, model = (fit_regime_tvtp(each, ("ret",), ("vix",), SETTINGS, rng()) for each in (frame, torn))
    np.testing.assert_allclose(model.coefs[:, :, 1], whole.coefs[:, :, 1], atol=0.6)
    assert np.isfinite(model.filter_states(torn)).all()


def test_heavy_tails_are_fitted_with_drivers():
    _, X, z, _ = driven_returns(2500, 7, dof=5.0)
    frame = frame_of(np.column_stack([X, z]), ("ret", "vix"))
    model = fit_regime_tvtp(frame, ("ret",), ("vix",), replace(SETTINGS, heavy_tails=True), rng())
    assert np.isfinite(model.base.params.dof).all()
    assert model.coefs[0, 1, 1] > 0.3 > -0.2 > model.coefs[1, 0, 1]


@pytest.mark.parametrize("value", [3.0, np.nan])
def test_driver_that_does_not_vary_is_named(value):
    _, frame = driven_frame(600, 8)
    with pytest.raises(FitError, match=r"driver 'flow' is constant or never there over the training window; leave it out"):
        fit_regime_tvtp(frame.assign(flow=value), ("ret",), ("vix", "flow"), SETTINGS, rng())
