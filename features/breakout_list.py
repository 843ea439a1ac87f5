"""The breakouts of a market's small-cap series, in one table."""

import pandas as pd

from features.breakout_transitions import breakout_events
from features.errors import DataError
from features.levels import index_closes
from features.market import Market

SERIES = {"R2000": "Russell 2000", "IWM": "IWM (Russell 2000 fund)", "IWN": "IWN (Russell 2000 Value fund)"}
"""Price-return series whose breakouts are listed, and their names."""

COLUMNS = ("series", "date", "event", "resistance", "close", "margin", "knife_edge")


def list_events(market: Market, series: list[str] | None = None) -> pd.DataFrame:
    """Every transition of the breakout automaton, by date and series (`COLUMNS`).

    Parameters
    ----------
    series : names in `market.prices`; those of `SERIES` that the market has, if None

    Raises
    ------
    DataError
        Naming a series that the market does not have, and those it has.
    """
    frames = [breakout_events(index_closes(market, name)).assign(series=name) for name in with_closes(market, series)]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(frames, ignore_index=True)[list(COLUMNS)].sort_values(["date", "series"], kind="stable", ignore_index=True)


def with_closes(market: Market, series: list[str] | None = None) -> list[str]:
    """Name the series whose breakouts are listed; parameters and errors as in `list_events`."""
    present = set(market.prices.loc[market.prices["close"].notna(), "series"])
    wanted = [s for s in SERIES if s in present] if series is None else series
    absent = [s for s in wanted if s not in present]
    if absent:
        raise DataError(f"events: the market has no price-return closes of '{absent[0]}'; it has {', '.join(sorted(present))}")
    return wanted
