import numpy as np
import pandas as pd
import pytest

from features.altcoins import altcoin_index
from features.coins import asset_prices, coin_momentum, crypto, ewma_volatility
from tests.features.handmade import coins, market, sessions, walk

DAYS = sessions(700)


def four_alts(n: int = 5) -> pd.DataFrame:
    moves = {"LTC": 0.10, "XRP": -0.10, "ADA": 0.30, "XLM": 0.0}
    return pd.concat([coins(asset, "2020-01-01", 10 * (1 + move) ** np.arange(n), 100.0) for asset, move in moves.items()])


def test_equal_weight_is_the_mean_of_simple_returns() -> None:
    level = altcoin_index(four_alts())
    assert level.tolist() == pytest.approx([1.075**k for k in range(5)])


def test_majors_stablecoins_and_wrapped_coins_are_no_altcoins() -> None:
    others = pd.concat([coins(asset, "2020-01-01", np.geomspace(1, 9, 5)) for asset in ("BTC", "ETH", "USDT", "DAI", "WBTC")])
    pd.testing.assert_series_equal(altcoin_index(pd.concat([four_alts(), others])), altcoin_index(four_alts()))


def test_fewer_than_three_coins_make_no_index() -> None:
    two = four_alts()
    assert altcoin_index(two[two["asset"].isin(["LTC", "XRP"])]).isna().all()


def test_a_listing_joins_on_its_second_day() -> None:
    late = coins("SOL", "2020-01-03", [1.0, 2.0, 2.0])
    level = altcoin_index(pd.concat([four_alts(), late]))
    assert (level / level.shift(1)).iloc[1:].tolist() == pytest.approx([1.075, 1.075, 1 + (0.3 + 1.0) / 5, 1 + 0.3 / 5])


def test_absurd_moves_are_clipped() -> None:
    wild = coins("DOGE", "2020-01-01", [1.0, 1.0, 100.0, 1.0, 1.0])
    level = altcoin_index(pd.concat([four_alts(), wild]))
    assert (level / level.shift(1)).iloc[[2, 3]].tolist() == pytest.approx([1 + (0.3 + 3.0) / 5, 1 + (0.3 - 0.75) / 5])


def test_a_short_gap_is_bridged_and_a_long_one_is_not() -> None:
    table = four_alts(12)
    gap = table["asset"].eq("ADA") & table["date"].between("2020-01-03", "2020-01-04")
    returns = altcoin_index(table[~gap]).pct_change()
    assert returns.iloc[2] == pytest.approx(0.0, abs=1e-12)
    assert returns.iloc[4] == pytest.approx((1.3**3 - 1) / 4)
    gap = table["asset"].eq("ADA") & table["date"].between("2020-01-03", "2020-01-06")
    assert altcoin_index(table[~gap]).pct_change().iloc[6] == pytest.approx(0.0, abs=1e-12)


def test_cap_weights_are_those_of_the_last_day_of_the_month_before() -> None:
    n = 40
    caps = {"LTC": 100.0, "XRP": 200.0, "ADA": 700.0}
    tables = []
    for asset, cap in caps.items():
        own = np.full(n, cap)
        own[31:] = 1e9 if asset == "LTC" else cap  # February's caps count in March
        tables.append(coins(asset, "2020-01-01", 10 * {"LTC": 1.1, "XRP": 1.0, "ADA": 0.95}[asset] ** np.arange(n), own))
    level = altcoin_index(pd.concat(tables), "cap")
    assert level.loc[:"2020-01-30"].isna().all()
    assert level.loc["2020-01-31"] == 1.0
    assert (level / level.shift(1)).loc["2020-02-01":].tolist() == pytest.approx([1 + 0.1 * 0.1 - 0.7 * 0.05] * 9)


def test_the_cap_index_ends_with_the_caps() -> None:
    table = four_alts(100)
    table.loc[table["date"] > "2020-02-10", "market_cap"] = np.nan
    level = altcoin_index(table, "cap")
    assert level.last_valid_index() == pd.Timestamp("2020-02-29")


