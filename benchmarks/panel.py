"""Breadth of a panel in a store: of its whole history, and of one new session."""

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.measure import Cost, Duel, Limits, Versus
from benchmarks.panel_simulation import NEWEST, names_of, sessions
from benchmarks.process import own_peak_mb
from features.market import Market
from features.panel.recount import PanelBreadth
from sources.store import Store

STOCKS, MANY_STOCKS = 7_500, 30_000
PARTS = 64
KNOWN = pd.Timestamp("2030-01-01", tz="UTC")
TOLERANCE = 1e-9
"""Of sums of returns; counts are equal but for ties."""

SAME = 1e-12
"""Of sums of returns, after one session and after all of them."""

SUMS = ["return_sum", "swing_sum", "swing_squares"]
ROOT = Path(__file__).resolve().parent.parent


class Panel:
    """A simulated panel in a folder of its own, gone with the process; another process writes it, so that memory is that of the reader."""

    def __init__(self, n_stocks: int) -> None:
        self._kept = tempfile.TemporaryDirectory()
        self.folder = Path(self._kept.name)
        words = [sys.executable, "-m", "benchmarks.panel_simulation", str(self.folder), str(n_stocks), str(PARTS)]
        subprocess.run(words, cwd=ROOT, check=True)
        self.store = Store.open(self.folder / "store")
        self.parts = sorted(self.folder.glob("part-*.parquet"))
        self.sessions = sessions()
        self._file = itertools.count()

    def market(self, counts: Path) -> Market:
        """Read the store as a market whose panel is counted."""
        start, end = self.sessions[0].date(), self.sessions[-1].date()
        return self.store.to_market(KNOWN, name="panel", start=start, end=end, quoted=[], counts=counts)

    def count(self) -> PanelBreadth:
        """Count all of it anew: nothing is there to go on from."""
        counted = self.market(self.folder / f"counts-{next(self._file)}.npz").counted
        assert counted is not None
        return counted

    def add_newest(self) -> None:
        """Write the last session."""
        self.store.write({}, panel=pl.read_parquet(self.folder / NEWEST), source="newest session")


def prepare_bucketed(peer: str) -> Duel:
    panel = Panel(STOCKS)
    panel.add_newest()

    def set_up_peer() -> Callable[[], pd.DataFrame]:
        from benchmarks.peers import pandas_panel

        count = getattr(pandas_panel, peer)
        return lambda: count(panel.parts)

    return Duel(panel.count, set_up_peer, _same, repeats=1)


def prepare_by_date(peer: str) -> Duel:
    panel = Panel(STOCKS)
    panel.add_newest()

    def set_up_peer() -> Callable[[], pd.DataFrame]:
        from benchmarks.peers import pandas_panel

        count = getattr(pandas_panel, peer)
        path = panel.folder / "by-date.parquet"
        rows = pl.concat([pl.read_parquet(part) for part in panel.parts]).sort("date", "id")
        rows.select(names_of(pl.col("id")).alias("ticker"), "date", "close").write_parquet(path)
        return lambda: count(path)

    return Duel(panel.count, set_up_peer, _same, repeats=1)


def prepare_new_day() -> Duel:
    """Ours reads the counts of yesterday, what came with the new session, and keeps the counts of today."""
    panel = Panel(STOCKS)
    before = panel.folder / "yesterday.npz"
    yesterday = panel.sessions[-2].date()
    panel.store.to_market(KNOWN, name="panel", start=panel.sessions[0].date(), end=yesterday, quoted=[], counts=before)
    panel.add_newest()

    def step() -> PanelBreadth:
        today = panel.folder / "today.npz"
        # it is replaced, not written over
        today.unlink(missing_ok=True)
        os.link(before, today)
        counted = panel.market(today).counted
        assert counted is not None
        return counted

    return Duel(step, lambda: panel.count, _same_to_the_end, repeats=3, calls=3)


def within(n_stocks: int) -> Cost:
    """Count a panel and say what it took, its simulation left out."""
    panel = Panel(n_stocks)
    start, wall = time.process_time(), time.perf_counter()
    breadth = panel.count()
    cost = Cost(time.process_time() - start, time.perf_counter() - wall, own_peak_mb())
    assert breadth.everyone.counts[0].sum() > 2_100 * n_stocks  # closes
    return cost


def _same(ours: PanelBreadth, peer: pd.DataFrame) -> None:
    counts = ours.universes()["panel"]
    counts["alive"] = counts.pop("expected")
    assert len(ours.days) == len(peer) > 0
    for name in peer:
        ties = counts[f"ties_{name.removeprefix('above_')}"] if name.startswith("above_") else 0.0
        np.testing.assert_array_less(
            np.abs(counts[name] - peer[name].to_numpy()), (TOLERANCE if name in SUMS else ties + 0.5), err_msg=name
        )


def _same_to_the_end(ours: PanelBreadth, again: PanelBreadth) -> None:
    for mine, theirs in ((ours.everyone, again.everyone), (ours.members, again.members)):
        np.testing.assert_array_equal(mine.counts, theirs.counts)
        np.testing.assert_array_equal(mine.expected, theirs.expected)
        np.testing.assert_allclose(mine.sums, theirs.sums, rtol=SAME, atol=SAME)


WHAT = "breadth of a panel in a store, {} million rows, {:,} stocks x 6,500 sessions"
WHOLE = f"{WHAT.format(16, STOCKS)}: all counts (ours: of the members as well)"

WORKS: list[Versus | Limits] = [
    Versus(WHOLE, "pandas: groupby, transform, rolling, file by file", 3.0, partial(prepare_bucketed, "count_bucketed")),
    Versus(WHOLE, "pandas: groupby and rolling over groups, file by file", 1.4, partial(prepare_bucketed, "count_bucketed_sorted")),
    Versus(
        WHOLE, "pandas: one file in order of date, by ticker: groupby, transform, rolling", 5.0, partial(prepare_by_date, "count_by_date")
    ),
    Versus(WHOLE, "pandas: the same file, tickers coded and stocks sorted first", 2.5, partial(prepare_by_date, "count_by_date_sorted")),
    Versus("one new session of a panel of 16 million rows, state read and written", "ours: all counted anew", 20.0, prepare_new_day),
    Limits(WHAT.format(16, STOCKS), {"limit of 500 MB": (500.0, "peak_mb")}, partial(within, STOCKS)),
    Limits(WHAT.format(64, MANY_STOCKS), {"limit of 2 GB": (2048.0, "peak_mb")}, partial(within, MANY_STOCKS)),
]
