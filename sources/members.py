"""Membership of the index from snapshots of it."""

import pandas as pd

from features.asof import first_usable
from features.errors import DataError
from sources.days import POSSIBLE, possible
from sources.known import known_at
from sources.spec import MemberFile
from sources.table import Folder, Table


def read_members(folder: Folder, file: MemberFile, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Read snapshots as intervals: a security belongs from the first session that could know its snapshot until the next one is known.

    Raises
    ------
    DataError
        For a single snapshot: it says nothing of the past, and applied to it it would leave out every company that did not survive.
    """
    table = folder.table(file.path)
    security, label = table.column(file.security), table.column(file.snapshot)
    table = folder.set_aside("members", "members", table, (security == "") | (label == ""))
    security, label = security[table.rows.index], label[table.rows.index]
    table.refuse_repeats(pd.DataFrame({file.snapshot: label, file.security: security}))
    day = _days(table, file, label)
    days = pd.DatetimeIndex(sorted(set(day)))
    if len(days) < 2:
        raise DataError(
            f"{table.name}: column '{file.snapshot}' holds {len(days)} snapshot(s); rule: two or more, since one list applied to the past "
            "holds survivors alone; add snapshots, or remove the section 'members' and use the panel's breadth"
        )
    known = known_at(file.known_at, days)
    place = first_usable(known, sessions)
    # the calendar goes on after the last session: a list that nobody could use yet is left out
    usable = place < len(sessions)
    start = pd.Series(sessions[place[usable]], index=days[usable])
    spans = pd.DataFrame({"start": start, "end": start.shift(-1), "known_at": known[usable]})
    inside = day.isin(spans.index).to_numpy()
    rows = spans.loc[day[inside]].reset_index(drop=True)
    return rows.assign(security=security[inside].to_numpy()).query("start != end").reset_index(drop=True)


def _days(table: Table, file: MemberFile, label: pd.Series) -> pd.Series:
    given = label.map({name: pd.Timestamp(day) for name, day in file.dates.items()}).astype("datetime64[us]")
    parsed = pd.to_datetime(label, format=file.date_format, errors="coerce", exact=True).dt.as_unit("us")
    day = given.fillna(parsed)
    table.fail(file.snapshot, day.notna() & ~possible(day), POSSIBLE)
    table.fail(file.snapshot, day.isna(), f"is a date written as {file.date_format}, or a label under 'dates'")
    return day
