"""Breadth against a plain loop over securities and sessions, and its rules one by one."""

import numpy as np
import pandas as pd
import pytest

import features.breadth
from features.breadth import breadth
from features.errors import DataError
from features.market import Panel
from features.membership import member_count, member_mask, member_spans
from tests.features.handmade import close_instant, market, members, panel, sessions
from tests.features.panel.grid_counts import ABSURD, window_extreme

N = 620
DAYS = sessions(N)


def ragged_closes(n_securities: int = 24, seed: int = 5) -> np.ndarray:
    """Random walks with listings, delistings, short and long gaps, and one bad split."""
    rng = np.random.default_rng(seed)
    closes = 50 * np.exp(np.cumsum(0.02 * rng.standard_normal((N, n_securities)) + 0.008 * rng.standard_normal((N, 1)), axis=0))
    closes[:300, 0] = np.nan
    closes[450:, 1] = np.nan
    closes[330:333, 2] = np.nan
    closes[330:345, 3] = np.nan
    closes[500, 4] *= 10
    closes[rng.random(closes.shape) < 0.002] = np.nan
    return closes


def filled(column: np.ndarray) -> np.ndarray:
    """Bridge gaps of up to five sessions."""
    out = column.copy()
    for t in range(len(out)):
        if np.isnan(out[t]):
            recent = [column[s] for s in range(t - 1, max(t - 6, -1), -1) if not np.isnan(column[s])]
            out[t] = recent[0] if recent else np.nan
    return out


def plain_loop(closes: np.ndarray, t: int, chosen: np.ndarray) -> dict[str, float]:
    """Count at one session, security by security."""
    names = ["n50", "a50", "n200", "a200", "n252", "nh", "nl", "up", "down"]
    c = dict.fromkeys(names, 0)
    swings = []
    for i in np.flatnonzero(chosen):
        column, bridged = closes[: t + 1, i], filled(closes[: t + 1, i])
        if np.isnan(column[t]):
            continue
        for n in (50, 200):
            if t + 1 >= n and not np.isnan(bridged[-n:]).any():
                c[f"n{n}"] += 1
                c[f"a{n}"] += column[t] > bridged[-n:].mean()
        if t >= 251 and not np.isnan(bridged[-252:-1]).any():
            c["n252"] += 1
            c["nh"] += column[t] > bridged[-252:-1].max()
            c["nl"] += column[t] < bridged[-252:-1].min()
        c["up"] += column[t] > bridged[-2]
        c["down"] += column[t] < bridged[-2]
        moves = np.diff(np.log(bridged[-22:])).clip(-np.log(4), np.log(4))
        if len(moves) == 21 and not np.isnan(moves).any():
            swings.append(moves.sum())
    return {
        "pct_above_50": c["a50"] / c["n50"],
        "pct_above_200": c["a200"] / c["n200"],
        "nhnl": (c["nh"] - c["nl"]) / c["n252"],
        "ad": (c["up"] - c["down"]) / (c["up"] + c["down"]),
        "dispersion": np.std(swings, ddof=1),
    }


@pytest.mark.parametrize("t", [260, 331, 338, 344, 460, 500, 501, 619])
def test_panel_breadth_agrees_with_a_plain_loop(t: int) -> None:
    closes = ragged_closes()
    values = breadth(market(DAYS, panel(DAYS, closes))).values
    for name, expected in plain_loop(closes, t, np.ones(closes.shape[1], dtype=bool)).items():
        assert values[f"breadth__panel_{name}"].iloc[t] == pytest.approx(expected, rel=1e-9), name


def test_members_breadth_counts_members_alone() -> None:
    closes = ragged_closes()
    rows = [(f"S{i:03d}", "2015-01-01", None, "2015-01-01") for i in range(5, 20)]
    values = breadth(market(DAYS, panel(DAYS, closes), members=members(rows))).values
    chosen = np.isin(np.arange(24), range(5, 20))
    for t in (460, 619):
        for name, expected in plain_loop(closes, t, chosen).items():
            assert values[f"breadth__members_{name}"].iloc[t] == pytest.approx(expected, rel=1e-9), name


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    source = market(DAYS, panel(DAYS, ragged_closes()))
    whole = breadth(source).values
    monkeypatch.setattr(features.breadth, "BLOCK", 7)
    pd.testing.assert_frame_equal(breadth(source).values, whole, rtol=0, atol=0)


def test_memory_order_of_the_panel_does_not_show() -> None:
    closes = ragged_closes()
    source, turned = (market(DAYS, panel(DAYS, each)) for each in (closes, np.asfortranarray(closes)))
    pd.testing.assert_frame_equal(breadth(source).values, breadth(turned).values, rtol=0, atol=0)


def test_averages_follow_their_recursions() -> None:
    values = breadth(market(DAYS, panel(DAYS, ragged_closes()))).values.filter(like="panel_").iloc[1:]
    ad = values["breadth__panel_ad"].to_numpy()
    fast = slow = 1000 * ad[0]
    thrust = (1 + ad[0]) / 2
    mcclellan = []
    for x in ad:
        fast, slow, thrust = 0.9 * fast + 0.1 * 1000 * x, 0.95 * slow + 0.05 * 1000 * x, thrust + 2 / 11 * ((1 + x) / 2 - thrust)
        mcclellan.append(fast - slow)
    assert values["breadth__panel_mcclellan"].iloc[-1] == pytest.approx(mcclellan[-1], rel=1e-9)
    assert values["breadth__panel_summation_chg_21"].iloc[-1] == pytest.approx(sum(mcclellan[-21:]), rel=1e-9)
    assert values["breadth__panel_thrust"].iloc[-1] == pytest.approx(thrust, rel=1e-9)


