"""The null of events that say nothing: their dates, all moved by one distance around the circle of an asset's returns (METHODS 4)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.inference import Array
from training.claims.outcomes import Positions

DRAWS = 4999
LEVEL = 0.05


@dataclass(frozen=True)
class NullTest:
    """A mean over events against its distribution where events say nothing.

    Attributes
    ----------
    n : events
    mean : of what followed them
    p_above, p_below : one-sided, (1 + draws at least as far out) / (1 + draws); NaN without events
    """

    n: int
    mean: float
    p_above: float
    p_below: float


NOTHING = NullTest(0, float("nan"), float("nan"), float("nan"))


def draw_shifts(longest: int, lengths: list[int], draws: int, rng: np.random.Generator) -> dict[int, Positions]:
    """Draw one shift for all circles, so that what is tested together moves together.

    Parameters
    ----------
    longest : length of the longest circle; the shift is uniform on 1 .. longest - 1
    lengths : of all circles; where the shift is not below a circle's length, that circle draws one of its own: each is uniform then

    Returns
    -------
    dict from length to (draws,) shifts
    """
    common = rng.integers(1, longest, draws)
    out: dict[int, Positions] = {}
    for length in sorted(set(lengths), reverse=True):
        own = rng.integers(1, max(length, 2), draws)
        out[length] = np.where(common < length, common, own)
    return out


def shifted_means(circle: Array, at: Positions, shifts: Positions) -> Array:
    """Mean of what followed the events after each shift.

    Parameters
    ----------
    circle : (n,) or (n, n_horizons), as `training.claims.outcomes.circular_sums`
    at : positions of the events on the circle
    shifts : (draws,)

    Returns
    -------
    (draws,) or (draws, n_horizons)
    """
    total = np.zeros((len(shifts), *circle.shape[1:]))
    for position in at.tolist():
        total += circle[(position + shifts) % len(circle)]
    return total / max(len(at), 1)


def against(mean: float, null: Array, n: int) -> NullTest:
    """Place a mean in its null distribution, ties counted against it."""
    if not n or np.isnan(mean):
        return NOTHING
    beyond, below = int(np.sum(null >= mean - TIE)), int(np.sum(null <= mean + TIE))
    return NullTest(n, mean, (1 + beyond) / (1 + len(null)), (1 + below) / (1 + len(null)))


TIE = 1e-12
"""Two orders of adding the same returns up differ by less than this."""


def shift_test(circle: Array, at: Positions, shifts: Positions) -> NullTest:
    """Test the mean over the events of one asset and horizon by circular shifts.

    Parameters
    ----------
    circle : (n,) forward return from each position
    at : positions of the events whose horizon is over
    shifts : (draws,), as `draw_shifts`
    """
    if not len(at):
        return NOTHING
    return against(float(circle[at].mean()), shifted_means(circle, at, shifts), len(at))


def leave_one_out(circle: Array, at: Positions, shifts: Positions) -> list[NullTest]:
    """Repeat `shift_test` without each event in turn; empty where no event would be left."""
    return [shift_test(circle, np.delete(at, k), shifts) for k in range(len(at))] if len(at) > 1 else []


def step_down(observed: Array, null: Array) -> Array:
    """Adjust one-sided p-values of many cells for having looked at them all (Romano, Wolf 2005, 2016).

    Each cell is put in units of its null: less its mean, by its standard deviation. The cell furthest out is compared with the maximum
    over all cells, the next with the maximum over the rest, and so on; no p-value is below the one before.

    Parameters
    ----------
    observed : (n_cells,); NaN is left out and stays NaN
    null : (draws, n_cells), draws of all cells under one and the same shift

    Returns
    -------
    (n_cells,) adjusted p-values, each (1 + draws at least as far out) / (1 + draws)
    """
    spread = null.std(axis=0)
    used: NDArray[np.intp] = np.flatnonzero(~np.isnan(observed) & (spread > 0))
    out = np.full(len(observed), np.nan)
    if not len(used):
        return out
    centre, spread = null[:, used].mean(axis=0), spread[used]
    z, drawn = (observed[used] - centre) / spread, (null[:, used] - centre) / spread
    order = np.argsort(-z, kind="stable")
    furthest = np.maximum.accumulate(drawn[:, order[::-1]], axis=1)[:, ::-1]  # over the cells from each place on
    beyond = (furthest >= z[order] - TIE).sum(axis=0)
    out[used[order]] = np.maximum.accumulate((1 + beyond) / (1 + len(null)))
    return out
