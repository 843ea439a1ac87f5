"""The table of answers: a row a session, what is said of it and how sure that is."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.average import EVEN, quantile_range, whole_range
from models.conformal import LEVELS, UNBOUNDED, bounds
from models.distribution import HeavyTailed, NormalMixture, end_to_end
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
    for (prefix, _, served_by, _), told in zip(forecasts, _all_told([(each[1], each[3]) for each in forecasts]), strict=True):
        out |= {f"{prefix}_{name}": values for name, values in told.items()} | {f"{prefix}_served_by": served_by}
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
    told = _told(forecast, half_width)
    return {f"{prefix}_{name}": values for name, values in told.items()} | {f"{prefix}_served_by": served_by}


def _all_told(forecasts: Sequence[tuple[NormalMixture, Mapping[str, float]]]) -> list[dict[str, Array]]:
    """Numbers of several forecasts of the same rows; those about one mean are worked out as one long forecast, to the same bits."""
    heavy = [number for number, (forecast, _) in enumerate(forecasts) if isinstance(forecast, HeavyTailed)]
    out = [{} if number in heavy else _told(*each) for number, each in enumerate(forecasts)]
    if heavy:
        n_rows = len(forecasts[heavy[0]][0])
        widths = {name: np.repeat([forecasts[number][1][name] for number in heavy], n_rows) for name in LEVELS}
        for name, values in _told(end_to_end([forecasts[number][0] for number in heavy]), widths).items():
            for number, part in zip(heavy, values.reshape(len(heavy), n_rows), strict=True):
                out[number][name] = part
    return out


def _told(forecast: NormalMixture, half_width: Mapping[str, float] | Mapping[str, Array]) -> dict[str, Array]:
    """Quantiles, calibrated ends and probability of a rise; missing on rows without a volatility."""
    spoken = ~np.isnan(forecast.mean() + forecast.sd())
    said = forecast if spoken.all() else forecast[spoken]
    out = {name: said.quantile(level) for name, level in QUANTILES.items()}
    kept = {name: np.broadcast_to(width, len(spoken))[spoken] for name, width in half_width.items()}
    out |= {name: finite_or_missing(end) for name, end in bounds(said.mean(), said.sd(), kept).items()}
    out["p_up"] = 1.0 - said.cdf(0.0)
    return {name: _where(spoken, values) for name, values in out.items()} if len(said) < len(spoken) else out


def finite_or_missing(values: Array) -> Array:
    """Infinite values as missing ones."""
    return np.where(np.isinf(values), np.nan, values)


def _where(spoken: NDArray[np.bool_], values: Array) -> Array:
    out = np.full(len(spoken), np.nan)
    out[spoken] = values
    return out
