"""The penalty of a jump model, chosen walk-forward by what its labels are for."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from models.degenerate import DegenerateFitWarning
from models.errors import FitError
from models.inference import Array
from models.jump import Labels
from models.jump_model import JumpModel

Loss = Callable[[Labels, slice], float]
"""Loss of the online labels of some rows (the slice says which), to be made small."""


@dataclass(frozen=True, eq=False)
class PenaltyChoice:
    """Outcome of `select_penalty`.

    Attributes
    ----------
    best : penalty of least loss; of equal ones the largest, which switches least
    penalties : (n_penalties,) that were tried
    losses : (n_penalties,)
    labels : (n_penalties, n_obs - min_history) online labels out of sample
    degenerate : (n_penalties,) refits that were warned of: with a high penalty one state may hold every row
    """

    best: float
    penalties: Array
    losses: Array
    labels: Labels
    degenerate: Labels


def select_penalty(
    X: Array, penalties: Sequence[float], loss: Loss, model: JumpModel, *, min_history: int, refit_every: int
) -> PenaltyChoice:
    """Walk over the rows with each penalty and keep the one whose out-of-sample online labels lose least.

    Each refit sees the rows before it, standardised by their own mean and standard deviation, and labels the rows up to the next. States
    keep the model's order, so that a label means the same in every refit as far as that rule makes it so.

    Parameters
    ----------
    X : (n_obs, n_features) contiguous rows, in any units, NaN where missing. A choice made at row t may be given rows up to t only
    loss : called once a penalty with the labels of rows `min_history` and later. It must leave out rows whose outcome is not known at the
        last row of `X`
    model : everything but the penalty; not altered
    min_history : rows of the first fit
    refit_every : rows between refits

    Raises
    ------
    FitError
        If there is nothing to choose from, a loss is not finite, or the rows allow no fit.
    """
    if not len(penalties) or not 0 < min_history < len(X) or refit_every < 1:
        raise FitError(
            f"select_penalty: {len(penalties)} penalties, min_history {min_history} of {len(X)} rows, refit_every {refit_every}; rule: at "
            "least one penalty and refit_every of at least 1, 0 < min_history < rows"
        )
    walks = [_walk(X, clone(model).set_params(jump_penalty=penalty, warm_start=True), min_history, refit_every) for penalty in penalties]
    labels, degenerate = np.array([walk[0] for walk in walks]), np.array([walk[1] for walk in walks], dtype=np.int64)
    losses = np.array([loss(row, slice(min_history, len(X))) for row in labels], dtype=np.float64)
    if not np.isfinite(losses).all():
        at = int((~np.isfinite(losses)).argmax())
        raise FitError(
            f"select_penalty: the loss of penalty {penalties[at]:g} is {losses[at]}; rule: finite. Leave out rows with no outcome yet"
        )
    tried = np.array(penalties, dtype=np.float64)
    return PenaltyChoice(float(tried[losses == losses.min()].max()), tried, losses, labels, degenerate)


def _walk(X: Array, model: JumpModel, min_history: int, refit_every: int) -> tuple[Labels, int]:
    labels, degenerate = np.empty(len(X), dtype=np.int64), 0
    for first in range(min_history, len(X), refit_every):
        last = min(first + refit_every, len(X))
        past = X[:first]
        scaled = (X[:last] - np.nanmean(past, axis=0)) / np.nanstd(past, axis=0)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", DegenerateFitWarning)
            model.fit(scaled[:first])
        degenerate += bool(said)
        labels[first:last] = model.filter_labels(scaled)[first:last]
    return labels[min_history:], degenerate