def test_equal_weight_less_cap_weight_is_zero_for_one_stock_that_is_the_index() -> None:
    source = market(DAYS)
    level = source.prices["close"].to_numpy()
    values = breadth(market(DAYS, panel(DAYS, np.column_stack([level, level * 3])), prices=source.prices)).values
    assert values["breadth__panel_ew_cw"].iloc[-1] == pytest.approx(0.0, abs=1e-9)


def test_an_absurd_move_is_clipped_both_ways() -> None:
    closes = np.full((N, 3), 10.0)
    closes[300, 0] *= 50
    values = breadth(market(DAYS, panel(DAYS, closes))).values["breadth__panel_dispersion"]
    assert values.iloc[300] == pytest.approx(np.std([ABSURD, 0, 0], ddof=1))
    # the correction undoes it exactly: nothing is left of a bad print
    assert values.iloc[301] == pytest.approx(0.0, abs=1e-12)


def test_members_without_prices_count_against_coverage() -> None:
    closes = ragged_closes()
    priced = [(f"S{i:03d}", "2015-01-01", None, "2015-01-01") for i in range(5, 20)]
    for absent, known in ((3, True), (4, False)):  # 15/18 = .83, 15/19 = .79
        rows = priced + [(f"X{i}", "2015-01-01", None, "2015-01-01") for i in range(absent)]
        family = breadth(market(DAYS, panel(DAYS, closes), members=members(rows)))
        assert family.quality["breadth__members_coverage"].max() == pytest.approx(15 / (15 + absent))
        assert family.values["breadth__members_ad"].notna().any() == known


def test_panel_coverage_falls_on_a_thin_day_and_forgets_the_dead() -> None:
    closes = np.full((N, 10), 10.0) * np.linspace(1, 2, N)[:, None]
    closes[400, 3:] = np.nan
    closes[500:, 0] = np.nan
    family = breadth(market(DAYS, panel(DAYS, closes)))
    coverage = family.quality["breadth__panel_coverage"]
    assert coverage.iloc[400] == pytest.approx(0.3)
    assert np.isnan(family.values["breadth__panel_ad"].iloc[400])
    assert coverage.iloc[[499, 500, 519, 520]].tolist() == pytest.approx([1.0, 0.9, 0.9, 1.0])


def test_a_membership_holds_from_start_and_knowledge_to_end() -> None:
    rows = [
        ("A", str(DAYS[10].date()), str(DAYS[20].date()), str(DAYS[5].date())),
        ("A", str(DAYS[15].date()), str(DAYS[30].date()), str(DAYS[5].date())),
        ("B", str(DAYS[10].date()), None, str(DAYS[12].date())),
    ]
    spans = member_spans(market(DAYS, members=members(rows)))
    mask = member_mask(spans, pd.Index(["B", "A"]), N)
    assert np.flatnonzero(mask[:, 1]).tolist() == list(range(10, 30))
    # known at midnight before session 12: usable at the asof of session 11
    assert np.flatnonzero(mask[:, 0])[0] == 11
    assert member_count(spans, N)[[9, 10, 11, 29, 30]].tolist() == [0, 1, 2, 2, 1]


def test_a_list_of_today_applied_to_the_past_is_refused() -> None:
    rows = [(f"S{i:03d}", "2015-01-01", None, "2017-05-01") for i in range(5)]
    with pytest.raises(DataError, match="single list, of 2015-01-01, first known 2017-05-01"):
        breadth(market(DAYS, panel(DAYS, ragged_closes()), members=members(rows)))


def test_a_panel_row_known_after_a_later_one_is_left_out() -> None:
    closes = ragged_closes()
    late = panel(DAYS, closes)
    known = late.known_at.copy()
    known.iloc[300] = close_instant(DAYS)[305]
    missing = closes.copy()
    missing[300] = np.nan
    got = breadth(market(DAYS, Panel(late.close, known))).values
    expected = breadth(market(DAYS, panel(DAYS, missing))).values
    pd.testing.assert_frame_equal(got, expected)


def test_no_panel_gives_missing_columns() -> None:
    family = breadth(market(DAYS))
    assert family.values.isna().all().all()
    assert family.values.shape == (N, 22)
    assert family.quality["breadth__panel_n"].eq(0).all()


@pytest.mark.parametrize("window", [1, 2, 7, 251])
def test_window_extreme_is_the_rolling_maximum(window: int) -> None:
    values = np.random.default_rng(0).standard_normal((400, 3))
    values[50:55, 1] = np.nan
    np.testing.assert_array_equal(window_extreme(values, window, np.maximum), pd.DataFrame(values).rolling(window).max().to_numpy())
    np.testing.assert_array_equal(window_extreme(values, window, np.minimum), pd.DataFrame(values).rolling(window).min().to_numpy())
