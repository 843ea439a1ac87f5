"""Many models against one, and against each other: SPA, StepM, model confidence set, on losses of the same dates.

Each is computed twice: on rows that do not overlap, taken for independent, and beside it on all rows in blocks of two horizons at
least, which rejects a true null too often where little history is left (METHODS 3.4).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.inference import Array
from training.evaluation.confidence_set import confidence_set_p
from training.evaluation.identical import merge_identical
from training.evaluation.offsets import MIN_ROWS, cauchy_combined
from training.evaluation.resampling import block_length, drawn_counts, independent_null, max_p, overlapping_null, step_down_p

SIZE = 0.10
"""A model is in the confidence set if its p-value exceeds this."""


@dataclass(frozen=True)
class SuperiorTest:
    """Hansen's (2005) test of 'no model is better than the baseline', studentised.

    Attributes
    ----------
    p : on every h-th row, combined over the h offsets; NaN where refused
    p_overlap : on all rows, in blocks
    n : non-overlapping rows
    models : those that were compared, after merging
    same_as : columns left out, and the column each equals
    refused : why there is no p-value; empty where there is
    """

    p: float
    p_overlap: float
    n: int
    models: tuple[str, ...]
    same_as: dict[str, str]
    refused: str = ""


def spa(losses: pd.DataFrame, baseline: str, horizon: int, seed: int) -> SuperiorTest:
    """Test whether any model is better than the baseline, the best being the luckiest of many.

    Parameters
    ----------
    losses : rows sessions in order, columns models and the baseline
    baseline : its column
    horizon : sessions over which neighbouring rows overlap
    seed : of the resamples

    Raises
    ------
    ValueError
        If a loss is missing or the baseline is no column.
    """
    kept, same_as = _merged(losses, baseline)
    gains, n = _gains(kept, baseline), len(losses) // horizon
    models = tuple(map(str, gains.columns))
    refused = _refusal(n, gains.shape[1], baseline)
    if refused:
        return SuperiorTest(float("nan"), float("nan"), n, models, same_as, refused)
    apart = np.array([max_p(*each) for each in apart_nulls(gains.to_numpy(), horizon, seed)])
    return SuperiorTest(cauchy_combined(apart), max_p(*all_rows_null(gains.to_numpy(), horizon, seed)), n, models, same_as)


def step_m(losses: pd.DataFrame, baseline: str, horizon: int, seed: int) -> pd.DataFrame:
    """Family-wise adjusted p-value of each model's gain over the baseline (StepM of Romano and Wolf 2005, studentised).

    Parameters
    ----------
    losses, baseline, horizon, seed : as for `spa`

    Returns
    -------
    DataFrame by model, in the order of the columns: gain (mean loss saved), t (mean over offsets), p_adjusted (every h-th row,
    combined over offsets), p_adjusted_overlap (all rows, in blocks), n (non-overlapping rows), same_as (the column it equals, else
    empty), refused (why there is no p-value, else empty)
    """
    kept, same_as = _merged(losses, baseline)
    gains, n = _gains(kept, baseline), len(losses) // horizon
    refused = _refusal(n, gains.shape[1], baseline)
    table = pd.DataFrame({"gain": gains.mean(), "t": np.nan, "p_adjusted": np.nan, "p_adjusted_overlap": np.nan}, index=gains.columns)
    if not refused:
        t, table["p_adjusted"] = adjusted_apart(gains.to_numpy(), horizon, seed)
        table["t"], table["p_adjusted_overlap"] = t, step_down_p(*all_rows_null(gains.to_numpy(), horizon, seed))
    names = [str(name) for name in losses.columns if name != baseline]
    table = table.reindex([same_as.get(name, name) for name in names]).set_axis(pd.Index(names, name="model"))
    equal = [same_as.get(name, "") for name in names]
    words = [f"same losses as {baseline}" if twin == baseline else refused for twin in equal]
    return table.assign(gain=table["gain"].fillna(0.0), n=n, same_as=equal, refused=words)


def model_confidence_set(losses: pd.DataFrame, horizon: int, seed: int) -> pd.DataFrame:
    """Models among which the best cannot be told apart (Hansen, Lunde, Nason 2011), by the range statistic T_R.

    Parameters
    ----------
    losses : rows sessions in order, columns models
    horizon, seed : as for `spa`

    Returns
    -------
    DataFrame by model, in the order of the columns: loss (mean), p (every h-th row up to the newest), p_overlap (all rows, in
    blocks), inside (p above .10; true where refused: nothing was excluded), n, same_as, refused
    """
    kept, same_as = merge_identical(_checked(losses))
    n = len(losses) // horizon
    refused = _refusal(n, kept.shape[1] - 1, str(kept.columns[0]))
    p = p_overlap = pd.Series(np.nan, index=kept.columns)
    if not refused:
        values = kept.to_numpy()
        every = values[::-1][::horizon][::-1]
        p = pd.Series(confidence_set_p(every, drawn_counts(len(every), 1, seed)), index=kept.columns)
        blocks = drawn_counts(len(values), block_length(len(values), horizon), seed)
        p_overlap = pd.Series(confidence_set_p(values, blocks), index=kept.columns)
    names = [str(name) for name in losses.columns]
    table = pd.DataFrame({"loss": kept.mean(), "p": p, "p_overlap": p_overlap})
    table = table.reindex([same_as.get(name, name) for name in names]).set_axis(pd.Index(names, name="model"))
    return table.assign(inside=~(table["p"] <= SIZE), n=n, same_as=[same_as.get(name, "") for name in names], refused=refused)


def all_rows_null(gains: Array, horizon: int, seed: int) -> tuple[Array, Array]:
    """Statistics and null of all rows, (n_obs, n_columns), resampled in blocks."""
    return overlapping_null(gains, drawn_counts(len(gains), block_length(len(gains), horizon), seed))


def apart_nulls(gains: Array, horizon: int, seed: int) -> list[tuple[Array, Array]]:
    """Statistics and null of each of the h offsets; those of one length share the rows drawn."""
    parts = [gains[first::horizon] for first in range(horizon)]
    counts = {n: drawn_counts(n, 1, seed) for n in {len(part) for part in parts}}
    return [independent_null(part, counts[len(part)]) for part in parts]


def adjusted_apart(gains: Array, horizon: int, seed: int) -> tuple[Array, Array]:
    """Step-down adjusted p-values on every h-th row, combined over the offsets, and the mean t of each column."""
    nulls = apart_nulls(gains, horizon, seed)
    adjusted = np.array([step_down_p(*each) for each in nulls])
    return np.mean([t for t, _ in nulls], axis=0), np.array([cauchy_combined(column) for column in adjusted.T])


def _checked(losses: pd.DataFrame) -> pd.DataFrame:
    missing = int(losses.isna().any(axis=1).sum())
    if missing:
        raise ValueError(f"losses must be complete, got {missing} of {len(losses)} rows with one missing; compare on the common rows")
    return losses.astype(np.float64).rename(columns=str)


def _merged(losses: pd.DataFrame, baseline: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Merge what is identical; what equals the baseline is represented by it."""
    if baseline not in losses:
        raise ValueError(f"baseline must be a column of losses, got '{baseline}'; there are {', '.join(map(str, losses.columns))}")
    checked = _checked(losses)
    return merge_identical(checked[[baseline, *checked.columns.drop(baseline)]])


def _gains(losses: pd.DataFrame, baseline: str) -> pd.DataFrame:
    return losses.drop(columns=baseline).rsub(losses[baseline], axis=0)


def _refusal(n: int, models: int, baseline: str) -> str:
    if models < 1:
        return f"every model has the same losses as {baseline}"
    return f"fewer than {MIN_ROWS} rows that do not overlap" if n < MIN_ROWS else ""
