"""Claim C7, 'timing matters more than correlation': who leads, by how much, and whether that is more than moving together."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.coins import daily_bars
from features.levels import index_closes
from features.market import Market
from models.inference import Array
from training.claims.lags import FEWEST, LagProfile, lag_profile
from training.claims.projections import HORIZONS, project
from training.claims.shifts import LEVEL
from training.claims.verdicts import CONSISTENT, CONTRADICTED, INCONCLUSIVE, NOT_TESTABLE

Progress = Callable[[str, int, int], None]

SMALL_CAPS = "R2000"
BY_END, BY_START = "closing hours after the stock market", "closing hours before it"
"""The two conventions: the coin's day that ends after the session, and the one that ended the midnight before."""

PREDICTOR = 21
"""Sessions of the log return that is the predictor of local projections, either way."""

ROLLING = 126
DAYS_A_SESSION = 365.25 / 252

RULE = (
    "consistent: small caps lead Bitcoin at some lag of 2 to 63 sessions beyond what chance shows over all lags, under both labels of the "
    "coin's day, more strongly than the two move together on the day; contradicted: every coin moves with them on the day beyond that "
    "band, none at another lag, and no local projection of any coin, either way, is significant after Holm; inconclusive: everything else"
)


@dataclass(frozen=True)
class Timing:
    """What was found of one coin against small caps.

    Attributes
    ----------
    asset : the coin
    profiles : by label convention
    forward : local projections of the coin's return on the last 21 sessions of small caps, as `training.claims.projections.project`,
        and p_adjusted: by Holm over the projections of all coins in both directions
    backward : of small caps' return on the last 21 sessions of the coin
    rolling : correlation of the last 126 one-session returns, on the sessions
    p_lead : of a lead either way: the larger of both labels', so that both must show it, by Holm over the coins
    """

    asset: str
    profiles: dict[str, LagProfile]
    forward: pd.DataFrame
    backward: pd.DataFrame
    rolling: pd.Series
    p_lead: float = float("nan")

    @property
    def leads(self) -> bool:
        """Whether a lead may be named: both labels show one, the same way round, and it outlives the look at every coin."""
        ways = {profile.best > 0 for profile in self.profiles.values() if profile.best is not None}
        return self.p_lead <= LEVEL and len(ways) == 1


def coin_returns(market: Market, asset: str, convention: str) -> pd.Series:
    """One-session log returns of a coin under a label convention; a missing day takes the close before it, up to three days back."""
    bars = daily_bars(market, asset)["close"]
    if bars.empty:
        return pd.Series(np.nan, index=market.sessions)
    days = pd.date_range(bars.index[0], bars.index[-1], freq="D", unit="us")
    close = bars.reindex(days).ffill(limit=3)
    wanted = market.sessions if convention == BY_END else market.sessions - pd.Timedelta(days=1)
    level = close.reindex(wanted).set_axis(market.sessions)
    returns: pd.Series = np.log(level).diff()
    return returns


def timings_of(market: Market, assets: Sequence[str], draws: int, seed: int, progress: Progress) -> list[Timing]:
    """Look for leads and lags of every coin that has enough sessions, and adjust their projections for one another."""
    found = []
    for k, asset in enumerate(assets):
        progress("timing", k, len(assets))
        found.append(timing_of(market, asset, draws, seed))
    progress("timing", len(assets), len(assets))
    return adjusted([each for each in found if each is not None])


def adjusted(timings: list[Timing]) -> list[Timing]:
    """Add p_adjusted to all projections and p_lead to all coins: Holm (1979) over those that have a p-value."""
    if not timings:
        return timings
    tables = [table for each in timings for table in (each.forward, each.backward)]
    parts = np.split(_holm(np.concatenate([table["p"].to_numpy(dtype=np.float64) for table in tables])), len(tables))
    done = [table.assign(p_adjusted=part) for table, part in zip(tables, parts, strict=True)]
    leads = _holm(np.array([max(profile.p for profile in each.profiles.values()) for each in timings]))
    return [
        dataclasses.replace(each, forward=done[2 * k], backward=done[2 * k + 1], p_lead=float(leads[k])) for k, each in enumerate(timings)
    ]


def _holm(p: Array) -> Array:
    from statsmodels.stats.multitest import multipletests

    out, known = np.full(len(p), np.nan), ~np.isnan(p)
    if known.any():
        out[known] = multipletests(p[known], method="holm")[1]
    return out


def timing_of(market: Market, asset: str, draws: int, seed: int) -> Timing | None:
    """Look for leads and lags of a coin against the small-cap index; None where too few sessions have both."""
    small = np.log(index_closes(market, SMALL_CAPS).ffill()).diff()
    profiles = {}
    for convention in (BY_END, BY_START):
        x, y, _ = _both(small, coin_returns(market, asset, convention))
        if len(x) < FEWEST:
            return None
        profiles[convention] = lag_profile(x, y, draws, seed)
    x, y, sessions = _both(small, coin_returns(market, asset, BY_END))
    rolling = pd.Series(x, index=sessions).rolling(ROLLING).corr(pd.Series(y, index=sessions))
    return Timing(asset, profiles, _on_momentum(y, x), _on_momentum(x, y), rolling)


def _both(x: pd.Series, y: pd.Series) -> tuple[Array, Array, pd.DatetimeIndex]:
    """Keep the sessions from the first to the last on which both have a return; a gap inside is no move."""
    there = np.flatnonzero((x.notna() & y.notna()).to_numpy())
    span = slice(there[0], there[-1] + 1) if len(there) else slice(0, 0)
    kept = [each.iloc[span].fillna(0.0).to_numpy(dtype=np.float64) for each in (x, y)]
    return kept[0], kept[1], pd.DatetimeIndex(x.index[span])


def _on_momentum(returns: Array, other: Array) -> pd.DataFrame:
    momentum = pd.Series(other).rolling(PREDICTOR).sum().to_numpy(dtype=np.float64)
    return project(returns[PREDICTOR - 1 :], momentum[PREDICTOR - 1 :], HORIZONS)


def judge_timing(timings: list[Timing], reference: str = "BTC") -> str:
    """Apply `RULE`."""
    judged = [each for each in timings if each.asset == reference]
    if not judged:
        return NOT_TESTABLE
    own = list(judged[0].profiles.values())
    if all(each.best is not None and each.best > 0 and abs(each.at(each.best)) > abs(each.at(0)) for each in own):
        return CONSISTENT
    every = [profile for each in timings for profile in each.profiles.values()]
    together = all(max(abs(each.at(lag)) for lag in (-1, 0, 1)) > each.band for each in every)
    later = any(each.best is not None for each in every) or any(
        (table["p_adjusted"] <= LEVEL).any() for each in timings for table in (each.forward, each.backward)
    )
    return CONTRADICTED if together and not later else INCONCLUSIVE


def days_of(sessions: int) -> int:
    """Calendar days of so many sessions."""
    return round(sessions * DAYS_A_SESSION)
