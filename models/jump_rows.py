"""Rows of a jump model: what is refused, what a missing value weighs, what a row loses in each state."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.errors import FitError, ScoringError
from models.inference import Array

LARGEST = 1e100
"""Beyond this a value counts as infinite: its square would be."""


def refuse_infinite(X: Array, names: list[str] | None = None, error: type[ValueError] = ScoringError) -> None:
    """Raise `error` if a value is infinite or beyond `LARGEST`, naming row and column."""
    bad = np.abs(X) > LARGEST
    if bad.any():
        row, column = np.argwhere(bad)[0]
        name = f"column '{names[column]}'" if names else f"column {column}"
        raise error(f"jump model: {name} is {X[row, column]} in row {row}; rule: finite, or NaN where missing. Mend or blank the value")


def check_rows(X: Array, n_components: int, names: list[str] | None = None) -> None:
    """Refuse rows that no jump model can be fitted on.

    Raises
    ------
    FitError
        If a value is infinite, a column empty or constant, or there are fewer rows than states or than two.
    """
    refuse_infinite(X, names, FitError)
    seen = ~np.isnan(X)
    rows = int(seen.any(axis=1).sum())
    least = max(2, n_components)
    if rows < least:
        raise FitError(
            f"jump model: {rows} samples with a value for {n_components} states; rule: at least {least}. Use more rows or fewer states"
        )
    low, high = np.where(seen, X, np.inf).min(axis=0), np.where(seen, X, -np.inf).max(axis=0)
    flat = ~(high > low)
    if flat.any():
        at = int(flat.argmax())
        name = f"column '{names[at]}'" if names else f"column {at}"
        what = "constant" if seen[:, at].any() else "missing in every row"
        raise FitError(f"jump model: {name} is {what}; rule: two values that differ. Leave it out")


def sequence_lengths(n_obs: int, lengths: Sequence[int] | None, error: type[ValueError] = ScoringError) -> NDArray[np.int64]:
    """Rows of each contiguous sequence: one sequence if `lengths` is None. Raises `error` if they are not all of the rows."""
    if lengths is None:
        return np.array([n_obs], dtype=np.int64)
    out = np.array(list(lengths), dtype=np.int64)
    if out.sum() != n_obs or (out <= 0).any():
        raise error(
            f"jump model: {len(out)} lengths, the least {out.min(initial=n_obs)}, add up to {out.sum()} for {n_obs} rows; "
            "rule: at least 1 each, and all rows together. Give the rows of each contiguous sequence, or None for one"
        )
    return out


def seen_weights(X: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Part rows into values and the weights they carry.

    Returns
    -------
    filled : (n_obs, n_features) 0 where missing
    carried : (n_obs, n_features) weight of each value, 0 where missing, the rest scaled up to the row's whole weight; all 0 in a row
        with nothing in it
    scale : (n_obs,) by how much the rest was scaled up
    """
    seen = ~np.isnan(X)
    if seen.all():
        return X, np.broadcast_to(weights, X.shape), np.ones(len(X))
    kept = np.ascontiguousarray(seen * weights)
    row = kept.sum(axis=1)
    scale = np.divide(weights.sum(), row, out=np.zeros(len(X)), where=row > 0.0)
    return np.where(seen, X, 0.0), kept * scale[:, None], scale


def state_losses(filled: Array, carried: Array, centers: Array) -> Array:
    """Loss of each row under each state, (n_obs, n_states), of rows parted by `seen_weights`."""
    # the features last and contiguous: one row is then summed in the order that many are
    apart = np.ascontiguousarray(filled[:, None, :] - centers[None, :, :])
    apart *= apart
    apart *= carried[:, None, :]
    return np.asarray(0.5 * apart.sum(axis=2))


def mix_losses(losses: Array, grid: Array | None) -> Array:
    """Losses at the vectors of a grid: the mean over states that the vector stands for."""
    if grid is None:
        return losses
    out = np.zeros((len(losses), len(grid)))
    for k in range(losses.shape[1]):  # a matrix product would round one row otherwise than many
        out += losses[:, [k]] * grid[:, k]
    return out
