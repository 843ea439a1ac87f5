"""Put the sample market together, and keep its truth beside it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.errors import DataError
from features.market import Market
from sources.calendar import sessions as sessions_between
from sources.simulated.coins import draw_coins
from sources.simulated.filings import draw_filings
from sources.simulated.funds import draw_funds
from sources.simulated.macro import draw_macro
from sources.simulated.prices import draw_prices
from sources.simulated.regimes import BURN, draw_regimes
from sources.simulated.stocks import draw_stocks

PARTS = ("regimes", "prices", "coins", "stocks", "funds", "filings", "macro")
"""Each part draws from its own stream: changing one leaves the others as they are."""


@dataclass(frozen=True)
class Simulation:
    """A market and what drove it.

    Attributes
    ----------
    market : Market
    states : Series of int on the sessions, 0 is "on" (risk-on)
    state_names : the states in words, in the order of their numbers
    response : Series on the sessions: what the regime added to the log return of every coin
    transitions : ndarray, (n_states, n_states), rows sum to one
    means, sigmas : ndarray, (n_states,), law of the small-cap log return a session in each state
    share_on : stationary probability of "on"
    effect, lag, seed : as passed
    """

    market: Market
    states: pd.Series
    state_names: tuple[str, ...]
    response: pd.Series
    transitions: np.ndarray
    means: np.ndarray
    sigmas: np.ndarray
    share_on: float
    effect: float
    lag: int
    seed: int


def simulate(
    seed: int = 0,
    effect: float = 0.004,
    lag: int = 10,
    years: int = 13,
    end: str = "2024-12-31",
    n_stocks: int = 300,
    n_states: int = 2,
    *,
    means: tuple[float, ...] | None = None,
    sigmas: tuple[float, ...] | None = None,
    dof: float | None = None,
) -> Simulation:
    """Draw a sample market whose regimes and crypto response are known.

    Persistent regimes drive small caps (METHODS 6, market S). Every coin's log return from one session's date to the
    next is `drift + effect * (1{state[t - lag] is on} - share_on) + vol * t4`; with `effect` 0 coins know nothing of small caps.
    The same arguments give the same market, and `effect` and `lag` change the coins alone.

    Parameters
    ----------
    seed : of every random stream
    effect : difference of the coins' drift a session between "on" and the other states, log
    lag : sessions from the state to the coins' response, 0 to 500
    years : length of the market, which ends with the last session not after `end`
    n_stocks : columns of the panel
    n_states : 2 ("on", "off") or 3 ("on", "mixed", "off")
    means, sigmas, dof : law of the small-cap returns, see `sources.simulated.regimes.draw_regimes`

    Raises
    ------
    DataError
        For arguments out of range, naming argument, rule and value.
    """
    _check(seed, effect, lag, years, n_stocks)
    last = pd.Timestamp(end)
    sessions = sessions_between(last - pd.DateOffset(years=years) + pd.Timedelta(days=1), last)
    streams = {part: np.random.default_rng([seed, i]) for i, part in enumerate(PARTS)}
    regimes = draw_regimes(len(sessions), n_states, streams["regimes"], means=means, sigmas=sigmas, dof=dof)
    states, returns = regimes.states[BURN:], regimes.returns[BURN:]
    lagged = regimes.states[BURN - lag : len(regimes.states) - lag]
    response = effect * ((lagged == 0) - regimes.share_on)
    stocks = draw_stocks(sessions, returns, n_stocks, streams["stocks"])
    off = states == n_states - 1
    frames = {
        "prices": draw_prices(sessions, returns, states == 0, streams["prices"]),
        "coins": draw_coins(sessions, response, streams["coins"]),
        "members": stocks.members,
        "funds": draw_funds(sessions, regimes.returns, streams["funds"]),
        "filings": draw_filings(sessions, off, stocks.first, stocks.last, stocks.panel.close.columns, streams["filings"]),
        "macro": draw_macro(sessions, returns, regimes.sigmas[states], streams["macro"]),
    }
    market = Market.from_frames(
        name="sample", simulated=True, note=_note(seed, effect, lag), sessions=sessions, frames=frames, panel=stocks.panel
    )
    return Simulation(
        market=market,
        states=pd.Series(states, index=sessions, name="state"),
        state_names=regimes.names,
        response=pd.Series(response, index=sessions, name="response"),
        transitions=regimes.transitions,
        means=regimes.means,
        sigmas=regimes.sigmas,
        share_on=regimes.share_on,
        effect=effect,
        lag=lag,
        seed=seed,
    )


def simulate_market(
    seed: int = 0,
    effect: float = 0.004,
    lag: int = 10,
    years: int = 13,
    end: str = "2024-12-31",
    n_stocks: int = 300,
    n_states: int = 2,
) -> Market:
    """Draw a sample market; `simulate` gives its truth as well, and explains the parameters."""
    return simulate(seed, effect, lag, years, end, n_stocks, n_states).market


def _check(seed: int, effect: float, lag: int, years: int, n_stocks: int) -> None:
    for name, value, low, high in (
        ("seed", seed, 0, 2**32),
        ("effect", effect, -0.1, 0.1),
        ("lag", lag, 0, 500),
        ("years", years, 2, 25),
        ("n_stocks", n_stocks, 5, 3000),
    ):
        if not low <= value <= high:
            raise DataError(f"simulate: {name} is {value}; rule: {low} to {high}")


def _note(seed: int, effect: float, lag: int) -> str:
    if effect == 0:
        return f"simulated, no effect planted: coins know nothing of small caps, seed {seed}"
    size = f"{effect:.4f}".rstrip("0").removeprefix("0")
    return f"simulated, planted effect {size} a session on BTC, ETH and altcoins, lag {lag} sessions, seed {seed}"
