"""What a source brings, checked by the rules of `sources.store.schemas` and put into the columns of the store."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import polars as pl
import pyarrow as pa

from features.errors import DataError
from features.schemas import checked
from sources.store.kinds import KINDS, Kind, on_disk
from sources.store.schemas import KEYS, SCHEMAS

SOURCE = "source"


@dataclass(frozen=True)
class Incoming:
    """Records of one kind on their way in.

    Attributes
    ----------
    kind : Kind
    names : what the records are about
    rows : `code` (place in `names`), the given columns of the kind as on disk (missing numbers are null), and `source`, an Enum: a
        text a record would be the widest column
    """

    kind: Kind
    names: tuple[str, ...]
    rows: pl.DataFrame


def from_frame(name: str, frame: pd.DataFrame, source: str, origin: Mapping[str, str]) -> Incoming:
    """Check a frame.

    Parameters
    ----------
    name : one of `sources.store.schemas.SCHEMAS`
    frame : its columns, and if wanted `source`, a text a record
    source : where records without one of their own come from
    origin : file each series came from, for error texts

    Raises
    ------
    DataError
        Naming file, column, row, rule and value.
    """
    if name not in SCHEMAS:
        raise DataError(f"store: unknown frame '{name}'; known are {', '.join(SCHEMAS)}, and the panel by its own parameter")
    unknown = [str(column) for column in frame.columns if column not in (*SCHEMAS[name].columns, SOURCE)]
    if unknown:
        known = ", ".join(SCHEMAS[name].columns)
        raise DataError(f"store: frame '{name}': column '{unknown[0]}' is unknown; rule: it has {known}, and if wanted {SOURCE}")
    kind, missing = KINDS[name], [column for column in KEYS[name] if column not in frame]
    # sorted here as `checked` does, so that a column of sources stays beside its records
    ordered = frame if missing else frame.sort_values(list(KEYS[name]), kind="stable", ignore_index=True)
    good = checked(name, ordered, origin, SCHEMAS, KEYS)
    days = [field.name for field in kind.schema if field.type == pa.date32()]
    for column in days:
        timed = good[column].notna() & (good[column] != good[column].dt.normalize())
        if timed.any():
            place = f"row {good[kind.entity][timed].iloc[0]}, column '{column}'"
            raise DataError(f"{_file(name, origin)}: {place}: {good[column][timed].iloc[0]} breaks the rule 'is a day without a time'")
    codes, names = pd.factorize(good[kind.entity])
    plain = good.assign(code=codes, known_at=good["known_at"].dt.tz_convert(None)).drop(columns=kind.entity)
    if SOURCE in ordered:
        plain = plain.assign(**{SOURCE: ordered[SOURCE]})
    rows = pl.from_pandas(plain, nan_to_null=True).with_columns(pl.col("known_at").dt.replace_time_zone("UTC"))
    return incoming(kind, tuple(map(str, names)), rows, source, _file(name, origin))


def incoming(kind: Kind, names: tuple[str, ...], rows: pl.DataFrame, source: str, file: str) -> Incoming:
    """Give the columns of a kind their types on disk, and check names and sources."""
    if any(not name.strip() for name in names):
        raise DataError(f"{file}: column '{kind.entity}': a name is empty; rule: every record says what it is about")
    sources = rows[SOURCE].unique() if SOURCE in rows else pl.Series([source])
    if sources.is_null().any() or (sources.str.strip_chars() == "").any():
        raise DataError(f"{file}: column '{SOURCE}': a source is empty; rule: every record says where it comes from")
    told = (pl.col(SOURCE) if SOURCE in rows else pl.lit(source)).cast(pl.Enum(sources)).alias(SOURCE)
    empty = pl.DataFrame(pl.from_arrow(on_disk(kind.name).empty_table()))
    given = [pl.col(name).cast(empty.schema[name]) for name in kind.given]
    return Incoming(kind, names, rows.select(pl.col("code").cast(pl.Int32), *given, told))


def _file(name: str, origin: Mapping[str, str]) -> str:
    return ", ".join(sorted(set(origin.values()))[:3]) or f"frame '{name}'"
