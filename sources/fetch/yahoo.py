"""Prices and coins from Yahoo."""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.errors import DataError
from sources.fetch.delivery import Delivery, Tools
from sources.fetch.plan import YahooPlan
from sources.yahoo import YahooBars, fetch_yahoo

AGAIN = pd.Timedelta(days=10)
"""Days fetched again before the newest record: what was corrected since becomes a further vintage."""

FRESH = datetime.timedelta(days=30)
"""A series that ended so long before the others is asked for apart: most likely it is gone."""

TOGETHER = 200
"""Constituents a batch."""


@dataclass(frozen=True)
class Yahoo:
    """Closes as traded and corporate actions; adjusted closes are made when the store is read."""

    plan: YahooPlan

    NEEDS = "the extra yahoo"
    GIVES = "quotes, actions, coins"
    KNOWN = "closes and actions: the close of the session; coins: the end of the UTC day"

    def deliver(self, tools: Tools) -> Iterator[Delivery]:
        """Fetch funds and indices, coins, and constituents some at a time; series that are there from their newest record on."""
        yield from self._deliver("prices", self.plan.prices, {}, tools)
        yield from self._deliver("coins", {}, self.plan.coins, tools)
        members = list(_tickers(tools.beside, self.plan.panel).items())
        for begin in range(0, len(members), TOGETHER):
            yield from self._deliver("constituents", dict(members[begin : begin + TOGETHER]), {}, tools, some_missing=True)

    def _deliver(
        self, what: str, prices: Mapping[str, str], coins: Mapping[str, str], tools: Tools, *, some_missing: bool = False
    ) -> Iterator[Delivery]:
        last = tools.last_dates("coins" if coins else "quotes")
        for start, names in _by_start({**prices, **coins}, last, self.plan.start):
            bars: YahooBars = fetch_yahoo(
                {ticker: name for name, ticker in prices.items() if name in names},
                start,
                tools.now.tz_convert(None).normalize(),
                now=tools.now,
                coins={ticker: name for name, ticker in coins.items() if name in names},
                since={{**prices, **coins}[name]: pd.Timestamp(day) for name, day in self.plan.since.items() if name in names},
                allow_missing=some_missing,
                download=tools.inject.get("yahoo"),
                progress=lambda done, of: tools.progress(f"Yahoo {what}", done, of),
            )
            frames = {"quotes": bars.quotes, "actions": bars.actions, "coins": bars.coins}
            yield Delivery(
                f"Yahoo {what}", {kind: frame for kind, frame in frames.items() if len(frame)}, aside=bars.quarantine, missing=bars.missing
            )


def _by_start(
    names: Mapping[str, str], last: Mapping[str, datetime.date], first: datetime.date
) -> Iterator[tuple[pd.Timestamp, tuple[str, ...]]]:
    """Group series by whether the store has them, and to the end: what is asked for begins at the oldest end of a group."""
    new = tuple(name for name in names if name not in last)
    if new:
        yield pd.Timestamp(first), new
    newest = max((last[name] for name in names if name in last), default=first)
    fresh = tuple(name for name in names if name in last and newest - last[name] <= FRESH)
    stale = tuple(name for name in names if name in last and newest - last[name] > FRESH)
    for group in (fresh, stale):
        if group:
            yield max(pd.Timestamp(first), pd.Timestamp(min(last[name] for name in group)) - AGAIN), group


def _tickers(beside: Path, name: str | None) -> dict[str, str]:
    """Read tickers by our name: lines are tickers, or name=ticker where a ticker passed from one company to another."""
    if name is None:
        return {}
    try:
        lines = [line.strip() for line in (beside / name).read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{name}: the list of tickers cannot be read: {error}; rule: one a line") from None
    kept = [line for line in lines if line and not line.startswith("#") and line.lower() != "ticker"]
    parted = [line.partition("=") if "=" in line and not line.startswith("=") else (line, "", line) for line in kept]
    tickers = {ours.strip(): theirs.strip() for ours, _, theirs in parted}
    if not tickers or len(tickers) < len(kept):
        fault = "a name is there twice" if tickers else "no ticker in it"
        raise DataError(f"{name}: {fault}; rule: a ticker a line, or name=ticker, each name once")
    return dict(sorted(tickers.items()))
