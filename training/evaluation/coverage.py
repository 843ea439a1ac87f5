"""How often intervals held: overall, by regime and by volatility, with how often they were unbounded and how wide they were."""

import numpy as np
import pandas as pd

from models.inference import Array
from training.evaluation.calibration import judged_cells, wilson

INTERVALS = {
    ("model", 50): ("lo50", "hi50"),
    ("model", 80): ("lo80", "hi80"),
    ("model", 90): ("lo90", "hi90"),
    ("conformal", 80): ("lo80_conformal", "hi80_conformal"),
    ("conformal", 90): ("lo90_conformal", "hi90_conformal"),
}
"""Kind and nominal per cent of each interval, and its columns in the losses."""

EVERY_ROW = "all"
REGIMES = ("risk-on", "risk-off")
TERCILES = ("calm", "middling", "wild")
COLUMNS = [
    "asset",
    "horizon",
    "interval",
    "level",
    "group",
    "n",
    "n_independent",
    "held",
    "lo",
    "hi",
    "band",
    "verdict",
    "unbounded",
    "width",
]
WITHIN, OUTSIDE, UNSURE, ABSENT, EMPTY = "within", "outside", "cannot be told from within", "not recorded", "no rows"


def band(horizon: int) -> float:
    """How far from nominal the coverage of a sound interval may lie over a decade (METHODS 3.6): wider where rows overlap more."""
    return 0.02 if horizon <= 21 else 0.04 if horizon <= 63 else 0.06


def coverage_table(losses: pd.DataFrame) -> pd.DataFrame:
    """Coverage of the served intervals on the judged rows.

    Parameters
    ----------
    losses : as `training.forecasts.ForecastWalk.losses`; columns that are not there are said to be absent

    Returns
    -------
    DataFrame with asset, horizon, interval (model, conformal), level (nominal), group (all; risk-on, risk-off by published
    probability; calm, middling, wild by tercile of volatility among its own past), n, n_independent, held, lo, hi (95% interval of
    held, Wilson on n / h rows), band, verdict (within the band; outside it; outside, but its 95% interval reaches into the band;
    not recorded; no rows), unbounded (share), width (median of all, log return)
    """
    rows = []
    for asset, horizon, part in judged_cells(losses):
        for (kind, level), (low, high) in INTERVALS.items():
            shared = {"asset": asset, "horizon": horizon, "interval": kind, "level": level / 100.0, "band": band(horizon)}
            for group, members in _groups(part).items():
                found: dict[str, object] = {"verdict": ABSENT}
                if members is not None and low in part and high in part:
                    found = _held(part.loc[members], low, high, horizon, level / 100.0)
                rows.append(shared | {"group": group} | found)
    return pd.DataFrame(rows, columns=COLUMNS)


def _groups(part: pd.DataFrame) -> dict[str, pd.Series | None]:
    """Rows of each group; None where the column that tells is absent. Rows before it was known are in none."""
    groups: dict[str, pd.Series | None] = {EVERY_ROW: pd.Series(True, index=part.index)}
    on, rank = part.get("p_on"), part.get("vol_rank")
    groups |= dict(zip(REGIMES, (None, None) if on is None else (on >= 0.5, on < 0.5), strict=True))
    thirds = (None, None, None) if rank is None else (rank <= 1 / 3, (rank > 1 / 3) & (rank <= 2 / 3), rank > 2 / 3)
    return groups | dict(zip(TERCILES, thirds, strict=True))


def _held(part: pd.DataFrame, low: str, high: str, horizon: int, level: float) -> dict[str, object]:
    part = part[part[low].notna() & part[high].notna()]
    n = len(part)
    if n < horizon:
        return {"n": n, "n_independent": 0, "verdict": EMPTY}
    lower, upper, y = (part[name].to_numpy(dtype=np.float64) for name in (low, high, "y"))
    held = float(np.mean((lower <= y) & (y <= upper)))
    least, most = wilson(held, n / horizon)
    unbounded = ~(np.isfinite(lower) & np.isfinite(upper))
    return {
        "n": n,
        "n_independent": n // horizon,
        "held": held,
        "lo": least,
        "hi": most,
        "verdict": _verdict(held, least, most, level, band(horizon)),
        "unbounded": float(unbounded.mean()),
        "width": _median_width(lower, upper, unbounded),
    }


def _verdict(held: float, least: float, most: float, level: float, allowed: float) -> str:
    if abs(held - level) <= allowed:
        return WITHIN
    return UNSURE if least <= level + allowed and most >= level - allowed else OUTSIDE


def _median_width(lower: Array, upper: Array, unbounded: Array) -> float:
    """Median over all rows, an unbounded interval being wider than any: infinite where more than half are."""
    return float(np.median(np.where(unbounded, np.inf, upper - lower)))
