"""Share of loss-makers from the filings of 600 and of 4,300 companies, point in time."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.filing_simulation import simulate_filings
from benchmarks.measure import Duel, Versus
from features.market import Market
from features.profitability import profitability
from sources import simulate_market

COMPANIES, ALL_COMPANIES = 600, 4_350
YEARS = 13
SHORT_YEARS = 3
"""Recomputing 13 years session by session takes the peer minutes."""

TOLERANCE = 1e-12
COLUMN = "profitability__neg_share"

Run = Callable[[], pd.Series]


def prepare_anew() -> Duel:
    def set_up_peer(market: Market) -> Run:
        from benchmarks.peers.pandas_profitability import share_anew

        return lambda: share_anew(market.filings, market.sessions)

    return _prepare(simulate_market(n_stocks=COMPANIES, years=SHORT_YEARS), set_up_peer, repeats=1)


def prepare_joined() -> Duel:
    return _prepare(simulate_market(n_stocks=COMPANIES, years=YEARS), _set_up_joined, repeats=3)


def prepare_all_joined() -> Duel:
    return _prepare(simulate_filings(ALL_COMPANIES, YEARS), _set_up_joined, repeats=1)


def _set_up_joined(market: Market) -> Run:
    from benchmarks.peers.pandas_profitability import share_joined

    return lambda: share_joined(market.filings, market.sessions)


def _prepare(market: Market, set_up_peer: Callable[[Market], Run], repeats: int) -> Duel:
    return Duel(lambda: profitability(market).values[COLUMN], lambda: set_up_peer(market), _same_where_both, repeats)


def _same_where_both(ours: pd.Series, peer: pd.Series) -> None:
    """Ours is missing where too few companies are known, which the peer does not judge."""
    both = ours.notna().to_numpy()
    assert both.mean() > 0.7  # of three years, the first 200 days are missing
    np.testing.assert_allclose(ours[both], peer[both], rtol=0, atol=TOLERANCE)


WORKS = [
    Versus(
        f"share of loss-makers, {SHORT_YEARS} years x {COMPANIES} companies (ours: all of profitability)",
        "pandas: anew on every session from what was known",
        60.0,
        prepare_anew,
    ),
    Versus(
        f"share of loss-makers, {YEARS} years x {COMPANIES} companies (ours: all of profitability)",
        "pandas: once per filing day, merge_asof to sessions",
        3.5,
        prepare_joined,
    ),
    Versus(
        f"share of loss-makers, 250,000 filings, {YEARS} years x {ALL_COMPANIES:,} companies (ours: all of profitability)",
        "pandas: once per filing day, merge_asof to sessions",
        3.5,
        prepare_all_joined,
    ),
]
