"""Published labels: an append-only series keyed by session and model version, and one of revisions beside it (METHODS 2.3)."""

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from serving.chain import Broken, Record
from serving.journal import Journal
from serving.label_frames import published_frame, revisions_frame, summarise
from serving.label_place import LABELS, PUBLISHED, REVISIONS, SeriesOf
from serving.label_rules import Book, Said, is_same, sort_out
from serving.lock import WAIT_S

SAYS = ("regime", "probabilities", "low", "high")
DIFFERS = '"differs": true'
"""How a line says that it is a revision."""


@dataclass(frozen=True)
class Publication:
    """What became of the answers of one call.

    Attributes
    ----------
    version : that gave them
    published : number of sessions published now
    first, last : of these sessions, YYYY-MM-DD; None where there is none
    revised : number of published labels that it now says otherwise of, for the first time
    confirmed : number of labels of other versions that it says the same of, for the first time
    left_out : number of sessions of which nothing is published, and which are not this version's to fill
    last_revision : the newest revision on record, as a plain record; None where nothing was ever revised
    """

    version: str
    published: int
    first: str | None
    last: str | None
    revised: int
    confirmed: int
    left_out: int
    last_revision: Record | None


@dataclass(frozen=True)
class LabelSeries:
    """The labels that were published of one market under the name of one model.

    Attributes
    ----------
    root : folder of all series
    of : model and market
    """

    root: Path
    of: SeriesOf

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.of.below(self.root)

    def publish(self, version: str, answers: Iterable[Said], *, at: datetime.datetime | None = None, wait_s: float = WAIT_S) -> Publication:
        """Publish what a version says of sessions that had nothing published, and write the rest beside it where it is news.

        All of it is on the disk when this returns; where it does not return, all of it is or nothing.

        Parameters
        ----------
        version : registered version
        answers : one a session
        at : instant of publication; None for now
        wait_s : seconds to wait for another writer

        Raises
        ------
        LabelError
            Where the series is broken, held by another process, or cannot be written.
        """
        with self._journal.writing(wait_s):
            records = self._journal.read()
            book = _book(records, version)
            done = sort_out(book, version, answers)
            instant = (at or datetime.datetime.now(datetime.UTC)).astimezone(datetime.UTC).isoformat(timespec="seconds")
            known = {"version": version, **{name: value for name, value in self.of.to_dict().items() if name != "draw"}}
            new = [_record(said, known | {"published_at": instant}) for said in done.published]
            compared = [_comparison(said, book, known | {"revised_at": instant}) for said in done.compared]
            if new or compared:
                self._journal.append({PUBLISHED: new, REVISIONS: compared})
        changed = sum(each["differs"] for each in compared)
        first, last = (new[0]["session"], new[-1]["session"]) if new else (None, None)
        last_revision = _newest([*records[REVISIONS], *map(json.dumps, compared)])
        return Publication(version, len(new), first, last, changed, len(compared) - changed, len(done.left_out), last_revision)

    def published(self) -> pd.DataFrame:
        """Give what was published, a row a session, ascending (`serving.label_frames.published_frame`)."""
        return published_frame(_parsed(self._journal.read(PUBLISHED)[PUBLISHED]))

    def revisions(self) -> pd.DataFrame:
        """Give what versions said besides of published sessions, in the order of saying (`serving.label_frames.revisions_frame`)."""
        return revisions_frame(_parsed(self._journal.read(REVISIONS)[REVISIONS]))

    def verify(self) -> Broken | None:
        """Name the first line that is not as it was written; None where all are."""
        return self._journal.first_broken()

    def summary(self) -> dict[str, Any]:
        """Count sessions and versions, and how far later versions differ from what was published (`serving.label_frames.summarise`)."""
        records = self._journal.read()
        return summarise(published_frame(_parsed(records[PUBLISHED])), revisions_frame(_parsed(records[REVISIONS])))

    @property
    def _journal(self) -> Journal:
        return Journal(self.folder, self.of.to_dict(), LABELS)


def _book(records: Mapping[str, Sequence[str]], version: str) -> Book:
    """Give what is on record, as far as it matters to what a version says."""
    own = f'"version": {json.dumps(version)}'
    revised: dict[tuple[str, str], list[Said]] = {}
    for each in _parsed(line for line in records[REVISIONS] if own in line):  # years of other champions need not be parsed
        revised.setdefault((each["session"], each["version"]), []).append(_said(each))
    return Book({each["session"]: (each["version"], _said(each)) for each in _parsed(records[PUBLISHED])}, revised)


def _newest(comparisons: Sequence[str]) -> Record | None:
    """Find the newest comparison that is a revision."""
    for each in _parsed(line for line in reversed(comparisons) if DIFFERS in line):
        if each["differs"]:
            return {name: value for name, value in each.items() if name != "line"}
    return None


def _parsed(lines: Iterable[str]) -> Iterator[Record]:
    return map(json.loads, lines)


def _said(record: Mapping[str, Any]) -> Said:
    return Said(record["session"], record["regime"], record["probabilities"], record["low"], record["high"], record["by"])


def _record(said: Said, known: Mapping[str, Any]) -> Record:
    says = {"regime": said.regime, "probabilities": dict(said.probabilities), "low": said.low, "high": said.high}
    return {"session": said.session, **says, "by": said.by, **known}


def _comparison(said: Said, book: Book, known: Mapping[str, Any]) -> Record:
    version, first = book.published[said.session]
    was = {"version": version, **{name: getattr(first, name) for name in SAYS}}
    return _record(said, known) | {"differs": not is_same(first, said), "published": was}
