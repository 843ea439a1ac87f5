import json
import socket
import sys

import numpy as np
import pandas as pd
import pytest

from features.errors import DataError
from features.schemas import SCHEMAS
from sources.errors import WebError
from sources.exchange import fetch_exchange
from sources.pace import Pace
from tests.sources.exchange_service import DAY, Bars, Binance, Kraken, as_json
from tests.sources.local_server import Answer

ccxt = pytest.importorskip("ccxt")

NOW = pd.Timestamp("2024-01-31 10:00", tz="UTC")
PAGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
SYMBOLS = {"BTC": "BTC/USDT"}


def history(first: str, n: int, level: float = 100.0) -> Bars:
    start = int(pd.Timestamp(first).timestamp() * 1000)
    closes = level + np.arange(n) / 4
    return {start + DAY * k: (close + 1, close - 1, close) for k, close in enumerate(closes.tolist())}


def ms(day: str) -> int:
    return int(pd.Timestamp(day).timestamp() * 1000)


@pytest.fixture(autouse=True)
def throttled(monkeypatch):
    """Count the requests that ccxt's own rate limit would have slept for."""
    costs = []
    monkeypatch.setattr(ccxt.Exchange, "throttle", lambda self, cost=None: costs.append(cost))
    return costs


@pytest.fixture
def binance(server):
    return Binance(server, {"BTCUSDT": history("2023-12-01", 62), "ETHUSDT": history("2023-12-20", 43, 50.0)})


@pytest.fixture
def fetch(binance, clock):
    def fetched(symbols=SYMBOLS, start="2024-01-01", now=NOW, **options):
        pace = Pace(clock=clock.now, sleep=clock.sleep)
        return fetch_exchange("binance", symbols, start, now, urls=binance.urls, pace=pace, **options)

    return fetched


def test_closes_are_utc_days_without_the_running_one(fetch, binance):
    bars = fetch({"BTC": "BTC/USDT", "ETH": "ETH/USDT"})
    SCHEMAS["coins"].validate(bars.coins)
    btc = bars.coins[bars.coins["asset"] == "BTC"]
    assert list(btc["date"]) == list(pd.date_range("2024-01-01", "2024-01-30"))
    assert list(btc["close"]) == [100 + (31 + k) / 4 for k in range(30)]
    assert btc["known_at"].iloc[-1] == pd.Timestamp("2024-01-31", tz="UTC")
    assert bars.coins["market_cap"].isna().all()
    assert bars.quarantine.empty
    assert list(bars.gaps["missing"]) == [0, 0]


def test_bar_ends_with_its_day(fetch):
    assert fetch(now=pd.Timestamp("2024-01-31", tz="UTC")).coins["date"].max() == pd.Timestamp("2024-01-30")
    assert fetch(now=pd.Timestamp("2024-01-30 23:59:59", tz="UTC")).coins["date"].max() == pd.Timestamp("2024-01-29")


@pytest.mark.parametrize("limit", [2, 7, 29, 30, 31, 1000])
def test_pages_of_any_size_give_the_same(fetch, binance, limit):
    whole = fetch()
    binance.pages.clear()
    pd.testing.assert_frame_equal(fetch(limit=limit).coins, whole.coins)
    starts = [start for _, start, _ in binance.pages]
    assert starts == sorted(starts)
    steps = np.diff(starts)
    assert set(steps) <= {limit - 1}  # one bar comes twice


def test_rate_limit_of_the_client_is_on(fetch, throttled):
    fetch()
    assert len(throttled) == 2


def test_coin_that_is_listed_later_is_found(fetch):
    bars = fetch({"ETH": "ETH/USDT"}, start="2023-06-01", limit=30)
    assert bars.coins["date"].min() == pd.Timestamp("2023-12-20")
    assert bars.gaps.iloc[0].to_dict() == {
        "asset": "ETH",
        "first": pd.Timestamp("2023-12-20"),
        "last": pd.Timestamp("2024-01-30"),
        "missing": 0,
    }


