"""What is asked of Yahoo: tickers under our names, dates, and the instant of asking."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from features.errors import DataError
from sources.known import known_at


@dataclass(frozen=True)
class Request:
    """A question that makes sense; built by `request`.

    Attributes
    ----------
    tickers, coins : our name of a security and of a coin by Yahoo's ticker
    first, last : dates
    now : instant (UTC)
    since : by ticker, the first date on which it belonged to this company
    """

    tickers: Mapping[str, str]
    coins: Mapping[str, str]
    first: pd.Timestamp
    last: pd.Timestamp
    now: pd.Timestamp
    since: Mapping[str, pd.Timestamp]

    @property
    def until(self) -> pd.Timestamp:
        """A date after every bar that there can be."""
        return self.now.tz_convert("UTC").tz_localize(None).normalize() + pd.Timedelta(days=2)

    def cut(self, frame: pd.DataFrame, ticker: str) -> pd.DataFrame:
        """Keep the dates asked for, and of those the ones on which the ticker was this company's."""
        return frame[frame["date"].between(max(self.first, self.since.get(ticker, self.first)), self.last)]

    def known(self, frame: pd.DataFrame, rule: str) -> pd.DataFrame:
        """Say when the records of `frame` were known, and keep those that were by now."""
        frame = frame.assign(known_at=known_at(rule, frame["date"]))
        return frame[frame["known_at"] <= self.now]


def request(
    tickers: Mapping[str, str],
    coins: Mapping[str, str],
    start: str | pd.Timestamp,
    end: str | pd.Timestamp,
    now: pd.Timestamp,
    since: Mapping[str, str | pd.Timestamp],
) -> Request:
    """Check a question.

    Raises
    ------
    DataError
        Where nothing is asked for, a name or ticker is there twice, or the dates make no span.
    """
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    if not tickers and not coins:
        raise DataError("Yahoo: no ticker named; rule: at least one")
    if now.tzinfo is None:
        raise DataError(f"Yahoo: now is {now}, without a time zone; rule: instants are UTC, e.g. pd.Timestamp.now('UTC')")
    if last < first:
        raise DataError(f"Yahoo: end {last:%Y-%m-%d} is before start {first:%Y-%m-%d}; rule: the end is not before the start")
    for names in (tickers, coins):
        ordered = sorted(names.values())
        twice = next((name for name, after in pairwise(ordered) if name == after), None)
        if twice is not None:
            raise DataError(f"Yahoo: '{twice}' is named for two tickers; rule: one ticker a series, as two are never spliced")
    if both := sorted(set(tickers) & set(coins)):
        raise DataError(f"Yahoo: ticker '{both[0]}' is under tickers and under coins; rule: each ticker once")
    if unknown := sorted(set(since) - set(tickers) - set(coins)):
        raise DataError(f"Yahoo: 'since' names '{unknown[0]}', which is not asked for; rule: dates for tickers that are")
    return Request(dict(tickers), dict(coins), first, last, now, {ticker: pd.Timestamp(day) for ticker, day in since.items()})
