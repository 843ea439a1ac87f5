"""All companies at once against `Ledger`, company by company and filing by filing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import features.filing_events
from features.asof import first_usable
from features.market import Market
from features.profitability import RECENT_DAYS, SEASONED_DAYS, profitability, trailing_years
from features.trailing import Ledger
from features.year_spans import STALE_DAYS, STALE_DAYS_ANNUAL
from tests.features.handmade import filings, market, sessions

DAYS = sessions(900, "2013-01-02")


def stale_after(end: int, annual: bool) -> int:
    return end + (STALE_DAYS_ANNUAL if annual else STALE_DAYS)


def by_ledger(given_market: Market) -> dict[str, np.ndarray]:
    """The plain way, on all sessions: a ledger a company, asked on each session."""
    frame = given_market.filings.sort_values(["security", "known_at", "period_end", "period_start"], kind="stable")
    frame["slot"] = first_usable(frame["known_at"], given_market.sessions)
    days = given_market.sessions.to_numpy("datetime64[D]").astype(np.int64)
    names = sorted(frame.loc[frame["slot"] < len(days), "security"].unique())
    shape = (len(days), len(names))
    out = {"net_income": np.full(shape, np.nan), "revenue": np.full(shape, np.nan)}
    out |= {name: np.zeros(shape, dtype=bool) for name in ("recent", "expected")}
    for column, name in enumerate(names):
        own, ledger, filed_on, years = dict(list(frame[frame["security"] == name].groupby("slot"))), Ledger(), [], []
        for slot, day in enumerate(days):
            for each in own[slot].itertuples() if slot in own else ():
                start, end = (int(np.datetime64(stamp, "D").astype(int)) for stamp in (each.period_start, each.period_end))
                ledger.add(start, end, (each.net_income, each.revenue), each.form.startswith("10-K"))
                filed_on.append(day)
                years = list(ledger.trailing_years())
            if not filed_on:
                continue
            out["recent"][slot, column] = day < filed_on[-1] + RECENT_DAYS
            newest = max(ledger.ends, default=None)
            current = newest is not None and day <= stale_after(newest, ledger.ends[newest])
            out["expected"][slot, column] = current and day >= filed_on[0] + SEASONED_DAYS
            for year in years:
                if day <= stale_after(year.end, year.annual):
                    out["net_income"][slot, column], out["revenue"][slot, column] = year.net_income, year.revenue
                    out["expected"][slot, column] = True
                    break
    return out


def same_as_ledger(given_market: Market) -> None:
    years, expected = trailing_years(given_market), by_ledger(given_market)
    at = given_market.sessions.get_indexer(years.sessions)
    for name, grid in expected.items():
        np.testing.assert_array_equal(getattr(years, name), grid[at], err_msg=name)
        if name != "recent":  # the sessions of `TrailingYears` end where all is stale
            outside = np.delete(grid, at, axis=0)
            assert not (outside if outside.dtype == bool else ~np.isnan(outside)).any()


@st.composite
def histories(draw: st.DrawFn) -> list[tuple]:
    """Filings of a few companies: quarters, half-years, nine months, years; 52 weeks, holes, restatements, missing figures, late ones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = {}
    for name in "ABC"[: draw(st.integers(1, 3))]:
        base = np.datetime64("2011-12-31") + np.timedelta64(int(rng.integers(0, 200)), "D")
        quarter, jitter = int(rng.choice([91, 91, 84])), draw(st.sampled_from([[0], [0, 0, 0, 1, -3], [0, 0, 7, 12]]))
        for _ in range(draw(st.integers(1, 25))):
            kind = int(rng.choice([1, 1, 1, 2, 3, 4, 4]))
            end = base + np.timedelta64(quarter * int(rng.integers(1, 14)) + int(rng.choice(jitter)), "D")
            start = end - np.timedelta64((364 if kind == 4 else kind * quarter) - 1 + int(rng.choice(jitter)), "D")
            if rng.random() < 0.02:
                start = end - np.timedelta64(int(rng.integers(0, 25)), "D")  # hardly a period
            known = end + np.timedelta64(int(rng.integers(300, 700) if rng.random() < 0.05 else rng.integers(20, 90)), "D")
            figures = [np.nan if rng.random() < missing else rng.normal(0, 100) for missing in (0.05, 0.1)]
            form = "10-K" if kind == 4 else "10-Q"
            rows[name, str(end), str(start), str(known)] = (name, form, str(start), str(end), *figures, str(known))
    return list(rows.values())


@given(histories())
@settings(max_examples=25, deadline=None)
def test_all_at_once_is_one_by_one(rows: list[tuple]) -> None:
    same_as_ledger(market(DAYS, filings=filings(rows)))


def regular(n: int, seed: int) -> list[tuple]:
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        for year in (2012, 2013, 2014):
            for k, (start, end) in enumerate((("01-01", "03-31"), ("04-01", "06-30"), ("07-01", "09-30"), ("01-01", "12-31"))):
                known = pd.Timestamp(f"{year}-{end}") + pd.Timedelta(days=int(rng.integers(30, 70)))
                figures = rng.normal(10, 50), rng.uniform(1, 500)
                rows.append((f"C{number}", "10-K" if k == 3 else "10-Q", f"{year}-{start}", f"{year}-{end}", *figures, str(known.date())))
    return rows


def test_companies_of_one_calendar_share_shapes_and_keep_their_own_figures() -> None:
    given_market = market(DAYS, filings=filings(regular(12, 0)))
    books = features.filing_events.ledgers(features.filing_events.filed(given_market))
    assert len(books.shapes) < len(books.last) / 6
    same_as_ledger(given_market)


def test_shapes_that_share_a_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    given_market = market(DAYS, filings=filings(regular(6, 1)))
    expected = profitability(given_market)
    monkeypatch.setattr(features.filing_events, "_mix", lambda code, place: np.ones(len(code), np.uint64))
    got = profitability(given_market)
    pd.testing.assert_frame_equal(got.values, expected.values, check_exact=True)
    same_as_ledger(given_market)


def test_a_filing_that_comes_when_it_is_stale_already_counts_as_recent_alone() -> None:
    years = trailing_years(market(DAYS, filings=filings([("A", "10-K", "2012-01-01", "2012-12-31", 7, 9, "2014-03-04")])))
    assert years.recent.any()
    assert not years.expected.any()
    assert np.isnan(years.net_income).all()


def test_a_period_of_days_is_no_period() -> None:
    family = profitability(market(DAYS, filings=filings([("A", "10-Q", "2013-03-25", "2013-03-31", 7, 9, "2013-05-04")])))
    assert family.values.isna().all().all()
