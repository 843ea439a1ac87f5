"""Ask Yahoo through yfinance: batches, another attempt where one may help, and one table a ticker."""

import importlib
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd

from features.errors import DataError
from sources.errors import PassingError
from sources.pace import Pace
from sources.retry import root_cause

Download = Callable[..., Any]
"""`yfinance.download`, or what a test puts in its place."""

BATCH = 40
OUTAGE = 5
"""So many tickers of one batch are not delisted all at once."""

LIMITED = re.compile(r"rate.?limit|too many requests|\b429\b", re.IGNORECASE)
UNREACHED = re.compile(r"resolve host|dnserror|curl: \(|timed? ?out|connection|proxyerror|currently down|\b50[0234]\b", re.IGNORECASE)
TOO_MANY = 429
"""Status of a service that is asked too often."""


def yfinance_download() -> Download:
    """Give `yfinance.download`, made to log every fault: it drops some without a word otherwise, and a ticker would seem delisted.

    Raises
    ------
    DataError
        Where yfinance is not installed.
    """
    try:
        yfinance = importlib.import_module("yfinance")
    except ImportError:
        raise DataError('Yahoo: yfinance is not installed; rule: it comes with an extra; pip install "appetite[yahoo]"') from None

    def download(*tickers: Any, **options: Any) -> Any:
        debug = yfinance.config.debug
        hidden, debug.hide_exceptions = debug.hide_exceptions, False
        try:
            return yfinance.download(*tickers, **options)
        finally:
            debug.hide_exceptions = hidden

    return download


def ask(
    tickers: Sequence[str],
    start: pd.Timestamp,
    end: pd.Timestamp,
    download: Download,
    pace: Pace,
    *,
    batch: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, pd.DataFrame]:
    """Download daily bars and actions, unadjusted for dividends.

    Parameters
    ----------
    start, end : first date, and the date after the last
    batch : tickers a call
    progress : called with the tickers done and their number after each batch

    Returns
    -------
    dict by ticker, of those that have a close: columns as Yahoo names them, index as it came

    Raises
    ------
    WebError
        Where Yahoo is not reached or refuses, whichever batch it is.
    DataError
        Where yfinance gives or does what it did not before.
    """
    tables: dict[str, pd.DataFrame] = {}
    for first in range(0, len(tickers), batch):
        some = tickers[first : first + batch]

        def attempt(some: Sequence[str] = some) -> None:
            left = [ticker for ticker in some if ticker not in tables]
            frame, told = _called(download, left, start, end)
            tables.update(by_ticker(frame, left))
            came = len(tables) if len(some) < OUTAGE else sum(ticker in tables for ticker in some)
            _judge([ticker for ticker in left if ticker not in tables], told, nothing=not came)

        pace.repeated("Yahoo", attempt)
        if progress:
            progress(first + len(some), len(tickers))
    return tables


def by_ticker(frame: pd.DataFrame | None, tickers: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Take apart the columns (price, ticker) or (ticker, price), whichever way they come; tickers without a close are left out."""
    if frame is None or not len(frame):
        return {}
    if not isinstance(frame.columns, pd.MultiIndex):
        if len(tickers) != 1:
            raise DataError("Yahoo: the columns name no ticker; rule: columns are (price, ticker); update yfinance")
        frame = pd.concat({tickers[0]: frame}, axis=1)
    level = next((each for each in range(frame.columns.nlevels) if "Close" in frame.columns.get_level_values(each)), None)
    if level is None or frame.columns.nlevels != 2:
        raise DataError("Yahoo: no column 'Close'; rule: columns are (price, ticker); update yfinance")
    found: Mapping[str, str] = {str(name).upper(): name for name in frame.columns.get_level_values(1 - level)}
    tables = {}
    for ticker in tickers:
        if ticker.upper() not in found:
            continue
        table = pd.DataFrame(frame.xs(found[ticker.upper()], axis=1, level=1 - level))
        if "Close" in table and table["Close"].notna().any():
            tables[ticker] = table
    return tables


def _called(download: Download, tickers: Sequence[str], start: pd.Timestamp, end: pd.Timestamp) -> tuple[pd.DataFrame | None, str]:
    """Call yfinance, which swallows most faults and logs them; give its frame and what it logged."""
    options = {"auto_adjust": False, "actions": True, "threads": False, "progress": False}
    try:
        with _overheard() as told, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # its own, of pandas
            return download(list(tickers), start=f"{start:%Y-%m-%d}", end=f"{end:%Y-%m-%d}", interval="1d", **options), " ".join(told)
    except Exception as error:
        names = {each.__name__ for each in type(error).__mro__}
        words = root_cause(error)
        if "YFRateLimitError" in names or LIMITED.search(words):
            raise PassingError("asks for fewer requests: too many in too short a time", status=TOO_MANY) from None
        # requests and curl_cffi derive theirs from OSError; a page in place of JSON is a ValueError
        if isinstance(error, (OSError, ValueError)) or "YFDataException" in names:
            raise PassingError(f"gives no answer of use: {words}") from None
        raise DataError(f"Yahoo: yfinance broke: {type(error).__name__}: {words}; update it, or take the tickers one by one") from None


def _judge(missing: Sequence[str], told: str, *, nothing: bool) -> None:
    """Say whether it is worth asking again for tickers that did not come."""
    if not missing:
        return
    if LIMITED.search(told):
        raise PassingError("asks for fewer requests: too many in too short a time", status=TOO_MANY)
    if UNREACHED.search(told):
        raise PassingError(f"cannot be reached: {' '.join(told.split())[:160]}")
    if nothing and len(missing) > 1:
        raise PassingError(f"gives nothing for any of {len(missing)} tickers ({', '.join(missing[:3])} ...)")


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Collect what yfinance logs in place of printing it."""
    told: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    logger, collector = logging.getLogger("yfinance"), Collector(logging.WARNING)
    propagated = logger.propagate
    logger.addHandler(collector)
    logger.propagate = False
    try:
        yield told
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagated
