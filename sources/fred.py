"""Series of the Federal Reserve Bank of St. Louis (FRED): `fredgraph.csv`, with the instants at which values could be known."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from features.errors import DataError
from features.schemas import checked
from sources.calendar import LAST_YEAR
from sources.content import refusal
from sources.known import RULES, known_at
from sources.table import Table
from sources.web import WebClient

ADDRESS = "https://fred.stlouisfed.org"
DATE_COLUMNS = ("observation_date", "DATE", "date")
MOST_COLUMNS = 64
FIRST, LAST = pd.Timestamp("1914-01-01"), pd.Timestamp(f"{LAST_YEAR}-12-31")
"""Dates outside are faults: before the Federal Reserve, or after the calendar, so that no answer depends on the clock."""


@dataclass(frozen=True)
class Published:
    """How a series enters the market.

    Attributes
    ----------
    name : in the frame `macro`
    known_at : publication rule (`sources.known.RULES`)
    """

    name: str
    known_at: str


SERIES: Mapping[str, Published] = {
    "VIXCLS": Published("VIX", "quarter_past_close"),
    "VXVCLS": Published("VIX3M", "quarter_past_close"),
    "BAMLH0A0HYM2": Published("HY_OAS", "next_business_day"),
    "WALCL": Published("WALCL", "next_thursday"),
    "WTREGEN": Published("WTREGEN", "next_thursday"),
    "RRPONTSYD": Published("RRP", "end_of_utc_day"),
    "DFII10": Published("REAL_YIELD_10Y", "next_business_day"),
    "M2SL": Published("M2", "four_weeks_after_month"),
    "DTWEXBGS": Published("USD", "next_monday"),
}
"""Series of METHODS 1.5 by their identifier; units as FRED has them (WALCL, WTREGEN in USD million, RRP in billion)."""

REVISED = ("NFCI", "ANFCI")
"""Rewritten as a whole at every release: the newest file says nothing of what was known on its dates."""


def fetch_fred(client: WebClient, series: Mapping[str, Published] = SERIES, *, address: str = ADDRESS) -> pd.DataFrame:
    """Fetch series, one request each.

    Parameters
    ----------
    series : name and publication rule by FRED's identifier
    address : of the service

    Returns
    -------
    DataFrame of the schema `macro`: the newest vintage of each value

    Raises
    ------
    DataError
        Where a series does not arrive or is not one; nothing is returned in part.
    """
    frames = []
    for identifier, published in series.items():
        _refuse_revised(identifier)
        body = client.get(f"{address}/graph/fredgraph.csv", "csv", params={"id": identifier})
        frames.append(parse_fred(body, identifier, published))
    if not frames:
        raise DataError("FRED: no series named; rule: at least one")
    frame = pd.concat(frames, ignore_index=True)
    return checked("macro", frame, {published.name: f"FRED {identifier}" for identifier, published in series.items()})


def parse_fred(data: bytes, identifier: str, published: Published) -> pd.DataFrame:
    """Read the text of one `fredgraph.csv`; '.' and empty cells are no records.

    Raises
    ------
    DataError
        For what is no such table: another format, a column or a value of another kind, a last line that breaks off.
    """
    _refuse_revised(identifier)
    place = f"FRED {identifier}"
    if published.known_at not in RULES:
        raise DataError(f"{place}: '{published.known_at}' is no rule for known-at; the rules are {', '.join(RULES)}")
    table = _table(data, place)
    column = next((each for each in DATE_COLUMNS if each in table.rows), DATE_COLUMNS[0])
    date = table.dates(column, "%Y-%m-%d")
    table.fail(column, ~date.between(FIRST, LAST), f"is a date from {FIRST:%Y-%m-%d} to {LAST:%Y-%m-%d}")
    table.refuse_repeats(pd.DataFrame({column: date}))
    value = table.numbers(identifier, positive=False)
    frame = pd.DataFrame({"series": published.name, "date": date, "value": value}).dropna(subset=["value"])
    if frame.empty:
        raise DataError(f"{place}: no row has a value; rule: at least one; correct the identifier")
    return frame.assign(known_at=known_at(published.known_at, frame["date"])).reset_index(drop=True)


def _table(data: bytes, place: str) -> Table:
    reason = refusal("csv", data[:2048])
    if reason:
        raise DataError(f"{place}: {reason}; rule: the text of fredgraph.csv")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: byte {error.start} is no UTF-8; rule: the text of fredgraph.csv is; fetch it again") from None
    if data[:64_000].split(b"\n", 1)[0].count(b",") >= MOST_COLUMNS or b"\n" not in data[:64_000]:
        raise DataError(f"{place}: the header has more than {MOST_COLUMNS} columns or no end; rule: a date and a series")
    if not data.endswith(b"\n"):
        raise DataError(f"{place}: the last line has no end: the file is cut off; fetch it again")
    try:
        rows = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning) as error:
        raise DataError(f"{place}: this is no CSV: {' '.join(str(error).split())}") from None
    rows.index = pd.RangeIndex(2, len(rows) + 2)
    rows.columns = rows.columns.str.strip()
    return Table(place, rows)


def _refuse_revised(identifier: str) -> None:
    if identifier in REVISED:
        raise DataError(
            f"FRED {identifier}: is rewritten as a whole at every release; rule: such a series enters by its vintages "
            "(ALFRED), which this source does not read; leave it out"
        )
