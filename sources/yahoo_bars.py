"""One ticker's table as Yahoo gives it: closes as traded, corporate actions, and what is set aside."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import DataError
from sources.prints import bad_prints

DIGITS = 7
"""Yahoo's prices are 32-bit floats: more digits than these are noise, and would differ after every later split."""


@dataclass(frozen=True)
class TickerBars:
    """What one ticker gives.

    Attributes
    ----------
    close : date, close (as traded, USD)
    actions : date (ex-date), split (new shares per old, 1 for none), dividend (USD a share on the shares of that day, 0 for none)
    aside : date, rule, frame ('quotes' or 'actions'): what was set aside
    """

    close: pd.DataFrame
    actions: pd.DataFrame
    aside: pd.DataFrame


def ticker_bars(place: str, table: pd.DataFrame, zone: str) -> TickerBars:
    """Undo Yahoo's adjustment for splits, which reaches back from its newest bar.

    Parameters
    ----------
    place : for error texts
    table : columns Close, and where there are any High, Low, Dividends, Stock Splits, Capital Gains; up to now, not up to a date of
        interest: a split that is left out leaves every close before it adjusted
    zone : time zone of the exchange, for an index that has one

    Raises
    ------
    DataError
        For bars off midnight and repeated dates.
    """
    table = table.set_axis(_dates(place, pd.DatetimeIndex(table.index), zone)).sort_index()
    split, dividend, aside = _actions(table)
    close = _column(table, "Close", np.nan)
    printed = close.notna() | (_column(table, "Volume", 0.0) > 0)
    rule = bad_prints(close[printed], *(_column(table, name, np.nan)[printed] for name in ("Low", "High")))
    bad = rule[rule != ""]
    aside.append(pd.DataFrame({"date": bad.index, "rule": bad.to_numpy(), "frame": "quotes"}))
    later = split[::-1].cumprod()[::-1].shift(-1, fill_value=1.0)
    good = rule.index[rule == ""]
    acting = split.index[(split != 1) | (dividend > 0)]
    return TickerBars(
        pd.DataFrame({"date": good, "close": rounded(close[good] * later[good])}).reset_index(drop=True),
        pd.DataFrame({"date": acting, "split": split[acting], "dividend": rounded((dividend * later)[acting])}).reset_index(drop=True),
        pd.concat(aside, ignore_index=True),
    )


def rounded(value: pd.Series) -> pd.Series:
    """Round to `DIGITS` significant digits: the number that the 32 bits stood for."""
    number = value.to_numpy(dtype=np.float64)
    scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.where(number > 0, number, 1.0))))
    return pd.Series(np.round(number * scale) / scale, index=value.index)


def _actions(table: pd.DataFrame) -> tuple[pd.Series, pd.Series, list[pd.DataFrame]]:
    """Give splits and dividends on every date, and those that cannot be."""
    split = _column(table, "Stock Splits", 0.0).fillna(0.0)
    dividend, gains = (_column(table, name, 0.0).fillna(0.0) for name in ("Dividends", "Capital Gains"))
    # Yahoo adds a fund's gains to its dividends and lists them again; a dividend below the gains cannot contain them
    dividend = dividend.where(dividend >= gains, dividend + gains)
    split = split.where(split != 0, 1.0)
    aside = []
    for value, rule, none in ((split, "split is a number above 0", 1.0), (dividend, "dividend is a number, not negative", 0.0)):
        wrong = ~np.isfinite(value) | (value < 0)
        value[wrong] = none
        aside.append(pd.DataFrame({"date": value.index[wrong], "rule": rule, "frame": "actions"}))
    return split, dividend, aside


def _column(table: pd.DataFrame, name: str, absent: float) -> pd.Series:
    return table[name].astype(np.float64) if name in table else pd.Series(absent, index=table.index)


def _dates(place: str, index: pd.DatetimeIndex, zone: str) -> pd.DatetimeIndex:
    local = (index.tz_convert(zone).tz_localize(None) if index.tz is not None else index).as_unit("us").rename("date")
    off = local != local.normalize()
    if off.any():
        raise DataError(f"{place}: bar {local[off][0]} is off midnight; rule: daily bars are labelled by the date in {zone}")
    if local.has_duplicates:
        raise DataError(f"{place}: date {local[local.duplicated()][0]:%Y-%m-%d} is there twice; rule: one bar a date")
    return local
