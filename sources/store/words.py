"""What a store holds, in words."""

import polars as pl

from sources.store.compact import Compaction

HEAD = ("series", "first", "last", "records", "age", "gaps", "longest gap", "revised", "set aside")


def render_status(status: pl.DataFrame) -> str:
    """Lay out what `Store.status` gives, kind by kind; a dash where a kind has no rhythm of its own."""
    if status.is_empty():
        return "nothing yet"
    width = max(12, *(len(name) for name in status["series"]))
    lines = [f"{HEAD[0]:<{width}}  {HEAD[1]:<10}  {HEAD[2]:<10}{HEAD[3]:>12}{HEAD[4]:>6}{HEAD[5]:>8}{HEAD[6]:>13}{HEAD[7]:>9}{HEAD[8]:>11}"]
    for (kind,), part in status.group_by("kind", maintain_order=True):
        lines.append(str(kind))
        for row in part.iter_rows(named=True):
            dates = f"{row['first'] or '-'!s:<10}  {row['last'] or '-'!s:<10}"
            counts = f"{row['records']:>12,}{_shown(row['age']):>6}{_shown(row['gaps']):>8}{_shown(row['longest_gap']):>13}"
            lines.append(f"{row['series']:<{width}}  {dates}{counts}{row['revisions']:>9,}{row['quarantined']:>11,}")
    lines.append(
        "age: sessions since the last record. gaps: missing sessions (coins: days). revised: records that followed one of the same key"
    )
    return "\n".join(lines)


def render_compaction(done: Compaction) -> str:
    """Say which tables were put together."""
    return "\n".join(f"{table}: {n} files are one" for table, n in done.files.items()) or "no table had two small files"


def _shown(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
