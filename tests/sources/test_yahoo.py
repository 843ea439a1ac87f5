import dataclasses
import json
import logging

import numpy as np
import pandas as pd
import pytest
import requests

from features.errors import DataError
from features.schemas import SCHEMAS
from sources.adjust import forward_adjusted
from sources.calendar import sessions
from sources.errors import WebError
from sources.pace import Pace
from sources.yahoo import fetch_yahoo
from tests.sources.local_server import Clock
from tests.sources.yahoo_service import Company, Service, nothing

NOW = pd.Timestamp("2024-03-08 22:00", tz="UTC")
DAYS = [f"{day:%Y-%m-%d}" for day in sessions("2023-12-01", "2024-03-08")]


def walk(seed: int, level: float = 50.0, days: list[str] = DAYS) -> dict[str, float]:
    """Closes on whole cents."""
    steps = 0.02 * np.random.default_rng(seed).standard_normal(len(days))
    return {day: round(float(close), 2) for day, close in zip(days, level * np.exp(np.cumsum(steps)), strict=True)}


def splitting() -> Company:
    """Two splits after each other and a dividend between, one on the day of a split, and one on the last day."""
    raw = {day: close / (4 if day >= "2024-02-01" else 1) * (10 if day >= "2024-03-01" else 1) for day, close in walk(3, 200).items()}
    raw = {day: round(close, 2) for day, close in raw.items()}
    return Company(
        raw, {"2024-02-01": 4.0, "2024-03-01": 0.1}, {"2024-01-16": 1.2, "2024-02-01": 0.25, "2024-02-20": 0.25, "2024-03-08": 2.0}
    )


@pytest.fixture
def companies():
    return {"SPY": Company(walk(1, 450), dividends={"2024-01-31": 1.9}), "AAA": splitting(), "^RUT": Company(walk(2, 2000))}


NAMES = {"SPY": "SPY", "AAA": "AAA", "^RUT": "R2000"}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def fetch(clock):
    def fetched(service, tickers=NAMES, start="2024-01-02", end="2024-03-08", now=NOW, **options):
        return fetch_yahoo(tickers, start, end, now=now, download=service, pace=Pace(clock=clock.now, sleep=clock.sleep), **options)

    return fetched


@pytest.mark.parametrize("by", ["column", "ticker"])
@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_closes_are_those_that_traded_in_every_shape_of_the_answer(fetch, companies, by, zone):
    bars = fetch(Service(companies, "2024-03-08", by=by, zone=zone))
    for ticker, series in NAMES.items():
        rows = bars.quotes[bars.quotes["series"] == series]
        expected = {day: close for day, close in companies[ticker].raw.items() if day >= "2024-01-02"}
        assert dict(zip(rows["date"].dt.strftime("%Y-%m-%d"), rows["close"], strict=True)) == expected  # to the last bit
    assert bars.quarantine.empty
    assert bars.coins.empty
    assert bars.missing == ()


def test_actions_are_those_of_the_shares_of_the_day(fetch, companies):
    actions = fetch(Service(companies, "2024-03-08")).actions
    rows = [(row.series, f"{row.date:%m-%d}", row.split, row.dividend) for row in actions.itertuples()]
    assert rows == [
        ("AAA", "01-16", 1.0, 1.2),
        ("AAA", "02-01", 4.0, 0.25),
        ("AAA", "02-20", 1.0, 0.25),
        ("AAA", "03-01", 0.1, 0.0),
        ("AAA", "03-08", 1.0, 2.0),
        ("SPY", "01-31", 1.0, 1.9),
    ]


def test_prices_follow_from_quotes_and_actions_and_move_as_yahoo_says(fetch, companies):
    bars = fetch(Service(companies, "2024-03-08"))
    SCHEMAS["prices"].validate(bars.prices)
    pd.testing.assert_frame_equal(bars.prices.drop(columns="known_at"), forward_adjusted(bars.quotes, bars.actions))
    for ticker, series in NAMES.items():
        ours = bars.prices[bars.prices["series"] == series].set_index("date")
        theirs = companies[ticker].table(pd.Timestamp("2024-03-08")).reindex(ours.index)
        for column, theirs_column in (("close", "Close"), ("adj_close", "Adj Close")):
            level = (ours[column] / theirs[theirs_column]).to_numpy()
            np.testing.assert_allclose(level, level[0], rtol=1e-6)  # theirs have 32 bits


