import numpy as np
import pandas as pd
import pytest

from features.liquidity import MAX_AGE, liquidity, months_since_halving, net_liquidity
from tests.features.handmade import macro, market, sessions

DAYS = sessions(700)


def test_net_liquidity_minds_the_units() -> None:
    # USD 7 trillion and 0.8 trillion in million, 2 trillion in billion
    got = net_liquidity(pd.Series([7e6]), pd.Series([0.8e6]), pd.Series([2e3]))
    assert got.tolist() == [4.2e6]


def test_changes_are_over_sessions() -> None:
    path = np.exp(np.linspace(0, 1, 700))
    frames = [macro(name, DAYS, path) for name in MAX_AGE if name not in ("WALCL", "WTREGEN", "RRP")]
    frames += [macro("WALCL", DAYS, 4e6 * path), macro("WTREGEN", DAYS, 1e6 * path), macro("RRP", DAYS, 1e3 * path)]
    row = liquidity(market(DAYS, macro=pd.concat(frames))).values.iloc[500]
    step = 1 / 699
    assert row["liquidity__vix"] == path[500]
    assert row["liquidity__vix_chg_21"] == pytest.approx(21 * step)
    assert row["liquidity__hy_oas_chg_21"] == pytest.approx(path[500] - path[479])
    assert row["liquidity__real_yield_chg_21"] == pytest.approx(path[500] - path[479])
    assert row["liquidity__usd_chg_21"] == pytest.approx(21 * step)
    assert row["liquidity__stablecoins_chg_21"] == pytest.approx(21 * step)
    assert row["liquidity__net_liquidity_chg_63"] == pytest.approx(63 * step)


def test_negative_net_liquidity_is_missing() -> None:
    frames = [macro("WALCL", DAYS, 1.0), macro("WTREGEN", DAYS, 2.0), macro("RRP", DAYS, 0.0)]
    assert liquidity(market(DAYS, macro=pd.concat(frames))).values["liquidity__net_liquidity_chg_63"].isna().all()


def test_a_series_is_carried_for_its_maximum_age() -> None:
    family = liquidity(market(DAYS, macro=macro("VIX", DAYS[:300], 20.0)))
    vix = family.values["liquidity__vix"]
    assert vix.last_valid_index() == DAYS[299 + MAX_AGE["VIX"]]
    assert family.quality["liquidity__coverage"].iloc[[299, 400]].tolist() == [1 / len(MAX_AGE), 0]
    assert family.quality["liquidity__age_sessions"].iloc[400] == 101


def test_months_since_halving_start_again_with_each() -> None:
    days = pd.DatetimeIndex(["2012-11-27", "2012-11-28", "2020-05-08", "2020-05-11", "2021-05-11"])
    got = months_since_halving(days)
    assert np.isnan(got.iloc[0])
    assert got.iloc[1:].round(2).tolist() == [0.03, 46.0, 0.03, 12.02]
