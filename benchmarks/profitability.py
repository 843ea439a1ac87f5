"""Share of loss-makers from the filings of 600 companies, point in time."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.measure import Duel, Versus
from features.market import Market
from features.profitability import profitability
from sources import simulate_market

COMPANIES = 600
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

    return _prepare(SHORT_YEARS, set_up_peer, repeats=1)


def prepare_joined() -> Duel:
    def set_up_peer(market: Market) -> Run:
        from benchmarks.peers.pandas_profitability import share_joined

        return lambda: share_joined(market.filings, market.sessions)

    return _prepare(YEARS, set_up_peer, repeats=3)


def _prepare(years: int, set_up_peer: Callable[[Market], Run], repeats: int) -> Duel:
    market = simulate_market(n_stocks=COMPANIES, years=years)
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
        5.0,
        prepare_anew,
    ),
    Versus(
        f"share of loss-makers, {YEARS} years x {COMPANIES} companies (ours: all of profitability)",
        "pandas: once per filing day, merge_asof to sessions",
        0.1,
        prepare_joined,
    ),
]
