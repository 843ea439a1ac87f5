"""The table of answers: a row a session, what is said of it and how sure that is."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.average import EVEN, quantile_range, whole_range
from models.conformal import UNBOUNDED, bounds
from models.distribution import NormalMixture
from models.params import Array

QUANTILES = {"lo80": 0.1, "median": 0.5, "hi80": 0.9}


def name_rows(probs: Array, held: Sequence[bool] | np.ndarray, names: tuple[str, ...]) -> list[str]:
    """First name while it is held, else the most probable of the others."""
    other = 1 + probs[:, 1:].argmax(axis=1)
    return [names[0] if up else names[k] for up, k in zip(held, other, strict=True)]


def assemble(
    sessions: pd.Index,
    status: str,
    regime: list[str],
    names: tuple[str, ...],
    probs: Array,
    ranges: dict[str, Any],
    forecasts: Sequence[tuple[str, NormalMixture, str, Mapping[str, float]]],
) -> pd.DataFrame:
    """Lay answers out as one table, a row a session.

    Parameters
    ----------
    ranges : of `range_columns`
    forecasts : of each asset and horizon, what `forecast_columns` takes
    """
    when = {"session": np.asarray(sessions, dtype="datetime64[us]"), "status": status, "regime": regime}
    return pd.DataFrame(when | answer_columns(names, probs, ranges, forecasts))


def answer_columns(
    names: tuple[str, ...],
    probs: Array,
    ranges: dict[str, Any],
    forecasts: Sequence[tuple[str, NormalMixture, str, Mapping[str, float]]],
) -> dict[str, Any]:
    """Probabilities, ranges and forecasts by column, as `assemble` lays them out."""
    out: dict[str, Any] = {f"p_{name}": probs[:, k] for k, name in enumerate(names)}
    out |= ranges
    for each in forecasts:
        out |= forecast_columns(*each)
    return out


def range_columns(name: str, refits: Array | None, members: Array | None, n_rows: int) -> dict[str, Any]:
    """Columns that say how sure the first state's probability is.

    Parameters
    ----------
    name : of the first state
    refits : (n_rows, n_refits, n_states) of refits on resampled history; None where there are none
    members : (n_rows, n_members, n_states) of the specifications that are averaged; None where there is one alone

    Returns
    -------
    p_<name>_lo, _hi over refits of all specifications; p_<name>_spec_lo, _spec_hi over the specifications as fitted; `ambiguous` where
    these do not agree whether the state is more likely than not
    """
    nothing = np.full(n_rows, np.nan), np.full(n_rows, np.nan)
    low, high = nothing if refits is None else quantile_range(refits)
    spec_low, spec_high = nothing if members is None else whole_range(members)
    return {
        f"p_{name}_lo": low,
        f"p_{name}_hi": high,
        f"p_{name}_spec_lo": spec_low,
        f"p_{name}_spec_hi": spec_high,
        "ambiguous": (spec_low < EVEN) & (spec_high >= EVEN),
    }


def forecast_columns(
    prefix: str, forecast: NormalMixture, served_by: str | list[str], half_width: Mapping[str, float] = UNBOUNDED
) -> dict[str, Any]:
    """Columns of one forecast; rows without a volatility have none.

    Parameters
    ----------
    half_width : of the calibrated intervals, in sd (`models.conformal.LEVELS`); an end at infinity is missing, as JSON has no infinity
    """
    spoken = np.asarray(~np.isnan(forecast.means + forecast.sds).any(axis=1), dtype=np.bool_)
    said = forecast[spoken]
    out: dict[str, Any] = {f"{prefix}_{name}": _where(spoken, said.quantile(level)) for name, level in QUANTILES.items()}
    ends = bounds(said.mean(), said.sd(), half_width)
    out |= {f"{prefix}_{name}": _where(spoken, finite_or_missing(end)) for name, end in ends.items()}
    out[f"{prefix}_p_up"] = _where(spoken, 1.0 - said.cdf(np.zeros(int(spoken.sum()))))
    out[f"{prefix}_served_by"] = served_by
    return out


def finite_or_missing(values: Array) -> Array:
    """Infinite values as missing ones."""
    return np.where(np.isinf(values), np.nan, values)


def _where(spoken: NDArray[np.bool_], values: Array) -> Array:
    out = np.full(len(spoken), np.nan)
    out[spoken] = values
    return out