def test_exchange_that_answers_by_window_is_asked_on(fetch, binance):
    window: list[int] = []

    def within(rows):
        start = binance.pages[-1][1] * DAY
        window.append(start)
        return [row for row in rows if row[0] < start + 10 * DAY]

    binance.shape = within
    gone = binance.bars["ETHUSDT"]
    for day in pd.date_range("2024-01-03", "2024-01-22"):
        del gone[ms(f"{day:%Y-%m-%d}")]
    bars = fetch({"ETH": "ETH/USDT"}, start="2023-11-01", limit=10)
    assert len(bars.coins) == 42 - 20
    assert bars.gaps["missing"].tolist() == [20]


def test_gaps_are_left(fetch, binance):
    for day in ("2024-01-05", "2024-01-06", "2024-01-20"):
        del binance.bars["BTCUSDT"][ms(day)]
    bars = fetch(limit=4)
    assert len(bars.coins) == 27
    assert bars.gaps["missing"].tolist() == [3]


def test_coin_that_has_ended_gives_what_there_was(fetch, binance):
    binance.bars["BTCUSDT"] = history("2023-12-01", 40)
    bars = fetch(limit=5)
    assert bars.coins["date"].max() == pd.Timestamp("2024-01-09")


def test_stored_days_are_fetched_again(fetch, binance):
    bars = fetch({"BTC": "BTC/USDT", "ETH": "ETH/USDT"}, start={"BTC": "2024-01-29", "ETH": pd.Timestamp("2024-01-20")})
    first = bars.coins.groupby("asset")["date"].min()
    assert dict(first) == {"BTC": pd.Timestamp("2024-01-27"), "ETH": pd.Timestamp("2024-01-18")}
    assert [start for _, start, _ in binance.pages] == [ms(day) // DAY for day in ("2024-01-27", "2024-01-18")]


def test_disorder_and_equal_repeats_do_no_harm(fetch, binance):
    whole = fetch()
    rng = np.random.default_rng(1)
    binance.shape = lambda rows: [rows[k] for k in rng.permutation(np.repeat(np.arange(len(rows)), 2))]
    pd.testing.assert_frame_equal(fetch(limit=1000).coins, whole.coins)


def test_repeats_that_differ_are_refused(fetch, binance):
    binance.shape = lambda rows: [*rows, [rows[3][0], *rows[3][1:4], "7.5", *rows[3][5:]]]
    with pytest.raises(DataError, match=r"binance BTC/USDT: 2024-01-04 has the closes 7.5 and 108.5; rule: one close a day"):
        fetch()


def test_page_that_changes_what_the_one_before_said_is_refused(fetch, binance):
    def shaped(rows):
        if len(binance.pages) == 2:
            rows[0][4] = "9.0"
        return rows

    binance.shape = shaped
    with pytest.raises(DataError, match="2024-01-10 has the closes 9 and 110"):
        fetch(limit=10)


def test_pages_that_do_not_overlap_are_refused(fetch, binance):
    binance.shape = lambda rows: rows if len(binance.pages) == 1 else rows[1:]
    with pytest.raises(DataError, match="the bars from 2024-01-10 on lack that day; rule: pages overlap"):
        fetch(limit=10)


def test_days_of_another_zone_are_refused(fetch, binance):
    binance.bars["BTCUSDT"] = {t - 8 * 3_600_000: bar for t, bar in history("2023-12-01", 62).items()}
    with pytest.raises(DataError, match="a daily bar begins at 2024-01-01 16:00:00; rule: days are UTC days, from 00:00; choose another"):
        fetch()


def test_bad_prints_are_set_aside(fetch, binance):
    bars = binance.bars["BTCUSDT"]
    bars[ms("2024-01-05")] = (0.0, 0.0, 0.0)
    bars[ms("2024-01-09")] = (1001.0, 999.0, 1000.0)
    bars[ms("2024-01-12")] = (112.0, 100.0, 700.0)
    out = fetch()
    found = {(row.frame, row.series, f"{row.date:%m-%d}", row.rule) for row in out.quarantine.itertuples()}
    assert found == {
        ("coins", "BTC", "01-05", "close is a number above 0"),
        ("coins", "BTC", "01-09", "close is no 4-fold spike of one day"),
        ("coins", "BTC", "01-12", "close is between the day's low and high"),
    }
    assert len(out.coins) == 27
    assert out.gaps["missing"].tolist() == [3]


PASSING = {
    "throttled": Answer(b'{"code":-1003,"msg":"Too much request weight used"}', 429, {"Content-Type": "application/json"}),
    "broken": Answer(b"oops", 500),
    "away": Answer(b"", 503),
    "half": as_json([["x" * 4000]], cut=100),
    "half, unannounced": Answer(json.dumps([[ms("2024-01-01"), "1"]]).encode()[:-4], headers={"Content-Type": "application/json"}),
    "a page": Answer(PAGE, headers={"Content-Type": "text/html"}),
    "a page called JSON": Answer(PAGE, headers={"Content-Type": "application/json"}),
    "nothing": Answer(b""),
}


@pytest.mark.parametrize("name", PASSING)
def test_faults_that_pass_are_waited_out(fetch, binance, clock, name):
    whole = fetch()
    binance.faults = [PASSING[name]] * 2
    pd.testing.assert_frame_equal(fetch().coins, whole.coins)
    assert [low <= wait <= low + 1 for low, wait in zip((1, 2), clock.slept, strict=True)] == [True] * 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("throttled", r"binance: answers 429: .*\(5 attempts in \d+ s\); try again later"),
        ("broken", r"binance: answers 500: .*; try again later"),
        ("half", "binance: cannot be reached: .*; check the network"),
        ("half, unannounced", "binance: the JSON breaks off after 18 characters"),
        ("a page called JSON", "binance: a json was wanted and the body is a web page, 'Just a moment...'"),
        ("nothing", "binance: a json was wanted and the body is empty"),
    ],
)
def test_faults_that_stay_are_one_line(fetch, binance, name, words):
    binance.faults = [PASSING[name]] * 9
    with pytest.raises(WebError, match=words) as caught:
        fetch()
    assert "\n" not in str(caught.value)
    assert len(binance.pages) == 5