@pytest.mark.parametrize("today", ["2024-01-31", "2024-02-01", "2024-02-29", "2024-03-01"])
def test_what_was_fetched_earlier_is_what_is_fetched_later(fetch, companies, today):
    now = pd.Timestamp(f"{today} 22:00", tz="UTC")
    early = fetch(Service(companies, today), now=now)
    late = fetch(Service(companies, "2024-03-08"))
    for name in ("quotes", "actions", "prices"):
        cut = getattr(late, name)
        pd.testing.assert_frame_equal(getattr(early, name), cut[cut["date"] <= today].reset_index(drop=True), check_exact=True)


def test_splits_after_the_end_are_undone_as_well(fetch, companies):
    cut = fetch(Service(companies, "2024-03-08"), end="2024-01-31")
    assert cut.quotes["date"].max() == pd.Timestamp("2024-01-31")
    row = cut.quotes[cut.quotes["series"] == "AAA"].iloc[-1]
    assert row["close"] == companies["AAA"].raw["2024-01-31"]


def test_running_session_is_left_out_and_its_split_is_undone(fetch, companies):
    # on the morning of a split every close before it is adjusted already
    bars = fetch(Service(companies, "2024-02-01"), now=pd.Timestamp("2024-02-01 20:59:59", tz="UTC"))
    assert bars.quotes["date"].max() == pd.Timestamp("2024-01-31")
    rows = bars.quotes[bars.quotes["series"] == "AAA"]
    assert list(rows["close"]) == [close for day, close in companies["AAA"].raw.items() if "2024-01-02" <= day <= "2024-01-31"]
    assert bars.actions["date"].max() == pd.Timestamp("2024-01-31")
    closed = fetch(Service(companies, "2024-02-01"), now=pd.Timestamp("2024-02-01 21:00", tz="UTC"))
    assert closed.quotes["date"].max() == pd.Timestamp("2024-02-01")


def test_bars_are_known_at_the_close_of_the_session_or_by_the_rule_given(fetch, companies):
    service = Service(companies, "2024-03-08")
    assert fetch(service).quotes["known_at"].iloc[0] == pd.Timestamp("2024-01-02 21:00", tz="UTC")
    later = fetch(service, rule="quarter_past_close")
    assert later.quotes["known_at"].iloc[0] == later.prices["known_at"].iloc[0] == pd.Timestamp("2024-01-02 21:15", tz="UTC")


def test_split_whose_row_has_no_price_is_undone(fetch):
    raw = {day: 40.0 if day < "2024-02-01" else 10.0 for day in DAYS if day != "2024-02-01"}
    bars = fetch(Service({"AAA": Company(raw, {"2024-02-01": 4.0})}, "2024-03-08"), {"AAA": "AAA"})
    assert set(bars.quotes["close"]) == {40.0, 10.0}
    assert bars.prices["close"].nunique() == 1
    assert bars.quarantine.empty


def test_gains_of_a_fund_are_not_counted_twice(fetch):
    raw = dict.fromkeys(DAYS, 50.0)
    within = Company(raw, dividends={"2024-01-16": 3.0}, gains={"2024-01-16": 2.0})
    beside = Company(raw, dividends={"2024-01-16": 1.0}, gains={"2024-01-16": 2.0})
    bars = fetch(Service({"AAA": within, "BBB": beside}, "2024-03-08"), {"AAA": "AAA", "BBB": "BBB"})
    assert list(bars.actions["dividend"]) == [3.0, 3.0]


