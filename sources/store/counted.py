"""Breadth of the securities of a store, counted where their closes lie, and gone on with from what was counted before."""

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from features.errors import DataError
from features.market import Market
from features.membership import member_spans
from features.panel.closes import Closes, count_closes, go_on
from features.panel.recount import PanelBreadth, session_days
from features.panel.rows import MAX_GAP
from features.panel.saved import load_panel, save_panel
from features.panel.state import PanelState
from sources.store.derived import derived
from sources.store.kinds import KINDS
from sources.store.manifest import Manifest
from sources.store.names import read_names
from sources.store.read import AsOf, buckets, named, read
from sources.store.tables import BUCKET, empty
from sources.store.vintages import FIRST

READ = ("panel", "quotes", "actions")
COLUMNS = ("id", "date", "close", "known_at")


@dataclass(frozen=True)
class CountedPanel:
    """What is counted of a store.

    Attributes
    ----------
    root, manifests, answer : the store, the batches that count, and the two instants
    quoted : securities whose quotes count, as total-return closes, besides the stored closes
    kept : file of counts and state, made anew where it does not fit
    """

    root: Path
    manifests: Sequence[Manifest]
    answer: AsOf
    quoted: Sequence[str]
    kept: Path

    def count(self, market: Market) -> Market:
        """Put counts into a market that has no panel."""
        names = read_names(self.root, self.manifests)
        spans = member_spans(market)
        ids = spans["security"].map(names.ids)
        spans = spans[ids.notna().to_numpy()].assign(security=ids.dropna().astype(np.int32))
        breadth, state = self._gone_on(market, spans) or count_closes(self._blocks(names.ids), spans, market.sessions)
        self.kept.parent.mkdir(parents=True, exist_ok=True)
        save_panel(self.kept, breadth, state, json.dumps(self._of(market.sessions, spans, state.day)))
        return market.with_counts(breadth)

    def _gone_on(self, market: Market, spans: pd.DataFrame) -> tuple[PanelBreadth, PanelState] | None:
        """Go on from what was counted before; None where that was of something else."""
        try:
            breadth, state, of = load_panel(self.kept)
            told = json.loads(of)
        except (DataError, ValueError):
            return None
        known = {manifest.sha256(): number for number, manifest in enumerate(self.manifests)}
        batch = told.pop("batch", None)
        if len(breadth.days) > len(market.sessions) or batch not in known:
            return None
        now = self._of(market.sessions[: len(breadth.days)], spans, state.day)
        del now["batch"]
        later = [file for manifest in self.manifests[known[batch] + 1 :] for file in manifest.files]
        touched = [file for file in later if file.table in READ or file.table.startswith("withdrawn/")]
        last = str(np.datetime64(state.day, "D"))
        if told != now or any(not file.dates or file.dates[0] <= last for file in touched):
            return None
        if len(breadth.days) == len(market.sessions):
            return breadth, state
        return go_on(breadth, state, self._since(state, market.sessions), spans, market.sessions)

    def _of(self, sessions: pd.DatetimeIndex, spans: pd.DataFrame, day: int) -> dict[str, str]:
        """Say what counts are of: other words, other counts."""
        n = len(sessions)
        before = spans[spans["first"] < n].assign(stop=np.minimum(spans["stop"], n))
        members = before[["security", "first", "stop"]].to_numpy(np.int64).tobytes()
        return {
            "batch": self.manifests[-1].sha256() if self.manifests else "",
            "sessions": _hash(session_days(sessions).tobytes()),
            "members": _hash(members),
            "quoted": _hash("\n".join(sorted(self.quoted)).encode()),
            "day": str(np.datetime64(day, "D")),
        }

    def _blocks(self, ids: Mapping[str, int]) -> Iterator[Closes]:
        """Read closes some securities at a time."""
        if not ids:
            return
        for bucket in range(max(ids.values()) // BUCKET + 1):
            span = (bucket * BUCKET, (bucket + 1) * BUCKET - 1)
            rows = self._closes(span, None)
            if len(rows):
                yield _as_closes(rows)

    def _since(self, state: PanelState, sessions: pd.DatetimeIndex) -> Closes:
        """Read the closes after a state, adjusted on from where it ended."""
        reach = max(0, int(np.searchsorted(session_days(sessions), state.day)) - MAX_GAP)
        rows = self._closes(None, str(sessions[reach].date()))
        before = rows.filter(pl.col("date") <= pl.lit(state.day).cast(pl.Date))
        before = before.group_by("id").agg(pl.col("close").sort_by("date").last().alias("then"))
        held = pl.DataFrame({"id": state.ids, "held": state.closes[-1]})
        scaled = rows.join(before, on="id", how="left").join(held, on="id", how="left")
        factor = (pl.col("held") / pl.col("then")).fill_nan(None).fill_null(1.0)
        return _as_closes(scaled.with_columns(pl.col("close") * factor).sort("id", "date"))

    def _closes(self, ids: tuple[int, int] | None, since: str | None) -> pl.DataFrame:
        """Read stored closes, and adjust those that are quoted."""
        manifests, answer = self.manifests, self.answer
        found = {name: read(self.root, manifests, name, answer.known, answer.recorded, FIRST, ids, since) for name in READ}
        parts = [found["panel"].select(COLUMNS)]
        if self.quoted and len(found["quotes"]):
            names = read_names(self.root, manifests).frame()
            raw = AsOf(answer.known, answer.recorded, {name: named(found[name], name, names) for name in ("quotes", "actions")})
            parts.append(derived(raw, self.quoted, together=True)[0].drop("close").rename({"adj_close": "close"}).select(COLUMNS))
        return pl.concat(parts).sort("id", "date")


def without_panel(
    root: Path, manifests: Sequence[Manifest], known: datetime.datetime, recorded: datetime.datetime, panel: Sequence[str]
) -> AsOf:
    """Read all that a market holds but the panel: neither stored closes nor the quotes of its securities."""
    names = read_names(root, manifests)
    securities = pl.Series([names.ids[name] for name in panel if name in names.ids], dtype=pl.Int32).implode()
    dictionary = names.frame()
    frames = {name: named(read(root, manifests, name, known, recorded, FIRST), name, dictionary) for name in KINDS if name not in READ}
    for name in ("quotes", "actions"):
        parts = [part.filter(~pl.col("id").is_in(securities)) for part in buckets(root, manifests, name, known, recorded, FIRST)]
        frames[name] = named(pl.concat(parts or [empty(name)]), name, dictionary)
    frames["panel"] = named(empty("panel"), "panel", dictionary)
    return AsOf(known, recorded, frames)


def _as_closes(rows: pl.DataFrame) -> Closes:
    return Closes(
        rows["id"].to_numpy(), rows["date"].to_physical().to_numpy(), rows["close"].to_numpy(), rows["known_at"].to_physical().to_numpy()
    )


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
