"""What the service keeps: observations with their revisions, and what each model version said and carried after each.

SQLite in WAL mode with synchronous=FULL: a transaction is on the disk when it returns, and after a kill all of it is there or nothing.
"""

import datetime
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serving.errors import ServingError

SCHEMA_VERSION = 1
BUSY_MS = 5000
"""How long a writer waits for that of another process."""

SCHEMA = """
CREATE TABLE observations (
    id INTEGER PRIMARY KEY,
    session TEXT NOT NULL,
    revision INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    known TEXT NOT NULL,
    UNIQUE (session, revision)
);
CREATE TABLE answers (
    version TEXT NOT NULL,
    session TEXT NOT NULL,
    cause INTEGER NOT NULL REFERENCES observations (id),
    answered_at TEXT NOT NULL,
    told BLOB NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (version, session, cause)
) WITHOUT ROWID;
"""


class StoreError(ServingError):
    """What is kept cannot be read or written; nothing of the request was taken."""


@dataclass(frozen=True)
class Observation:
    """One row of features as it was handed in.

    Attributes
    ----------
    id : in the order of arrival
    session : YYYY-MM-DD
    revision : 0 for the first of its session
    recorded_at : UTC
    recorded_by : name of the token
    known : value of each column, None where missing
    """

    id: int
    session: str
    revision: int
    recorded_at: str
    recorded_by: str
    known: Mapping[str, float | None]


@dataclass(frozen=True)
class Answer:
    """What a version said of a session once an observation was there.

    Attributes
    ----------
    session : YYYY-MM-DD
    cause : greatest id of the observations it rests on: the session's own, or that of an earlier session which came or was revised later
    answered_at : UTC
    told : the answer, as JSON
    state : of the filter after it
    """

    session: str
    cause: int
    answered_at: str
    told: bytes
    state: bytes


class Store:
    """The file; its connection is used by one thread at a time.

    Parameters
    ----------
    path : of the file, made where it is not there; its folder exists

    Raises
    ------
    StoreError
        Where it cannot be opened, or is of another schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._faults():
            self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._file.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.execute("PRAGMA foreign_keys = ON")
        self._begin()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def changes(self) -> int:
        """Give a number that differs once another process has written."""
        with self._faults():
            return int(self._file.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the file for writing; what the block wrote is kept when it ends, and nothing of it where it raises."""
        with self._faults():
            self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._faults():
                self._file.execute("COMMIT")
        except BaseException:
            if self._file.in_transaction:  # a full disk has rolled it back already
                self._file.execute("ROLLBACK")
            raise

    def newest(self, after: str = "") -> list[Observation]:
        """Give what was observed last of each session after one, in order of session."""
        latest = "revision = (SELECT max(revision) FROM observations AS other WHERE other.session = observations.session)"
        return self._observations(f"WHERE session > ? AND {latest} ORDER BY session", after)

    def revisions(self, session: str) -> list[Observation]:
        """Give the observations of a session, the first one first."""
        return self._observations("WHERE session = ? ORDER BY revision", session)

    def observe(self, session: str, by: str, known: Mapping[str, float | None]) -> Observation:
        """Write an observation, the first of its session or a revision; inside `writing`."""
        with self._faults():
            (revision,) = self._file.execute("SELECT count(*) FROM observations WHERE session = ?", (session,)).fetchone()
            row = (session, revision, _now(), by, json.dumps(known, sort_keys=True, allow_nan=False))
            made = self._file.execute(
                "INSERT INTO observations (session, revision, recorded_at, recorded_by, known) VALUES (?, ?, ?, ?, ?)", row
            )
        return Observation(int(made.lastrowid or 0), session, revision, row[2], by, known)

    def answer(self, version: str, session: str, cause: int, told: bytes, state: bytes) -> Answer:
        """Write what a version said, which it has not said before; inside `writing`."""
        made = Answer(session, cause, _now(), told, state)
        with self._faults():
            self._file.execute(
                "INSERT INTO answers (version, session, cause, answered_at, told, state) VALUES (?, ?, ?, ?, ?, ?)",
                (version, session, cause, made.answered_at, told, state),
            )
        return made

    def answers(self, version: str, session: str) -> list[Answer]:
        """Give what a version said of a session, the first thing first."""
        with self._faults():
            rows = self._file.execute(
                "SELECT session, cause, answered_at, told, state FROM answers WHERE version = ? AND session = ? ORDER BY cause",
                (version, session),
            ).fetchall()
        return [Answer(*row) for row in rows]

    def _observations(self, which: str, value: object) -> list[Observation]:
        with self._faults():
            rows = self._file.execute(
                f"SELECT id, session, revision, recorded_at, recorded_by, known FROM observations {which}", (value,)
            ).fetchall()
        return [Observation(number, session, revision, at, by, json.loads(known)) for number, session, revision, at, by, known in rows]

    def _begin(self) -> None:
        with self.writing(), self._faults():
            (version,) = self._file.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in SCHEMA.split(";"):
                    self._file.execute(statement)
                self._file.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            elif version != SCHEMA_VERSION:
                raise StoreError(f"store '{self.path}': schema version {version}; rule: this code reads version {SCHEMA_VERSION}")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"store '{self.path}': {error}; rule: a SQLite file of the service on a local disk with room, that it may write to"
            ) from None


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