def test_client_waits_as_long_as_it_is_told(fetch, binance, clock):
    binance.faults = [Answer(b"{}", 429, {"Retry-After": "40"})]
    fetch()
    assert 40 <= clock.slept[0] < 41


def test_faults_of_the_markets_are_waited_out(fetch, server, clock):
    markets = server.answers["/api/v3/exchangeInfo"]
    server.answers["/api/v3/exchangeInfo"] = [Answer(PAGE), Answer(b"", 502), *markets]
    assert len(fetch().coins) == 30
    assert len(clock.slept) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(b'{"code":0,"msg":"Service unavailable from a restricted location"}', 451), "binance: answers 451: .*refuses this country"),
        (Answer(PAGE, 403), "binance: answers 403: .*; it refuses this address or country"),
        (Answer(b'{"code":-2015,"msg":"Invalid API-key"}', 401), "binance: answers 401: .*; it wants a key"),
        (Answer(b'{"code":-1121,"msg":"Invalid symbol."}', 400), "binance: answers 400: .*; check the symbol"),
        (Answer(b'{"code":-2014,"msg":"API-key format invalid."}'), "binance: wants a key: .*choose another exchange"),
        (Answer(b'{"code":-1121,"msg":"Invalid symbol."}'), "binance: BadSymbol: .*; correct the symbol"),
    ],
)
def test_refusals_are_not_repeated(fetch, binance, clock, answer, words):
    binance.faults = [answer] * 9
    with pytest.raises(DataError, match=words) as caught:
        fetch()
    assert "\n" not in str(caught.value)
    assert len(binance.pages) == 1
    assert not clock.slept


def test_rows_without_a_time_or_a_close_are_not_filled(fetch, binance):
    def shaped(rows):
        rows[2][0], rows[5][4] = "soon", None
        return rows

    binance.shape = shaped
    bars = fetch()
    assert bars.gaps["missing"].tolist() == [2]  # ccxt drops the one, and the other is set aside
    assert list(bars.quarantine["date"]) == [pd.Timestamp("2024-01-06")]


def test_answer_of_another_form_is_named(fetch, binance):
    binance.faults = [as_json([5, 6])]
    with pytest.raises(DataError, match=r"^binance: ccxt broke: \w+: |^binance BTC/USDT: (gives no bar|the bars are no table)"):
        fetch()


