"""Two more nulls beside the shift: dates drawn at random, and a crypto history drawn anew in blocks (METHODS 4)."""

import numpy as np

from models.inference import Array
from training.claims.outcomes import Positions
from training.claims.shifts import NOTHING, NullTest, against

SHORTEST_BLOCK = 63


def random_dates(n: int, n_sessions: int, apart: int, draws: int, rng: np.random.Generator) -> Positions | None:
    """Draw dates uniformly among all sets of which no two are nearer than `apart`.

    Parameters
    ----------
    n : dates in a set
    n_sessions : they are of

    Returns
    -------
    (draws, n) positions, ascending; None where so many do not fit

    Notes
    -----
    Sets of n numbers in order with steps of `apart` or more are sets of n distinct numbers out of so many fewer, stretched.
    """
    free = n_sessions - (n - 1) * (apart - 1)
    if free < n:
        return None
    picked = np.full((draws, n), -1, dtype=np.intp)
    for k in range(n):  # Floyd's sampling without repetition (Bentley, Floyd 1987), all draws at once
        last = free - n + k
        drawn = rng.integers(0, last + 1, draws)
        picked[:, k] = np.where((picked == drawn[:, None]).any(axis=1), last, drawn)
    return np.sort(picked, axis=1) + np.arange(n) * (apart - 1)


def random_date_test(forward: Array, at: Positions, apart: int, draws: int, rng: np.random.Generator) -> NullTest:
    """Test the mean over the events against as many dates at random, kept apart as the rule keeps events apart.

    Parameters
    ----------
    forward : (n,) forward return of one horizon, NaN where it is not over: no draw ends beyond the data or turns around
    at : positions of the events whose horizon is over
    """
    over = forward[: int(np.sum(~np.isnan(forward)))]
    dates = random_dates(len(at), len(over), apart, draws, rng) if len(at) else None
    if dates is None or not len(at):
        return NOTHING
    return against(float(forward[at].mean()), over[dates].mean(axis=1), len(at))


def bootstrap_block(returns: Array) -> int:
    """Mean block of a stationary bootstrap (Politis, White 2004), at least a quarter of a year."""
    from arch.bootstrap import optimal_block_length

    return max(SHORTEST_BLOCK, round(float(optimal_block_length(returns)["stationary"].iloc[0])))


def bootstrap_means(returns: Array, cells: list[tuple[Positions, int]], draws: int, seed: int) -> Array:
    """Mean of what follows events on histories drawn anew by the stationary bootstrap (Politis, Romano 1994).

    Parameters
    ----------
    returns : (n,) one-session returns of the asset
    cells : positions of events, at least one each, and a horizon; a window that ends beyond the last return goes on at the first

    Returns
    -------
    (draws, n_cells), all cells on the same histories
    """
    from arch.bootstrap import StationaryBootstrap

    counts = np.array([len(at) for at, _ in cells])
    starts = np.concatenate([at for at, _ in cells])
    stops = starts + np.repeat([h for _, h in cells], counts)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    out = np.empty((draws, len(cells)))
    for k, ((history,), _) in enumerate(StationaryBootstrap(bootstrap_block(returns), returns, seed=seed).bootstrap(draws)):
        total = np.concatenate([[0.0], np.cumsum(np.concatenate([history, history]))])
        out[k] = np.add.reduceat(total[stops] - total[starts], first) / counts
    return out
