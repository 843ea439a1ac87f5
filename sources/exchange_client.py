"""An exchange through ccxt: patient, and never taking for an answer what is none."""

import datetime
import difflib
import importlib
import json
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from features.errors import DataError
from sources.content import HEAD, refusal
from sources.errors import PassingError
from sources.pace import Pace
from sources.retry import retry_after, root_cause

T = TypeVar("T")

TIMEFRAME = "1d"
MOST_BARS = 500
"""Bars a page where the exchange does not tell how many it gives."""

REFUSALS = {
    400: "check the symbol and the start",
    401: "it wants a key",
    403: "it refuses this address or country; choose another exchange",
    404: "correct the address",
    451: "it refuses this country; choose another exchange",
}
"""What another attempt does not change; ccxt counts some of them among faults that pass."""

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")


class ExchangeClient:
    """Ask one exchange for markets and daily bars; a context that ends its connections.

    Parameters
    ----------
    exchange_id : as ccxt names it, e.g. 'binance', 'coinbase'; it must have daily bars
    urls : addresses in place of those under ccxt's `urls['api']`, by their names there
    pace : attempts and time a question

    Raises
    ------
    DataError
        Where ccxt is not installed, or the exchange is unknown or without daily bars.
    """

    def __init__(self, exchange_id: str, *, urls: Mapping[str, str] | None = None, pace: Pace | None = None) -> None:
        self.name = exchange_id
        self._pace = pace or Pace()
        self._ccxt = _ccxt()
        self._exchange = self._built(exchange_id, urls or {})
        self._exchange.on_rest_response = self._seen
        self._status: int | None = None
        self._wait = 0.0

    def __enter__(self) -> "ExchangeClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exchange.session.close()

    def refuse_unknown(self, symbols: Mapping[str, str]) -> None:
        """Load the markets, and stop where a symbol is not among them."""
        self._asked(self._exchange.load_markets)
        known = self._exchange.symbols or []
        for asset, symbol in symbols.items():
            if symbol not in known:
                base = symbol.split("/")[0]
                near = [each for each in known if each.split("/")[0] == base][:5] or difflib.get_close_matches(symbol, known)
                hint = f"it trades {', '.join(near)}" if near else f"none of its {len(known)} symbols is like it"
                raise DataError(f"{self.name}: symbol '{symbol}' of {asset} is not traded here; {hint}; correct the symbol")

    def page_size(self, symbol: str) -> int:
        """Bars that one answer may hold."""
        return int(self._exchange.feature_value(symbol, "fetchOHLCV", "limit", None) or MOST_BARS)

    def bars(self, symbol: str, since: pd.Timestamp, limit: int) -> pd.DataFrame:
        """Ask for a page of daily bars.

        Parameters
        ----------
        since : naive UTC date of the first bar wanted
        limit : bars wanted

        Returns
        -------
        DataFrame `timestamp` (int64, milliseconds), open, high, low, close, volume; as the exchange orders them; possibly empty
        """
        start = int(since.timestamp() * 1000)
        rows = self._asked(lambda: self._exchange.fetch_ohlcv(symbol, TIMEFRAME, start, limit))
        try:
            frame = pd.DataFrame([row[: len(COLUMNS)] for row in rows], columns=list(COLUMNS)).astype(np.float64)
            return frame.astype({"timestamp": np.int64})
        except (TypeError, ValueError, IndexError, pd.errors.IntCastingNaNError):
            raise DataError(f"{self.name} {symbol}: the bars are no table of {', '.join(COLUMNS)}; update ccxt") from None

    def _built(self, exchange_id: str, urls: Mapping[str, str]) -> Any:
        if exchange_id not in self._ccxt.exchanges:
            near = ", ".join(difflib.get_close_matches(exchange_id, self._ccxt.exchanges)) or "see ccxt.exchanges"
            raise DataError(
                f"exchange '{exchange_id}' is unknown to ccxt; rule: one of its {len(self._ccxt.exchanges)} ids; near it: {near}"
            )
        settings: dict[str, Any] = {"enableRateLimit": True, "urls": {"api": dict(urls)}} if urls else {"enableRateLimit": True}
        exchange = getattr(self._ccxt, exchange_id)(settings)
        if exchange.has.get("fetchOHLCV") is not True or TIMEFRAME not in (exchange.timeframes or {}):
            raise DataError(f"{exchange_id}: has no daily bars; rule: they are the exchange's own; choose another exchange")
        loaded = exchange.options.get("fetchMarkets")
        if isinstance(loaded, dict) and "spot" in loaded.get("types", ()):
            loaded["types"] = ["spot"]  # futures live at other addresses, and their lists are long
        return exchange

    def _seen(self, code: int, reason: str, url: str, method: str, headers: Mapping[str, str], body: str, *_: object) -> str:
        """Look at each answer before ccxt does, which takes a web page for an empty list."""
        self._status = code
        self._wait = retry_after(headers.get("Retry-After"), datetime.datetime.now(datetime.UTC))
        if code == 200:
            try:
                json.loads(body)
            except ValueError:
                said = refusal("json", body[:HEAD].encode("utf-8", errors="replace"))
                raise PassingError(said or f"the JSON breaks off after {len(body)} characters", status=code) from None
        return body.strip()

    def _asked(self, call: Callable[[], T]) -> T:
        def attempt() -> T:
            self._status, self._wait = None, 0.0
            try:
                return call()
            except PassingError:
                raise
            except Exception as error:
                raise self._judged(error) from None

        return self._pace.repeated(self.name, attempt)

    def _judged(self, error: Exception) -> Exception:
        """Turn an error of ccxt into one that passes or one that stays."""
        words = root_cause(error)[:200]
        if self._status in REFUSALS:
            return DataError(f"{self.name}: answers {self._status}: {words}; {REFUSALS[self._status]}")
        if isinstance(error, self._ccxt.AuthenticationError):
            return DataError(f"{self.name}: wants a key: {words}; rule: bars are public; choose another exchange")
        if isinstance(error, self._ccxt.OperationFailed):
            failed = self._status is not None and self._status != 200
            said = f"answers {self._status}: {words}" if failed else f"cannot be reached: {words}" if self._status is None else words
            return PassingError(said, self._wait, self._status)
        if isinstance(error, self._ccxt.BaseError):
            return DataError(f"{self.name}: {type(error).__name__}: {words}; correct the symbol or the start, or choose another exchange")
        return DataError(f"{self.name}: ccxt broke: {type(error).__name__}: {words}; update it, or choose another exchange")


def _ccxt() -> Any:
    try:
        return importlib.import_module("ccxt")
    except ImportError:
        raise DataError('exchange: ccxt is not installed; rule: it comes with an extra; pip install "appetite[exchange]"') from None
