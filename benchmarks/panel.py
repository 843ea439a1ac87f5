"""Breadth of a panel on disk: of its whole history, and of one new session."""

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
from benchmarks.panel_simulation import sessions
from benchmarks.process import own_peak_mb
from features.panel.layout import PanelLayout, open_panel, session_days, write_buckets
from features.panel.recount import PanelBreadth, recount
from features.panel.saved import load_panel, save_panel
from features.panel.update import PanelDay, update

STOCKS, MANY_STOCKS = 7_500, 30_000
BUCKETS = 64
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
        words = [sys.executable, "-m", "benchmarks.panel_simulation", str(self.folder / "panel"), str(n_stocks), str(BUCKETS)]
        subprocess.run(words, cwd=ROOT, check=True)
        self.layout: PanelLayout = open_panel(self.folder / "panel")
        self.sessions = sessions()

    def count(self) -> PanelBreadth:
        """Count all of it anew."""
        return recount(self.layout, self.sessions)[0]


def prepare_bucketed() -> Duel:
    panel = Panel(STOCKS)

    def set_up_peer() -> Callable[[], pd.DataFrame]:
        from benchmarks.peers.pandas_panel import count_bucketed

        paths = [panel.layout.path(bucket) for bucket in range(BUCKETS)]
        return lambda: count_bucketed(paths)

    return Duel(panel.count, set_up_peer, _same, repeats=1)


def prepare_by_date(peer: str) -> Duel:
    panel = Panel(STOCKS)

    def set_up_peer() -> Callable[[], pd.DataFrame]:
        from benchmarks.peers import pandas_panel

        count = getattr(pandas_panel, peer)
        path = panel.folder / "by-date.parquet"
        rows = pl.concat([pl.read_parquet(panel.layout.path(bucket)) for bucket in range(BUCKETS)]).sort("date", "id")
        rows.select(pl.format("T{}", pl.col("id").cast(pl.String).str.zfill(5)).alias("ticker"), "date", "close").write_parquet(path)
        return lambda: count(path)

    return Duel(panel.count, set_up_peer, _same, repeats=1)


def prepare_new_day() -> Duel:
    panel = Panel(STOCKS)
    before, newest = panel.sessions[:-1], panel.sessions[-1]
    of_day = pl.col("date") == newest.date()
    buckets = [panel.layout.path(bucket) for bucket in range(BUCKETS)]
    rows = pl.concat([pl.read_parquet(path).filter(of_day) for path in buckets])
    earlier = write_buckets((pl.read_parquet(path).filter(~of_day) for path in buckets), panel.folder / "earlier", BUCKETS)
    save_panel(panel.folder / "stored.npz", *recount(earlier, before))
    previous, day = session_days(panel.sessions)[-2:].tolist()
    new = PanelDay(day, previous, *(rows[name].to_numpy() for name in ("id", "close", "member")))

    def step() -> PanelBreadth:
        breadth, state = load_panel(panel.folder / "stored.npz")
        state, everyone, members = update(state, new)
        breadth = breadth.with_session(state.day, everyone, members)
        save_panel(panel.folder / "new.npz", breadth, state)
        return breadth

    return Duel(step, lambda: panel.count, _same_to_the_end, repeats=5, calls=5)


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


WHAT = "breadth of a panel on disk, {} million rows, {:,} stocks x 6,500 sessions"
WHOLE = f"{WHAT.format(16, STOCKS)}: all counts (ours: of the members as well)"

WORKS: list[Versus | Limits] = [
    Versus(WHOLE, "pandas: groupby and rolling, file by file", 3.0, prepare_bucketed),
    Versus(
        WHOLE, "pandas: one file in order of date, by ticker: groupby, transform, rolling", 10.0, partial(prepare_by_date, "count_by_date")
    ),
    Versus(WHOLE, "pandas: the same file, tickers coded and stocks sorted first", 4.0, partial(prepare_by_date, "count_by_date_sorted")),
    Versus("one new session of a panel of 16 million rows, state read and written", "ours: all counted anew", 20.0, prepare_new_day),
    Limits(WHAT.format(16, STOCKS), {"limit of 500 MB": (500.0, "peak_mb")}, partial(within, STOCKS)),
    Limits(WHAT.format(64, MANY_STOCKS), {"limit of 2 GB": (2048.0, "peak_mb")}, partial(within, MANY_STOCKS)),
]
