"""Small markets written by hand, record by record."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from features.market import Market, Panel

N = 700


def sessions(n: int = N, start: str = "2015-01-02") -> pd.DatetimeIndex:
    """Business days; holidays do not matter here."""
    return pd.bdate_range(start, periods=n, unit="us").rename("session")


def close_instant(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return (days + pd.Timedelta(hours=21)).tz_localize("UTC")


def next_morning(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """14:00 UTC of the next business day: after the next session's open, before its asof."""
    return (days + pd.offsets.BDay(1) + pd.Timedelta(hours=14)).as_unit("us").tz_localize("UTC")


def prices(series: str, days: pd.DatetimeIndex, close: Iterable[float], adj: Iterable[float] | float = np.nan) -> pd.DataFrame:
    return pd.DataFrame(
        {"series": series, "date": days, "close": np.asarray(close, float), "adj_close": adj, "known_at": close_instant(days)}
    )


def walk(n: int, seed: int = 0, step: float = 0.01) -> np.ndarray:
    return 100 * np.exp(np.cumsum(step * np.random.default_rng(seed).standard_normal(n)))


def index_prices(days: pd.DatetimeIndex, seed: int = 0) -> pd.DataFrame:
    return prices("R2000", days, walk(len(days), seed))


def market(days: pd.DatetimeIndex, panel: Panel | None = None, **frames: pd.DataFrame) -> Market:
    frames.setdefault("prices", index_prices(days))
    return Market.from_frames(name="handmade", simulated=True, note="", sessions=days, frames=frames, panel=panel)


def panel(days: pd.DatetimeIndex, closes: np.ndarray, names: Sequence[str] | None = None) -> Panel:
    columns = list(names or [f"S{i:03d}" for i in range(closes.shape[1])])
    index = pd.DatetimeIndex(days, name="date")
    return Panel(pd.DataFrame(closes, index=index, columns=columns), pd.Series(close_instant(days), index=index, name="known_at"))


def members(rows: Iterable[tuple[str, str, str | None, str]]) -> pd.DataFrame:
    """Rows of security, start, end, date of known_at."""
    frame = pd.DataFrame(rows, columns=["security", "start", "end", "known_at"])
    for column in ("start", "end"):
        frame[column] = pd.to_datetime(frame[column]).astype("datetime64[us]")
    frame["known_at"] = pd.to_datetime(frame["known_at"]).astype("datetime64[us]").dt.tz_localize("UTC")
    return frame


def funds(
    days: pd.DatetimeIndex,
    shares: Iterable[float],
    nav: Iterable[float] | float = 10.0,
    fund: str = "IWM",
    split: Iterable[float] | float = 1.0,
):
    return pd.DataFrame(
        {
            "fund": fund,
            "date": days,
            "nav": nav,
            "shares_outstanding": np.asarray(shares, float),
            "split": split,
            "known_at": next_morning(days),
        }
    ).astype({"nav": float, "split": float})


def filings(rows: Iterable[tuple[str, str, str, str, float, float, str]]) -> pd.DataFrame:
    """Rows of security, form, period_start, period_end, net income, revenue, date of known_at."""
    names = ["security", "form", "period_start", "period_end", "net_income", "revenue", "known_at"]
    frame = pd.DataFrame(rows, columns=names).astype({"net_income": float, "revenue": float})
    for column in ("period_start", "period_end"):
        frame[column] = pd.to_datetime(frame[column]).astype("datetime64[us]")
    frame["known_at"] = pd.to_datetime(frame["known_at"]).astype("datetime64[us]").dt.tz_localize("UTC")
    return frame


def coins(asset: str, start: str, close: Iterable[float], cap: Iterable[float] | float = np.nan) -> pd.DataFrame:
    close = np.asarray(close, float)
    days = pd.date_range(start, periods=len(close), freq="D", unit="us")
    known = (days + pd.Timedelta(days=1)).tz_localize("UTC")
    return pd.DataFrame({"asset": asset, "date": days, "close": close, "market_cap": cap, "known_at": known}).astype({"market_cap": float})


def macro(series: str, days: pd.DatetimeIndex, values: Iterable[float] | float) -> pd.DataFrame:
    return pd.DataFrame({"series": series, "date": days, "value": values, "known_at": close_instant(days)}).astype({"value": float})
