"""Which moves first, and by how many sessions: cross-correlation of one-session returns, pre-whitened, against chance (METHODS 4)."""

from dataclasses import dataclass

import numpy as np

from models.inference import Array
from training.claims.other_nulls import bootstrap_block

LONGEST = 63
MOST_ORDERS = 10
SYNCHRONOUS = 1
"""Lags up to this one may be of the clock: coins close hours after stocks, or before them, as the day is labelled."""

FEWEST = 500
"""Sessions under which 127 lags are not looked at."""


@dataclass(frozen=True)
class LagProfile:
    """Correlations of a leading series with another, lag by lag.

    Attributes
    ----------
    lags : (n_lags,) sessions by which the second series is later; negative: it leads
    correlation : (n_lags,) of the pre-whitened returns
    bartlett : 1.96 / sqrt(n), the band of a single lag
    band : of all lags but those up to one session, 95% of the greatest absolute correlation by chance
    p : of the greatest absolute correlation among them
    best : its lag; lo, hi : 95% of bootstrapped histories have theirs within; None where the test does not reject
    n : sessions; order : of the autoregression
    """

    lags: Array
    correlation: Array
    bartlett: float
    band: float
    p: float
    best: int | None
    lo: int | None
    hi: int | None
    n: int
    order: int

    def at(self, lag: int) -> float:
        """Correlation at one lag."""
        return float(self.correlation[lag + LONGEST])


def prewhiten(x: Array, y: Array) -> tuple[Array, Array, int]:
    """Pass both series through the autoregression of the first (Box, Jenkins 1976).

    Parameters
    ----------
    x, y : (n,) the order, 0 to 10, is the one of least AIC for x

    Returns
    -------
    x, y : (n - order,) standardised; and the order
    """
    n = len(x)
    fits = []
    for order in range(MOST_ORDERS + 1):
        # all orders on the same rows, so that their criteria can be compared
        rows = np.column_stack([np.ones(n - MOST_ORDERS), *(x[MOST_ORDERS - k : n - k] for k in range(1, order + 1))])
        beta, *_ = np.linalg.lstsq(rows, x[MOST_ORDERS:], rcond=None)
        rss = float(np.sum((x[MOST_ORDERS:] - rows @ beta) ** 2))
        fits.append((len(rows) * np.log(rss / len(rows)) + 2 * (order + 1), order, beta[1:]))
    _, order, beta = min(fits, key=lambda fit: fit[0])
    whitened = []
    for series in (x, y):
        left = series[order:] - sum((b * series[order - k - 1 : n - k - 1] for k, b in enumerate(beta)), np.zeros(n - order))
        whitened.append((left - left.mean()) / left.std())
    return whitened[0], whitened[1], order


def cross_correlation(x: Array, y: Array, longest: int = LONGEST) -> Array:
    """Correlation of x_t with y_{t+k} for k = -longest .. longest, each sum divided by n.

    Parameters
    ----------
    x : (n,) or (draws, n), standardised
    y : (n,) standardised

    Returns
    -------
    (2 longest + 1,) or (draws, 2 longest + 1)
    """
    n = len(y)
    size = 1 << int(np.ceil(np.log2(n + longest + 1)))
    product = np.fft.irfft(np.conj(np.fft.rfft(x, size)) * np.fft.rfft(y, size), size)
    out: Array = np.concatenate([product[..., -longest:], product[..., : longest + 1]], axis=-1) / n
    return out


def lag_profile(x: Array, y: Array, draws: int = 999, seed: int = 0, level: float = 0.05) -> LagProfile:
    """Look for the lag at which x foretells y, or y x, and say whether chance would show as much.

    Parameters
    ----------
    x, y : (n,) one-session returns on the same sessions, no gaps; at least 500
    draws : of either bootstrap

    Returns
    -------
    LagProfile

    Raises
    ------
    ValueError
        If there are too few sessions.

    Notes
    -----
    Chance: x in blocks drawn anew (stationary bootstrap), y as it was, so that nothing ties them and both keep their clustering. The
    interval: products x_t y_{t+k} of whole rows drawn anew in blocks, which keeps the lags.
    """
    if len(x) < FEWEST:
        raise ValueError(f"{len(x)} sessions; rule: at least {FEWEST} for {2 * LONGEST + 1} lags")
    from arch.bootstrap import StationaryBootstrap

    white_x, white_y, order = prewhiten(x, y)
    n, lags = len(white_x), np.arange(-LONGEST, LONGEST + 1)
    correlation = cross_correlation(white_x, white_y)
    apart = np.abs(lags) > SYNCHRONOUS
    block = bootstrap_block(white_x)
    histories = StationaryBootstrap(block, white_x, seed=seed).bootstrap(draws)
    chance = np.array([np.abs(cross_correlation(np.asarray(history), white_y)[apart]).max() for ((history,), _) in histories])
    greatest = float(np.abs(correlation[apart]).max())
    p = (1 + int((chance >= greatest).sum())) / (1 + draws)
    best, lo, hi = None, None, None
    if p <= level:
        best = int(lags[apart][np.abs(correlation[apart]).argmax()])
        lo, hi = _interval(white_x, white_y, draws, seed, block)
    return LagProfile(
        lags.astype(np.float64), correlation, 1.96 / np.sqrt(n), float(np.quantile(chance, 1 - level)), p, best, lo, hi, n, order
    )


def _interval(x: Array, y: Array, draws: int, seed: int, block: int) -> tuple[int, int]:
    from arch.bootstrap import StationaryBootstrap

    lags = np.arange(-LONGEST, LONGEST + 1)
    apart = np.abs(lags) > SYNCHRONOUS
    rows = np.arange(LONGEST, len(x) - LONGEST)
    products = x[rows, None] * y[rows[:, None] + lags]
    drawn = StationaryBootstrap(block, np.arange(len(rows)), seed=seed).bootstrap(draws)
    counts = np.array([np.bincount(index, minlength=len(rows)) for ((index,), _) in drawn])
    best = lags[apart][np.abs(counts @ products[:, apart]).argmax(axis=1)]
    lo, hi = np.quantile(best, [0.025, 0.975], method="nearest")
    return int(lo), int(hi)
