import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from features.errors import DataError
from sources.adjust import forward_adjusted

DAYS = pd.date_range("2024-01-01", periods=40, freq="D", unit="us")


def quotes_of(closes: dict[str, dict[int, float]]) -> pd.DataFrame:
    rows = [(series, DAYS[day], close) for series, row in closes.items() for day, close in row.items()]
    return pd.DataFrame(rows, columns=["series", "date", "close"])


def actions_of(rows: list[tuple[str, int, float, float]]) -> pd.DataFrame:
    frame = pd.DataFrame([(s, DAYS[day], split, paid) for s, day, split, paid in rows], columns=["series", "date", "split", "dividend"])
    return frame.astype({"date": "datetime64[us]", "split": float, "dividend": float})


def one(closes: dict[int, float], actions: list[tuple[int, float, float]]) -> pd.DataFrame:
    return forward_adjusted(quotes_of({"X": closes}), actions_of([("X", *action) for action in actions]))


def test_split_leaves_the_past_and_scales_what_follows():
    frame = one({0: 100.0, 1: 102.0, 2: 26.0, 3: 25.0}, [(2, 4.0, 0.0)])
    assert list(frame["close"]) == [100.0, 102.0, 104.0, 100.0]
    assert list(frame["adj_close"]) == [100.0, 102.0, 104.0, 100.0]


def test_dividend_is_put_back_at_the_last_close_less_the_dividend():
    frame = one({0: 100.0, 1: 98.0, 2: 98.0}, [(1, 1.0, 2.0)])
    assert list(frame["close"]) == [100.0, 98.0, 98.0]
    np.testing.assert_allclose(frame["adj_close"], [100.0, 100.0, 100.0], rtol=1e-15)


def test_dividend_of_the_day_of_a_split_is_on_the_new_shares():
    # 100 become two shares of 50, each pays 5 and is worth 45
    frame = one({0: 100.0, 1: 45.0}, [(1, 2.0, 5.0)])
    np.testing.assert_allclose(frame["adj_close"], [100.0, 100.0], rtol=1e-15)


def test_actions_without_a_quote_act_on_the_next_one():
    # 100, a dividend of 10, two for one, a dividend of 5 on each new share: 40 each, unchanged in worth
    frame = one({0: 100.0, 4: 40.0, 5: 44.0}, [(1, 1.0, 10.0), (2, 2.0, 0.0), (4, 1.0, 5.0)])
    np.testing.assert_allclose(frame["close"], [100.0, 80.0, 88.0], rtol=1e-15)
    np.testing.assert_allclose(frame["adj_close"], [100.0, 100.0, 110.0], rtol=1e-15)


def test_actions_outside_the_quotes_have_no_effect():
    actions = [(1, 3.0, 1.0), (2, 2.0, 1.0), (9, 5.0, 1.0)]
    frame = one({2: 10.0, 3: 11.0}, actions)
    assert list(frame["close"]) == list(frame["adj_close"]) == [10.0, 11.0]
    other = forward_adjusted(quotes_of({"Y": {0: 1.0, 3: 2.0}}), actions_of([("X", *action) for action in actions]))
    assert list(other["close"]) == [1.0, 2.0]


def test_no_actions_and_no_quotes_are_no_fault():
    assert list(one({0: 3.0}, [])["adj_close"]) == [3.0]
    assert forward_adjusted(quotes_of({}).astype({"date": "datetime64[us]", "close": float}), actions_of([])).empty


