"""Flows written by hand: what counts, when, and what is set aside."""

import numpy as np
import pandas as pd
import pytest

from features.flow_episodes import flow_quarantine
from features.flow_guard import guard
from features.flows import flows
from features.fund_prints import fund_prints
from tests.features.handmade import funds, market, prices, sessions

DAYS = sessions(700)


def constant(n: int = 700, level: float = 1000.0) -> np.ndarray:
    return np.full(n, level)


def values(shares: np.ndarray, **more) -> pd.DataFrame:
    family = flows(market(DAYS, funds=funds(DAYS, shares, **more))).values
    return family.rename(columns=lambda name: name.removeprefix("flows__"))


def test_a_flow_is_the_change_in_shares_at_the_value_of_the_print_before_one_session_later() -> None:
    shares = constant()
    shares[300:] += 50
    nav = np.linspace(10, 20, 700)
    source = market(DAYS, funds=funds(DAYS, shares, nav=nav))
    for nav_lag, at in ((1, 299), (0, 300)):
        flow = fund_prints(source, "IWM", nav_lag).flow
        assert flow.iloc[301] == pytest.approx(50 * nav[at])
        assert flow.iloc[[300, 302]].tolist() == [0.0, 0.0]


def test_nav_lag_is_checked() -> None:
    with pytest.raises(ValueError, match="nav_lag is 2; rule: 1"):
        flows(market(DAYS, funds=funds(DAYS, constant())), nav_lag=2)


def test_windows_divide_by_the_assets_before_them() -> None:
    shares = constant()
    shares[300:] += 50
    got = values(shares)
    assert got["flow_pct_21"].iloc[[300, 301, 321, 322]].tolist() == pytest.approx([0, 0.05, 0.05, 0])
    assert got["flow_pct_252"].iloc[301 + 251] == pytest.approx(0.05)
    assert got["flow_pct_252"].iloc[301 + 252] == 0


def test_a_split_is_no_flow_and_new_shares_count_at_their_new_price() -> None:
    split, nav, shares = np.ones(700), np.full(700, 10.0), constant()
    split[300], nav[300:], shares[300:] = 2.0, 5.0, 2050.0
    flow = fund_prints(market(DAYS, funds=funds(DAYS, shares, nav=nav, split=split)), "IWM").flow
    assert flow.iloc[301] == pytest.approx(50 * 5.0)


def test_a_missing_print_is_missing_and_the_next_one_makes_it_up() -> None:
    shares = constant()
    shares[300:302], shares[302:] = np.nan, 1020.0
    prints = fund_prints(market(DAYS, funds=funds(DAYS, shares)), "IWM")
    assert prints.flow.iloc[[301, 302]].isna().all()
    assert prints.flow.iloc[303] == pytest.approx(20 * 10)


def test_over_a_long_gap_the_flow_is_unknown() -> None:
    shares = constant()
    shares[300:306], shares[306:] = np.nan, 1020.0
    prints = fund_prints(market(DAYS, funds=funds(DAYS, shares)), "IWM")
    assert np.isnan(prints.flow.iloc[307])
    assert prints.flow.iloc[308] == 0.0


def test_a_window_with_too_few_prints_is_missing() -> None:
    shares = constant()
    shares[300:306] = np.nan
    got = values(shares)
    # seven of 21 flows are unknown; .80 of 21 is 16.8
    assert got["flow_pct_21"].iloc[307:].isna().idxmin() == DAYS[324]
    assert got["flow_pct_252"].iloc[310] == pytest.approx(0.0)


def test_a_reversed_jump_stays_out_of_every_row() -> None:
    shares = constant()
    shares[300:306] *= 1.2
    got = values(shares)
    assert got["flow_pct_63"].dropna().abs().max() == pytest.approx(0.0, abs=1e-12)
    listed = flow_quarantine(market(DAYS, funds=funds(DAYS, shares)))
    assert listed.episodes[["outcome", "settled"]].to_numpy().tolist() == [["reversed", DAYS[307]]]
    assert listed.episodes["flow_usd"].tolist() == pytest.approx([2000.0])


def test_a_jump_reversed_bit_by_bit_takes_its_reversal_with_it() -> None:
    shares = constant()
    shares[300:302] = 1200
    shares[302:304] = 1120
    shares[304:] = 1030
    got = values(shares)["flow_pct_63"]
    # the first outflow counted until the second one made it an episode (170 of 200 gone back)
    assert got.iloc[[302, 303, 304, 305, 330]].tolist() == pytest.approx([0, -0.08, -0.08, 0, 0])


def test_a_jump_that_stays_counts_from_the_tenth_session_in_its_own_place() -> None:
    shares = constant()
    shares[300:] = 1200
    got = values(shares)
    arrived = 301
    assert got["flow_pct_63"].iloc[[arrived, arrived + 9, arrived + 10, arrived + 62, arrived + 63]].tolist() == pytest.approx(
        [0, 0, 0.2, 0.2, 0]
    )
    assert got["flow_pct_5"].iloc[arrived : arrived + 20].dropna().abs().max() == 0
    assert flow_quarantine(market(DAYS, funds=funds(DAYS, shares))).episodes["outcome"].tolist() == ["counted"]


