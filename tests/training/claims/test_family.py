"""The grid of events, assets and horizons against plain loops; what followed beyond expectation; the halving control."""

import numpy as np
import pandas as pd
import pytest

from features.liquidity import HALVINGS
from training.claims.abnormal import abnormal_returns, expected_mean, matched_mean, rolling_beta
from training.claims.family import family_of
from training.claims.halving import WITHIN, halving_control
from training.claims.outcomes import HORIZONS
from training.claims.rules import CONFIRMED, HELD

DAYS = pd.bdate_range("2016-01-04", periods=1500).as_unit("us")
RNG = np.random.default_rng(11)
PRICES = pd.DataFrame({name: np.exp(np.cumsum(0.03 * RNG.standard_normal(1500))) for name in ("BTC", "ETH")}, index=DAYS)
PRICES.iloc[:300, 1] = np.nan
DATES = [DAYS[100], DAYS[500], DAYS[1400]]


def events() -> pd.DataFrame:
    rows = [{"series": "R2000", "state": CONFIRMED, "date": date, "counted": True} for date in DATES]
    return pd.DataFrame([*rows, {"series": "R2000", "state": CONFIRMED, "date": DAYS[510], "counted": False}])


@pytest.fixture(scope="module")
def cells() -> dict:
    return {(c.state, c.asset, c.horizon): c for c in family_of(events(), PRICES, ["R2000"], draws=199, seed=1)}


def test_cell_holds_the_counted_events_whose_horizon_is_over(cells):
    bitcoin = cells[CONFIRMED, "BTC", 63]
    assert bitcoin.dates == tuple(DATES)
    assert cells[CONFIRMED, "BTC", 126].dates == tuple(DATES[:2])
    assert cells[CONFIRMED, "BTC", 126].open_dates == (DATES[2],)
    assert cells[CONFIRMED, "ETH", 63].dates == tuple(DATES[1:]), "before the asset had a price there is no outcome"
    log_price = np.log(PRICES["BTC"].to_numpy())
    want = [log_price[at + 63] - log_price[at] for at in (100, 500, 1400)]
    np.testing.assert_allclose(bitcoin.returns, want, atol=1e-10)
    assert bitcoin.falls == [(d, r) for d, r in zip(DATES, bitcoin.returns, strict=True) if r <= 0]


def test_cell_has_its_base_rate_and_counts(cells):
    cell = cells[CONFIRMED, "BTC", 21]
    log_price = np.log(PRICES["BTC"].to_numpy())
    moves = [log_price[t + 21] - log_price[t] for t in range(1500 - 21)]
    assert cell.base.up == pytest.approx(np.mean([m > 0 for m in moves]))
    assert (cell.base.mean, cell.base.median) == pytest.approx((np.mean(moves), np.median(moves)))
    assert (cell.base.n, cell.base.n_independent) == (1479, 70)
    assert cell.rises.n == cell.shift.n == 3


def test_every_event_is_left_out_once_and_the_year_of_the_pandemic_as_one(cells):
    cell = cells[CONFIRMED, "BTC", 63]
    assert len(cell.without) == 3
    assert [each.n for each in cell.without] == [2, 2, 2]
    assert min(each.p_above for each in cell.without) == cell.left_out_range[0]
    left = [r for d, r in zip(cell.dates, cell.returns, strict=True) if d.year != 2020]
    assert cell.without_2020.mean == pytest.approx(np.mean(left)) if left else cell.without_2020.n == 0


def test_adjusted_p_is_no_smaller_than_raw_up_to_its_own_scale(cells):
    tested = [c for c in cells.values() if c.shift.n]
    assert len(tested) == 2 * len(HORIZONS)
    assert all(0 < c.shift.p_above <= 1 and 0 < c.adjusted[0] <= 1 for c in tested)
    least = min(tested, key=lambda c: c.shift.p_above)
    assert least.adjusted[0] >= least.shift.p_above


def test_rule_without_events_has_cells_without_p_values(cells):
    empty = cells[HELD, "BTC", 63]
    assert empty.shift.n == 0
    assert np.isnan(empty.shift.p_above)
    assert np.isnan(empty.adjusted[0])
    assert np.isnan(empty.bootstrap.p_above)
    assert empty.without == ()


def test_series_without_events_has_empty_cells():
    assert {c.shift.n for c in family_of(events().iloc[:0], PRICES, ["IWM"], draws=19)} == {0}


