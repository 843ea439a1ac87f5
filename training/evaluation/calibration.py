"""Are the probabilities right? Reliability, PIT and where the loss was won, from the walk's own record."""

import numpy as np
import pandas as pd

from training.book import SERVED

P_EDGES = np.array([0.0, 0.4, 0.5, 0.55, 0.6, 0.7, 1.0])
"""Bins of the probability of a rise: narrow where forecasts of returns lie."""

PIT_BINS = 10
MIN_IN_BIN = 5
"""Non-overlapping rows below which a bin is not drawn."""

SPREAD = 1.96


def judged_rows(losses: pd.DataFrame) -> pd.DataFrame:
    """Outer rows of the served series whose outcome is known."""
    return losses[(losses["rung"] == SERVED) & losses["outer"].astype(bool) & losses["crps"].notna()]


def judged_cells(losses: pd.DataFrame) -> list[tuple[str, int, pd.DataFrame]]:
    """Those rows by asset and horizon."""
    judged = judged_rows(losses)
    return [(str(a), int(h), part) for (a, h), part in judged.groupby(["asset", "horizon"], sort=False)]  # type: ignore[call-overload]


def reliability(losses: pd.DataFrame) -> pd.DataFrame:
    """Share of rises against the probability given, in bins of `P_EDGES`.

    Parameters
    ----------
    losses : as `training.forecasts.ForecastWalk.losses`

    Returns
    -------
    DataFrame with asset, horizon, p_up (mean of the bin), observed, lo, hi (95% interval of observed, from the
    non-overlapping rows), n, n_independent
    """
    rows = []
    for asset, horizon, part in judged_cells(losses):
        place = np.searchsorted(P_EDGES, part["p_up"].to_numpy(), side="right")
        for _, bin_rows in part.groupby(place):
            n = len(bin_rows)
            rose = float((bin_rows["y"] > 0).mean())
            low, high = wilson(rose, n / horizon)
            mean = float(bin_rows["p_up"].mean())
            row = {"asset": asset, "horizon": horizon, "p_up": mean, "observed": rose, "lo": low, "hi": high}
            rows.append(row | {"n": n, "n_independent": n // horizon})
    return pd.DataFrame(rows, columns=["asset", "horizon", "p_up", "observed", "lo", "hi", "n", "n_independent"])


def wilson(share: float, n: float) -> tuple[float, float]:
    """95% interval of a share of `n` independent trials (Wilson 1927), which stays between 0 and 1."""
    z2 = SPREAD**2
    middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n)
    half = SPREAD * np.sqrt(share * (1.0 - share) / n + z2 / (4.0 * n**2)) / (1.0 + z2 / n)
    return max(float(middle - half), 0.0), min(float(middle + half), 1.0)


def pit_histogram(losses: pd.DataFrame) -> pd.DataFrame:
    """Share of outcomes in each tenth of the forecast distribution, times ten: 1 everywhere for a calibrated forecast.

    Returns
    -------
    DataFrame with asset, horizon, density_1 .. density_10, n, n_independent
    """
    rows = []
    for asset, horizon, part in judged_cells(losses):
        counts, _ = np.histogram(part["pit"].to_numpy(), bins=PIT_BINS, range=(0.0, 1.0))
        density = {f"density_{k + 1}": float(v) for k, v in enumerate(counts * PIT_BINS / len(part))}
        rows.append({"asset": asset, "horizon": horizon} | density | {"n": len(part), "n_independent": len(part) // horizon})
    return pd.DataFrame(rows)


def loss_gain(losses: pd.DataFrame, skill: pd.DataFrame) -> pd.DataFrame:
    """Cumulative CRPS of the best baseline minus that of the served series, as a share of the baseline's total.

    Parameters
    ----------
    losses, skill : of the study

    Returns
    -------
    DataFrame with asset, horizon, session, gain; the last gain of a cell is its CRPS skill
    """
    parts = []
    served = judged_rows(losses)
    best = skill[skill["rung"] == SERVED] if len(skill) else skill
    for row in best.itertuples():
        own = served[(served["asset"] == row.asset) & (served["horizon"] == row.horizon)]
        same = (losses["rung"] == row.best_baseline) & (losses["asset"] == row.asset) & (losses["horizon"] == row.horizon)
        base = losses[same].set_index("session")["crps"].reindex(own["session"]).to_numpy()
        use = ~np.isnan(base)
        gain = np.cumsum(base[use] - own["crps"].to_numpy()[use]) / base[use].sum()
        parts.append(pd.DataFrame({"asset": row.asset, "horizon": row.horizon, "session": own["session"].to_numpy()[use], "gain": gain}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["asset", "horizon", "session", "gain"])


def gain_by_year(gain: pd.DataFrame) -> pd.DataFrame:
    """Gain of each calendar year, a row a year and a column a cell ("BTC 5"): the table behind the plot."""
    if gain.empty:
        return pd.DataFrame()
    cell = gain["asset"].astype(str) + " " + gain["horizon"].astype(str)
    last = gain.groupby([gain["session"].dt.year, cell], sort=False)["gain"].last().unstack()
    filled = last.sort_index().ffill()
    return filled.diff().fillna(filled).where(last.notna()).rename_axis("year").rename_axis(None, axis="columns")
