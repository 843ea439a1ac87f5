"""Events that should say nothing of coins, by the same rules; and the roles reversed (METHODS 4)."""

import numpy as np
import pandas as pd

from features.levels import index_closes, price_level
from features.market import Market
from training.claims.outcomes import Outcomes, outcomes_of
from training.claims.rules import CONFIRMED, STATES, rule_events
from training.claims.shifts import draw_shifts, shift_test

PLACEBOS = {
    "SP500": "S&P 500 (large caps)",
    "QQQ": "QQQ (Nasdaq 100 fund)",
    "GLD": "GLD (gold fund)",
    "TLT": "TLT (long Treasury bonds)",
    "HYG": "HYG (high-yield bonds)",
    "UUP": "UUP (dollar fund)",
    "XLU": "XLU (utilities fund)",
}
"""Series whose breakouts stand beside those of small caps, where the market has them."""

SMALL_CAPS = "R2000"


def placebo_closes(market: Market) -> dict[str, tuple[str, pd.Series]]:
    """Closes on sessions of the placebos that the market has, each with the kind of close.

    Returns
    -------
    dict from series to ('price' or 'total return', Series); price return where there is any. Dividends make more and earlier records.
    """
    present = set(market.prices["series"])
    out = {}
    for name in PLACEBOS:
        if name not in present:
            continue
        closes = index_closes(market, name)
        if closes.notna().any():
            out[name] = ("price", closes)
            continue
        level, age = price_level(market, name, "adj_close")
        out[name] = ("total return", level.where(age == 0))
    return out


def placebo_table(market: Market, price: pd.Series, horizons: tuple[int, ...], draws: int, seed: int) -> pd.DataFrame:
    """What one asset did after the confirmed breakouts of each placebo.

    Returns
    -------
    DataFrame with series, kind, horizon, dates, n, mean (log), p_above, p_below (shift test, not adjusted)
    """
    own = outcomes_of(price, horizons)
    parts = [
        _tested(rule_events(closes), CONFIRMED, own, draws, seed).assign(series=name, kind=kind)
        for name, (kind, closes) in placebo_closes(market).items()
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def reversed_table(market: Market, price: pd.Series, horizons: tuple[int, ...], draws: int, seed: int) -> pd.DataFrame:
    """What small caps did after the events of a coin by the same rules, within the coin's history.

    Parameters
    ----------
    price : of the coin on sessions

    Returns
    -------
    DataFrame with state, horizon, dates, n, mean (log), p_above, p_below
    """
    if SMALL_CAPS not in set(market.prices["series"]) or price.first_valid_index() is None:
        return pd.DataFrame()
    small = index_closes(market, SMALL_CAPS).loc[price.first_valid_index() : price.last_valid_index()]
    events, own = rule_events(price), outcomes_of(small, horizons)
    return pd.concat([_tested(events, state, own, draws, seed).assign(state=state) for state in STATES], ignore_index=True)


def _tested(events: pd.DataFrame, state: str, own: Outcomes, draws: int, seed: int) -> pd.DataFrame:
    counted = events[(events["state"] == state) & events["counted"].astype(bool)]
    at = own.positions(pd.DatetimeIndex(counted["date"]))
    n = len(own.circle)
    if n < 2:
        return pd.DataFrame()
    shifts = draw_shifts(n, [n], draws, np.random.default_rng(seed))[n]
    rows = []
    for k, horizon in enumerate(own.horizons):
        over = at[~np.isnan(own.forward[at, k])]
        test = shift_test(own.circle[:, k], over, shifts)
        dates = [f"{date:%Y-%m-%d}" for date in own.sessions[over]]
        rows.append({"horizon": horizon, "dates": dates, "n": test.n, "mean": test.mean, "p_above": test.p_above, "p_below": test.p_below})
    return pd.DataFrame(rows)
