"""What the store holds, kind by kind: the frames of `sources.store.schemas` and the panel in long form, with their columns on disk."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from features.quarantine import ON_SESSIONS
from sources.store.schemas import KEYS, SCHEMAS

INSTANT = pa.timestamp("us", tz="UTC")

PROVENANCE = (("recorded_at", INSTANT), ("source", pa.string()), ("vintage", pa.int32()))
"""What the store adds to each record: when it was written, where it came from, and its number among the records of its key."""


@dataclass(frozen=True)
class Kind:
    """One kind of record.

    Attributes
    ----------
    name : the frame's name, and the folder's
    entity : column that says what a record is about; on disk it is `id`
    key : columns on disk that identify a record; files and answers are sorted by them
    date : the date a record is about
    values : columns that may be revised
    schema : columns and types on disk, in order
    on_sessions : whether `date` has to be a session of the exchange
    first_prints : whether an answer may hold first prints instead of the newest vintage
    """

    name: str
    entity: str
    key: tuple[str, ...]
    date: str
    values: tuple[str, ...]
    schema: pa.Schema
    on_sessions: bool
    first_prints: bool

    @property
    def given(self) -> tuple[str, ...]:
        """Columns that a source gives, on disk."""
        return (*(name for name in self.schema.names if name not in {"id", "recorded_at", "source", "vintage"}),)


def _kind(name: str, types: Mapping[str, pa.DataType], key: tuple[str, ...]) -> Kind:
    rest = [column for column in types if column not in (*key, "known_at")]
    fields = [("id", pa.int32())]
    fields += [(column, types[column]) for column in (*key[1:], *rest) if column != "known_at"]
    fields += [("known_at", INSTANT), *PROVENANCE]
    # a membership interval learns its end, which is no new print of its start; filings have known-at in their key
    first_prints = name != "members" and "known_at" not in key
    schema = pa.schema(fields)
    return Kind(name, key[0], ("id", *key[1:]), key[1], tuple(rest), schema, name in (*ON_SESSIONS, "quotes", "panel"), first_prints)


def _types(name: str) -> dict[str, pa.DataType]:
    return {column: _arrow(str(spec.dtype)) for column, spec in SCHEMAS[name].columns.items()}


def _arrow(dtype: str) -> pa.DataType:
    """Put a column of a frame on disk; what text and days are called depends on the versions of pandas and pandera."""
    if dtype.startswith("str"):
        return pa.string()
    if dtype.startswith("datetime64"):
        return INSTANT if "UTC" in dtype else pa.date32()
    return {"float64": pa.float64()}[dtype]


PANEL = _kind("panel", {"security": pa.string(), "date": pa.date32(), "close": pa.float64(), "known_at": INSTANT}, ("security", "date"))

KINDS: Mapping[str, Kind] = {**{name: _kind(name, _types(name), KEYS[name]) for name in SCHEMAS}, "panel": PANEL}
"""Every kind by name. A change here changes the files: raise `root.SCHEMA` and add a migration."""

IDS = pa.schema([("id", pa.int32()), ("name", pa.string())])
"""The dictionary: an id is given once and keeps its meaning."""


def on_disk(table: str) -> pa.Schema:
    """Give the schema of a table of the store.

    Parameters
    ----------
    table : a kind; `ids`; `quarantine/` and a kind, its records and the rule each broke; or `withdrawn/` and a kind, the keys and
        vintages that were taken back, and in `source` why
    """
    if table == "ids":
        return IDS
    kind = kind_of(table)
    if table.startswith("withdrawn/"):
        return pa.schema([kind.schema.field(name) for name in (*kind.key, "vintage", "recorded_at", "source")])
    return kind.schema.append(pa.field("rule", pa.string())) if table.startswith("quarantine/") else kind.schema


def kind_of(table: str) -> Kind:
    """Give the kind whose records, or whose bad or withdrawn ones, a table holds."""
    return KINDS[table.rpartition("/")[2]]