def test_the_weighting_is_checked() -> None:
    with pytest.raises(ValueError, match="weighting is 'median'; rule: 'equal' or 'cap'"):
        altcoin_index(four_alts(), "median")


def test_a_record_known_after_the_others_of_its_day_rewrites_nothing() -> None:
    late = coins("SOL", "2020-01-01", [1.0, 2.0, 4.0, 8.0, 16.0])
    late["known_at"] += pd.Timedelta(days=30)
    pd.testing.assert_series_equal(altcoin_index(pd.concat([four_alts(), late])), altcoin_index(four_alts()))


def btc(n: int = 960, start: str = "2015-01-10") -> pd.DataFrame:
    return coins("BTC", start, 200 * walk(n, 9, 0.03))


def test_a_price_is_the_close_of_the_utc_day_of_the_session() -> None:
    table = btc()
    got = asset_prices(market(DAYS, coins=table))["BTC"]
    by_day = table.set_index("date")["close"]
    friday, monday = pd.Timestamp("2015-03-06"), pd.Timestamp("2015-03-09")
    assert got[friday] == by_day[friday]
    assert got[monday] == by_day[monday]
    assert got.loc[: by_day.index[0] - pd.Timedelta(days=1)].isna().all()
    assert got.index.name == "session"


def test_a_missing_bar_is_not_the_bar_before() -> None:
    table = btc()
    got = asset_prices(market(DAYS, coins=table[table["date"] != "2015-03-09"]))["BTC"]
    assert np.isnan(got["2015-03-09"])
    assert got["2015-03-10"] > 0


def test_absent_assets_are_missing_columns() -> None:
    got = asset_prices(market(DAYS, coins=btc()))
    assert list(got) == ["BTC", "ETH", "ALT", "ALT_CAP"]
    assert got[["ETH", "ALT", "ALT_CAP"]].isna().all().all()


def test_momentum_is_over_calendar_days_in_units_of_volatility() -> None:
    close = btc().set_index("date")["close"]
    got = coin_momentum(close).iloc[-1]
    log_price = np.log(close.to_numpy())
    spread = np.diff(log_price)[-63:].std(ddof=1)
    assert got["mom_28"] == pytest.approx((log_price[-1] - log_price[-29]) / (spread * np.sqrt(28)))
    assert got["mom_63"] == pytest.approx((log_price[-1] - log_price[-64]) / (spread * np.sqrt(63)))


def test_volatility_follows_the_recursion_from_its_seed() -> None:
    returns = pd.Series(np.random.default_rng(0).standard_normal(60) * 0.03)
    returns.iloc[[0, 30]] = np.nan
    got = ewma_volatility(returns)
    known = returns.dropna().to_numpy()
    variance = np.mean(known[:21] ** 2)
    assert got.iloc[:21].isna().all()
    assert got.iloc[21] == pytest.approx(np.sqrt(variance))
    for r in known[21:]:
        variance = 0.94 * variance + 0.06 * r * r
    assert got.iloc[-1] == pytest.approx(np.sqrt(variance))
    assert np.isnan(got.iloc[30])


def test_volatility_is_of_returns_from_session_to_session() -> None:
    source = market(DAYS, coins=btc(959))
    expected = ewma_volatility(np.log(asset_prices(source)["BTC"]).diff())
    pd.testing.assert_series_equal(crypto(source).values["crypto__btc_vol"], expected, check_names=False)


def test_a_carried_price_is_no_return() -> None:
    table = btc()
    gone = table[~table["date"].between("2016-03-05", "2016-03-07")]  # Saturday to Monday
    vol = crypto(market(DAYS, coins=gone)).values["crypto__btc_vol"]
    assert np.isnan(vol["2016-03-07"])
    assert vol["2016-03-08"] > 0
