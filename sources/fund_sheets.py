"""The sheets of an issuer's fund workbook, each as a frame: history, holdings, distributions."""

import datetime
from collections.abc import Mapping

import numpy as np
import pandas as pd

from features.errors import DataError
from features.quarantine import BAD_SHARE, QUARANTINE
from sources.cells import NO_DATE, dates, numbers
from sources.fund_cover import Cover
from sources.known import known_at
from sources.table import Table
from sources.workbook import Workbook

LATEST = pd.Timedelta(days=7)
"""Net asset values may be newer than the holdings in the same file by so much."""

HISTORY = ("As Of", "NAV per Share", "Shares Outstanding")
HOLDINGS = ("Ticker", "Name", "Asset Class", "Weight (%)")
DISTRIBUTIONS = ("Record Date", "Ex-Date", "Payable Date", "Total Distribution")


def read_history(
    workbook: Workbook, cover: Cover, fund: str, splits: Mapping[datetime.date, float]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Read net asset values and shares outstanding by date.

    Returns
    -------
    funds : DataFrame of the schema `funds`, known by the rule next_session_morning
    ex_dividends : DataFrame with fund, ex_date, amount in USD a share
    quarantine : records whose date is outside the fund's life

    Raises
    ------
    DataError
        Where more than 1% of the dates are.
    """
    table = workbook.table("Historical", HISTORY)
    date = dates(table, "As Of")
    table.fail("As Of", date.isna(), "is a date")
    table, date, aside = _within_life(table, date, cover, fund)
    table.refuse_repeats(pd.DataFrame({"As Of": date}))
    splits_on = {pd.Timestamp(day): ratio for day, ratio in splits.items()}
    frame = pd.DataFrame(
        {
            "fund": fund,
            "date": date,
            "nav": numbers(table, "NAV per Share"),
            "shares_outstanding": numbers(table, "Shares Outstanding", zero=True),
            "split": date.map(splits_on).astype(np.float64).fillna(1.0),
            "known_at": known_at("next_session_morning", date),
        }
    ).sort_values("date", ignore_index=True)
    paid = numbers(table, "Ex-Dividends", zero=True) if "Ex-Dividends" in table.rows else pd.Series(np.nan, index=date.index)
    dividends = pd.DataFrame({"fund": fund, "ex_date": date, "amount": paid}).dropna(subset=["amount"])
    return frame.dropna(subset=["nav", "shares_outstanding"], how="all").reset_index(drop=True), dividends.sort_values("ex_date"), aside


def read_holdings(workbook: Workbook, cover: Cover, fund: str) -> pd.DataFrame:
    """Read what the fund held, cash and derivatives included.

    Returns
    -------
    DataFrame with fund, date, security (ticker, "" where there is none), name, asset_class, exchange, weight (a share of the fund)

    Raises
    ------
    DataError
        Where the sheet holds fewer securities than it says: the file is cut off.
    """
    table = workbook.table("Holdings", HOLDINGS)
    asset_class = table.column("Asset Class")
    table = table.where(asset_class != "")  # notes below the table have one cell
    ticker = table.column("Ticker")
    frame = pd.DataFrame(
        {
            "fund": fund,
            "date": cover.as_of,
            "security": ticker.mask(ticker.isin(NO_DATE), ""),
            "name": table.column("Name"),
            "asset_class": table.column("Asset Class"),
            "exchange": table.column("Exchange") if "Exchange" in table.rows else "",
            "weight": numbers(table, "Weight (%)", positive=False) / 100,
        }
    )
    if len(frame) < (1 - BAD_SHARE) * np.nan_to_num(cover.n_securities):
        raise DataError(
            f"{table.name}: {len(frame)} rows, and the sheet says {cover.n_securities:.0f} securities; rule: all of them; "
            "the file is cut off, download it again"
        )
    return frame.reset_index(drop=True)


def read_distributions(workbook: Workbook, fund: str) -> pd.DataFrame:
    """Read distributions; a fund without such a sheet has made none.

    Returns
    -------
    DataFrame with fund, record_date, ex_date, payable_date, amount in USD a share, in order of ex_date
    """
    columns = ("record_date", "ex_date", "payable_date")
    if "Distributions" not in workbook.sheets:
        day = pd.Series(dtype="datetime64[us]")
        return pd.DataFrame({"fund": pd.Series(dtype=str), **dict.fromkeys(columns, day), "amount": pd.Series(dtype=float)})
    table = workbook.table("Distributions", DISTRIBUTIONS)
    days = {name: dates(table, column) for name, column in zip(columns, DISTRIBUTIONS, strict=False)}
    table.fail("Ex-Date", days["ex_date"].isna(), "is a date")
    frame = pd.DataFrame({"fund": fund, **days, "amount": numbers(table, "Total Distribution", positive=False)})
    return frame.sort_values("ex_date", ignore_index=True)


def _within_life(table: Table, date: pd.Series, cover: Cover, fund: str) -> tuple[Table, pd.Series, pd.DataFrame]:
    first, last = cover.inception, cover.as_of + LATEST
    inside = date.between(first, last)
    outside = ~inside
    if outside.mean() > BAD_SHARE:
        table.fail("As Of", outside, f"is within the fund's life, {first:%Y-%m-%d} to {last:%Y-%m-%d}, in 99% of the rows")
    aside = pd.DataFrame({"frame": "funds", "series": fund, "date": date[outside], "rule": "date is outside the fund's life"})
    return table.where(inside), date[inside], aside[list(QUARANTINE)].reset_index(drop=True)
