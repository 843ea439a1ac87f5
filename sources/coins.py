"""Coins from several files, one close a coin and day by a declared order, and market caps beside them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sources.known import known_at
from sources.series import within
from sources.spec import CapFile, CoinFile, Span
from sources.table import Folder, Table

KEY = ["asset", "date"]


def read_coins(folder: Folder, files: Sequence[CoinFile], caps: Sequence[CapFile], span: Span) -> pd.DataFrame:
    """Read closes: the first file that has a coin on a day counts, and within it the first of its preferred sources."""
    frame = pd.concat([_closes(folder, file, span) for file in files], ignore_index=True)
    frame = frame.drop_duplicates(KEY, keep="first", ignore_index=True)
    if not caps:
        return frame.assign(market_cap=np.nan)
    known = pd.concat([_caps(folder, file) for file in caps], ignore_index=True).drop_duplicates(KEY, keep="first")
    return frame.merge(known, on=KEY, how="left", validate="one_to_one")


def _closes(folder: Folder, file: CoinFile, span: Span) -> pd.DataFrame:
    table, date = within(folder, "coins", file.asset or file.path, file, span)
    if file.symbol is not None:
        table = folder.set_aside("coins", file.path, table, table.column(file.symbol) == "")
        date = date[table.rows.index]
    asset = table.column(file.symbol) if file.symbol is not None else pd.Series(file.asset, index=date.index, dtype=str)
    rank = _rank(table, file)
    keys = {file.symbol or "asset": asset, file.date: date}
    if file.source is not None:
        keys[file.source] = table.column(file.source)
    table.refuse_repeats(pd.DataFrame(keys))
    frame = pd.DataFrame(
        {"asset": asset, "date": date, "close": table.numbers(file.close), "known_at": known_at(file.known_at, date), "rank": rank}
    )
    frame = frame.dropna(subset=["close"]).sort_values("rank", kind="stable")
    return frame.drop_duplicates(KEY, keep="first").drop(columns="rank")


def _rank(table: Table, file: CoinFile) -> pd.Series:
    """Give each row the place of its source in the order of preference."""
    if file.source is None:
        return pd.Series(0, index=table.rows.index)
    source = table.column(file.source)
    rank = source.map({name: place for place, name in enumerate(file.prefer)})
    table.fail(file.source, rank.isna(), f"is one of the sources under 'prefer' ({', '.join(file.prefer)})")
    return rank


def _caps(folder: Folder, file: CapFile) -> pd.DataFrame:
    table = folder.table(file.path)
    date, asset = table.dates(file.date, file.date_format), table.column(file.symbol)
    table = folder.set_aside("coins", file.path, table, date.isna() | (asset == ""))
    date, asset = date[table.rows.index], asset[table.rows.index]
    table.refuse_repeats(pd.DataFrame({file.symbol: asset, file.date: date}))
    return pd.DataFrame({"asset": asset, "date": date, "market_cap": table.numbers(file.market_cap, zero=True)})
