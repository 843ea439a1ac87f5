"""A store as version 1 wrote it, made byte by byte without the code of the store."""

import datetime
import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

INSTANT = pa.timestamp("us", tz="UTC")
STAMPS = [datetime.datetime(2024, 3, day, 12, tzinfo=datetime.UTC) for day in (1, 2)]
MACRO = {"id": pa.int32(), "date": pa.date32(), "value": pa.float64(), "known_at": INSTANT, "recorded_at": INSTANT}
SCHEMA = pa.schema([*MACRO.items(), ("source", pa.string()), ("vintage", pa.int32())])
IDS = pa.schema([("id", pa.int32()), ("name", pa.string())])

Record = tuple[int, str, float, str, int, int]
BATCHES: list[tuple[list[Record], list[tuple[int, str]]]] = [
    ([(0, "2024-01-02", 4.0, "2024-01-03", 0, 0), (0, "2024-01-03", 4.2, "2024-01-04", 0, 0)], [(0, "DFII10")]),
    ([(0, "2024-01-02", 4.1, "2024-01-03", 1, 1), (1, "2024-01-02", 4.3, "2024-01-03", 1, 0)], [(1, "VIX")]),
]
"""Of each batch the records (id, date, value, known_at, place of the stamp, vintage), and the names that got an id."""


def old_store(root: Path) -> None:
    """Write two batches of macro records, one of them a revision."""
    root.mkdir()
    told: dict[str, object] = {"schema": 1, "simulated": False, "format": "appetite point-in-time store"}
    (root / "store.json").write_text(json.dumps(told, indent=2) + "\n")
    (root / "lock").touch()
    before = ""
    for number, (records, names) in enumerate(BATCHES, start=1):
        columns = list(zip(*records, strict=True))
        days = [datetime.date.fromisoformat(day) for day in columns[1]]
        known = [datetime.datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in columns[3]]
        values = [columns[0], days, columns[2], known, [STAMPS[place] for place in columns[4]], ["hand"] * len(records), columns[5]]
        table = pa.table([pa.array(value, type=field.type) for value, field in zip(values, SCHEMA, strict=True)], schema=SCHEMA)
        ids = pa.table([pa.array(value, type=field.type) for value, field in zip(zip(*names, strict=True), IDS, strict=True)], schema=IDS)
        files = [_file(root, "ids", number, ids, []), _file(root, "macro", number, table, [str(min(days)), str(max(days))])]
        told = {"batch": number, "recorded_at": STAMPS[number - 1].isoformat(), "source": "hand", "previous": before, "files": files}
        line = json.dumps(told, sort_keys=True)
        before = hashlib.sha256(line.encode()).hexdigest()
        (root / "manifests").mkdir(exist_ok=True)
        (root / f"manifests/{number:08d}.json").write_text(f"{line}\n{before}\n")


def _file(root: Path, table: str, number: int, rows: pa.Table, dates: list[str]) -> dict[str, object]:
    path = root / table / f"{number:08d}.parquet"
    path.parent.mkdir(exist_ok=True)
    pq.write_table(rows, path, compression="zstd")
    ids = rows["id"].to_pylist()
    content = path.read_bytes()
    told = {"path": f"{table}/{path.name}", "table": table, "rows": len(rows), "n_bytes": len(content)}
    return told | {"sha256": hashlib.sha256(content).hexdigest(), "ids": [min(ids), max(ids)], "dates": dates}
