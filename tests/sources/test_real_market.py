import numpy as np
import pandas as pd
import pytest

from sources.files import describe_market

MACRO = {"VIX", "HY_OAS", "WALCL", "WTREGEN", "RRP", "REAL_YIELD_10Y", "M2", "USD", "STABLECOINS", "TOTAL", "TOTAL3", "BTC_D", "USDT_D"}


def last(market, frame: str, key: str, series: str, column: str) -> float:
    rows = getattr(market, frame)
    return float(rows[rows[key] == series][column].iloc[-1])


def test_market_ends_with_the_last_session_of_the_index(real_market):
    assert (real_market.sessions[0], real_market.sessions[-1]) == (pd.Timestamp("1999-01-04"), pd.Timestamp("2025-06-30"))
    assert len(real_market.sessions) == 6663
    assert not real_market.simulated


def test_quarantine_holds_the_known_faults_alone(real_market):
    found = {(row.frame, row.series, str(row.date)[:10], row.rule) for row in real_market.quarantine.itertuples()}
    assert found == {
        ("funds", "IWM", "2010-05-31", "date is no session"),
        ("funds", "IWM", "2013-06-30", "date is no session"),
        ("filings", "NDLS", "2016-05-05", "period end after known-at"),
        ("filings", "NRG", "2016-12-31", "period end after known-at"),
        ("filings", "filings", "NaT", "key is empty"),
    }


@pytest.mark.parametrize(
    ("frame", "key", "series", "column", "value"),
    [
        ("prices", "series", "R2000", "close", 2175.04),
        ("prices", "series", "SP500", "close", 6204.95),
        ("prices", "series", "IWM", "close", 215.789993),
        ("prices", "series", "IWM", "adj_close", 215.179642),
        ("prices", "series", "IWO", "adj_close", 284.4712),
        ("coins", "asset", "BTC", "close", 107135.3359375),
        ("coins", "asset", "ETH", "close", 2486.46435546875),
        ("funds", "fund", "IWM", "shares_outstanding", 293150000.0),
        ("macro", "series", "VIX", "value", 16.73),
        ("macro", "series", "RRP", "value", 460.731),
        ("macro", "series", "TOTAL3", "value", 845155159860.0),
    ],
)
def test_last_records_are_those_of_the_files(real_market, frame, key, series, column, value):
    assert last(real_market, frame, key, series, column) == pytest.approx(value, rel=1e-6)


def test_every_series_is_there(real_market):
    table = describe_market(real_market)
    assert set(table[table["frame"] == "macro"]["series"]) == MACRO
    assert (table["frame"] == "coins").sum() == 34
    assert (table["frame"] == "prices").sum() == 21
    assert real_market.panel.close.shape == (4046, 3386)
    assert set(real_market.panel.close.dtypes) == {np.dtype("float32")}


def test_coins_are_gap_free_or_gapped_as_described(real_market):
    dates = real_market.coins.groupby("asset")["date"]
    gap = dates.apply(lambda day: day.sort_values().diff().max()).dt.days
    for name in ("BTC", "ETH", "LTC", "XRP", "ADA", "LINK", "AVAX", "UNI"):
        assert gap[name] == 1, name
        assert dates.max()[name] == pd.Timestamp("2025-06-30")
    for name in ("BNB", "SOL", "DOT", "ETC", "AAVE"):
        assert gap[name] == 243, name


def test_caps_end_in_july_2021_and_stay_out_of_stablecoins(real_market):
    capped = real_market.coins.dropna(subset=["market_cap"])
    assert capped["date"].max() == pd.Timestamp("2021-07-06")
    assert capped["asset"].nunique() == 20  # 23 without USDT, USDC and WBTC
    assert (capped["market_cap"] > 0).all()
    # where caps join, the closes of both files agree: supply changes little from one day to the next
    btc = capped[capped["asset"] == "BTC"].set_index("date")
    supply = btc["market_cap"] / btc["close"]
    assert supply.pct_change().abs().quantile(0.99) < 0.01


def test_members_come_in_three_lists_that_follow_each_other(real_market):
    spans = real_market.members.groupby(["start", "end"], dropna=False).size()
    expected = {
        (pd.Timestamp("2016-02-09"), pd.Timestamp("2023-12-01")): 1909,
        (pd.Timestamp("2023-12-01"), pd.Timestamp("2025-02-05")): 1970,
    }
    assert {key: count for key, count in spans.items() if not pd.isna(key[1])} == expected
    assert spans.sum() == 1909 + 1970 + 1960


def test_members_are_priced_as_far_as_described(real_market):
    close, members = real_market.panel.close, real_market.members

    def coverage(day: str) -> float:
        when = pd.Timestamp(day)
        names = members[(members["start"] <= when) & ~(members["end"] <= when)]["security"]
        return float(close.loc[when].reindex(names).notna().mean())

    assert coverage("2017-11-10") >= 0.8
    assert coverage("2017-12-29") < 0.8
    assert coverage("2024-03-08") >= 0.8
    assert coverage("2024-04-30") < 0.8
    assert coverage("2025-06-30") >= 0.8


def test_filings_hold_periods_of_a_quarter_or_a_year_and_a_third_lose(real_market):
    filings = real_market.filings
    assert len(filings) == 31_480
    days = (filings["period_end"] - filings["period_start"]).dt.days + 1
    assert days[filings["form"] == "10-K"].isin([365, 366]).all()
    assert days[filings["form"] == "10-Q"].between(89, 92).all()
    years = filings[filings["form"] == "10-K"].dropna(subset=["net_income"])
    assert 0.3 < (years["net_income"] < 0).mean() < 0.42


def test_funds_agree_with_prices(real_market):
    fund = real_market.funds.set_index("date")["nav"]
    price = real_market.prices[real_market.prices["series"] == "IWM"].set_index("date")["close"]
    assert (fund / price - 1).abs().quantile(0.99) < 0.01
    assert fund.index[0] == pd.Timestamp("2009-01-02")


def test_nothing_is_known_before_its_date_is_over(real_market):
    for frame in (real_market.prices, real_market.coins, real_market.funds, real_market.macro):
        noon = frame["date"].dt.tz_localize("UTC") + pd.Timedelta(hours=12)
        assert (frame["known_at"] > noon).all()
    macro = real_market.macro
    lag = (macro["known_at"].dt.tz_localize(None) - macro["date"]).groupby(macro["series"]).min().dt.days
    assert lag["WALCL"] >= 1
    assert lag["HY_OAS"] >= 1
    assert lag["USD"] >= 3
    assert lag["M2"] >= 28 + 27
