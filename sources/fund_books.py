"""Funds and members of a market from the workbooks that its market file names."""

from collections.abc import Mapping, Sequence

import pandas as pd

from features.errors import DataError
from sources.days import clip
from sources.downloads import FundBook, MemberBooks
from sources.fund_workbook import FundWorkbook, fund_universe, index_members, members_from_holdings, read_fund_workbook
from sources.known import known_at
from sources.places import files_below
from sources.table import Folder

SHOWN = 5
"""Tickers that a note names; the others it counts."""


def read_fund_books(folder: Folder, books: Mapping[str, FundBook]) -> pd.DataFrame:
    """Read net asset values and shares outstanding of funds, one workbook each.

    Returns
    -------
    DataFrame of the schema `funds`; what the readers set aside is added to the folder's quarantine

    Raises
    ------
    DataError
        For a fault in a workbook, one fund under two tickers, and a rule for known-at by which a figure would be known before it is shown.
    """
    read = {fund: read_fund_workbook(folder.file(book.workbook), fund, book.splits) for fund, book in books.items()}
    universe = fund_universe(list(read.values()))
    if len(universe.quarantine):
        folder.quarantine.append(universe.quarantine)
    parts = [_dated(books[fund], one) for fund, one in read.items()]
    return pd.concat(parts, ignore_index=True)


def read_member_books(folder: Folder, file: MemberBooks, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Read membership from the holdings of one fund on several days.

    Returns
    -------
    DataFrame of the schema `members`; tickers that change their name from list to list are told in the folder's notes

    Raises
    ------
    DataError
        For workbooks of several funds, a day that is there twice, and a single list: applied to the past it would leave out every company
        that did not survive.
    """
    paths = files_below(folder, file.workbooks)
    books = {path: read_fund_workbook(full, file.fund) for path, full in paths.items()}
    _refuse_other_funds(books)
    _refuse_repeated_days(books)
    if len(books) < 2:
        raise DataError(
            f"{', '.join(books)}: 1 snapshot of the holdings of '{file.fund}'; rule: two or more, since one list applied to the past holds "
            "survivors alone; add workbooks of other days, or remove the section 'members' and use the panel's breadth"
        )
    renamed = reused_tickers(list(books.values()))
    if renamed:
        more = f" and {len(renamed) - SHOWN} more" if len(renamed) > SHOWN else ""
        folder.notes.append(f"tickers of members with another name in another list, renamed or reused: {', '.join(renamed[:SHOWN])}{more}")
    return members_from_holdings(list(books.values()), sessions)


def reused_tickers(workbooks: Sequence[FundWorkbook]) -> list[str]:
    """List tickers whose name begins with another word on another day: a company renamed, or another one under an old ticker."""
    held = pd.concat([each.holdings for each in workbooks], ignore_index=True)
    held = held.merge(pd.concat([index_members(each.holdings) for each in workbooks])[["date", "security"]], on=["date", "security"])
    word = held["name"].str.casefold().str.extract(r"([^\W_]+)", expand=False).fillna("")
    # several lines of a share on a day are no news
    first = word.groupby([held["security"], held["date"]]).first()
    several = first.groupby(level="security").nunique() > 1
    return sorted(several.index[several])


def _dated(book: FundBook, read: FundWorkbook) -> pd.DataFrame:
    frame = read.funds[clip(read.funds["date"], book)].reset_index(drop=True)
    if frame.empty:
        raise DataError(f"{book.workbook}: fund '{read.fund}' has no value from {book.start} to {book.end}; correct its start and end")
    known = known_at(book.known_at, frame["date"])
    early = known < frame["known_at"]
    if early.any():
        day = frame["date"][early].iloc[0]
        raise DataError(
            f"{book.workbook}: by the rule '{book.known_at}' the value of {day:%Y-%m-%d} would be known before its issuer shows it; "
            "rule: not before 'next_session_morning'"
        )
    return frame.assign(known_at=known)


def _refuse_other_funds(books: Mapping[str, FundWorkbook]) -> None:
    """Tell funds apart by name and first day: a fund may change its name, never its first day."""
    (first_path, first), *others = books.items()
    for path, each in others:
        if each.cover.name.casefold() != first.cover.name.casefold() and each.cover.inception != first.cover.inception:
            raise DataError(
                f"{first_path} is of '{first.cover.name}' and {path} of '{each.cover.name}'; rule: an index is what one fund holds"
            )


def _refuse_repeated_days(books: Mapping[str, FundWorkbook]) -> None:
    seen: dict[pd.Timestamp, str] = {}
    for path, each in books.items():
        day = each.cover.as_of
        if day in seen:
            raise DataError(f"{seen[day]} and {path} both hold the list of {day:%Y-%m-%d}; rule: one workbook a day")
        seen[day] = path
