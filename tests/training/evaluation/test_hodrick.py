"""Hodrick's 1B: against a plain loop, and what it refuses (its size: tests/validation)."""

import numpy as np
import pytest

from tests.training.evaluation.worlds import persistent
from training.evaluation.hodrick import hodrick_1b
from training.evaluation.offsets import MIN_ROWS


def plain(returns: list[float], x: list[float], horizon: int) -> tuple[float, float]:
    """Slope and standard error, session by session."""
    n = len(returns)
    rows = range(n - horizon)
    y = [sum(returns[t + 1 : t + horizon + 1]) for t in rows]
    zz = sum(np.outer((1.0, x[t]), (1.0, x[t])) for t in rows)
    zy = sum(np.array((1.0, x[t])) * y[t] for t in rows)
    r_bar = sum(returns) / n
    ww = np.zeros((2, 2))
    for t in range(horizon - 1, n - 1):
        recent = sum(np.array((1.0, x[t - i])) for i in range(horizon))
        w = (returns[t + 1] - r_bar) * recent
        ww += np.outer(w, w)
    inverse = np.linalg.inv(zz)
    return float((inverse @ zy)[1]), float(np.sqrt((inverse @ ww @ inverse)[1, 1]))


@pytest.mark.parametrize("horizon", [1, 5, 21])
def test_slope_and_error_equal_a_loop(horizon):
    rng = np.random.default_rng(horizon)
    returns, x = rng.normal(0.1, 1.0, 700), 3.0 + persistent(rng.standard_normal((1, 700)))[0]
    slope, error = plain(returns.tolist(), x.tolist(), horizon)
    got = hodrick_1b(returns, x, horizon)
    assert (got.slope, got.error, got.t) == (pytest.approx(slope, rel=1e-8), pytest.approx(error, rel=1e-8), pytest.approx(slope / error))
    assert got.n == (700 - horizon) // horizon


def test_slope_is_that_of_a_regression_and_error_at_one_session_is_that_of_white():
    """At h = 1 the sandwich has White's form, with residuals under the null."""
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    returns, x = rng.normal(size=(2, 400))
    returns -= returns.mean()
    got = hodrick_1b(returns, x, 1)
    z = sm.add_constant(x[:-1])
    assert got.slope == pytest.approx(sm.OLS(returns[1:], z).fit().params[1], rel=1e-8)
    inverse = np.linalg.inv(z.T @ z)
    assert got.error == pytest.approx(np.sqrt((inverse @ (z.T * returns[1:] ** 2) @ z @ inverse)[1, 1]), rel=1e-8)


def test_too_few_rows_and_gaps_are_refused():
    rng = np.random.default_rng(0)
    assert np.isnan(hodrick_1b(*rng.normal(size=(2, MIN_ROWS * 21 + 20)), 21).p)
    assert not np.isnan(hodrick_1b(*rng.normal(size=(2, MIN_ROWS * 21 + 21)), 21).p)
    with pytest.raises(ValueError, match="1 and 0 not finite"):
        hodrick_1b(np.array([0.1, np.nan]), np.zeros(2), 1)
    with pytest.raises(ValueError, match="of one length"):
        hodrick_1b(np.zeros(3), np.zeros(2), 1)