@st.composite
def histories(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    closes: dict[str, dict[int, float]] = {}
    actions = []
    for series in draw(st.sampled_from([["A"], ["A", "B"], ["B", "A", "C"]])):
        days = draw(st.lists(st.integers(0, 39), min_size=1, max_size=15, unique=True))
        closes[series] = {day: draw(st.integers(500, 100_000)) / 100 for day in days}
        for day in draw(st.lists(st.integers(0, 39), max_size=6, unique=True)):
            split = draw(st.sampled_from([1.0, 1.0, 2.0, 1.5, 0.1, 4.0]))
            actions.append((series, day, split, draw(st.sampled_from([0.0, 0.01, 0.05, 0.002]))))
    return quotes_of(closes), actions_of(actions)


def by_hand(quotes: pd.DataFrame, actions: pd.DataFrame, series: str) -> list[tuple[float, float]]:
    """Hold one share, walk through the days, and put every dividend into shares at the price without it."""
    raw = quotes[quotes["series"] == series].set_index("date")["close"]
    acts = actions[actions["series"] == series].set_index("date")
    out: list[tuple[float, float]] = []
    shares = plain = 1.0
    price = np.nan
    for day in DAYS:
        if out and day in acts.index:
            split, dividend = acts.loc[day, ["split", "dividend"]]
            plain, shares, price = plain * split, shares * split, price / split - dividend
            shares += shares * dividend / price
        if day in raw.index:
            price = raw[day]
            out.append((plain * price, shares * price))
    return out


def adjusted(quotes: pd.DataFrame, actions: pd.DataFrame) -> pd.DataFrame:
    try:
        return forward_adjusted(quotes, actions)
    except DataError:  # splits in a row without a quote between them, and a dividend on all those shares
        reject()


@settings(max_examples=60)
@given(histories())
def test_every_value_equals_a_walk_through_the_days(history):
    quotes, actions = history
    frame = adjusted(quotes, actions)
    for series, rows in frame.groupby("series"):
        np.testing.assert_allclose(rows[["close", "adj_close"]], by_hand(quotes, actions, str(series)), rtol=1e-12)


@settings(max_examples=60)
@given(histories(), st.integers(0, 39), st.randoms(use_true_random=False))
def test_later_records_and_the_order_of_rows_change_no_bit(history, last, random):
    quotes, actions = history
    whole = adjusted(quotes, actions)
    mixed = forward_adjusted(
        quotes.sample(frac=1, random_state=random.randrange(99)), actions.sample(frac=1, random_state=random.randrange(99))
    )
    pd.testing.assert_frame_equal(mixed, whole, check_exact=True)
    early = forward_adjusted(quotes[quotes["date"] <= DAYS[last]], actions[actions["date"] <= DAYS[last]])
    pd.testing.assert_frame_equal(early, whole[whole["date"] <= DAYS[last]].reset_index(drop=True), check_exact=True)


def backward(raw: np.ndarray, split: np.ndarray, dividend: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Adjust as vendors do: from the last day back, by later splits, and by 1 - dividend / close of the day before."""
    close, adjusted = raw.copy(), raw.copy()
    for t in range(len(raw) - 1, 0, -1):
        close[:t] /= split[t]
        adjusted[:t] *= (1 - dividend[t] * split[t] / raw[t - 1]) / split[t]
    return close, adjusted


def test_returns_equal_those_of_a_vendor_that_adjusts_backwards():
    rng = np.random.default_rng(4)
    n = 2500
    split = np.where(rng.random(n) < 0.004, rng.choice([2.0, 3.0, 1.5, 0.1], n), 1.0)
    dividend = np.where(rng.random(n) < 0.02, 0.05, 0.0)
    raw = 50 * np.exp(np.cumsum(0.02 * rng.standard_normal(n))) / np.cumprod(split)
    dates = pd.date_range("2010-01-01", periods=n, unit="us")
    actions = pd.DataFrame({"series": "X", "date": dates, "split": split, "dividend": dividend})
    frame = forward_adjusted(pd.DataFrame({"series": "X", "date": dates, "close": raw}), actions)
    for ours, theirs in zip((frame["close"], frame["adj_close"]), backward(raw, split, dividend), strict=True):
        level = ours.to_numpy() / theirs
        np.testing.assert_allclose(level, level[0], rtol=1e-11)  # 2500 products
        np.testing.assert_allclose(ours.to_numpy()[1:] / ours.to_numpy()[:-1], theirs[1:] / theirs[:-1], rtol=1e-12)


@pytest.mark.parametrize(
    ("closes", "actions", "words"),
    [
        ({0: 0.0}, [], "quotes: row series=X, date=2024-01-01, column 'close': 0 breaks the rule 'is above 0'"),
        ({0: 1.0, 1: np.nan}, [], "date=2024-01-02, column 'close': nan breaks"),
        ({0: np.inf}, [], "column 'close': inf breaks"),
        ({0: 1.0}, [(0, 0.0, 0.0)], "actions: row series=X, date=2024-01-01, column 'split': 0 breaks the rule 'is above 0'"),
        ({0: 1.0}, [(0, 1.0, -0.1)], "column 'dividend': -0.1 breaks the rule 'is not negative'"),
        ({0: 1.0}, [(0, 1.0, np.nan)], "column 'dividend': nan breaks"),
        ({0: 1.0}, [(1, 1.0, 0.0), (1, 1.0, 0.0)], "actions: row series=X, date=2024-01-02: this record is there twice"),
        ({0: 2.0, 1: 1.0}, [(1, 1.0, 2.0)], "series 'X': dividends of 2 USD up to 2024-01-02 on a close of 2; rule: dividends are below"),
    ],
)
def test_impossible_records_are_refused(closes, actions, words):
    with pytest.raises(DataError, match=words):
        one(closes, actions)


def test_quote_that_is_there_twice_and_missing_column_are_refused():
    quotes = quotes_of({"X": {0: 1.0}})
    with pytest.raises(DataError, match="quotes: row series=X, date=2024-01-01: this record is there twice"):
        forward_adjusted(pd.concat([quotes, quotes]), actions_of([]))
    with pytest.raises(DataError, match="actions: column 'split' is missing"):
        forward_adjusted(quotes, actions_of([]).drop(columns="split"))
