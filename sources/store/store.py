"""The store: an append-only folder of Parquet files that keeps every vintage of every record."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import polars as pl

from features.errors import DataError
from features.market import Market, Panel
from features.schemas import SCHEMAS
from sources.store.compact import SMALL_ROWS, Compaction, compact
from sources.store.counted import CountedPanel, without_panel
from sources.store.incoming import from_frame
from sources.store.incoming_long import from_long
from sources.store.incoming_panel import from_panel
from sources.store.kinds import KINDS
from sources.store.lock import WAIT_S
from sources.store.manifest import files_of, read_manifests
from sources.store.migrations import refuse_old
from sources.store.names import read_names
from sources.store.read import AsOf, as_of, buckets, instant, quarantined, settled
from sources.store.retract import retract
from sources.store.root import create_root, read_root
from sources.store.status import status
from sources.store.tables import collect, scan
from sources.store.to_market import to_market
from sources.store.verify import Difference, verify
from sources.store.vintages import FIRST, NEWEST
from sources.store.write import Batch, write_batch

Instant = pd.Timestamp | datetime.datetime


def utc_now() -> datetime.datetime:
    """Give the time of the machine, in UTC."""
    return datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True)
class Store:
    """Records of a market with the instant from which each could be used, the instant at which it was written, and its source.

    Nothing is ever overwritten: another value of a key is a further vintage of it, and a record that a source no longer gives
    stays. A write is visible whole or not at all, whenever it is killed; one process writes at a time, any number read.

    Attributes
    ----------
    root : folder on the local disk
    simulated : whether the records are simulated
    clock : the time, UTC, which stamps what is written; the stamps rise even where it was set back
    """

    root: Path
    simulated: bool
    clock: Callable[[], datetime.datetime] = field(default=utc_now, repr=False, compare=False)

    @classmethod
    def create(cls, root: str | Path, *, simulated: bool = False, clock: Callable[[], datetime.datetime] = utc_now) -> "Store":
        """Make a store in an empty or absent folder, or open the one that is there."""
        create_root(Path(root), simulated=simulated)
        return cls.open(root, clock=clock)

    @classmethod
    def open(cls, root: str | Path, *, clock: Callable[[], datetime.datetime] = utc_now) -> "Store":
        """Open a store.

        Raises
        ------
        DataError
            Where there is none, or its files have another version than this program's.
        """
        path = Path(root).resolve()
        found = read_root(path)
        refuse_old(path, found)
        return cls(path, found.simulated, clock)

    def write(
        self,
        frames: Mapping[str, pd.DataFrame | pl.DataFrame],
        *,
        source: str,
        panel: Panel | pl.DataFrame | None = None,
        origin: Mapping[str, str] | None = None,
        seen: Instant | None = None,
        wait_s: float = WAIT_S,
    ) -> Batch:
        """Write one batch: all of it becomes visible at once. Records that are there already add nothing.

        Parameters
        ----------
        frames : frames of `sources.store.schemas` by name (`quotes` may be of polars: `incoming_long.LONG_QUOTES`); a column `source`
            says where single records come from
        source : where the others come from
        panel : closes of many securities, wide or long (`incoming_long.LONG`)
        origin : file each series came from, for error texts
        seen : instant at which a source was asked that does not say when it revised a value: a revision is known from then on, not from
            when the first print was. A record then belongs to the source that gave it first: what others say of it is left out. None where
            records say themselves when they were known.
        wait_s : seconds to wait for another writer

        Raises
        ------
        DataError
            Where the frames break a rule; nothing is written then.
        StoreBusyError
            Where another process is still writing after `wait_s`.
        """
        found = [
            from_long(name, frame, source) if isinstance(frame, pl.DataFrame) else from_frame(name, frame, source, origin or {})
            for name, frame in frames.items()
        ]
        if panel is not None:
            found.append(from_panel(panel, source))
        return write_batch(self.root, found, source, self.clock, wait_s, None if seen is None else instant(seen, "seen"))

    def write_market(self, market: Market, *, source: str, wait_s: float = WAIT_S) -> Batch:
        """Write everything a market holds; a simulated one goes only into a store of simulated records."""
        if market.simulated != self.simulated:
            raise DataError(
                f"store '{self.root}': simulated is {self.simulated}, of market '{market.name}' it is {market.simulated}; "
                "rule: never both in one"
            )
        frames = {name: getattr(market, name) for name in SCHEMAS if len(getattr(market, name))}
        panel = market.panel if market.panel.close.shape[1] else None
        return self.write(frames, source=source, panel=panel, wait_s=wait_s)

    def retract(self, kind: str, records: pl.DataFrame, *, reason: str, wait_s: float = WAIT_S) -> Batch:
        """Withdraw vintages that should not have been written, as where a source told a wrong `known_at`.

        From this batch on no answer holds them, unless it is asked for what was recorded before. The same record may be written again: it
        is a further vintage then.

        Parameters
        ----------
        records : rows of an answer of `as_of`, at least the key with `id`, and `vintage`
        reason : stored with them
        """
        return retract(self.root, kind, records, reason, self.clock, wait_s)

    def compact(self, *, small_rows: int = SMALL_ROWS, wait_s: float = WAIT_S) -> Compaction:
        """Put files with fewer than `small_rows` rows together, table by table; every answer stays the same (`sources.store.compact`)."""
        return compact(self.root, self.clock, wait_s, small_rows)

    def as_of(
        self,
        known: Instant,
        recorded: Instant | None = None,
        *,
        kinds: Sequence[str] = tuple(KINDS),
        prints: str = NEWEST,
        wait_s: float = WAIT_S,
    ) -> AsOf:
        """Read what was known at `known`, as far as it was recorded by `recorded`.

        For each key the newest vintage with `known_at <= known` and `recorded_at <= recorded`; the end of a membership is open until
        `known` reaches it. Both given, the answer has the same bits for ever, whatever is written later.

        Parameters
        ----------
        known, recorded : with a time zone; `recorded` None for the last batch, whose time is in the answer
        kinds : what to read
        prints : `newest`, or `first` for the first print of each key (kinds that become known in order, and the panel)
        wait_s : seconds to wait for a writer, where `recorded` is later than the last batch
        """
        manifests, moment = settled(self.root, recorded, self.clock, wait_s)
        return as_of(self.root, manifests, instant(known, "known"), moment, kinds, prints)

    def buckets(self, kind: str, known: Instant, recorded: Instant | None = None, *, prints: str = NEWEST) -> Iterator[pl.DataFrame]:
        """Read one kind as `as_of` does, some ids at a time and without names, so that memory stays bounded."""
        manifests, moment = settled(self.root, recorded, self.clock, WAIT_S)
        return buckets(self.root, manifests, kind, instant(known, "known"), moment, prints)

    def n_batches(self) -> int:
        """Count the batches since the last compaction."""
        return sum(manifest.replaced is None for manifest in read_manifests(self.root))

    def series(self, kind: str) -> list[str]:
        """Name what there are records of, whenever known."""
        manifests = read_manifests(self.root)
        ids = collect(self.root, scan(self.root, kind, files_of(manifests, kind)).select(pl.col("id").unique()))
        names = read_names(self.root, manifests).frame()
        return sorted(names.filter(pl.col("id").is_in(ids["id"].implode()))["name"].to_list())

    def names(self) -> pl.DataFrame:
        """Give the dictionary: `id`, `name`."""
        return read_names(self.root, read_manifests(self.root)).frame()

    def quarantined(self, recorded: Instant | None = None) -> pl.DataFrame:
        """List records that were set aside: frame, series, date, rule, known_at, recorded_at, source."""
        return quarantined(self.root, *settled(self.root, recorded, self.clock, WAIT_S))

    def to_market(
        self,
        known: Instant,
        recorded: Instant | None = None,
        *,
        name: str,
        note: str = "",
        start: datetime.date | None = None,
        end: datetime.date | None = None,
        prints: str = FIRST,
        quoted: Sequence[str] | None = None,
        panel: Sequence[str] = (),
        counts: Path | None = None,
    ) -> Market:
        """Build a market of what was known.

        Quotes are adjusted forward by the actions known when each became known (`sources.store.derived`): a row, once there, keeps its
        bits in every market of a later `known`.

        A market has one vintage a key, so it takes first prints unless told otherwise: with the newest vintage, a value revised
        later would become known after its successors and be set aside, and rows that were computed before would change.

        Parameters
        ----------
        known, recorded, prints : as for `as_of`
        name, note : shown wherever results are shown
        start, end : first and last session; None for the first and last date of `prices`
        quoted : series whose prices come from quotes, whatever prices are stored of them; None for all that have quotes and are not in
            `panel`, where it is a DataError if one of them has stored prices too
        panel : securities whose quotes, as total-return closes, are columns of the panel beside the stored ones
        counts : file to keep counts in; the panel is then counted a bucket at a time and not held, and from one session to the next only
            what came is counted. First prints.
        """
        if counts is not None:
            return self._counted(known, recorded, name, note, start, end, quoted, panel, counts)
        answer = self.as_of(known, recorded, prints=prints)
        aside = self.quarantined(answer.recorded).filter(pl.col("known_at") <= answer.known)
        return to_market(answer, aside, name=name, note=note, simulated=self.simulated, start=start, end=end, quoted=quoted, panel=panel)

    def _counted(
        self,
        known: Instant,
        recorded: Instant | None,
        name: str,
        note: str,
        start: datetime.date | None,
        end: datetime.date | None,
        quoted: Sequence[str] | None,
        panel: Sequence[str],
        counts: Path,
    ) -> Market:
        manifests, moment = settled(self.root, recorded, self.clock, WAIT_S)
        names = read_names(self.root, manifests)
        answer = without_panel(self.root, manifests, instant(known, "known"), moment, names, panel)
        aside = quarantined(self.root, manifests, moment).filter(pl.col("known_at") <= answer.known)
        market = to_market(answer, aside, name=name, note=note, simulated=self.simulated, start=start, end=end, quoted=quoted, panel=())
        return CountedPanel(self.root, manifests, answer, names, panel, counts).count(market)

    def status(self, now: Instant | None = None) -> pl.DataFrame:
        """Describe every series: first, last, age, gaps, revisions, quarantined records (`sources.store.status`)."""
        return status(self.root, read_manifests(self.root), self.clock() if now is None else instant(now, "now"))

    def verify(self) -> list[Difference]:
        """Hash every file anew; an empty list says that all is as it was written."""
        return verify(self.root)
