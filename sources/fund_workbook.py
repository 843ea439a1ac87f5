"""Funds from their issuer's workbooks as downloaded: flows of a universe, and membership of an index by what its fund held."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from features.asof import first_usable
from features.errors import DataError
from features.schemas import checked
from sources.fund_cover import Cover, read_cover
from sources.fund_sheets import read_distributions, read_history, read_holdings
from sources.known import known_at
from sources.workbook import read_workbook

UNLISTED = ("NO MARKET (E.G. UNLISTED)", "Non-Nms Quotation Service (Nnqs)", "-", "--", "")
"""Exchanges of what is left of former members: escrow shares, contingent rights, warrants."""


@dataclass(frozen=True)
class FundWorkbook:
    """One workbook of one fund.

    Attributes
    ----------
    file : its name
    fund : ticker, given by whoever reads it: the workbook does not say it
    cover : the fund's name, its first day, the day of the holdings
    funds : net asset value and shares outstanding by date, of the schema `funds`
    holdings : what the fund held on `cover.as_of`: fund, date, security, name, asset_class, exchange, weight
    distributions : fund, record_date, ex_date, payable_date, amount in USD a share
    ex_dividends : fund, ex_date, amount, as the history gives them
    quarantine : records set aside: frame, series, date, rule
    """

    file: str
    fund: str
    cover: Cover
    funds: pd.DataFrame
    holdings: pd.DataFrame
    distributions: pd.DataFrame
    ex_dividends: pd.DataFrame
    quarantine: pd.DataFrame


@dataclass(frozen=True)
class FundUniverse:
    """Several funds whose flows are summed.

    Attributes
    ----------
    name : the tickers, to be shown wherever the sum is
    funds : of the schema `funds`
    quarantine : records set aside
    """

    name: str
    funds: pd.DataFrame
    quarantine: pd.DataFrame


def read_fund_workbook(path: str | Path, fund: str, splits: Mapping[datetime.date, float] | None = None) -> FundWorkbook:
    """Read a workbook as its issuer serves it.

    Parameters
    ----------
    path : .xls, .xlsx or XML with the sheets 'Historical' and 'Holdings', and 'Distributions' if it has made any
    fund : its ticker
    splits : new shares per old share by ex-date, where the share counts are not adjusted

    Raises
    ------
    DataError
        Naming file, sheet, row, column, rule and value of the first fault.
    """
    workbook = read_workbook(path)
    cover = read_cover(workbook)
    funds, ex_dividends, quarantine = read_history(workbook, cover, fund, splits or {})
    return FundWorkbook(
        file=workbook.name,
        fund=fund,
        cover=cover,
        funds=checked("funds", funds, {fund: workbook.name}),
        holdings=read_holdings(workbook, cover, fund),
        distributions=read_distributions(workbook, fund),
        ex_dividends=ex_dividends.reset_index(drop=True),
        quarantine=quarantine,
    )


def fund_universe(workbooks: Sequence[FundWorkbook]) -> FundUniverse:
    """Put funds together, one workbook each.

    Raises
    ------
    DataError
        For a ticker that is there twice, and for one fund under two tickers: its flows would count twice.
    """
    if not workbooks:
        raise DataError("fund universe: no workbook; rule: at least one")
    seen: dict[str, FundWorkbook] = {}
    for each in sorted(workbooks, key=lambda one: one.fund):
        for key in (each.fund, each.cover.name.casefold()):
            if key and key in seen:
                raise DataError(f"{seen[key].file} and {each.file} are both of '{key}'; rule: one workbook a fund, its flows count once")
            seen[key] = each
    ordered = sorted(workbooks, key=lambda one: one.fund)
    return FundUniverse(
        " + ".join(one.fund for one in ordered),
        checked("funds", pd.concat([one.funds for one in ordered], ignore_index=True), {one.fund: one.file for one in ordered}),
        pd.concat([one.quarantine for one in ordered], ignore_index=True),
    )


def index_members(holdings: pd.DataFrame) -> pd.DataFrame:
    """Keep the listed shares of one or more days of holdings.

    Returns
    -------
    DataFrame with date, security, weight; several lines of one share are one
    """
    listed = (holdings["asset_class"] == "Equity") & (holdings["security"] != "") & ~holdings["exchange"].isin(UNLISTED)
    return holdings[listed].groupby(["date", "security"], as_index=False, sort=True).agg({"weight": "sum"})


def members_from_holdings(workbooks: Sequence[FundWorkbook], sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Turn the holdings of one fund on several days into membership intervals.

    A share belongs from the first session that could know the list, 09:00 in New York of the calendar day after its
    date, until the next list is known. No list is applied to sessions before it.

    Parameters
    ----------
    workbooks : of one fund, in any order; a day that is there twice counts once
    sessions : DatetimeIndex, of the market

    Returns
    -------
    DataFrame of the schema `members`; empty where no session could know any list

    Raises
    ------
    DataError
        For workbooks of several funds.
    """
    funds = sorted({each.fund for each in workbooks})
    if len(funds) != 1:
        raise DataError(f"members: workbooks of {', '.join(funds) or 'no fund'}; rule: an index is what one fund holds")
    by_day = {each.cover.as_of: index_members(each.holdings) for each in workbooks}
    days = pd.DatetimeIndex(sorted(by_day))
    known = known_at("next_morning", days)
    place = first_usable(known, sessions)
    usable = place < len(sessions)
    start = sessions[place[usable]]
    end = pd.Series(start).shift(-1)
    parts = [
        pd.DataFrame({"security": by_day[day]["security"], "start": first, "end": last, "known_at": when})
        for day, first, last, when in zip(days[usable], start, end, known[usable], strict=True)
        if first != last
    ]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["security", "start", "end", "known_at"])
    types: dict[str, Any] = {"start": "datetime64[us]", "end": "datetime64[us]", "known_at": "datetime64[us, UTC]", "security": str}
    return checked("members", frame.astype(types), {"members": ", ".join(each.file for each in workbooks)})