def test_series_of_a_passed_on_ticker_begins_with_its_new_owner(fetch):
    raw = {day: 900.0 if day < "2024-02-12" else 20.0 for day in DAYS}
    service = Service({"T": Company(raw, {"2024-01-16": 2.0}, {"2024-03-01": 0.5})}, "2024-03-08")
    bars = fetch(service, {"T": "T@yf"}, since={"T": "2024-02-12"})
    assert set(bars.quotes["series"]) == {"T@yf"}
    assert bars.quotes["date"].min() == pd.Timestamp("2024-02-12")
    assert set(bars.quotes["close"]) == {20.0}
    assert list(bars.actions["date"]) == [pd.Timestamp("2024-03-01")]


def coin(days: int = 10) -> Company:
    return Company(walk(8, 40_000, [f"{day:%Y-%m-%d}" for day in pd.date_range("2024-02-28", periods=days)]))


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_coins_are_utc_days_without_the_running_one(fetch, zone):
    service = Service({"BTC-USD": coin()}, "2024-03-08", zone=zone)
    bars = fetch(service, {}, start="2024-03-01", coins={"BTC-USD": "BTC"})
    SCHEMAS["coins"].validate(bars.coins)
    assert list(bars.coins["date"].dt.day) == [1, 2, 3, 4, 5, 6, 7]  # the 8th ends at 24:00
    assert bars.coins["known_at"].iloc[-1] == pd.Timestamp("2024-03-08", tz="UTC")
    assert bars.coins["market_cap"].isna().all()
    assert bars.quotes.empty
    assert bars.prices.empty


def test_coins_and_securities_are_asked_for_apart(fetch, companies):
    service = Service(companies | {"BTC-USD": coin()}, "2024-03-08")
    seen = []
    bars = fetch(service, coins={"BTC-USD": "BTC"}, batch=2, progress=lambda done, total: seen.append((done, total)))
    assert service.asked == [["SPY", "AAA"], ["^RUT"], ["BTC-USD"]]
    assert seen == [(2, 4), (3, 4), (4, 4)]
    assert len(bars.coins) == 9


def quarantined(bars) -> set[tuple[str, str, str, str]]:
    return {(row.frame, row.series, f"{row.date:%m-%d}", row.rule) for row in bars.quarantine.itertuples()}


def test_bad_prints_are_set_aside_and_counted(fetch, companies):
    class Faulty(Company):
        def table(self, today):
            table = super().table(today)
            table.loc["2024-01-10", "Close"] = 0.0
            table.loc["2024-01-11", "Close"] = np.inf
            table.loc["2024-01-12", "Close"] = np.nan  # with a volume: a trade without a price
            table.loc["2024-01-18", "Close"] *= 1.5  # beyond the day's high
            table.loc["2024-02-05", ["Open", "High", "Low", "Close"]] /= 10
            table.loc["2024-02-14", ["Close", "Volume"]] = np.nan  # nothing at all is no record
            table.loc["2024-02-20", "Stock Splits"] = -2.0
            table.loc["2024-02-21", "Dividends"] = np.inf
            table.loc["2024-02-22", "Dividends"] = 1000.0
            return table

    raw = walk(5) | {"2024-02-19": 50.0}  # Washington's birthday
    bars = fetch(Service(companies | {"BAD": Faulty(raw)}, "2024-03-08"), NAMES | {"BAD": "BAD"})
    assert quarantined(bars) == {
        ("quotes", "BAD", "01-10", "close is a number above 0"),
        ("quotes", "BAD", "01-11", "close is a number above 0"),
        ("quotes", "BAD", "01-12", "close is a number above 0"),
        ("quotes", "BAD", "01-18", "close is between the day's low and high"),
        ("quotes", "BAD", "02-05", "close is no 4-fold spike of one day"),
        ("quotes", "BAD", "02-19", "date is no session"),
        ("actions", "BAD", "02-20", "split is a number above 0"),
        ("actions", "BAD", "02-21", "dividend is a number, not negative"),
        ("actions", "BAD", "02-22", "dividend is below the close before it"),
    }
    assert list(bars.quarantine) == ["frame", "series", "date", "rule"]
    own = bars.quotes[bars.quotes["series"] == "BAD"]
    assert len(own) == len(sessions("2024-01-02", "2024-03-08")) - 6
    assert not (bars.actions["series"] == "BAD").any()


