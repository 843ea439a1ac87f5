"""Breadth of the securities of a store, counted where their closes lie, and gone on with from what was counted before."""

import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from features.errors import DataError
from features.market import BAD_SHARE, Market
from features.membership import member_spans
from features.panel.closes import Closes, count_closes, go_on
from features.panel.recount import PanelBreadth, session_days
from features.panel.rows import MAX_GAP
from features.panel.saved import load_panel, save_panel
from features.panel.state import PanelState
from sources.store.derived import derived
from sources.store.kinds import KINDS
from sources.store.manifest import Manifest
from sources.store.names import Names
from sources.store.read import AsOf, buckets, named, read
from sources.store.tables import BUCKET, empty
from sources.store.vintages import FIRST

COLUMNS = ("id", "date", "close", "known_at")
READ = {"panel": COLUMNS, "quotes": COLUMNS, "actions": ("id", "date", "split", "dividend", "known_at")}
KEPT = {"id": pl.Int32, "date": pl.Int32, "close": pl.Float64, "known_at": pl.Int64}
"""`COLUMNS` of quotes as numbers, as they are kept."""

Counted = tuple[PanelBreadth, PanelState, pl.DataFrame]
"""Counts, the state they end with, and the quotes that the next ones are adjusted against."""


@dataclass(frozen=True)
class CountedPanel:
    """What is counted of a store.

    Attributes
    ----------
    root, manifests, answer, names : the store, the batches that count, the two instants, the dictionary
    quoted : securities whose quotes count, as total-return closes, besides the stored closes
    kept : file of counts and state, made anew where it does not fit
    """

    root: Path
    manifests: Sequence[Manifest]
    answer: AsOf
    names: Names
    quoted: Sequence[str]
    kept: Path

    def count(self, market: Market) -> Market:
        """Put counts into a market that has no panel."""
        spans = member_spans(market)
        ids = spans["security"].map(self.names.ids)
        spans = spans[ids.notna().to_numpy()].assign(security=ids.dropna().astype(np.int32))
        breadth, state, tail = self._gone_on(market, spans) or self._anew(market, spans, max(self.names.ids.values(), default=-1))
        kept = {name: tail[name].to_physical().to_numpy() for name in COLUMNS}
        # only speed hangs on it: a store is read as well from a disk that is full or may not be written to
        with suppress(OSError):
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            save_panel(self.kept, breadth, state, json.dumps(self._of(market.sessions, spans, state.day)), **kept)
        return market.with_counts(breadth)

    def _anew(self, market: Market, spans: pd.DataFrame, last_id: int) -> Counted:
        """Count all sessions, some securities at a time."""
        reach, tails = _reach(market.sessions, len(market.sessions)), [empty("quotes").select(COLUMNS)]
        late: list[tuple[int, int]] = []

        def blocks() -> Iterator[Closes]:
            for bucket in range(last_id // BUCKET + 1):
                found = self._read((bucket * BUCKET, (bucket + 1) * BUCKET - 1), None)
                tails.append(found["quotes"].filter(pl.col("date") >= reach).select(COLUMNS))
                closes = self._closes(found)
                if len(closes):
                    late.append((len(closes), _late(closes)))
                    yield _as_closes(closes)

        breadth, state = count_closes(blocks(), spans, market.sessions)
        n, n_late = sum(each[0] for each in late), sum(each[1] for each in late)
        if n_late > BAD_SHARE * n:
            raise DataError(
                f"market '{market.name}': {n_late} of {n} closes of the panel are known only after 00:00 UTC after their date; counts "
                f"leave those out; rule: at most {BAD_SHARE:.0%}; hold the panel (counted: false), or correct the rule of its known-at"
            )
        return breadth, state, pl.concat(tails)

    def _gone_on(self, market: Market, spans: pd.DataFrame) -> Counted | None:
        """Go on from what was counted before; None where that was of something else."""
        try:
            breadth, state, of, kept = load_panel(self.kept)
            told = dict(json.loads(of))
            tail = pl.DataFrame(kept, schema=KEPT).cast(empty("quotes").select(COLUMNS).schema).select(COLUMNS)
        except (DataError, ValueError, TypeError, LookupError, pl.exceptions.PolarsError):
            return None
        if not self._still_holds(told, breadth, state, market, spans):
            return None
        sessions, begin = market.sessions, len(breadth.days)
        if begin == len(sessions):
            return breadth, state, tail
        found = self._read(None, str(sessions[begin].date()))
        # an action of a session without a close acts on the next close, which may be the one that came now
        found["actions"] = self._read_of("actions", since=str(_reach(sessions, begin)))
        tail = pl.concat([tail, found["quotes"].select(COLUMNS)])
        closes = self._closes(found | {"quotes": tail.sort("id", "date")})
        breadth, state = go_on(breadth, state, _as_closes(_on_from(state, closes)), spans, sessions)
        return breadth, state, tail.filter(pl.col("date") >= _reach(sessions, len(sessions)))

    def _still_holds(self, told: dict[str, str], breadth: PanelBreadth, state: PanelState, market: Market, spans: pd.DataFrame) -> bool:
        """Say whether nothing came since that speaks of the sessions that were counted."""
        batch, known = told.pop("batch", None), told.pop("known", "")
        # backwards: most often it is one of the last
        at = next((k for k in reversed(range(len(self.manifests))) if self.manifests[k].sha256() == batch), None)
        if len(breadth.days) > len(market.sessions) or at is None or not known:
            return False
        now = self._of(market.sessions[: len(breadth.days)], spans, state.day)
        del now["batch"], now["known"]
        later = [file for manifest in self.manifests[at + 1 :] for file in manifest.files]
        touched = [file for file in later if file.table in READ or file.table.startswith("withdrawn/")]
        last = str(np.datetime64(state.day, "D"))
        if self._told_late(datetime.datetime.fromisoformat(known), last):
            return False
        return told == now and all(file.dates and file.dates[0] > last for file in touched)

    def _of(self, sessions: pd.DatetimeIndex, spans: pd.DataFrame, day: int) -> dict[str, str]:
        """Say what counts are of: other words, other counts."""
        n = len(sessions)
        before = spans[spans["first"] < n].assign(stop=np.minimum(spans["stop"], n))
        members = before[["security", "first", "stop"]].to_numpy(np.int64).tobytes()
        return {
            "batch": self.manifests[-1].sha256() if self.manifests else "",
            "known": self.answer.known.isoformat(),
            "sessions": _hash(session_days(sessions).tobytes()),
            "members": _hash(members),
            "quoted": _hash("\n".join(sorted(self.quoted)).encode()),
            "day": str(np.datetime64(day, "D")),
        }

    def _told_late(self, known: datetime.datetime, last: str) -> bool:
        """Say whether an action up to `last` became known after `known`: it acts from the next close on, whatever its date."""
        actions = self._read_of("actions").filter(pl.col("date") <= datetime.date.fromisoformat(last))
        return bool((actions["known_at"] > known).any())

    def _read(self, ids: tuple[int, int] | None, since: str | None) -> dict[str, pl.DataFrame]:
        return {name: self._read_of(name, ids, since) for name in READ}

    def _read_of(self, name: str, ids: tuple[int, int] | None = None, since: str | None = None) -> pl.DataFrame:
        known, recorded, columns = self.answer.known, self.answer.recorded, [*READ[name], "vintage"]
        return read(self.root, self.manifests, name, known, recorded, FIRST, ids, since, columns)

    def _closes(self, found: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """Adjust quotes, and put the stored closes among them."""
        stored = found["panel"].select(COLUMNS)
        if not self.quoted or not len(found["quotes"]):
            return stored
        names = self.names.frame()
        raw = {name: named(found[name], name, names) for name in ("quotes", "actions")}
        rows = derived(AsOf(self.answer.known, self.answer.recorded, raw), self.quoted, together=True)[0]
        return pl.concat([stored, rows.drop("close").rename({"adj_close": "close"}).select(COLUMNS)]).sort("id", "date")


def _reach(sessions: pd.DatetimeIndex, end: int) -> datetime.date:
    """First date whose close may still be the last of a security when the session `end` comes."""
    day: datetime.date = sessions[max(0, end - 1 - MAX_GAP)].date()
    return day


def _on_from(state: PanelState, closes: pl.DataFrame) -> pl.DataFrame:
    """Scale closes that begin with a security's last one before the state, so that this one is what the state holds."""
    before = closes.filter(pl.col("date") <= pl.lit(state.day).cast(pl.Date))
    before = before.group_by("id").agg(pl.col("close").sort_by("date").last().alias("then"))
    held = pl.DataFrame({"id": state.ids, "held": state.closes[-1]})
    factor = (pl.col("held") / pl.col("then")).fill_nan(None).fill_null(1.0)
    scaled = closes.join(before, on="id", how="left").join(held, on="id", how="left").with_columns(pl.col("close") * factor)
    return scaled.filter(pl.col("date") > pl.lit(state.day).cast(pl.Date)).sort("id", "date")


def without_panel(
    root: Path, manifests: Sequence[Manifest], known: datetime.datetime, recorded: datetime.datetime, names: Names, panel: Sequence[str]
) -> AsOf:
    """Read all that a market holds but the panel: neither stored closes nor the quotes of its securities."""
    securities = pl.Series([names.ids[name] for name in panel if name in names.ids], dtype=pl.Int32).implode()
    dictionary = names.frame()
    frames = {name: named(read(root, manifests, name, known, recorded, FIRST), name, dictionary) for name in KINDS if name not in READ}
    for name in ("quotes", "actions"):
        parts = [part.filter(~pl.col("id").is_in(securities)) for part in buckets(root, manifests, name, known, recorded, FIRST)]
        frames[name] = named(pl.concat(parts or [empty(name)]), name, dictionary)
    frames["panel"] = named(empty("panel"), "panel", dictionary)
    return AsOf(known, recorded, frames)


def _late(closes: pl.DataFrame) -> int:
    over = (pl.col("date").cast(pl.Datetime("us")) + pl.duration(days=1)).dt.replace_time_zone("UTC")
    return int(closes.select((pl.col("known_at") > over).sum()).item())


def _as_closes(rows: pl.DataFrame) -> Closes:
    return Closes(
        rows["id"].to_numpy(), rows["date"].to_physical().to_numpy(), rows["close"].to_numpy(), rows["known_at"].to_physical().to_numpy()
    )


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