def test_a_jump_at_the_end_waits() -> None:
    shares = constant()
    shares[695:] = 1200
    listed = flow_quarantine(market(DAYS, funds=funds(DAYS, shares)))
    assert listed.episodes["outcome"].tolist() == ["waiting"]
    assert listed.episodes["settled"].isna().all()


def test_totals_are_given_with_and_without_what_was_set_aside() -> None:
    shares = constant()
    shares[300:306] = 1200
    shares[306:] = 1010
    listed = flow_quarantine(market(DAYS, funds=funds(DAYS, shares)))
    year = listed.totals.set_index("year").loc[DAYS[301].year]
    assert year["with_usd"] == pytest.approx(100.0)
    assert year["without_usd"] == pytest.approx(0.0)


def test_assets_in_doubt_divide_nothing() -> None:
    shares = constant()
    shares[300] = 100.0
    shares[340:] = 1050.0
    got = values(shares)
    # 40 sessions after the misprint: divided by the assets before it, not by a tenth of them
    assert got["flow_pct_21"].iloc[341] == pytest.approx(0.05)
    assert guard(fund_prints(market(DAYS, funds=funds(DAYS, shares)), "IWM")).assets.iloc[301] == 10_000.0


def test_year_to_date_starts_with_the_prints_of_january() -> None:
    shares = constant()
    turn = int(DAYS.searchsorted(pd.Timestamp("2016-01-01")))
    shares[turn - 1 :] += 30  # printed in December, known in January
    shares[turn + 4 :] -= 10
    got = values(shares)
    assert got["ytd_usd"].iloc[[turn - 1, turn, turn + 1, turn + 5]].tolist() == pytest.approx([0, 300, 0, -100])
    assert got["ytd_pct"].iloc[turn + 5] == pytest.approx(-100 / 10_300)


def test_a_year_whose_prints_begin_late_has_no_total() -> None:
    late = DAYS[100:]
    got = flows(market(DAYS, funds=funds(late, constant(600)))).values["flows__ytd_usd"]
    assert got.loc["2015"].isna().all()
    assert got.loc["2016-01-06":].notna().all()


def test_calendar_that_begins_in_mid_year_has_no_total_for_it() -> None:
    days = sessions(700, "2015-05-04")
    got = flows(market(days, funds=funds(days, constant()))).values["flows__ytd_usd"]
    assert got.loc["2015"].isna().all()
    assert got.loc["2016-01-06":].eq(0).all()


def test_the_flag_needs_a_recent_record_and_outflows() -> None:
    level = np.full(700, 100.0)
    level[600] = 110
    shares = constant()
    shares[560:] -= 5
    source = market(DAYS, prices=prices("R2000", DAYS, level), funds=funds(DAYS, shares))
    flag = flows(source).values["flows__record_high_with_outflows"]
    assert np.flatnonzero(flag == 1).tolist() == list(range(600, 621))
    inflow = market(DAYS, prices=prices("R2000", DAYS, level), funds=funds(DAYS, 2 * constant() - shares))
    assert flows(inflow).values["flows__record_high_with_outflows"].max() == 0


def test_several_funds_are_summed() -> None:
    one, two = constant(), constant(level=3000.0)
    one[300:] += 50
    two[300:] -= 20
    both = pd.concat([funds(DAYS, one), funds(DAYS, two, fund="VTWO")])
    family = flows(market(DAYS, funds=both))
    assert family.values["flows__flow_pct_21"].iloc[301] == pytest.approx((50 - 20) / 4000)
    assert family.quality["flows__n"].iloc[300] == 2


def test_a_small_fund_without_a_print_hides_nothing_and_a_large_one_does() -> None:
    small, large = constant(level=100.0), constant()
    for broken, known in ((small, True), (large, False)):
        gone = broken.copy()
        gone[300:320:2] = np.nan
        pair = {"IWM": large, "VTWO": small, ("IWM" if broken is large else "VTWO"): gone}
        source = market(DAYS, funds=pd.concat([funds(DAYS, shares, fund=name) for name, shares in pair.items()]))
        assert pd.notna(flows(source).values["flows__flow_pct_21"].iloc[320]) == known


def test_no_funds_give_missing_columns() -> None:
    family = flows(market(DAYS))
    assert family.values.isna().all().all()
    assert family.quality["flows__n"].eq(0).all()


def test_a_year_to_date_ends_with_the_prints() -> None:
    shares = constant()
    shares[300:] += 50
    frame = funds(DAYS, shares)
    got = flows(market(DAYS, funds=frame[frame["date"] <= DAYS[400]])).values["flows__ytd_usd"]
    # the last print is usable a session after its date, and carried for five
    assert np.flatnonzero(got.notna().to_numpy())[-1] == 401 + 5
    assert got.iloc[406] == got.iloc[401] != 0
