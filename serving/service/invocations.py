"""Rows in the forms that MLflow's own server takes, checked as strictly as any others."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from serving.service.bodies import SESSION, BodyError, Given, parsed, rows_of

CSV = "text/csv"
SPLIT, RECORDS, INSTANCES, INPUTS = "dataframe_split", "dataframe_records", "instances", "inputs"
FORMS = (SPLIT, RECORDS, INSTANCES, INPUTS)


def invoked(body: bytes, kind: str, columns: Sequence[str], most: int) -> Given:
    """Read rows, in any order of sessions.

    Parameters
    ----------
    kind : content type; CSV, or JSON with one of `FORMS`
    columns, most : as `serving.service.bodies.rows_of`

    Raises
    ------
    BodyError
    """
    form, records = ("rows", _of_csv(body)) if kind == CSV else _of_json(parsed(body))
    if isinstance(records, list) and all(isinstance(each, dict) and isinstance(each.get(SESSION), str) for each in records):
        records = sorted(records, key=lambda each: str(each[SESSION]))
    return rows_of(records, columns, most, (form,))


def _of_json(told: Any) -> tuple[str, Any]:
    given = [form for form in FORMS if isinstance(told, dict) and form in told]
    if len(given) != 1 or not told.keys() <= {given[0], "params"} or told.get("params"):
        raise BodyError([], f"must be an object with one of {', '.join(FORMS)}, and no params")
    form = given[0]
    if form == SPLIT:
        return form, _of_split(told[form])
    return form, _of_inputs(told[form]) if form == INPUTS else told[form]


def _of_split(table: Any) -> list[dict[str, Any]]:
    if not isinstance(table, dict) or not {"columns", "data"} <= table.keys() <= {"columns", "data", "index"}:
        raise BodyError([SPLIT], "must be an object with columns and data")
    names, rows = table["columns"], table["data"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise BodyError([SPLIT, "columns"], "must be names, none twice")
    if not isinstance(rows, list):
        raise BodyError([SPLIT, "data"], "must be a list of rows")
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            raise BodyError([SPLIT, "data", number], f"must be a list of {len(names)} values, one a column")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _of_inputs(table: Any) -> Any:
    if not isinstance(table, Mapping):
        return table
    if not all(isinstance(values, list) for values in table.values()) or len({len(values) for values in table.values()}) > 1:
        raise BodyError([INPUTS], "must be lists by column, all of one length")
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def _of_csv(body: bytes) -> list[dict[str, Any]]:
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8")), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise BodyError([], "the body is no CSV") from None
    head, rows = (lines[0], lines[1:]) if lines else ([], [])
    for number, row in enumerate(rows):
        if len(row) != len(head):
            raise BodyError(["rows", number], f"must have {len(head)} values, one a column")
    return [{name: text if name == SESSION else _number(text) for name, text in zip(head, row, strict=True)} for row in rows]


def _number(text: str) -> Any:
    try:
        return float(text) if text else None
    except ValueError:
        return text  # no number: the check says so
