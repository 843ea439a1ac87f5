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
from features.market import Market
from features.membership import member_spans
from features.panel.closes import Closes, count_closes, go_on
from features.panel.recount import PanelBreadth, session_days
from features.panel.saved import load_panel, save_panel
from features.panel.state import PanelState
from features.quarantine import BAD_SHARE
from sources.store.derived import FACTORS, derived
from sources.store.kinds import KINDS
from sources.store.manifest import Manifest
from sources.store.names import Names
from sources.store.read import AsOf, buckets, named, read
from sources.store.tables import BUCKET, empty
from sources.store.vintages import FIRST

COLUMNS = ("id", "date", "close", "known_at")
READ = {"panel": COLUMNS, "quotes": COLUMNS, "actions": ("id", "date", "split", "dividend", "known_at")}
LAST = pl.Schema(
    {
        "id": pl.Int32(),
        "date": pl.Date(),
        "close": pl.Float64(),
        "known_at": pl.Datetime("us", "UTC"),
        "split_factor": pl.Float64(),
        "gross_factor": pl.Float64(),
    }
)
"""The last quote of each security, as traded, and its factors: what comes is adjusted on from there, to the bits of a recount."""

Counted = tuple[PanelBreadth, PanelState, pl.DataFrame]
"""Counts, the state they end with, and the last quotes (`LAST`)."""


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
        breadth, state, last = self._gone_on(market, spans) or self._anew(market, spans, max(self.names.ids.values(), default=-1))
        kept = {name: last[name].to_physical().to_numpy() for name in LAST.names()}
        # only speed hangs on it: a store is read as well from a disk that is full or may not be written to
        with suppress(OSError):
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            save_panel(self.kept, breadth, state, json.dumps(self._of(market.sessions, spans, state.day)), **kept)
        return market.with_counts(breadth)

    def _anew(self, market: Market, spans: pd.DataFrame, last_id: int) -> Counted:
        """Count all sessions, some securities at a time."""
        last = [LAST.to_frame()]
        late: list[tuple[int, int]] = []

        def blocks() -> Iterator[Closes]:
            for bucket in range(last_id // BUCKET + 1):
                closes, own = self._closes(self._read((bucket * BUCKET, (bucket + 1) * BUCKET - 1), None), last[0])
                last.append(own)
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
        return breadth, state, pl.concat(last)

    def _gone_on(self, market: Market, spans: pd.DataFrame) -> Counted | None:
        """Go on from what was counted before; None where that was of something else."""
        try:
            breadth, state, of, kept = load_panel(self.kept)
            told = dict(json.loads(of))
            last = pl.DataFrame({name: kept[name] for name in LAST.names()}).cast(LAST)
        except (DataError, ValueError, TypeError, LookupError, pl.exceptions.PolarsError):
            return None
        if not self._still_holds(told, breadth, state, market, spans):
            return None
        sessions, begin = market.sessions, len(breadth.days)
        if begin == len(sessions):
            return breadth, state, last
        found = self._read(None, str(sessions[begin].date()))
        # an action of a session without a close acts on the next close, however much later that comes
        since = last.select("id", pl.col("date").alias("since"))
        actions = self._read_of("actions").join(since, on="id", how="left")
        actions = actions.filter(pl.col("since").is_null() | (pl.col("date") > pl.col("since")))
        quotes = pl.concat([last.select(COLUMNS), found["quotes"].select(COLUMNS)]).sort("id", "date")
        closes, newest = self._closes(found | {"actions": actions.drop("since"), "quotes": quotes}, last)
        new = closes.filter(pl.col("date") > pl.lit(state.day).cast(pl.Date))
        breadth, state = go_on(breadth, state, _as_closes(new), spans, sessions)
        return breadth, state, newest

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

    def _closes(self, found: Mapping[str, pl.DataFrame], before: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Adjust quotes, and put the stored closes among them.

        Parameters
        ----------
        found : records by kind
        before : `LAST` of the securities whose quotes go on from there

        Returns
        -------
        closes : `COLUMNS`, sorted
        last : `LAST` of these quotes
        """
        stored = found["panel"].select(COLUMNS)
        if not self.quoted or not len(found["quotes"]):
            return stored, LAST.to_frame()
        names = self.names.frame()
        raw = {name: named(found[name], name, names) for name in ("quotes", "actions")}
        known = before.join(names, on="id", how="left").select("name", *FACTORS)
        start = {name: (split, gross) for name, split, gross in known.iter_rows()}
        rows = derived(AsOf(self.answer.known, self.answer.recorded, raw), self.quoted, together=True, start=start)[0]
        last = rows.group_by("id", maintain_order=True).last().select("id", "date", "known_at", *FACTORS)
        last = last.join(found["quotes"].select("id", "date", "close"), on=["id", "date"], how="left", maintain_order="left")
        closes = rows.select("id", "date", pl.col("adj_close").alias("close"), "known_at")
        return pl.concat([stored, closes]).sort("id", "date"), last.select(LAST.names())


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
