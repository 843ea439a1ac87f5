"""Daily closes of coins from an exchange, by UTC day, with the gaps left as they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import DataError
from features.quarantine import QUARANTINE
from features.schemas import checked, empty
from sources.exchange_client import ExchangeClient
from sources.known import known_at
from sources.pace import Pace
from sources.prints import bad_prints

DAY = pd.Timedelta(days=1)
MILLISECONDS = 86_400_000
"""Of a day."""

AGAIN = 3
"""Stored days that are asked for again: exchanges correct their last bars."""


@dataclass(frozen=True)
class ExchangeBars:
    """What an exchange gave, complete or not at all.

    Attributes
    ----------
    coins : schema `coins`, without caps
    quarantine : records set aside: frame, series, date, rule
    gaps : one row an asset: asset, first, last (dates of its closes), missing (days between without one)
    """

    coins: pd.DataFrame
    quarantine: pd.DataFrame
    gaps: pd.DataFrame


def fetch_exchange(
    exchange_id: str,
    symbols: Mapping[str, str],
    start: str | pd.Timestamp | Mapping[str, str | pd.Timestamp],
    now: pd.Timestamp,
    *,
    urls: Mapping[str, str] | None = None,
    limit: int | None = None,
    pace: Pace | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ExchangeBars:
    """Fetch daily bars from `start` to the last that ended by `now`.

    Parameters
    ----------
    exchange_id : as ccxt names it; its days must begin at 00:00 UTC
    symbols : ccxt's symbol by our asset, e.g. {"BTC": "BTC/USDT"}
    start : first date; or by asset the last day that is stored, of which the newest three are fetched again
    now : instant (UTC) of asking
    urls : addresses in place of ccxt's (`urls['api']`), by their names there
    limit : bars a page; the most that the exchange gives unless said
    pace : attempts and time a page
    progress : called with the assets done and their number

    Raises
    ------
    DataError
        One line with what was wrong and the way out (`WebError` where the exchange is not reached); nothing is returned in part.
    """
    first = _starts(exchange_id, symbols, start, now)
    frames, aside, gaps = [], [], []
    with ExchangeClient(exchange_id, urls=urls, pace=pace) as client:
        client.refuse_unknown(symbols)
        for done, (asset, symbol) in enumerate(symbols.items(), start=1):
            bars = _all_bars(client, symbol, first[asset], now, limit or client.page_size(symbol))
            rule = bad_prints(bars["close"], bars["low"], bars["high"])
            good = pd.DatetimeIndex(bars.index[rule == ""])
            frames.append(pd.DataFrame({"asset": asset, "date": good, "close": bars["close"][good].to_numpy(), "market_cap": np.nan}))
            bad = rule[rule != ""]
            aside.append(pd.DataFrame({"frame": "coins", "series": asset, "date": bad.index, "rule": bad.to_numpy()}))
            gaps.append(_gap(asset, good))
            if progress:
                progress(done, len(symbols))
    frame = pd.concat(frames, ignore_index=True)
    frame = frame.assign(known_at=known_at("end_of_utc_day", frame["date"]))
    origin = {asset: f"{exchange_id} {symbol}" for asset, symbol in symbols.items()}
    coins = checked("coins", frame, origin) if len(frame) else empty("coins")
    return ExchangeBars(coins, pd.concat(aside, ignore_index=True)[list(QUARANTINE)], pd.DataFrame(gaps))


def _all_bars(client: ExchangeClient, symbol: str, first: pd.Timestamp, now: pd.Timestamp, limit: int) -> pd.DataFrame:
    """Page through the bars that have ended; each page begins with the newest bar of the one before, which must come again unchanged."""
    place = f"{client.name} {symbol}"
    over = now.tz_convert("UTC").tz_localize(None) - DAY  # a bar that begins by then has ended
    bars, since, newest = _ended(place, client.bars(symbol, first, limit), first, over), first, first - DAY
    while since <= over:
        grown = len(bars) > 0 and bars.index.max() > newest
        if grown:
            since = newest = bars.index.max()
            if newest + DAY > over:
                break
        else:  # not listed yet, or halted
            since += limit * DAY
        page = _ended(place, client.bars(symbol, since, limit), since, over)
        if grown and len(page) and newest not in page.index:
            raise DataError(f"{place}: the bars from {newest:%Y-%m-%d} on lack that day; rule: pages overlap; choose another exchange")
        _refuse_changed(place, bars, page)
        bars = pd.concat([bars, page[~page.index.isin(bars.index)]])
    if bars.empty:
        raise DataError(f"{place}: gives no bar from {first:%Y-%m-%d} on; rule: at least one; correct the start or the symbol")
    return bars.sort_index()


def _ended(place: str, page: pd.DataFrame, first: pd.Timestamp, over: pd.Timestamp) -> pd.DataFrame:
    """Label bars by their UTC day, and keep those from `first` on that have ended."""
    off = (page["timestamp"] % MILLISECONDS != 0).to_numpy()
    if off.any():
        begin = pd.Timestamp(int(page["timestamp"][off].iloc[0]), unit="ms")
        raise DataError(f"{place}: a daily bar begins at {begin}; rule: days are UTC days, from 00:00; choose another exchange")
    date = pd.DatetimeIndex(pd.to_datetime(page["timestamp"], unit="ms")).as_unit("us").rename("date")
    page = page[["high", "low", "close"]].set_axis(date)
    page = page[(page.index >= first) & (page.index <= over)]
    _refuse_changed(place, page, page)
    return page[~page.index.duplicated()]


def _refuse_changed(place: str, before: pd.DataFrame, page: pd.DataFrame) -> None:
    """A day may come twice; its close may not differ."""
    close = pd.concat([before["close"], page["close"]]).groupby(level=0)
    differs = (close.max() != close.min()) & close.max().notna()
    if differs.any():
        day = pd.Timestamp(str(differs.idxmax()))
        raise DataError(
            f"{place}: {day:%Y-%m-%d} has the closes {close.min()[day]:g} and {close.max()[day]:g}; rule: one close a day; fetch again, "
            "and choose another exchange if it stays so"
        )


def _starts(
    exchange_id: str, symbols: Mapping[str, str], start: str | pd.Timestamp | Mapping[str, str | pd.Timestamp], now: pd.Timestamp
) -> dict[str, pd.Timestamp]:
    if not symbols:
        raise DataError(f"{exchange_id}: no asset named; rule: at least one")
    if now.tzinfo is None:
        raise DataError(f"{exchange_id}: now is {now}, without a time zone; rule: instants are UTC, e.g. pd.Timestamp.now('UTC')")
    if isinstance(start, Mapping):
        lacking = [asset for asset in symbols if asset not in start]
        if lacking:
            raise DataError(f"{exchange_id}: start lacks {', '.join(lacking)}; rule: a last stored day for every asset, or one first date")
        first = {asset: pd.Timestamp(start[asset]) - (AGAIN - 1) * DAY for asset in symbols}
    else:
        first = dict.fromkeys(symbols, pd.Timestamp(start))
    for asset, day in first.items():
        if day.tzinfo is not None or day != day.normalize():
            raise DataError(f"{exchange_id}: start of {asset} is {day}; rule: a date, without time and zone")
        if day + DAY > now.tz_convert("UTC").tz_localize(None):
            raise DataError(f"{exchange_id}: no day of {asset} from {day:%Y-%m-%d} on has ended by {now:%Y-%m-%d %H:%M}; rule: one has")
    return first


def _gap(asset: str, dates: pd.DatetimeIndex) -> dict[str, object]:
    if not len(dates):
        return {"asset": asset, "first": pd.NaT, "last": pd.NaT, "missing": 0}
    first, last = pd.Timestamp(dates.min()), pd.Timestamp(dates.max())
    return {"asset": asset, "first": first, "last": last, "missing": (last - first).days + 1 - len(dates)}