def test_same_seed_gives_the_same_grid(cells):
    again = family_of(events(), PRICES, ["R2000"], draws=199, seed=1)
    assert [c.shift for c in again if c.shift.n] == [c.shift for c in cells.values() if c.shift.n]
    assert [c.bootstrap for c in again if c.shift.n] == [c.bootstrap for c in cells.values() if c.shift.n]


def test_abnormal_returns_equal_loops():
    got = abnormal_returns(pd.DatetimeIndex(DATES[1:]), PRICES, "ETH", 21)
    log_price, bitcoin = np.log(PRICES["ETH"].to_numpy()), np.log(PRICES["BTC"].to_numpy())
    forward = np.array([log_price[t + 21] - log_price[t] if t + 21 < 1500 else np.nan for t in range(1500)])
    vol = np.array([np.std(np.diff(bitcoin[t - 63 : t + 1]), ddof=1) if t >= 63 else np.nan for t in range(1500)])
    for k, at in enumerate((500, 1400)):
        known = [forward[s] for s in range(at - 21 + 1) if not np.isnan(forward[s])]
        mean = np.mean(known) if len(known) >= 252 else np.nan
        x, y = np.diff(bitcoin[at - 126 : at + 1]), np.diff(log_price[at - 126 : at + 1])
        beta = np.cov(x, y)[0, 1] / np.var(x, ddof=1)
        rank = np.array([np.sum(vol[63:] <= v) / len(vol[63:]) for v in vol])
        near = [s for s in range(63, 1500 - 21) if abs(s - at) > 21 and abs(rank[s] - rank[at]) <= 0.1 + 1e-12]
        alike = [forward[s] for s in near if not np.isnan(forward[s])]
        want = [forward[at], forward[at] - mean, forward[at] - np.mean(alike), forward[at] - beta * (bitcoin[at + 21] - bitcoin[at])]
        np.testing.assert_allclose(got.iloc[k], want, atol=1e-8)
    assert abnormal_returns(pd.DatetimeIndex(DATES), PRICES, "BTC", 21)["over_beta"].isna().all()


def test_expected_mean_knows_no_outcome_that_is_open():
    forward = RNG.standard_normal(600)
    before = expected_mean(forward, 21)
    forward[400:] += 100.0
    after = expected_mean(forward, 21)
    np.testing.assert_array_equal(before[: 400 + 21], after[: 400 + 21])
    assert after[421] > before[421] + 0.2


def test_matched_mean_is_missing_where_volatility_is_not_known():
    assert np.isnan(matched_mean(np.ones(10), np.full(10, np.nan), 3, 1))
    assert rolling_beta(PRICES["BTC"], PRICES["BTC"]).dropna().to_numpy() == pytest.approx(1.0)


def test_halving_control_takes_the_same_months_of_cycles_without_an_event():
    days = pd.bdate_range("2012-12-03", periods=3100).as_unit("us")
    price = pd.Series(np.exp(np.cumsum(0.03 * RNG.standard_normal(3100))), index=days)
    dates = pd.DatetimeIndex([days[days.searchsorted(pd.Timestamp("2016-11-16"))], days[days.searchsorted(pd.Timestamp("2020-11-17"))]])
    got = halving_control(dates, price, 63)
    assert (got.n, got.shortly) == (2, 2)

    def months(day: pd.Timestamp) -> tuple[int, float]:
        passed = [(k, (day + pd.Timedelta(days=1) - h.tz_localize(None)) / pd.Timedelta(days=1)) for k, h in enumerate(HALVINGS)]
        cycle, days_since = [(k, d) for k, d in passed if d >= 1][-1]
        return cycle, days_since / (365.25 / 12)

    where = {day: months(day) for day in days}
    taken = {where[date][0] for date in dates}
    assert taken == {1, 2}
    for k, date in enumerate(dates):
        alike = [
            np.log(price.iloc[t + 63] / price.iloc[t])
            for t, day in enumerate(days[:-63])
            if where[day][0] not in taken and abs(where[day][1] - where[date][1]) <= WITHIN
        ]
        assert got.events["n"].iloc[k] == len(alike) > 0
        assert got.events["control"].iloc[k] == pytest.approx(np.mean(alike), abs=1e-10)
        assert got.events["over_control"].iloc[k] == pytest.approx(got.events["log_return"].iloc[k] - np.mean(alike), abs=1e-10)
    assert got.share == pytest.approx(np.mean([m <= 7.0 for _, m in where.values()]))