def test_every_ticker_that_does_not_come_is_named(fetch, companies):
    service = Service(companies, "2024-03-08")
    with pytest.raises(DataError, match=r"^Yahoo: no price came for 2 of 4 tickers: GONE, LOST; rule: .*; correct or leave out") as caught:
        fetch(service, {"SPY": "SPY", "GONE": "G", "AAA": "AAA", "LOST": "L"})
    assert "\n" not in str(caught.value)
    bars = fetch(service, {"SPY": "SPY", "GONE": "G", "LOST": "L"}, allow_missing=True)
    assert bars.missing == ("GONE", "LOST")
    assert set(bars.quotes["series"]) == {"SPY"}


def test_ticker_of_small_letters_is_found(fetch, companies):
    assert set(fetch(Service(companies, "2024-03-08"), {"spy": "SPY"}).quotes["series"]) == {"SPY"}


class YFRateLimitError(Exception):
    """By its name, as yfinance need not be installed."""

    def __init__(self) -> None:
        super().__init__("Too Many Requests. Rate limited. Try after a while.")


def raising(error):
    def fault(_):
        raise error

    return fault


def logging_of(words, answer=None):
    def fault(tickers):
        logging.getLogger("yfinance").error(words)
        return answer(tickers) if answer else None

    return fault


LIMITED = "['SPY']: YFRateLimitError('Too Many Requests. Rate limited. Try after a while.')"
OFFLINE = "Failed to get ticker 'SPY' reason: Failed to perform, curl: (6) Could not resolve host: query2.finance.yahoo.com."
PAGE = json.JSONDecodeError("Expecting value", "<html>", 0)
FAULTS = [
    (raising(YFRateLimitError()), "Yahoo: asks for fewer requests: .*try again later"),
    (raising(requests.ConnectionError("no route to host")), "Yahoo: gives no answer of use: no route to host .*check the network"),
    (raising(requests.Timeout("read timed out")), "Yahoo: gives no answer of use: read timed out"),
    (raising(PAGE), "Yahoo: gives no answer of use: Expecting value"),
    (logging_of(LIMITED, nothing), "Yahoo: asks for fewer requests"),
    (logging_of(OFFLINE, nothing), "Yahoo: cannot be reached: .*Could not resolve host.*check the network connection"),
    (nothing, r"Yahoo: gives nothing for any of 3 tickers \(SPY, AAA, \^RUT \.\.\.\) .*check the network"),
    (lambda _: pd.DataFrame(), "Yahoo: gives nothing for any"),
]


@pytest.mark.parametrize(("fault", "words"), FAULTS)
def test_faults_that_pass_are_waited_out(fetch, companies, clock, fault, words):
    bars = fetch(Service(companies, "2024-03-08", faults=[fault, fault]))
    assert len(bars.quotes) == 3 * len(sessions("2024-01-02", "2024-03-08"))
    assert [low <= wait <= low + 1 for low, wait in zip((1, 2), clock.slept, strict=True)] == [True] * 2


@pytest.mark.parametrize(("fault", "words"), FAULTS)
def test_faults_that_stay_are_one_line(fetch, companies, clock, fault, words):
    with pytest.raises(WebError, match=words) as caught:
        fetch(Service(companies, "2024-03-08", faults=[fault] * 9))
    assert "\n" not in str(caught.value)
    assert "5 attempts" in str(caught.value)
    assert len(clock.slept) == 4


def test_only_what_is_left_of_a_batch_is_asked_for_again(fetch, companies):
    def half(tickers):
        logging.getLogger("yfinance").error(LIMITED)
        return Service(companies, "2024-03-08").answer(tickers[:1], "2023-12-01", "2024-03-10")

    service = Service(companies, "2024-03-08", faults=[half])
    assert set(fetch(service).quotes["series"]) == {"SPY", "AAA", "R2000"}
    assert service.asked == [["SPY", "AAA", "^RUT"], ["AAA", "^RUT"]]


