"""Small batches, and a clock that tests set."""

import datetime
from pathlib import Path

import pandas as pd
import polars as pl

from sources.store import Store

START = datetime.datetime(2024, 6, 1, 12, tzinfo=datetime.UTC)


class Clock:
    """Stands still but for a minute a look."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime.datetime:
        self.now += datetime.timedelta(minutes=1)
        return self.now


def new_store(root: Path) -> Store:
    return Store.create(root, clock=Clock())


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def macro(*rows: tuple[str, str, float, str]) -> pd.DataFrame:
    """Records of (series, date, value, known_at)."""
    frame = pd.DataFrame(rows, columns=["series", "date", "value", "known_at"])
    types = {"series": "str", "date": "datetime64[us]", "value": float}
    return frame.astype(types).assign(known_at=pd.to_datetime(frame["known_at"], utc=True).dt.as_unit("us"))


def prices(series: str, dates: pd.DatetimeIndex, first: float = 100.0) -> pd.DataFrame:
    """One series, known at 21:00 UTC of each date."""
    dates = pd.DatetimeIndex(dates).as_unit("us")
    close = [float(first + place) for place in range(len(dates))]
    known = (dates + pd.Timedelta(hours=21)).tz_localize("UTC")
    return pd.DataFrame(
        {"series": pd.Series([series] * len(dates), dtype="str"), "date": dates, "close": close, "adj_close": close, "known_at": known}
    )


def bits(frame: pl.DataFrame) -> bytes:
    """Give every bit of a frame: names, types, what is null, and the bits of every value; not how they lie in memory."""
    parts = [str(frame.schema).encode()]
    for column in frame.iter_columns():
        parts.append(column.is_null().to_numpy().tobytes())
        texts = column.dtype == pl.String
        parts.append("\0".join(column.fill_null("")).encode() if texts else column.to_physical().fill_null(0).to_numpy().tobytes())
    return b"|".join(parts)


def tree(root: Path) -> dict[str, bytes]:
    """Give every file of a store but its lock."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file() and path.name != "lock"}


def quotes(*rows: tuple[str, pd.Timestamp, float, pd.Timestamp]) -> pd.DataFrame:
    """Records of (series, date, close, known_at)."""
    return _raw(rows, ["close"])


def actions(*rows: tuple[str, pd.Timestamp, float, float, pd.Timestamp]) -> pd.DataFrame:
    """Records of (series, date, split, dividend, known_at)."""
    return _raw(rows, ["split", "dividend"])


def _raw(rows: tuple[tuple, ...], values: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["series", "date", *values, "known_at"])
    types = {"series": "str", "date": "datetime64[us]", **dict.fromkeys(values, float), "known_at": "datetime64[us, UTC]"}
    return frame.astype(types)
