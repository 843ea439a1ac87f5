"""yfinance itself, given the service's JSON in place of the service: that the tables are as the other tests have them."""

from datetime import datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from features.errors import DataError
from sources.errors import WebError
from sources.pace import Pace
from sources.yahoo import fetch_yahoo
from tests.sources.local_server import Clock

yfinance = pytest.importorskip("yfinance")

OPENING = {"America/New_York": (9, 30), "UTC": (0, 0)}
NOW = pd.Timestamp("2024-02-05 22:00", tz="UTC")


def chart(ticker: str, kind: str, zone: str, days: list[str], closes: list[float], events: dict[str, dict[str, dict[str, float]]]) -> dict:
    def stamp(day: str) -> int:
        return int(datetime.fromisoformat(day).replace(hour=OPENING[zone][0], minute=OPENING[zone][1], tzinfo=ZoneInfo(zone)).timestamp())

    meta = {
        "currency": "USD", "symbol": ticker, "exchangeName": "PCX", "instrumentType": kind, "firstTradeDate": 728317800,
        "regularMarketTime": stamp(days[-1]) + 6 * 3600, "gmtoffset": 0, "timezone": "EST", "exchangeTimezoneName": zone,
        "priceHint": 2, "dataGranularity": "1d", "range": "", "validRanges": ["1d", "max"],
        "currentTradingPeriod": {part: {"timezone": "EST", "start": stamp(days[-1]), "end": stamp(days[-1]) + 23400, "gmtoffset": 0}
                                 for part in ("pre", "regular", "post")},
    }  # fmt: skip
    found = {
        name: {str(stamp(day)): {"date": stamp(day), **event} for day, event in by_day.items()} for name, by_day in events.items() if by_day
    }
    result = {
        "meta": meta,
        "timestamp": [stamp(day) for day in days],
        "events": found,
        "indicators": {
            "quote": [{name: closes for name in ("open", "high", "low", "close")} | {"volume": [1000] * len(days)}],
            "adjclose": [{"adjclose": closes}],
        },
    }
    return {"chart": {"result": [result], "error": None}}


DAYS = ["2024-01-29", "2024-01-30", "2024-01-31", "2024-02-01", "2024-02-02", "2024-02-05"]
ABSENT = {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}}
CHARTS = {
    "SPY": chart("SPY", "ETF", "America/New_York", DAYS, [50.25, 51.0, 49.5, 50.0, 52.0, 53.0], {
        "splits": {"2024-02-01": {"numerator": 2, "denominator": 1}},
        "dividends": {"2024-01-31": {"amount": 0.5}, "2024-02-05": {"amount": 0.25}},
    }),
    "^RUT": chart("^RUT", "INDEX", "America/New_York", DAYS, [1990.5, 2000.25, 1980.0, 1970.0, 1975.0, 1999.0], {}),
    "BTC-USD": chart("BTC-USD", "CRYPTOCURRENCY", "UTC", DAYS, [42000.5, 43000.0, 42500.0, 43100.0, 43200.0, 42700.0], {}),
}  # fmt: skip


@pytest.fixture
def answers(monkeypatch, tmp_path):
    """Put answers by ticker in the place of every request; yfinance keeps its time zones in the folder of the test."""
    known = dict(CHARTS)

    def get(self, url, params=None, timeout=30):
        ticker = url.rsplit("/", 1)[1]
        answer = known.get(ticker, ABSENT)
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(text="", status_code=200, json=lambda: answer)

    yfinance.set_tz_cache_location(str(tmp_path))
    for name in ("get", "cache_get"):
        monkeypatch.setattr(yfinance.data.YfData, name, get)
    return known


def fetched(**options):
    clock = Clock()
    names = options.pop("tickers", {"SPY": "SPY", "^RUT": "R2000"})
    return fetch_yahoo(names, "2024-01-29", "2024-02-05", now=NOW, pace=Pace(clock=clock.now, sleep=clock.sleep), **options)


def test_tables_of_yfinance_are_read(answers):
    bars = fetched(coins={"BTC-USD": "BTC"})
    spy = bars.quotes[bars.quotes["series"] == "SPY"]
    assert list(spy["close"]) == [100.5, 102.0, 99.0, 50.0, 52.0, 53.0]
    assert list(spy["date"].dt.strftime("%Y-%m-%d")) == DAYS
    rows = [(f"{row.date:%m-%d}", row.split, row.dividend) for row in bars.actions.itertuples()]
    assert rows == [("01-31", 1.0, 1.0), ("02-01", 2.0, 0.0), ("02-05", 1.0, 0.25)]
    assert list(bars.quotes[bars.quotes["series"] == "R2000"]["close"])[:2] == [1990.5, 2000.25]
    assert list(bars.coins["close"]) == [42000.5, 43000.0, 42500.0, 43100.0, 43200.0]  # 5 February still runs
    assert bars.quarantine.empty


def test_ticker_that_yahoo_does_not_know_is_named(answers):
    with pytest.raises(DataError, match="no price came for 1 of 2 tickers: GONE;"):
        fetched(tickers={"SPY": "SPY", "GONE": "GONE"})


def test_limits_that_yfinance_swallows_are_waited_out_and_named(answers):
    answers["SPY"] = yfinance.exceptions.YFRateLimitError()
    with pytest.raises(WebError, match=r"Yahoo: asks for fewer requests: .* \(5 attempts in \d+ s\); try again later"):
        fetched()


@pytest.mark.parametrize("known", [False, True])
def test_offline_is_one_line(answers, known):
    if known:  # of tickers whose time zone it remembers yfinance drops the fault
        fetched()
    words = "Failed to perform, curl: (6) Could not resolve host: query2.finance.yahoo.com"
    answers.update(dict.fromkeys(CHARTS, yfinance.data.requests.exceptions.ConnectionError(words)))
    with pytest.raises(WebError, match=r"Yahoo: cannot be reached: .*Could not resolve host") as caught:
        fetched()
    assert "\n" not in str(caught.value)
    assert yfinance.config.debug.hide_exceptions