def test_fault_in_a_later_batch_leaves_nothing(fetch, companies):
    service = Service(companies, "2024-03-08", faults=[None, *[raising(OSError("connection reset"))] * 9])
    with pytest.raises(WebError, match="connection reset"):
        fetch(service, batch=1)


def test_batch_of_which_nothing_comes_is_no_batch_of_delisted_tickers(fetch, companies):
    many = {f"X{n}": f"X{n}" for n in range(7)}
    with pytest.raises(WebError, match=r"gives nothing for any of 5 tickers \(X2, X3, X4 \.\.\.\)"):
        fetch(Service(companies, "2024-03-08"), NAMES | many, batch=5)
    with pytest.raises(DataError, match="no price came for 2 of 5 tickers: X0, X1"):
        fetch(Service(companies, "2024-03-08"), NAMES | {"X0": "X0", "X1": "X1"}, batch=3)


def test_yfinance_that_breaks_is_named(fetch, companies, clock):
    service = Service(companies, "2024-03-08", faults=[raising(TypeError("'NoneType' object is not subscriptable"))])
    with pytest.raises(DataError, match="Yahoo: yfinance broke: TypeError: 'NoneType' object is not subscriptable; update it"):
        fetch(service)
    assert not clock.slept


def test_what_yfinance_logs_is_not_printed(fetch, companies, capfd):
    fetch(Service(companies, "2024-03-08", faults=[logging_of("noise")]))
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("yfinance").propagate
    assert not logging.getLogger("yfinance").handlers


def test_other_tables_are_refused(fetch, companies):
    plain = Service(companies, "2024-03-08").answer(["SPY"], "2023-12-01", "2024-03-10").droplevel("Ticker", axis=1)
    assert len(fetch(lambda *_, **__: plain, {"SPY": "SPY"}).quotes)
    with pytest.raises(DataError, match=r"the columns name no ticker; rule: columns are \(price, ticker\)"):
        fetch(lambda *_, **__: plain)
    with pytest.raises(DataError, match="no column 'Close'"):
        fetch(lambda tickers, **_: nothing(tickers).reindex([pd.Timestamp("2024-03-01")]).rename(columns={"Close": "Last"}))
    shifted = plain.set_axis(plain.index + pd.Timedelta(hours=9))
    with pytest.raises(DataError, match="Yahoo SPY: bar 2023-12-01 09:00:00 is off midnight"):
        fetch(lambda *_, **__: shifted, {"SPY": "SPY"})
    with pytest.raises(DataError, match="Yahoo SPY: date 2023-12-04 is there twice"):
        fetch(lambda *_, **__: plain.iloc[[0, 1, 1]], {"SPY": "SPY"})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tickers": {}}, "no ticker named"),
        ({"now": pd.Timestamp("2024-03-08")}, "without a time zone"),
        ({"end": "2023-12-31"}, "end 2023-12-31 is before start 2024-01-02"),
        ({"tickers": {"A": "X", "B": "X"}}, "'X' is named for two tickers"),
        ({"coins": {"SPY": "S"}}, "'SPY' is under tickers and under coins"),
        ({"since": {"B": "2024-01-01"}}, "'since' names 'B'"),
    ],
)
def test_questions_without_sense_are_refused(fetch, companies, options, words):
    service = Service(companies, "2024-03-08")
    with pytest.raises(DataError, match=words):
        fetch(service, **options)
    assert not service.asked


def test_absent_yfinance_names_its_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "yfinance", None)
    with pytest.raises(DataError, match=r'yfinance is not installed; .*pip install "appetite\[yahoo\]"'):
        fetch_yahoo({"SPY": "SPY"}, "2024-01-02", "2024-01-03", now=NOW)


def test_answer_is_frozen(fetch, companies):
    with pytest.raises(dataclasses.FrozenInstanceError):
        fetch(Service(companies, "2024-03-08")).missing = ("SPY",)
