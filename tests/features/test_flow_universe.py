"""Years of flows against a plain loop, and whether their sign hangs on one fund."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from features.flow_episodes import flow_quarantine
from features.flow_universe import WHOLE, leave_one_out
from features.flows import flows
from tests.features.handmade import funds, market, sessions

DAYS = sessions(700)
NAV = 10.0


def shares(seed: int) -> np.ndarray:
    return np.round(1e6 + np.cumsum(np.random.default_rng(seed).normal(0, 2e3, len(DAYS))))


@pytest.fixture(scope="module")
def source():
    jump = shares(1)
    jump[300:305] *= 1.3  # goes back within ten sessions
    frames = [funds(DAYS, jump, fund="A"), funds(DAYS, shares(2), fund="B"), funds(DAYS[400:], shares(3)[400:], fund="C")]
    return market(DAYS, funds=pd.concat(frames, ignore_index=True))


@pytest.fixture(scope="module")
def totals(source) -> pd.DataFrame:
    return flow_quarantine(source).totals


def test_totals_of_a_fund_equal_a_loop_over_its_prints(source, totals):
    for fund, prints in source.funds.groupby("fund"):
        expected: dict[int, float] = {}
        n: dict[int, int] = {}
        rows = prints.to_dict("records")
        for before, now in pairwise(rows[:-1]):  # the last print is known after the last session
            year = now["date"].year
            expected[year] = expected.get(year, 0.0) + (now["shares_outstanding"] - before["shares_outstanding"]) * NAV
            n[year] = n.get(year, 0) + 1
        own = totals[totals["fund"] == fund].set_index("year")
        assert own["with_usd"].to_dict() == pytest.approx(expected)
        assert own["n"].to_dict() == n


def test_year_to_date_is_the_feature_of_the_last_session(source, totals):
    last = flows(source).values["flows__ytd_usd"].dropna().iloc[-1]
    newest = totals[totals["year"] == totals["year"].max()]
    assert newest["without_usd"].sum() == pytest.approx(last)


def test_years_before_the_first_print_are_no_years(totals):
    assert totals[totals["fund"] == "C"]["year"].min() == DAYS[400].year
    assert totals[totals["fund"] == "A"]["year"].min() == DAYS[0].year


def test_leaving_one_fund_out_equals_a_loop(totals):
    left = leave_one_out(totals)
    for year in totals["year"].unique():
        own = {row["fund"]: row["without_usd"] for row in totals[totals["year"] == year].to_dict("records")}
        whole = sum(own.values())
        for fund in ("", *own):
            (row,) = left[(left["year"] == year) & (left["left_out"] == fund)].to_dict("records")
            rest = sum(value for name, value in own.items() if name != fund)
            assert row["without_usd"] == pytest.approx(rest)
            assert row["n_funds"] == len(own) - (fund != "")
            assert row["turns"] == (fund != "" and (rest > 0) != (whole > 0))


def table(**funds_usd: float) -> pd.DataFrame:
    rows = [(fund, 2020, value, value, 250) for fund, value in funds_usd.items()]
    return pd.DataFrame(rows, columns=["fund", "year", "with_usd", "without_usd", "n"])


def test_sign_that_one_fund_makes_turns_without_it():
    left = leave_one_out(table(A=-5.0, B=2.0, C=1.0)).set_index("left_out")
    assert left["turns"].to_dict() == {WHOLE: False, "A": True, "B": False, "C": False}
    assert left.loc[["A", "B", "C"], "without_usd"].tolist() == [3.0, -4.0, -3.0]


def test_one_fund_alone_cannot_be_left_out():
    left = leave_one_out(table(A=-5.0)).set_index("left_out")
    assert np.isnan(left.loc["A", "without_usd"])
    assert left.loc["A", "n_funds"] == 0
    assert not left["turns"].any()
