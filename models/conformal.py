"""Intervals that learn their width from their own misses, when each miss is known only a horizon later (Gibbs, Candès 2021)."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.inference import Array

LEVELS: Mapping[str, float] = {"80": 0.8, "90": 0.9}
"""Coverage that is aimed at, by what the columns are called."""

ENDS = tuple(f"{end}{name}_conformal" for name in LEVELS for end in ("lo", "hi"))
"""Columns of the calibrated intervals."""

GAMMA = 0.005
WINDOW = 500

UNBOUNDED: Mapping[str, float] = dict.fromkeys(LEVELS, float("inf"))
"""Half-widths where nothing is known of past misses."""

ROUNDING = 1e-9


@dataclass(frozen=True)
class Conformal:
    """Calibrated half-widths, as each was known on its day.

    Attributes
    ----------
    half_width : (n_obs,) in the unit of the scores; infinite where no known score is large enough
    alpha : (n_obs,) share of misses that was asked for to reach the level
    """

    half_width: Array
    alpha: Array


def bounds(mean: Array, sd: Array, half_width: Mapping[str, float] | Mapping[str, Array]) -> dict[str, Array]:
    """Ends of the calibrated intervals by the columns of `ENDS`, infinite where unbounded.

    Parameters
    ----------
    mean, sd : (n_obs,) of the forecasts
    half_width : by the names of `LEVELS`, in sd: of all rows, or (n_obs,)
    """
    ends = [mean + sign * sd * half_width[name] for name in LEVELS for sign in (-1.0, 1.0)]
    return dict(zip(ENDS, ends, strict=True))


def delayed_aci(scores: Array, horizon: int, level: float, gamma: float = GAMMA, window: int = WINDOW) -> Conformal:
    """Adaptive conformal inference whose feedback comes `horizon` rows late.

    On row t the scores of rows up to t - horizon are known; the half-width is the ceil((m + 1)(1 - alpha_t))-th smallest of the newest
    m <= `window` of them, infinite beyond the largest. alpha_{t+1} = alpha_t + gamma (alpha - err_{t - horizon}): their update, with the
    miss that becomes known on t in place of that of t. A row told when the known scores did not suffice for the level itself is no
    evidence, nor is a row without a score: neither moves alpha.

    Parameters
    ----------
    scores : (n_obs,) |outcome - mean| / sd on consecutive rows; NaN where there is none
    horizon : rows until the outcome of a row is known
    level : coverage aimed at
    gamma : step
    window : known scores in use
    """
    aim = 1.0 - level
    half_width, alphas = np.full(len(scores), np.inf), np.full(len(scores), aim)
    evidence = np.zeros(len(scores), dtype=np.bool_)
    by_time: deque[float] = deque()
    by_size: list[float] = []
    alpha = aim
    for t in range(len(scores)):
        told = t - 1 - horizon
        if told >= 0 and evidence[told]:
            alpha += gamma * (aim - float(scores[told] > half_width[told]))
        newest = float(scores[t - horizon]) if t >= horizon else np.nan
        if not np.isnan(newest):
            by_time.append(newest)
            insort(by_size, newest)
            if len(by_time) > window:
                del by_size[bisect_left(by_size, by_time.popleft())]
        half_width[t], alphas[t] = _smallest(by_size, 1.0 - alpha), alpha
        evidence[t] = np.isfinite(_smallest(by_size, level)) and not np.isnan(scores[t])
    return Conformal(half_width, alphas)


def _smallest(by_size: list[float], level: float) -> float:
    """The value that a new score does not exceed with probability `level`, if it comes in any order with those known."""
    rank = int(np.ceil((len(by_size) + 1) * level - ROUNDING))
    if rank > len(by_size):
        return float("inf")
    return by_size[rank - 1] if rank > 0 else 0.0
