"""The issuer's workbook against the series that others took from it."""

import numpy as np
import pandas as pd
import pytest

from features.errors import DataError
from features.fund_prints import fund_prints
from features.market import Market
from sources.calendar import sessions
from sources.fund_workbook import UNLISTED, fund_universe, index_members, members_from_holdings, read_fund_workbook

HOLIDAYS = ["2024-03-29", "2024-03-31"]
"""Good Friday and Easter Sunday: the workbook has net asset values on them, and no shares."""


@pytest.fixture(scope="module")
def workbook(data_root):
    return read_fund_workbook(data_root / "flows" / "raw" / "iShares-Russell-2000-ETF_fund.xls", "IWM")


@pytest.fixture(scope="module")
def series(data_root):
    return pd.read_csv(data_root / "flows" / "IWM_nav_shares_outstanding.csv", parse_dates=["date"]).set_index("date")


@pytest.fixture(scope="module")
def market(workbook):
    days = sessions("2000-05-22", "2025-02-10")
    universe = fund_universe([workbook])
    return Market.from_frames(name=universe.name, simulated=False, note="", sessions=days, frames={"funds": universe.funds})


def test_history_equals_the_series_on_all_common_days(workbook, series):
    own = workbook.funds.set_index("date")
    common = own.index.intersection(series.index)
    assert len(common) == 6216
    np.testing.assert_array_equal(own.loc[common, "nav"], series.loc[common, "nav"])
    np.testing.assert_array_equal(own.loc[common, "shares_outstanding"], series.loc[common, "shares_outstanding"])


def test_days_of_one_of_the_two_are_accounted_for(workbook, series):
    own = pd.DatetimeIndex(workbook.funds["date"])
    assert [f"{day:%Y-%m-%d}" for day in own.difference(series.index)] == HOLIDAYS
    assert (series.index.difference(own) > workbook.cover.as_of).all()
    assert workbook.quarantine.empty
    assert workbook.funds.set_index("date").loc[HOLIDAYS, "shares_outstanding"].isna().all()


def test_dividends_equal_the_series_and_the_distributions(workbook, series):
    own = workbook.ex_dividends.set_index("ex_date")["amount"]
    paid = series["ex_dividend"].dropna()
    pd.testing.assert_series_equal(own, paid[paid.index <= workbook.cover.as_of], check_names=False, check_freq=False)
    pd.testing.assert_series_equal(workbook.distributions.set_index("ex_date")["amount"], own, check_freq=False)


def test_market_sets_aside_what_is_no_session(market):
    assert [f"{day:%Y-%m-%d}" for day in market.quarantine["date"]] == ["2010-05-31", "2013-06-30", *HOLIDAYS]


def arrived(market: Market, known: pd.Series, values: pd.Series) -> pd.Series:
    """Put values of dates on the session after each, on which they could be read."""
    place = market.sessions.searchsorted(pd.DatetimeIndex(known.index), side="right")
    return pd.Series(values.to_numpy(), index=market.sessions[place])


def test_flow_at_the_days_own_value_is_that_of_the_series(market, workbook, series):
    flow = fund_prints(market, "IWM", nav_lag=0).flow.dropna()
    published = series.loc[series.index.isin(market.sessions) & (series.index <= workbook.cover.as_of), "net_flow_usd"].dropna()
    published = arrived(market, published, published)
    common = flow.index.intersection(published.index)
    assert len(common) == len(published) == len(flow)
    off = (flow[common] - published[common]).abs() > 1e-3 * published[common].abs() + 1
    assert len(common) == 6213
    assert not off.any()  # shares did not change over the days that are no sessions


def test_flow_uses_the_value_of_the_day_before(market, workbook):
    rows = workbook.funds[workbook.funds["date"].isin(market.sessions)].dropna(subset=["nav", "shares_outstanding"]).set_index("date")
    flow = fund_prints(market, "IWM").flow.dropna()
    by_hand = [
        (rows["shares_outstanding"].iloc[i] - rows["shares_outstanding"].iloc[i - 1]) * rows["nav"].iloc[i - 1] for i in range(1, len(rows))
    ]
    expected = arrived(market, rows["nav"].iloc[1:], pd.Series(by_hand))
    np.testing.assert_allclose(flow, expected[flow.index], rtol=1e-12, atol=1e-3)


def test_members_of_the_holdings_are_those_of_the_snapshot(workbook, data_root):
    snapshots = pd.read_csv(data_root / "constituents" / "iwm_membership_snapshots.csv", keep_default_na=False)
    theirs = set(snapshots.loc[snapshots["snapshot"] == "2025-02-04", "ticker"])
    ours = index_members(workbook.holdings)
    assert len(workbook.holdings) == 1971
    assert ours["weight"].sum() == pytest.approx(0.9976, abs=1e-4)
    assert set(ours["security"]) - theirs == set()
    # contingent rights and escrow shares of companies that were bought, and warrants: held, not listed
    left_out = theirs - set(ours["security"])
    assert left_out == {"ADRO", "INH", "WLLBW"}
    lines = workbook.holdings[workbook.holdings["security"].isin(left_out)]
    assert set(lines["exchange"]) <= set(UNLISTED)
    assert lines["weight"].sum() < 5e-5


def test_members_are_known_the_morning_after(workbook, market):
    members = members_from_holdings([workbook], market.sessions)
    assert set(members["known_at"]) == {pd.Timestamp("2025-02-05 14:00", tz="UTC")}
    assert set(members["start"]) == {pd.Timestamp("2025-02-05")}
    assert members["end"].isna().all()


@pytest.mark.parametrize("missing", [100, 5_000, 600_000])
def test_cut_off_copy_is_refused(data_root, tmp_path, missing):
    data = (data_root / "flows" / "raw" / "iShares-Russell-2000-ETF_fund.xls").read_bytes()
    (tmp_path / "cut.xls").write_bytes(data[:-missing])
    with pytest.raises(DataError, match=r"cut\.xls: cannot be read as a workbook"):
        read_fund_workbook(tmp_path / "cut.xls", "IWM")
