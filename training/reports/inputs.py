"""What each family of features was made of, how old it is, and what of it is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features import constant_columns
from features.market import Market
from features.matrix import FAMILIES, MAY_NEVER_FIRE
from models.inference import Array
from serving.words import UNKNOWN, count, day, number, plural, share
from sources.inventory import panel_name
from training.reports.table import Table
from training.study import Study

SOURCES: Mapping[str, tuple[str, ...]] = {
    "momentum": ("prices",),
    "breadth": ("panel", "members"),
    "flows": ("funds",),
    "profitability": ("filings",),
    "liquidity": ("macro",),
    "crypto": ("coins",),
}
"""Frames of the market that each family reads."""

FACE: Mapping[str, tuple[str, str]] = {
    "momentum": ("momentum__mom_252", "log return of the Russell 2000 over 252 sessions"),
    "breadth": ("breadth__panel_pct_above_200", "share of stocks above their 200-day average"),
    "flows": ("flows__flow_pct_252", "flows of 252 sessions as a share of assets"),
    "profitability": ("profitability__neg_share", "share of filers that lose money"),
    "liquidity": ("liquidity__vix", "VIX"),
    "crypto": ("crypto__btc_vol", "volatility of bitcoin over one session"),
}
"""The column whose course stands for the family, and its name in words."""

POINTS = 140
WIDE, HIGH = 280.0, 44.0


@dataclass(frozen=True)
class FamilyView:
    """One family as the report shows it.

    Attributes
    ----------
    name : of the family
    quality : sentences on coverage and age
    spoken : the course of the column that is drawn
    lines : points of its polylines, one a stretch without gaps
    inputs, columns : tables of what it was made of and what it gave
    """

    name: str
    quality: list[str]
    spoken: str
    lines: list[str]
    inputs: Table
    columns: Table


def family_views(market: Market, study: Study, used: Mapping[str, Sequence[str]]) -> list[FamilyView]:
    """Describe every family.

    Parameters
    ----------
    used : columns that the models read, by what reads them
    """
    walk = study.features.iloc[study.regimes.first :]
    return [family_view(family, market, walk, study.quality.iloc[study.regimes.first :], used) for family in FAMILIES]


def family_view(family: str, market: Market, walk: pd.DataFrame, quality: pd.DataFrame, used: Mapping[str, Sequence[str]]) -> FamilyView:
    """Describe one family over the rows of `walk` and `quality`.

    Parameters
    ----------
    used : columns that the models read, by what reads them
    """
    face, words = FACE[family]
    series = walk[face]
    known = series.dropna()
    if len(known):
        low, high = number(known.min()), number(known.max())
        spoken = f"{words}: from {low} to {high}, last {number(known.iloc[-1])} on {day(known.index[-1])}"
    else:
        spoken = f"{words}: no values"
    inputs = Table(
        f"Series of the frames that {family} reads.",
        ["frame", "series", "records", "first", "last", "last known at"],
        input_rows(market, family),
        text=(0, 1, 3, 4, 5),
    )
    return FamilyView(
        family, quality_words(quality, family), spoken, sparkline(series.to_numpy()), inputs, column_table(walk, family, used)
    )


def quality_words(quality: pd.DataFrame, family: str) -> list[str]:
    """Say coverage, age and n of the last session, and the mean coverage over the walk."""
    out = []
    for column in [c for c in quality if str(c).startswith(f"{family}__")]:
        name = str(column).removeprefix(f"{family}__").replace("_", " ")
        last = quality[column].iloc[-1]
        if name.endswith("coverage"):
            out.append(f"{name} {share(last)} now, {share(quality[column].mean())} on average")
        elif name.endswith("age sessions"):
            out.append(f"{name.replace('age sessions', 'age')} {UNKNOWN if pd.isna(last) else plural(int(last), 'session')}")
        else:
            out.append(f"{name} {count(last)}")
    return out


def column_table(walk: pd.DataFrame, family: str, used: Mapping[str, Sequence[str]]) -> Table:
    """Last value, when it was last seen, and how much of the walk it covers, for each column of a family."""
    rows = []
    for column in [str(c) for c in walk if str(c).startswith(f"{family}__")]:
        known = walk[column].dropna()
        readers = ", ".join(reader for reader, columns in used.items() if column in columns)
        age = count(len(walk) - 1 - walk.index.get_indexer(known.index[-1:])[0]) if len(known) else UNKNOWN
        last = number(known.iloc[-1]) if len(known) else UNKNOWN
        seen = day(known.index[-1]) if len(known) else "never"
        rows.append([column.removeprefix(f"{family}__"), last, seen, age, share(len(known) / len(walk)), readers])
    head = ["column", "last value", "last seen", "age, sessions", "share of the walk", "read by"]
    return Table(f"Columns of {family} over the walk.", head, rows, text=(0, 2, 5))


def input_rows(market: Market, family: str) -> list[list[str]]:
    """Series of the frames that a family reads, with their span; long frames of companies are one row."""
    rows = []
    for frame in SOURCES[family]:
        if frame == "panel":
            rows += _panel_row(market)
            continue
        records: pd.DataFrame = getattr(market, frame)
        by = {"prices": "series", "macro": "series", "coins": "asset", "funds": "fund"}.get(frame)
        date = "date" if "date" in records else "start" if frame == "members" else "period_end"
        if by is None:
            groups: list[tuple[Any, pd.DataFrame]] = [(f"{records['security'].nunique()} securities", records)] if len(records) else []
        else:
            groups = list(records.groupby(by, sort=True))
        for name, part in groups:
            rows.append([frame, str(name), str(len(part)), day(part[date].min()), day(part[date].max()), _instant(part["known_at"].max())])
    return rows


def _panel_row(market: Market) -> list[list[str]]:
    priced = market.priced()
    if not len(priced):
        return []
    # of what was counted nobody knows more than that it was known by its row
    known = _instant(market.panel.known_at.max()) if market.counted is None else "by the row"
    return [["panel", panel_name(market), str(int(priced.sum())), day(priced.index[0]), day(priced.index[-1]), known]]


def _instant(value: Any) -> str:
    return UNKNOWN if pd.isna(value) else f"{value:%Y-%m-%d %H:%M} UTC"


def sparkline(values: Array) -> list[str]:
    """Points of the polylines of a small curve, thinned; a gap ends a line.

    Returns
    -------
    list of 'x,y x,y ...' within `WIDE` x `HIGH`
    """
    step = max(len(values) // POINTS, 1)
    thin = values[::-1][::step][::-1]
    known = ~np.isnan(thin)
    if not known.any():
        return []
    low, high = float(np.nanmin(thin)), float(np.nanmax(thin))
    x = np.linspace(2.0, WIDE - 2.0, len(thin))
    y = HIGH - 3.0 - (HIGH - 6.0) * ((thin - low) / (high - low) if high > low else np.full(len(thin), 0.5))
    cuts = np.flatnonzero(np.diff(known.astype(np.int8)) != 0) + 1
    stretches = np.split(np.arange(len(thin)), cuts)
    return [" ".join(f"{x[k]:.1f},{y[k]:.1f}" for k in stretch) for stretch in stretches if known[stretch[0]]]


def silent_columns(values: pd.DataFrame) -> dict[str, list[str]]:
    """Columns without news: events that never happened, columns without any value, and constants that should not be."""
    constant = constant_columns(values)
    return {
        "never_fired": [c for c in constant if c in MAY_NEVER_FIRE],
        "empty": [str(c) for c in values if values[c].isna().all()],
        "faults": [c for c in constant if c not in MAY_NEVER_FIRE],
    }
