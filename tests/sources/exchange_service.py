"""A stand-in for two exchanges: markets and daily bars in the form in which they send them."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from tests.sources.local_server import Answer, Server

DAY = 86_400_000
JSON = {"Content-Type": "application/json"}

Bars = dict[int, tuple[float, float, float]]
"""High, low and close by the instant (ms) at which the day begins."""


def as_json(value: object, **more: object) -> Answer:
    return Answer(json.dumps(value).encode(), headers=JSON, **more)


def binance_market(base: str, quote: str) -> dict:
    return {
        "symbol": base + quote, "status": "TRADING", "baseAsset": base, "baseAssetPrecision": 8, "quoteAsset": quote,
        "quoteAssetPrecision": 8, "orderTypes": ["LIMIT", "MARKET"], "icebergAllowed": True, "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False, "permissions": [], "permissionSets": [["SPOT"]],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
        ],
    }  # fmt: skip


def binance_rows(bars: list[tuple[int, tuple[float, float, float]]]) -> list[list]:
    return [
        [t, f"{close}", f"{high}", f"{low}", f"{close}", "12.5", t + DAY - 1, "1.0", 7, "1.0", "1.0", "0"] for t, (high, low, close) in bars
    ]


class Binance:
    """Answers `exchangeInfo` and `klines`; `faults` are sent first, one a request of bars, and `shape` alters the rows of a page."""

    def __init__(self, server: Server, bars: dict[str, Bars], most: int = 1000) -> None:
        self.server, self.bars, self.most = server, bars, most
        self.faults: list[Answer] = []
        self.shape: Callable[[list[list]], list[list]] = lambda rows: rows
        self.pages: list[tuple[str, int, int]] = []
        server.on("/api/v3/exchangeInfo", as_json({"timezone": "UTC", "symbols": [binance_market(name[:3], name[3:]) for name in bars]}))
        server.dynamic["/api/v3/klines"] = self._klines

    @property
    def urls(self) -> dict[str, str]:
        return {"public": f"{self.server.url}/api/v3"}

    def _klines(self, _: dict[str, str]) -> Answer:
        asked = {key: value[0] for key, value in parse_qs(urlsplit(self.server.seen[-1][0]).query).items()}
        assert asked["interval"] == "1d"
        start, limit = int(asked["startTime"]), min(int(asked["limit"]), self.most)
        self.pages.append((asked["symbol"], start // DAY, limit))
        if self.faults:
            return self.faults.pop(0)
        rows = sorted((t, bar) for t, bar in self.bars[asked["symbol"]].items() if t >= start)[:limit]
        return as_json(self.shape(binance_rows(rows)))


class Kraken:
    """Answers `Assets`, `AssetPairs` and `OHLC`, which never reaches back further than 720 bars."""

    def __init__(self, server: Server, bars: Bars) -> None:
        self.server, self.bars = server, bars
        pair = {
            "altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "base": "XXBT", "quote": "ZUSD",
            "lot": "unit", "pair_decimals": 1, "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [], "leverage_sell": [],
            "fees": [[0, 0.26]], "fees_maker": [[0, 0.16]], "fee_volume_currency": "ZUSD", "ordermin": "0.0001", "status": "online",
        }  # fmt: skip
        coin = {"aclass": "currency", "altname": "XBT", "decimals": 10, "display_decimals": 5, "status": "enabled"}
        server.on("/0/public/Assets", as_json({"error": [], "result": {"XXBT": coin, "ZUSD": coin | {"altname": "USD"}}}))
        server.on("/0/public/AssetPairs", as_json({"error": [], "result": {"XXBTZUSD": pair}}))
        server.dynamic["/0/public/OHLC"] = self._ohlc

    @property
    def urls(self) -> dict[str, str]:
        return {"public": self.server.url}

    def _ohlc(self, _: dict[str, str]) -> Answer:
        asked = parse_qs(urlsplit(self.server.seen[-1][0]).query)
        rows = [
            [t // 1000, f"{close}", f"{high}", f"{low}", f"{close}", f"{close}", "5.0", 9]
            for t, (high, low, close) in sorted(self.bars.items())[-720:]
            if t // 1000 > int(asked["since"][0])
        ]
        return as_json({"error": [], "result": {"XXBTZUSD": rows, "last": rows[-1][0] if rows else 0}})
