"""A stand-in for Yahoo behind yfinance: companies with a history, shown as the service shows them on a given day."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

PRICES = ["Open", "High", "Low", "Close", "Adj Close"]


@dataclass
class Company:
    """Closes as traded by date, splits and dividends by ex-date; the day's low and high lie 1% around the close."""

    raw: dict[str, float]
    splits: dict[str, float] = field(default_factory=dict)
    dividends: dict[str, float] = field(default_factory=dict)
    gains: dict[str, float] = field(default_factory=dict)

    def table(self, today: pd.Timestamp) -> pd.DataFrame:
        """Adjust backwards from `today`, to 32 bits, as the service does."""
        days = sorted({*self.raw, *self.splits, *self.dividends, *self.gains})
        index = pd.DatetimeIndex(days)
        index = index[index <= today]
        raw, split, paid, gains = (
            np.array([part.get(f"{day:%Y-%m-%d}", none) for day in index])
            for part, none in ((self.raw, np.nan), (self.splits, 1.0), (self.dividends, 0.0), (self.gains, 0.0))
        )
        later = np.append(np.cumprod(split[::-1])[::-1][1:], 1.0)
        close = (raw / later).astype(np.float32).astype(float)
        frame = pd.DataFrame({name: close for name in PRICES}, index=index)
        frame["Low"], frame["High"] = 0.99 * close, 1.01 * close
        for t in range(len(index) - 1, 0, -1):
            if paid[t]:
                frame.loc[index[:t], "Adj Close"] *= 1 - paid[t] / later[t] / close[t - 1]
        frame["Volume"] = np.where(np.isnan(raw), 0.0, 1e6)
        frame["Dividends"], frame["Stock Splits"] = (paid / later).round(6), np.where(split == 1, 0.0, split)
        if self.gains:
            frame["Capital Gains"] = gains / later
        return frame


@dataclass
class Service:
    """`download` for tests: gives what `yfinance.download` gives of these companies on `today`.

    `faults` are called in turn, one a call, with the tickers asked for, before the answer is made; they may raise, log, or return
    a frame to answer with.
    """

    companies: dict[str, Company]
    today: str
    by: str = "column"
    zone: str | None = None
    faults: list[Callable[[list[str]], pd.DataFrame | None] | None] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)

    def __call__(self, tickers: list[str], *, start: str, end: str, **options: object) -> pd.DataFrame:
        assert options == {"interval": "1d", "auto_adjust": False, "actions": True, "threads": False, "progress": False}
        self.asked.append(tickers)
        fault = self.faults.pop(0) if self.faults else None
        answer = fault(tickers) if fault else None
        return self.answer(tickers, start, end) if answer is None else answer

    def answer(self, tickers: list[str], start: str, end: str) -> pd.DataFrame:
        empty = pd.DataFrame(columns=[*PRICES, "Volume"], index=pd.DatetimeIndex([]), dtype=float)
        tables = {}
        for ticker in sorted({ticker.upper() for ticker in tickers}, reverse=True):  # yfinance gives them in no order
            company = self.companies.get(ticker)
            table = empty if company is None else company.table(pd.Timestamp(self.today))
            tables[ticker] = table[(table.index >= start) & (table.index < end)]
        index = pd.DatetimeIndex(sorted({day for table in tables.values() for day in table.index}))
        frame = pd.concat({ticker: table.reindex(index) for ticker, table in tables.items()}, axis=1, names=["Ticker", "Price"])
        if self.by == "column":
            frame = frame.swaplevel(0, 1, axis=1).sort_index(level=0, axis=1)
        if self.zone:
            frame.index = frame.index.tz_localize(self.zone)
        return frame.rename_axis("Date")


def nothing(tickers: list[str]) -> pd.DataFrame:
    """Give the frame that yfinance gives offline: columns without rows."""
    columns = pd.MultiIndex.from_product([["Adj Close", "Close", "High", "Low", "Open", "Volume"], tickers], names=["Price", "Ticker"])
    return pd.DataFrame(columns=columns, index=pd.DatetimeIndex([]), dtype=float)
