"""Quarterly reports of the sample market: losses that persist, filings that lag, and restatements."""

import numpy as np
import pandas as pd

from sources.known import known_at

YEARS_BEFORE = 3
"""Reports begin this long before the first session, so that it has trailing years."""

LOSERS = 0.36
"""Share of companies whose mean margin is below zero."""

RESTATED, LATE = 0.03, 0.06
"""Share of reports that are restated later, and of those filed long after the usual day."""

LAGS = {"10-Q": (30, 46), "10-K": (54, 75)}
"""Days from the period's end to the filing."""


def draw_filings(
    sessions: pd.DatetimeIndex, off: np.ndarray, first: np.ndarray, last: np.ndarray, names: pd.Index, rng: np.random.Generator
) -> pd.DataFrame:
    """Make the filing frame: a 10-Q states its quarter, a 10-K the full year.

    Parameters
    ----------
    sessions : DatetimeIndex, (n_sessions,)
    off : ndarray of bool, (n_sessions,), whether the state is "off"; margins of a quarter fall with its share in the quarter before
    first, last : ndarray of int, (n_stocks,), listed sessions; a company files from the year before its listing to its delisting
    """
    n = len(names)
    # two companies in ten close their books a month or two after the others
    shift = rng.choice([0, 1, 2], size=n, p=[0.8, 0.1, 0.1])
    start = pd.Timestamp(f"{sessions[0].year - YEARS_BEFORE}-01-01")
    count = 4 * (sessions[-1].year - start.year + 1)
    months = (start.year - 1970) * 12 + shift[:, None] + 3 * np.arange(count)
    begins = months.astype("datetime64[M]").astype("datetime64[D]")
    ends = (months + 3).astype("datetime64[M]").astype("datetime64[D]") - np.timedelta64(1, "D")
    income, revenue = _results(n, count, _stress(sessions, off, start, count), rng)
    frame = pd.concat([_quarters(names, begins, ends, income, revenue), _years(names, begins, ends, income, revenue)], ignore_index=True)
    frame = _filed(frame, rng)
    listed = pd.Series(sessions[first] - pd.Timedelta(days=400), index=names)
    gone = pd.Series(sessions[last], index=names)
    gone[last == len(sessions) - 1] = sessions[-1] + pd.Timedelta(days=2)
    inside = (frame["period_end"].to_numpy() >= listed[frame["security"]].to_numpy()) & (
        frame["filed"].to_numpy() <= gone[frame["security"]].to_numpy()
    )
    frame = frame[inside].drop(columns="filed").reset_index(drop=True)
    return frame.drop_duplicates(["security", "period_end", "period_start", "known_at"], ignore_index=True)


def _stress(sessions: pd.DatetimeIndex, off: np.ndarray, start: pd.Timestamp, count: int) -> np.ndarray:
    """Give the share of "off" sessions in the calendar quarter before each quarter, its mean where there is no history."""
    share = pd.Series(off.astype(np.float64), index=sessions).groupby(sessions.year * 4 + sessions.quarter - 1).mean()
    wanted = start.year * 4 + np.arange(count) - 1
    return share.reindex(wanted).fillna(float(off.mean())).to_numpy()


def _results(n: int, count: int, stress: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw net income and revenue in USD, companies x quarters: margins revert slowly to a company's own mean."""
    loser = rng.random(n) < LOSERS
    level = np.where(loser, -0.35 * np.exp(0.7 * rng.standard_normal(n)), 0.09 * np.exp(0.4 * rng.standard_normal(n)))
    spread = np.where(loser, 0.10, 0.03)
    margin, noise = np.empty((n, count)), spread * rng.standard_normal(n)
    for quarter in range(count):
        noise = 0.75 * noise + 0.66 * spread * rng.standard_normal(n)
        margin[:, quarter] = level + noise - 0.06 * (stress[quarter] - 0.25)
    size = 6e7 * np.exp(1.1 * rng.standard_normal((n, 1)) + 0.012 * np.arange(count) + 0.05 * rng.standard_normal((n, count)))
    return np.round(margin * size, -3), np.round(size, -3)


def _quarters(names: pd.Index, begins: np.ndarray, ends: np.ndarray, income: np.ndarray, revenue: np.ndarray) -> pd.DataFrame:
    interim = np.arange(income.shape[1]) % 4 != 3
    return _long(names, "10-Q", begins[:, interim], ends[:, interim], income[:, interim], revenue[:, interim])


def _years(names: pd.Index, begins: np.ndarray, ends: np.ndarray, income: np.ndarray, revenue: np.ndarray) -> pd.DataFrame:
    shape = (len(names), -1, 4)
    return _long(names, "10-K", begins[:, ::4], ends[:, 3::4], income.reshape(shape).sum(axis=2), revenue.reshape(shape).sum(axis=2))


def _long(names: pd.Index, form: str, begins: np.ndarray, ends: np.ndarray, income: np.ndarray, revenue: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "security": names.repeat(begins.shape[1]),
            "form": form,
            "period_start": begins.ravel().astype("datetime64[us]"),
            "period_end": ends.ravel().astype("datetime64[us]"),
            "net_income": income.ravel(),
            "revenue": revenue.ravel(),
        }
    )


def _filed(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Add the filing date and `known_at`, and restated vintages of some reports."""
    low, high = (frame["form"].map({form: days[side] for form, days in LAGS.items()}).to_numpy() for side in (0, 1))
    late = np.where(rng.random(len(frame)) < LATE, rng.integers(15, 60, len(frame)), 0)
    days = rng.integers(low, high) + late
    frame["filed"] = frame["period_end"] + pd.to_timedelta(days, unit="D")
    again = frame[rng.random(len(frame)) < RESTATED].copy()
    again["filed"] += pd.to_timedelta(rng.integers(60, 300, len(again)), unit="D")
    again["net_income"] = (again["net_income"] - 0.02 * again["revenue"] * rng.exponential(1.0, len(again))).round(-3)
    frame = pd.concat([frame, again], ignore_index=True)
    # an archive shows a filing on the morning after it
    frame["known_at"] = known_at("morning_of", frame["filed"] + pd.Timedelta(days=1))
    return frame
