"""What moved the log-odds of the first state: base plus one number a family of columns gives the total. NumPy alone, as a server runs it.

A family's number is its Shapley value (Shapley 1953; for predictions Strumbelj and Kononenko 2014) in a game whose worth v(S) is the
log-odds of the first state against all others when only the columns of the families S were seen and the rest was integrated out
(`HMMParams.marginal`), not replaced by a typical value. Two questions are answered:

- `explain_days`: *what did today's row change?* The base is yesterday's forecast of today, made of all columns; S are those of today's row.
- `explain_memory`: *what is today's probability made of?* The base is the model without any row; S are those of the whole history up to
  today, each set with a filter of its own. A family that is silent today still counts by what it said before.

A missing value says nothing: a family without a value today has 0 in `explain_days`, one that never had a value 0 in `explain_memory`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.errors import ScoringError
from models.explain_filter import coalition_densities, densities_of, filter_logs, independent
from models.explain_game import first_odds, mixed_odds, shapley
from models.params import Array, HMMParams

MOST_FAMILIES = 12
"""2 ** 12 views of the rows; beyond that, group columns into fewer families."""


@dataclass(frozen=True)
class View:
    """One model and the rows it reads. State 0 must mean the same in all that are explained together.

    Attributes
    ----------
    X : (n_obs, n_features) contiguous rows on the model's scale, NaN where missing
    params : of the model
    families : positions of columns by family; each column in exactly one
    prior : (n_states,) p(state) for the first row before it is seen; the model's `start` if None
    trans : (n_obs, n_states, n_states) transitions that vary in time, row t leading from t - 1 to t; those of `params` if None
    weight : share of this model in the average of probabilities that is explained
    """

    X: Array
    params: HMMParams
    families: Mapping[str, Sequence[int]]
    prior: Array | None = None
    trans: Array | None = None
    weight: float = 1.0

    @property
    def start(self) -> Array:
        """p(state) before the first row."""
        return self.params.start if self.prior is None else self.prior

    @property
    def moves(self) -> Array:
        """Transitions, one for all rows or one a row."""
        return self.params.trans if self.trans is None else self.trans


@dataclass(frozen=True)
class Explanation:
    """Log-odds of the first state against the rest, in parts (natural logarithms).

    Attributes
    ----------
    families : names, in the order of `contributions`
    base : (n_obs,) log-odds before the families spoke
    contributions : (n_obs, n_families)
    total : (n_obs,) log-odds of the filtered probability; base + contributions, to rounding
    """

    families: tuple[str, ...]
    base: Array
    contributions: Array
    total: Array

    def at(self, row: int) -> dict[str, Any]:
        """One row as plain values: base, families by name, total (log-odds), and the probabilities of base and total."""
        base, total = float(self.base[row]), float(self.total[row])
        parts = dict(zip(self.families, map(float, self.contributions[row]), strict=True))
        return {"base": base, "families": parts, "total": total, "base_prob": _prob(base), "total_prob": _prob(total)}


def families_by_prefix(columns: Sequence[str], separator: str = "__") -> dict[str, list[int]]:
    """Group columns called `family__name` by family: positions by name, in the order in which they first come."""
    out: dict[str, list[int]] = {}
    for position, column in enumerate(columns):
        out.setdefault(column.split(separator)[0], []).append(position)
    return out


def explain_days(views: View | Sequence[View]) -> Explanation:
    """How much each family of the row of t moved the log-odds from p(s_t | x_1..x_{t-1}) to p(s_t | x_1..x_t), for every t.

    For two states and families that are independent within a state (diagonal Gaussian) a number is the family's log-likelihood ratio,
    log p(x_family | state 0) - log p(x_family | state 1), whatever was believed before. Else, with F families, 2**F densities a row.

    Parameters
    ----------
    views : one model, or several whose probabilities are averaged with their weights: v(S) is then the log-odds of the average, each
        model having seen the columns S of its own, so that the numbers add up with no remainder. A family that a model does not read does
        not move it

    Raises
    ------
    ScoringError
        If families do not part the columns, or weights, rows or models do not fit together.
    """
    listed, families = _checked(views)
    if len(listed) == 1 and listed[0].params.n_states == 2:
        groups = [list(listed[0].families[name]) for name in families]
        if independent(listed[0].params, groups):
            return _by_likelihood_ratio(listed[0], families, groups)
    return _explained(families, [_day_odds(view, families) for view in listed], listed)


def explain_memory(views: View | Sequence[View]) -> Explanation:
    """How much each family has moved the log-odds of t over all rows up to t, for every t.

    v(S) are the log-odds of a filter that read the columns S alone, from the first row on; the base is the model's forecast without any
    row (`start`, carried on by the transitions). It costs 2**F filters of the whole history.

    Parameters
    ----------
    views : as in `explain_days`
    """
    listed, families = _checked(views)
    return _explained(families, [_memory_odds(view, families) for view in listed], listed)


def _by_likelihood_ratio(view: View, families: tuple[str, ...], groups: list[list[int]]) -> Explanation:
    each = np.stack([densities_of(view.X, view.params, group) for group in groups])
    predicted, filtered = filter_logs(each.sum(axis=0), view.start, view.moves)
    base, total = first_odds(predicted), first_odds(filtered)
    moved = (each[..., 0] - each[..., 1]).T
    return Explanation(families, base, np.where(np.isinf(base)[:, None], 0.0, moved), total)  # nothing moves what cannot be


def _day_odds(view: View, families: tuple[str, ...]) -> Array:
    dens = coalition_densities(view.X, view.params, _groups(view, families))
    predicted, _ = filter_logs(dens[-1], view.start, view.moves)
    return first_odds(predicted + dens)


def _memory_odds(view: View, families: tuple[str, ...]) -> Array:
    dens = coalition_densities(view.X, view.params, _groups(view, families))
    return first_odds(filter_logs(dens, view.start, view.moves)[1])


def _groups(view: View, families: tuple[str, ...]) -> list[list[int]]:
    return [list(view.families.get(name, ())) for name in families]


def _explained(families: tuple[str, ...], odds: list[Array], views: list[View]) -> Explanation:
    worth = mixed_odds(odds, [view.weight for view in views])
    return Explanation(families, worth[0], shapley(worth), worth[-1])


def _prob(odds: float) -> float:
    return float(np.exp(-np.logaddexp(0.0, -odds)))


def _checked(views: View | Sequence[View]) -> tuple[list[View], tuple[str, ...]]:
    listed = [views] if isinstance(views, View) else list(views)
    for view in listed:
        _check(view)
    total = sum(view.weight for view in listed)
    if not listed or abs(total - 1.0) > 1e-9 or min(view.weight for view in listed) <= 0.0:
        raise ScoringError(f"explain: weights {[view.weight for view in listed]}; rule: positive and adding up to 1. Divide by their sum")
    if len({len(view.X) for view in listed}) > 1:
        raise ScoringError(f"explain: models on {[len(view.X) for view in listed]} rows; rule: the same rows for all of them")
    families = tuple(dict.fromkeys(name for view in listed for name in view.families))
    if len(families) > MOST_FAMILIES:
        raise ScoringError(f"explain: {len(families)} families; rule: at most {MOST_FAMILIES}. Group the columns into fewer")
    return listed, families


def _check(view: View) -> None:
    n_features = view.params.n_features
    if view.params.n_states < 2:
        raise ScoringError("explain: a model of one state; rule: two or more. With one state there are no odds to explain")
    if view.X.ndim != 2 or view.X.shape[1] != n_features:
        raise ScoringError(f"explain: rows of shape {view.X.shape}; rule: (n_obs, {n_features}), the columns of the model")
    if np.isinf(view.X).any():
        raise ScoringError(f"explain: column {int(np.isinf(view.X).any(axis=0).argmax())} is infinite; rule: finite, NaN where missing")
    used = sorted(position for group in view.families.values() for position in group)
    if used != list(range(n_features)):
        raise ScoringError(f"explain: families hold the columns {used}; rule: each of 0..{n_features - 1} exactly once")