def test_no_bars_at_all_is_an_error(fetch, binance):
    binance.bars["BTCUSDT"] = {}
    with pytest.raises(DataError, match="binance BTC/USDT: gives no bar from 2024-01-01 on"):
        fetch(limit=10)


def test_unknown_symbol_names_what_there_is(fetch):
    with pytest.raises(DataError, match=r"binance: symbol 'BTC/USD' of BTC is not traded here; it trades BTC/USDT; correct the symbol"):
        fetch({"BTC": "BTC/USD"})
    with pytest.raises(DataError, match="none of its 2 symbols is like it"):
        fetch({"XYZ": "QQQ/QQQ"})


def test_fault_of_the_second_asset_leaves_nothing(fetch, binance):
    binance.bars["ETHUSDT"] = {}
    seen = []
    with pytest.raises(DataError, match="binance ETH/USDT: gives no bar"):
        fetch({"BTC": "BTC/USDT", "ETH": "ETH/USDT"}, progress=lambda *count: seen.append(count))
    assert seen == [(1, 2)]


def test_offline_is_one_line(clock):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pace = Pace(clock=clock.now, sleep=clock.sleep)
    with pytest.raises(
        WebError, match=r"^binance: cannot be reached: .*refused \(5 attempts in \d+ s\); check the network connection"
    ) as caught:
        fetch_exchange("binance", SYMBOLS, "2024-01-01", NOW, urls={"public": f"http://127.0.0.1:{port}/api/v3"}, pace=pace)
    assert "\n" not in str(caught.value)


def test_exchange_that_reaches_back_a_while_begins_where_it_can(server, clock):
    kraken = Kraken(server, history("2021-01-01", 1126))
    pace = Pace(clock=clock.now, sleep=clock.sleep)
    bars = fetch_exchange("kraken", {"BTC": "BTC/USD"}, "2021-01-01", NOW, urls=kraken.urls, pace=pace)
    assert bars.coins["date"].max() == pd.Timestamp("2024-01-30")
    assert bars.gaps.iloc[0]["first"] == pd.Timestamp("2024-01-31") - pd.Timedelta(days=719)
    assert len(bars.coins) == 719
    recent = fetch_exchange("kraken", {"BTC": "BTC/USD"}, {"BTC": "2024-01-28"}, NOW, urls=kraken.urls, pace=pace)
    pd.testing.assert_frame_equal(recent.coins, bars.coins.iloc[-5:].reset_index(drop=True))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"symbols": {}}, "binance: no asset named"),
        ({"now": pd.Timestamp("2024-01-31")}, "without a time zone"),
        ({"start": {"ETH": "2024-01-01"}}, "start lacks BTC; rule: a last stored day for every asset"),
        ({"start": "2024-01-31"}, "no day of BTC from 2024-01-31 on has ended by 2024-01-31 10:00"),
        ({"start": "2024-01-05 12:00"}, "start of BTC is 2024-01-05 12:00:00; rule: a date"),
        ({"start": pd.Timestamp("2024-01-05", tz="UTC")}, "rule: a date, without time and zone"),
    ],
)
def test_questions_without_sense_are_refused(fetch, server, options, words):
    with pytest.raises(DataError, match=words):
        fetch(**options)
    assert not server.seen


def test_unknown_exchange_names_those_like_it():
    with pytest.raises(DataError, match=r"exchange 'binanse' is unknown to ccxt; rule: one of its \d+ ids; near it: binance, "):
        fetch_exchange("binanse", SYMBOLS, "2024-01-01", NOW)


def test_exchange_without_daily_bars_is_refused(monkeypatch):
    monkeypatch.setattr(ccxt.kraken, "describe", lambda self: self.deep_extend(ccxt.Exchange.describe(self), {"id": "kraken", "has": {}}))
    with pytest.raises(DataError, match="kraken: has no daily bars"):
        fetch_exchange("kraken", SYMBOLS, "2024-01-01", NOW)


def test_absent_ccxt_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(DataError, match=r'ccxt is not installed; .*pip install "appetite\[exchange\]"'):
        fetch_exchange("binance", SYMBOLS, "2024-01-01", NOW)
