"""Breadth of 13 years of 600 stocks."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.measure import Duel, Versus
from features.breadth import count_universes
from features.market import Market
from features.membership import member_spans
from sources import simulate_market

STOCKS = 600
TOLERANCE = 1e-9
"""Of sums of returns; counts are equal."""

Run = Callable[[], pd.DataFrame]

SUMS = ["return_sum", "swing_sum", "swing_squares"]


def prepare_all() -> Duel:
    def set_up_peer(market: Market) -> Run:
        from benchmarks.peers.pandas_breadth import count_all

        closes = long_closes(market.panel.close)
        return lambda: count_all(closes)

    return _prepare(set_up_peer)


def prepare_one() -> Duel:
    def set_up_peer(market: Market) -> Run:
        from benchmarks.peers.pandas_breadth import count_above

        closes = long_closes(market.panel.close)
        return lambda: count_above(closes, 200)

    return _prepare(set_up_peer)


def long_closes(panel: pd.DataFrame) -> pd.DataFrame:
    """Lay a panel, sessions x securities, out as the long frame that the peer works on."""
    return pd.DataFrame(
        {
            "security": np.repeat(panel.columns.to_numpy(), len(panel)),
            "session": np.tile(panel.index.to_numpy(), panel.shape[1]),
            "close": panel.to_numpy().ravel(order="F"),
        }
    )


def _prepare(set_up_peer: Callable[[Market], Run]) -> Duel:
    market = simulate_market(n_stocks=STOCKS)

    def ours() -> pd.DataFrame:
        # one pass counts the index members as well; the peer leaves them out
        counts = count_universes(market, member_spans(market))["panel"]
        return pd.DataFrame(counts, index=market.sessions).rename(columns={"expected": "alive"})

    return Duel(ours, lambda: set_up_peer(market), _same, repeats=5)


def _same(ours: pd.DataFrame, peer: pd.DataFrame) -> None:
    assert len(ours) == len(peer) > 0
    for name in peer:
        tolerance = TOLERANCE if name in SUMS else 0.0
        np.testing.assert_allclose(ours[name], peer[name], rtol=0, atol=tolerance, err_msg=str(name))


WORKS = [
    Versus(
        f"breadth, 13 years x {STOCKS} stocks: all 16 counts (ours: of the members as well)",
        "pandas: groupby and rolling on a long frame",
        1.4,
        prepare_all,
    ),
    Versus(
        f"breadth, 13 years x {STOCKS} stocks: above the 200-day average alone (ours: all 16 counts, of the members as well)",
        "pandas: groupby and rolling on a long frame",
        0.33,
        prepare_one,
    ),
]
