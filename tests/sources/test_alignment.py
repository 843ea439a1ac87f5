"""Coins labelled by another day than theirs: they are named, and what they would feign is shown (A20)."""

import numpy as np
import pandas as pd
import pytest

from features.coins import asset_prices
from features.market import Market
from sources.alignment import misfits
from sources.known import known_at
from tests.features.handmade import market, prices, sessions

RHO = 0.3
DAYS = sessions(2500)
ALL_DAYS = pd.date_range(DAYS[0] - pd.Timedelta(days=3), DAYS[-1] + pd.Timedelta(days=3), unit="us")


def drawn(seed: int, rho: float = RHO, shift: int = 0) -> Market:
    """Small caps and two coins that share a shock on the day; labels of the first coin `shift` days late."""
    rng = np.random.default_rng(seed)
    small = pd.Series(0.01 * rng.standard_normal(len(DAYS)), index=DAYS)
    frames = []
    for asset, late in (("BTC", shift), ("ETH", 0)):
        shock = small.reindex(ALL_DAYS).fillna(0.0).to_numpy() / 0.01
        moves = 0.04 * (rho * shock + np.sqrt(1 - rho**2) * rng.standard_normal(len(ALL_DAYS)))
        days = ALL_DAYS + pd.Timedelta(days=late)
        bars = {"asset": asset, "date": days, "close": 100 * np.exp(np.cumsum(moves)), "market_cap": np.nan}
        frames.append(pd.DataFrame(bars).assign(known_at=known_at("end_of_utc_day", days)))
    return market(DAYS, prices=prices("R2000", DAYS, 1000 * np.exp(small.cumsum())), coins=pd.concat(frames, ignore_index=True))


def t_value(source: Market) -> float:
    """Regress the next session's return of Bitcoin on today's of small caps."""
    price = asset_prices(source)["BTC"]
    coming = pd.Series(np.log(price)).diff().shift(-1)
    level = source.prices.set_index("date")["close"]
    both = pd.concat([coming, pd.Series(np.log(level)).diff()], axis=1).dropna().to_numpy()
    r = np.corrcoef(both.T)[0, 1]
    return float(r * np.sqrt((len(both) - 2) / (1 - r**2)))


@pytest.mark.parametrize(("shift", "words"), [(1, "labelled by their end, a day late"), (-1, "labelled a day early")])
def test_bars_labelled_by_another_day_are_named(shift: int, words: str) -> None:
    for seed in range(10):
        (found,) = misfits(drawn(seed, shift=shift))
        assert (found.asset, found.shift) == ("BTC", shift)
        assert found.there == pytest.approx(RHO, abs=0.06)  # 3 standard errors
        assert abs(found.here) < 0.06
        assert words in found.words()


def test_bars_labelled_by_their_start_are_not_named() -> None:
    assert [misfits(drawn(seed)) for seed in range(30)] == [[]] * 30


def test_coins_that_do_not_move_with_small_caps_cannot_be_told() -> None:
    assert [misfits(drawn(seed, rho=0.0, shift=1)) for seed in range(30)] == [[]] * 30


def test_labels_by_the_end_feign_a_forecast() -> None:
    """The t-value is that of the correlation on the day; weekends, in which small caps stand still, dilute it by sqrt(5 / 7)."""
    diluted = RHO * np.sqrt(5 / 7)
    wrong = [t_value(drawn(seed, shift=1)) for seed in range(12)]
    # the median of 12 values of standard deviation 1
    assert np.median(wrong) == pytest.approx(diluted * np.sqrt(len(DAYS) / (1 - diluted**2)), abs=1.0)


@pytest.mark.slow
def test_labels_by_the_start_feign_none() -> None:
    values = [t_value(drawn(seed)) for seed in range(400)]
    # .05 of 400, within 4 standard errors
    assert np.mean(np.abs(values) > 1.96) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 400))


def test_short_flat_and_absent_coins_are_passed_over() -> None:
    source = drawn(0, shift=1)
    coins = source.coins
    few = coins[coins["date"] < DAYS[200]]
    assert misfits(market(DAYS, prices=source.prices, coins=few)) == []
    assert misfits(market(DAYS, prices=source.prices, coins=coins.assign(close=5.0))) == []
    assert misfits(market(DAYS, prices=source.prices)) == []


def test_coins_of_the_real_market_are_labelled_by_their_start(real_market: Market) -> None:
    assert misfits(real_market) == []
    coins = real_market.coins
    late = coins[coins["asset"].isin(["BTC", "ETH"])].assign(date=lambda each: each["date"] + pd.Timedelta(days=1))
    late = late.assign(known_at=known_at("end_of_utc_day", late["date"]))
    frames = {"prices": real_market.prices, "coins": late}
    shifted = Market.from_frames(name="late", simulated=False, note="", sessions=real_market.sessions, frames=frames)
    assert [(each.asset, each.shift) for each in misfits(shifted)] == [("BTC", 1), ("ETH", 1)]
