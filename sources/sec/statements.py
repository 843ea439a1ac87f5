"""The quarterly 'financial statement data sets': submissions in `sub.txt`, their numbers in `num.txt`."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from features.errors import DataError
from sources.sec.archive import opened
from sources.sec.facts import RAW, WANTED, Filed, admit

SUBMISSION = ("adsh", "cik", "form", "fye", "filed", "accepted")
NUMBER = ("adsh", "tag", "version", "coreg", "ddate", "qtrs", "uom", "value")
SEGMENTS = "segments"
"""A column that data sets made before December 2024 lack: they hold no numbers by segment."""

TAXONOMY = "us-gaap"
HEADER_BYTES = 1 << 16


def read_statements(path: str | Path, concepts: Sequence[str] = WANTED) -> Filed:
    """Read the facts of one quarter's data set.

    Parameters
    ----------
    path : the zip as downloaded, or the folder it was unpacked to
    concepts : names in US GAAP

    Returns
    -------
    Filed. Whole-company facts only (no segment, no co-registrant) of the standard taxonomy

    Raises
    ------
    DataError
        For an archive or table that is not of that form.

    Notes
    -----
    The data sets round the end of a period to the nearest month end and its length to quarters, so starts are counted back in whole
    months; where that misses the fiscal year's start by one month (a first quarter of 16 weeks, 36 weeks to date) it is put there. Periods
    therefore differ by days from those in 'companyfacts': do not mix the two sources within a company.
    `prevrpt` tells of amendments that came later and is not read.
    """
    with opened(Path(path), ("sub.txt", "num.txt")) as tables:
        submissions = _submissions(tables["sub.txt"]).collect()
        numbers = _numbers(tables["num.txt"], concepts).collect(engine="streaming")
    return admit(_joined(numbers, submissions).select(pl.col(name).cast(kind) for name, kind in RAW.items()))


def read_acceptances(path: str | Path) -> pl.DataFrame:
    """Read when each filing of one quarter's data set was accepted.

    Returns
    -------
    polars DataFrame: `accn`, `accepted` (naive New York time, null where the table has none)
    """
    with opened(Path(path), ("sub.txt",)) as tables:
        return _submissions(tables["sub.txt"]).select("accn", "accepted").collect()


def _submissions(file: Path) -> pl.LazyFrame:
    table = _scan(file, SUBMISSION).unique("adsh", keep="first", maintain_order=True)
    return table.select(
        pl.col("adsh").alias("accn"),
        pl.col("cik").cast(pl.Int64, strict=False),
        "form",
        pl.col("fye").str.extract(r"^(\d{1,2})\d\d$").cast(pl.Int32).alias("last_month"),
        pl.col("filed").str.to_date("%Y%m%d", strict=False),
        pl.col("accepted").str.slice(0, 19).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us"),
    )


def _numbers(file: Path, concepts: Sequence[str]) -> pl.LazyFrame:
    table = _scan(file, NUMBER)
    whole = [pl.col(name) == "" for name in ("coreg", SEGMENTS) if name in table.collect_schema().names()]
    wanted = pl.col("tag").is_in(list(concepts)) & pl.col("version").str.starts_with(TAXONOMY)
    return table.filter(wanted, *whole).select(
        pl.col("adsh").alias("accn"),
        pl.col("tag").alias("concept"),
        pl.col("uom").alias("unit"),
        pl.col("ddate").str.to_date("%Y%m%d", strict=False).alias("end"),
        pl.col("qtrs").cast(pl.Int32, strict=False),
        pl.col("value").cast(pl.Float64, strict=False),
    )


def _joined(numbers: pl.DataFrame, submissions: pl.DataFrame) -> pl.DataFrame:
    quarters = pl.when(pl.col("qtrs").is_between(1, 400)).then(pl.col("qtrs"))
    counted_back = (pl.col("end") + pl.duration(days=1)).dt.offset_by(pl.format("-{}mo", 3 * quarters))
    joined = numbers.join(submissions, on="accn", how="left").with_columns(start=counted_back)
    # months from the fiscal year's start, -5 to 6
    off = (pl.col("start").dt.month().cast(pl.Int32) - pl.col("last_month") - 1 + 17) % 12 - 5
    missed = (off.abs() == 1) & (pl.col("qtrs") < 4) & (pl.col("start").dt.day() == 1)
    return joined.with_columns(start=pl.when(missed).then(pl.col("start").dt.offset_by(pl.format("{}mo", -off))).otherwise(pl.col("start")))


def _scan(file: Path, columns: Sequence[str]) -> pl.LazyFrame:
    """Scan a table as text, in columns by name: their order has changed over the years."""
    names = _header(file, columns)
    table = pl.scan_csv(
        file,
        separator="\t",
        quote_char=None,  # footnotes hold quotation marks that mean nothing
        infer_schema=False,
        encoding="utf8-lossy",
        truncate_ragged_lines=True,
        has_header=True,
        new_columns=names,
    )
    kept = [name for name in names if name in columns or name == SEGMENTS]
    return table.select(pl.col(name).str.strip_chars().fill_null("") for name in kept)


def _header(file: Path, columns: Sequence[str]) -> list[str]:
    with file.open("rb") as stream:
        line = stream.readline(HEADER_BYTES)
        stream.seek(0, 2)
        stream.seek(max(stream.tell() - 1, 0))
        last = stream.read(1)
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in line:
        raise DataError(f"{file.name}: the text is not UTF-8; rule: tables are kept as they were downloaded")
    if line.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise DataError(f"{file.name}: this is a web page, not a table; download the data set again")
    if last != b"\n":
        raise DataError(f"{file.name}: the last line does not end: the file was cut short; download the data set again")
    names = [name.strip() for name in line.decode("utf-8-sig", errors="replace").split("\t")]
    missing = [name for name in columns if name not in names and name != "coreg"]
    if missing:
        raise DataError(f"{file.name}: column '{missing[0]}' is missing; the file has {', '.join(name[:40] for name in names[:40])}")
    if len(set(names)) < len(names):
        raise DataError(f"{file.name}: a column is there twice; rule: one name a column")
    return names
