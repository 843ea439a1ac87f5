"""Prices of funds, indices, constituents and coins from Yahoo: closes as traded, corporate actions, and what follows from both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from features.errors import DataError
from features.quarantine import QUARANTINE
from features.schemas import checked, empty
from sources.adjust import forward_adjusted, overpaid
from sources.calendar import NEW_YORK, sessions
from sources.pace import Pace
from sources.yahoo_bars import ticker_bars
from sources.yahoo_download import BATCH, Download, ask, yfinance_download
from sources.yahoo_request import Request, request

MARGIN = pd.Timedelta(days=14)
"""Asked for before the first date, so that its prints have something to stand beside, and a quiet week is no missing ticker."""

QUOTES = ("series", "date", "close", "known_at")
ACTIONS = ("series", "date", "split", "dividend", "known_at")


@dataclass(frozen=True)
class YahooBars:
    """What Yahoo gave, complete or not at all.

    Attributes
    ----------
    quotes : series, date, close (as traded), known_at
    actions : series, date (ex-date), split (new shares per old, 1 for none), dividend (USD a share on the shares of that day, those after
        its split, 0 for none), known_at
    prices : schema `prices`, made of the two by `sources.adjust.forward_adjusted`; level as traded at the first quote in here
    coins : schema `coins`, without caps
    quarantine : records set aside: frame ('quotes', 'actions' or 'coins'), series, date, rule
    missing : tickers without any price; empty unless they were allowed
    """

    quotes: pd.DataFrame
    actions: pd.DataFrame
    prices: pd.DataFrame
    coins: pd.DataFrame
    quarantine: pd.DataFrame
    missing: tuple[str, ...] = field(default=())


def fetch_yahoo(
    tickers: Mapping[str, str],
    start: str | pd.Timestamp,
    end: str | pd.Timestamp,
    *,
    now: pd.Timestamp,
    coins: Mapping[str, str] | None = None,
    since: Mapping[str, str | pd.Timestamp] | None = None,
    allow_missing: bool = False,
    rule: str = "session_close",
    batch: int = BATCH,
    pace: Pace | None = None,
    download: Download | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> YahooBars:
    """Fetch daily bars.

    Parameters
    ----------
    tickers : our name of a series by Yahoo's ticker, of what trades in USD on New York's sessions, e.g. {"^RUT": "R2000"}
    start, end : first and last date
    now : instant (UTC) of asking: bars that are not known by then still run, and are left out. Yahoo adjusts every close for the splits up
        to it, so the bars up to `now` are asked for whatever `end` is.
    coins : our name of an asset by Yahoo's ticker, e.g. {"BTC-USD": "BTC"}; UTC days by their start
    since : by ticker, the first date on which it was this company's: a ticker of a delisted company passes to another one
    allow_missing : tickers without a price are listed in the answer in place of being an error
    rule : when a bar is known (`sources.known.RULES`)
    batch : tickers a call
    pace : attempts and time a batch
    download : in the place of `yfinance.download`
    progress : called with the tickers done and their number

    Raises
    ------
    DataError
        Naming every ticker without a price; where Yahoo is not reached (`WebError`); nothing is returned in part.
    """
    wanted = request(tickers, coins or {}, start, end, now, since or {})
    n, get, pace = len(wanted.tickers) + len(wanted.coins), download or yfinance_download(), pace or Pace()
    tables: dict[str, pd.DataFrame] = {}
    for group, done in ((wanted.tickers, 0), (wanted.coins, len(wanted.tickers))):  # apart: their days are not the same
        tables |= ask(list(group), wanted.first - MARGIN, wanted.until, get, pace, batch=batch, progress=_counted(progress, done, n))
    missing = tuple(ticker for ticker in (*wanted.tickers, *wanted.coins) if ticker not in tables)
    if missing and not (allow_missing and tables):
        raise DataError(
            f"Yahoo: no price came for {len(missing)} of {n} tickers: {', '.join(missing)}; "
            "rule: every ticker has prices; correct or leave out those that are delisted or misspelt"
        )
    quotes, actions, aside = _securities(wanted, tables, rule)
    bars, coins_aside = _coins(wanted, tables)
    quarantine = pd.concat([*aside, *coins_aside], ignore_index=True)[list(QUARANTINE)]
    return YahooBars(quotes, actions, _prices(quotes, actions), bars, quarantine, missing)


def _securities(wanted: Request, tables: Mapping[str, pd.DataFrame], rule: str) -> tuple[pd.DataFrame, pd.DataFrame, list[pd.DataFrame]]:
    quotes, actions, aside = _gathered(wanted, wanted.tickers, tables, NEW_YORK, rule)
    trading = quotes["date"].isin(sessions(wanted.first, wanted.last))
    closed = quotes[~trading].assign(frame="quotes", rule="date is no session")
    quotes = quotes[trading].reset_index(drop=True)
    unpayable = overpaid(quotes, actions)
    unpaid = actions[unpayable].assign(frame="actions", rule="dividend is below the close before it")
    actions["dividend"] = actions["dividend"].mask(unpayable, 0.0)
    idle = (actions["split"] == 1) & (actions["dividend"] == 0)
    return quotes[list(QUOTES)], actions.loc[~idle, list(ACTIONS)].reset_index(drop=True), [aside, closed, unpaid]


def _coins(wanted: Request, tables: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    frame, _, aside = _gathered(wanted, wanted.coins, tables, "UTC", "end_of_utc_day")
    frame = frame.rename(columns={"series": "asset"}).assign(market_cap=float("nan"))
    origin = {name: f"Yahoo {ticker}" for ticker, name in wanted.coins.items()}
    return checked("coins", frame, origin) if len(frame) else empty("coins"), [aside.assign(frame="coins")]


def _gathered(
    wanted: Request, names: Mapping[str, str], tables: Mapping[str, pd.DataFrame], zone: str, rule: str
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Join the tickers' tables: closes, actions and what is set aside, long, sorted, of the dates asked for and known by now."""
    parts: tuple[list[pd.DataFrame], ...] = ([], [], [])
    for ticker, series in names.items():
        if ticker in tables:
            bars = ticker_bars(f"Yahoo {ticker}", tables[ticker], zone)
            for part, frame in zip(parts, (bars.close, bars.actions, bars.aside), strict=True):
                part.append(wanted.cut(frame.assign(series=series), ticker))
    if not parts[0]:
        none = ticker_bars("Yahoo", pd.DataFrame({"Close": pd.Series(dtype=float)}, index=pd.DatetimeIndex([])), zone)
        parts = tuple([frame.assign(series=pd.Series(dtype=str))] for frame in (none.close, none.actions, none.aside))
    closes, actions, aside = (wanted.known(pd.concat(part, ignore_index=True), rule).sort_values(["series", "date"]) for part in parts)
    return closes.reset_index(drop=True), actions.reset_index(drop=True), aside.reset_index(drop=True)


def _prices(quotes: pd.DataFrame, actions: pd.DataFrame) -> pd.DataFrame:
    if quotes.empty:
        return empty("prices")
    frame = forward_adjusted(quotes, actions).assign(known_at=quotes["known_at"])
    return checked("prices", frame, {series: f"Yahoo {series}" for series in quotes["series"].unique()})


def _counted(progress: Callable[[int, int], None] | None, done: int, total: int) -> Callable[[int, int], None] | None:
    return (lambda n, _: progress(done + n, total)) if progress else None
