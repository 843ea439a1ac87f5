"""What the features say of the real market, against dates and figures published elsewhere."""

import numpy as np
import pandas as pd
import pytest

from features import (
    Features,
    asset_prices,
    breakout_events,
    breakout_grid,
    constant_columns,
    features_with_quality,
    flow_quarantine,
    index_closes,
)
from features.market import Market
from features.matrix import FAMILIES, MAY_NEVER_FIRE

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def real_features(real_market: Market) -> Features:
    return features_with_quality(real_market)


def span(values: pd.Series) -> tuple[str, str]:
    there = values.dropna().index
    return f"{there[0]:%Y-%m}", f"{there[-1]:%Y-%m}"


@pytest.mark.parametrize(
    ("column", "first", "last"),
    [
        ("momentum__mom_252", "2000-01", "2025-06"),
        ("momentum__rs_63", "2000-08", "2025-06"),
        ("breadth__panel_pct_above_200", "2010-03", "2025-06"),
        ("breadth__members_pct_above_200", "2016-02", "2025-06"),
        ("flows__flow_pct_63", "2009-04", "2025-06"),
        ("profitability__neg_share", "2016-02", "2017-10"),
        ("liquidity__vix", "1999-01", "2025-06"),
        ("crypto__btc_mom_63", "2013-07", "2025-06"),
    ],
)
def test_a_family_has_values_where_its_files_have(real_features: Features, column: str, first: str, last: str) -> None:
    assert span(real_features.values[column]) == (first, last)


def test_every_family_is_there(real_features: Features) -> None:
    assert list(dict.fromkeys(name.split("__")[0] for name in real_features.values)) == list(FAMILIES)


@pytest.mark.parametrize(("day", "published"), [("2020-03-23", 0.045), ("2021-02-08", 0.936)])
def test_breadth_agrees_with_the_published_share_above_200_days(real_features: Features, day: str, published: float) -> None:
    # published to a tenth of a point; three points is the agreement asked for
    assert real_features.values.loc[day, "breadth__panel_pct_above_200"] == pytest.approx(published, abs=0.03)


def test_breakouts_of_the_russell_2000_are_confirmed_in_the_known_months(real_market: Market) -> None:
    events = breakout_events(index_closes(real_market, "R2000"))
    confirmed = events.loc[events["event"] == "breakout_confirmed", "date"].dt.strftime("%Y-%m").tolist()
    assert [month for month in confirmed if month >= "2009"] == ["2011-04", "2013-01", "2016-11", "2020-11"]
    failed = events.loc[events["event"] == "failed", "date"]
    assert (failed - pd.Timestamp("2011-04-29")).abs().min() < pd.Timedelta(days=7), "the one of 2011 fell through within a week"


def test_the_breakout_of_2013_precedes_bitcoin_prices_and_the_later_ones_do_not(real_market: Market) -> None:
    prices = asset_prices(real_market)["BTC"]
    assert np.isnan(prices["2013-01-31"])
    assert prices[["2016-11-30", "2020-11-30"]].notna().all()


def test_the_sensitivity_grid_reports_every_cell(real_market: Market) -> None:
    grid = breakout_grid(index_closes(real_market, "R2000"))
    assert grid[["base", "tolerance"]].drop_duplicates().shape[0] == 9


def test_no_column_is_constant_but_one_hots(real_features: Features) -> None:
    assert set(constant_columns(real_features.values)) <= set(MAY_NEVER_FIRE)


def test_the_share_of_loss_makers_is_that_of_filers(real_features: Features) -> None:
    # filers 33 to 38 percent, companies with estimates 13 to 22; the first weeks hold the punctual alone
    share = real_features.values["profitability__neg_share"].loc["2016-04":]
    assert share.dropna().between(0.33, 0.38).all()


def test_profitability_has_no_hole_between_its_first_and_last_value(real_features: Features) -> None:
    share = real_features.values["profitability__neg_share"]
    assert share.loc[share.first_valid_index() : share.last_valid_index()].notna().all()


def test_no_share_leaves_its_bounds(real_features: Features) -> None:
    shares = [
        name for name in real_features.values if ("pct_above" in name and not name.endswith("_z")) or name.endswith(("neg_share", "thrust"))
    ]
    assert len(shares) == 7
    held = real_features.values[shares]
    assert ((held >= 0) & (held <= 1) | held.isna()).all().all()


def test_flows_of_a_year_add_up_to_the_change_in_shares(real_market: Market, real_features: Features) -> None:
    # no flow of 2023 is set aside for good, so the year's total is the plain sum of the file's own column up to how NAV is dated
    episodes = flow_quarantine(real_market).episodes
    assert not episodes["date"].dt.year.eq(2023).any()
    funds = real_market.funds.set_index("date")
    plain = (funds["shares_outstanding"].diff() * funds["nav"].shift(1)).loc["2023"].sum()
    last_of_year = real_features.values["flows__ytd_usd"].loc[:"2024-01-02"].iloc[-1]
    assert last_of_year == pytest.approx(plain, rel=1e-9)
