"""The altcoin indices side by side, each on its own days; nothing is spliced."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from features.altcoins import altcoin_index, altcoin_table, coin_returns, daily_correlation, published_cap, unlisted_pegs
from features.market import Market
from serving.words import count, day, fixed
from training.data.section import Section
from training.data.strips import Span, Strip, curve
from training.reports.table import Table

EQUAL, CAP, TOTAL3, LESS = "equal weight", "cap weight", "TOTAL3 as published", "TOTAL3 less stablecoins"
TITLE = "Altcoin indices"
AGREE = 0.9
"""Daily correlation under which two indices of altcoins do not speak of the same thing."""

MEANING = (
    "Equal weight: mean daily return of the coins at hand, BTC, ETH, stablecoins and wrapped claims left out. Cap weight: by the caps of "
    "the last day of the month before, so it ends where the caps end. TOTAL3: the vendor's sum of caps but BTC and ETH; its moves also "
    "hold coins issued and listed. They are different indices: each is drawn from its own lowest to its own highest, and none is spliced."
)
BIAS = "The list of coins was drawn up with hindsight: coins that died before are not in it, so levels are too high; use moves."


def altcoin_levels(market: Market) -> dict[str, pd.Series]:
    """Give every altcoin index by its name, NaN days left out."""
    levels = {
        EQUAL: altcoin_index(market.coins, "equal"),
        CAP: altcoin_index(market.coins, "cap"),
        TOTAL3: published_cap(market.macro, "nothing")["level"],
        LESS: published_cap(market.macro, "stablecoins")["level"],
    }
    return {name: level.dropna() for name, level in levels.items()}


def altcoin_section(market: Market, span: Span) -> Section:
    """Show the indices.

    Parameters
    ----------
    span : first and last date of the common axis
    """
    levels = altcoin_levels(market)
    pegs = unlisted_pegs(market.coins)
    peg_words = (
        f"Coins that look like pegs and are not listed as such: {', '.join(pegs)}. Each dampens the index."
        if pegs
        else "No coin looks like a peg without being listed as one (last 90 closes within 3% of a dollar)."
    )
    return Section(
        "altcoins",
        TITLE,
        [MEANING, peg_words, BIAS],
        [correlation_table(levels)],
        [level_table(levels), coins_table(market)],
        strips=[_strip(name, level, span) for name, level in levels.items()],
        findings=[*_findings(levels), *([peg_words] if pegs else [])],
    )


def correlations(levels: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Correlate daily log returns of every pair of indices on the days that both have.

    Returns
    -------
    DataFrame with index, other, correlation (NaN under 3 days), n; pairs without a common day are left out
    """
    rows = [(a, b, *daily_correlation(levels[a], levels[b])) for a, b in itertools.combinations(levels, 2)]
    table = pd.DataFrame(rows, columns=["index", "other", "correlation", "n"])
    return table[table["n"] > 0].reset_index(drop=True)


def _findings(levels: Mapping[str, pd.Series]) -> list[str]:
    absent = [name for name, level in levels.items() if not len(level)]
    found = [f"No values of the altcoin indices {', '.join(absent)}."] if absent else []
    pairs = correlations(levels)
    apart = pairs[pairs["correlation"] < AGREE]
    words = "; ".join(f"{p['index']} and {p['other']} {fixed(p['correlation'], 2)} (n {p['n']})" for p in apart.to_dict("records"))
    return [*found, f"Altcoin indices with a daily correlation under {AGREE}: {words}."] if words else found


def correlation_table(levels: Mapping[str, pd.Series]) -> Table:
    """Write `correlations`."""
    rows = [[p["index"], p["other"], fixed(p["correlation"], 3), f"{p['n']:,}"] for p in correlations(levels).to_dict("records")]
    return Table(
        "Correlation of daily log returns on the days that both have (n).", ["index", "with", "correlation", "n, days"], rows, (0, 1)
    )


def level_table(levels: Mapping[str, pd.Series]) -> Table:
    """Write the span of each index."""
    rows = []
    for name, level in levels.items():
        if not len(level):
            rows.append([name, "none", "none", "0", "", ""])
            continue
        within = (level.index[-1] - level.index[0]).days + 1 - len(level)
        move = np.log(level).diff()[(level.index.to_series().diff() == pd.Timedelta(days=1)).to_numpy()]
        largest = "" if move.dropna().empty else f"{np.expm1(move.loc[move.abs().idxmax()]):+.0%} on {day(move.abs().idxmax())}"
        rows.append([name, day(level.index[0]), day(level.index[-1]), f"{len(level):,}", f"{within:,}", largest])
    head = ["index", "first", "last", "days", "days missing between", "largest move in a day"]
    return Table("Days on which each index has a value.", head, rows, text=(0, 1, 2, 5))


def coins_by_day(market: Market) -> pd.Series:
    """Count the coins in the equal-weight return of each UTC day."""
    table = altcoin_table(market.coins)
    return coin_returns(table).notna().sum(axis=1) if len(table) else pd.Series(dtype=np.int64)


def coins_table(market: Market) -> Table:
    """Write the number of coins by year."""
    by_day = coins_by_day(market)
    years = by_day.groupby(pd.DatetimeIndex(by_day.index).year).agg(["min", "median", "max"]) if len(by_day) else pd.DataFrame()
    rows = [[str(year), *(count(value) for value in row)] for year, row in zip(years.index, years.to_numpy(), strict=True)]
    return Table("Coins in a day's equal-weight return, by year; under 3 there is none.", ["year", "fewest", "median", "most"], rows)


def _strip(name: str, level: pd.Series, span: Span) -> Strip:
    if not len(level):
        return Strip(name, "no values", [], [], f"{name}: no values")
    note = f"{day(level.index[0])} to {day(level.index[-1])} · {len(level):,} days"
    return Strip(name, note, curve(level, span, logarithmic=True), [], f"{name}, log scale: {note}")
