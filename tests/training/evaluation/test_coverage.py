"""Coverage: counted by a loop, by regime and tercile, with bands that know the horizon and words for what is not there."""

import numpy as np
import pandas as pd
import pytest

from training.evaluation.calibration import wilson
from training.evaluation.coverage import (
    ABSENT,
    EMPTY,
    EVERY_ROW,
    INTERVALS,
    OUTSIDE,
    REGIMES,
    TERCILES,
    UNSURE,
    WITHIN,
    band,
    coverage_table,
)


def losses_of(n: int = 600, horizon: int = 5, sd: float = 1.0) -> pd.DataFrame:
    """A served series on unit normal outcomes whose intervals are those of a normal of standard deviation `sd`."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"session": pd.bdate_range("2015-01-01", periods=n), "asset": "BTC", "horizon": horizon, "rung": "served"})
    frame = frame.assign(outer=True, y=rng.normal(size=n), crps=0.5, p_on=rng.random(n), vol_rank=rng.random(n))
    for level, z in ((50, 0.6744897501960817), (80, 1.2815515655446004), (90, 1.6448536269514722)):
        frame[f"lo{level}"], frame[f"hi{level}"] = -z * sd, z * sd
    for level in (80, 90):
        frame[f"lo{level}_conformal"], frame[f"hi{level}_conformal"] = frame[f"lo{level}"] - 0.1, frame[f"hi{level}"] + 0.1
    return frame


def cell(table: pd.DataFrame, interval: str = "model", level: float = 0.8, group: str = EVERY_ROW) -> pd.Series:
    found = table[(table["interval"] == interval) & (table["level"] == level) & (table["group"] == group)]
    assert len(found) == 1
    return found.iloc[0]


def test_coverage_equals_a_loop_in_every_group():
    losses = losses_of()
    losses.loc[:49, ["p_on", "vol_rank"]] = np.nan  # before they were known
    losses.loc[100:129, "hi90_conformal"] = np.inf
    table = coverage_table(losses)
    assert len(table) == len(INTERVALS) * 6
    belongs = {
        EVERY_ROW: lambda r: True,
        REGIMES[0]: lambda r: r.p_on >= 0.5,
        REGIMES[1]: lambda r: r.p_on < 0.5,
        TERCILES[0]: lambda r: r.vol_rank <= 1 / 3,
        TERCILES[1]: lambda r: 1 / 3 < r.vol_rank <= 2 / 3,
        TERCILES[2]: lambda r: r.vol_rank > 2 / 3,
    }
    for (kind, level), (low, high) in INTERVALS.items():
        for group, inside in belongs.items():
            rows = [r for r in losses.itertuples() if inside(r)]
            held = sum(getattr(r, low) <= r.y <= getattr(r, high) for r in rows) / len(rows)
            got = cell(table, kind, level / 100, group)
            assert (got["n"], got["n_independent"]) == (len(rows), len(rows) // 5)
            assert got["held"] == pytest.approx(held, rel=1e-12)
            assert (got["lo"], got["hi"]) == pytest.approx(wilson(held, len(rows) / 5))
            unbounded = sum(not np.isfinite(getattr(r, high)) for r in rows) / len(rows)
            assert got["unbounded"] == pytest.approx(unbounded)
    assert cell(table, "model", 0.8)["width"] == pytest.approx(2 * 1.2815515655446004)


def test_interval_unbounded_more_often_than_not_has_no_finite_width():
    losses = losses_of()
    losses.loc[:400, "lo80_conformal"] = -np.inf
    assert cell(coverage_table(losses), "conformal")["width"] == np.inf


@pytest.mark.parametrize(("sd", "verdict"), [(1.0, WITHIN), (0.6, OUTSIDE)])
def test_intervals_that_are_too_narrow_are_outside(sd, verdict):
    assert cell(coverage_table(losses_of(n=3000, sd=sd)))["verdict"] == verdict


def test_few_rows_leave_it_open_and_none_are_said():
    table = coverage_table(losses_of(n=100, horizon=21, sd=0.8))
    assert cell(table)["verdict"] == UNSURE
    nobody = coverage_table(losses_of().assign(p_on=0.9))
    assert cell(nobody, group=REGIMES[1])["verdict"] == EMPTY


def test_absent_columns_are_said_to_be_absent():
    losses = losses_of().drop(columns=["lo90_conformal", "vol_rank"])
    table = coverage_table(losses)
    assert cell(table, "conformal", 0.9)["verdict"] == ABSENT
    assert cell(table, group=TERCILES[1])["verdict"] == ABSENT
    assert np.isnan(cell(table, group=TERCILES[1])["held"])
    assert cell(table, group=REGIMES[0])["verdict"] in (WITHIN, OUTSIDE, UNSURE)


def test_only_judged_rows_of_the_served_series_count():
    losses = losses_of()
    other = pd.concat([losses, losses.assign(rung="M0", lo80=9.0), losses.assign(outer=False, lo80=9.0)])
    pd.testing.assert_frame_equal(coverage_table(other), coverage_table(losses))
    assert coverage_table(losses.iloc[:0]).empty


def test_bands_are_those_that_simulation_allows():
    assert [band(h) for h in (1, 5, 21, 63, 126)] == [0.02, 0.02, 0.02, 0.04, 0.06]
