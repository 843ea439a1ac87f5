"""The rival story: most breakouts fall in the months after a halving of Bitcoin's issue (METHODS 4)."""

from dataclasses import dataclass

import pandas as pd

from features.asof import asof
from features.liquidity import HALVINGS, months_since_halving
from training.targets import forward_return

WITHIN = 3.0
"""Months to either side of an event's own distance from the halving that count as the same."""

SHORTLY = 7.0
"""Months after a halving in which the breakouts of 2013, 2016 and 2020 lie."""

SOURCE = "block 210,000 on 2012-11-28, 420,000 on 2016-07-09, 630,000 on 2020-05-11, 840,000 on 2024-04-20 (UTC; any block explorer)"


@dataclass(frozen=True)
class HalvingControl:
    """Events beside the same months of halving cycles without one.

    Attributes
    ----------
    events : DataFrame with date, months (since the halving), log_return, control (mean log return of the control sessions), n (control
        sessions), cycles (control cycles that have any), over_control (the difference); missing where there is no control
    shortly, n : events within 7 months of a halving, and all
    share : sessions of the asset within 7 months of a halving, as a share of all
    """

    events: pd.DataFrame
    shortly: int
    n: int
    share: float


def halving_cycles(sessions: pd.DatetimeIndex) -> pd.Series:
    """Number of the halving before each session, from 0; -1 before the first."""
    return pd.Series(HALVINGS.searchsorted(asof(sessions) - pd.Timedelta(days=1), side="right") - 1, index=sessions)


def halving_control(counted: pd.DatetimeIndex, price: pd.Series, horizon: int) -> HalvingControl:
    """Compare each event with sessions as many months (± 3) after a halving, in cycles in which the rule had no event.

    Parameters
    ----------
    counted : dates of all counted events of a rule and series, those before the asset had a price included
    price : price of the asset on sessions
    """
    sessions = pd.DatetimeIndex(price.index)
    months, cycles = months_since_halving(sessions), halving_cycles(sessions)
    forward = forward_return(price, horizon)
    there = counted[counted.isin(sessions)]
    taken = set(cycles.reindex(there).tolist())
    free = (cycles >= 0) & ~cycles.isin(taken) & forward.notna()
    rows = []
    for date in there[forward.reindex(there).notna().to_numpy()]:
        alike = free & ((months - months[date]).abs() <= WITHIN)
        control = float(forward[alike].mean()) if alike.any() else float("nan")
        moved = float(forward[date])
        row = {"date": date, "months": float(months[date]), "log_return": moved, "control": control}
        rows.append(row | {"n": int(alike.sum()), "cycles": int(cycles[alike].nunique()), "over_control": moved - control})
    table = pd.DataFrame(rows, columns=["date", "months", "log_return", "control", "n", "cycles", "over_control"])
    lived = months[price.notna()]
    return HalvingControl(table, int((table["months"] <= SHORTLY).sum()), len(table), float((lived <= SHORTLY).mean()))
