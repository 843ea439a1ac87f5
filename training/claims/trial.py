"""The thesis on trial: every claim with what followed, its nulls, its rivals and its verdict."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.breakout_cells import REGISTERED, list_grid
from features.breakout_list import with_closes
from features.levels import index_closes
from features.market import Market
from training.claims.abnormal import abnormal_returns
from training.claims.assets import claim_prices
from training.claims.counter_evidence import FlowEvidence, LossEvidence, flow_evidence, loss_evidence
from training.claims.family import Cell, Progress, family_of
from training.claims.halving import HalvingControl, halving_control
from training.claims.highs import judge_highs
from training.claims.outcomes import HORIZONS, excursions
from training.claims.placebos import placebo_table, reversed_table
from training.claims.records import RecordDayTest, record_day_test
from training.claims.register import CLAIMS, Claim
from training.claims.rules import list_rule_events, record_ages
from training.claims.shifts import DRAWS, NOTHING
from training.claims.timing import Timing, timings_of
from training.claims.verdicts import judge
from training.errors import JobError
from training.targets import forward_return

SMALL_CAPS, REFERENCE, COINS = "R2000", "BTC", ("BTC", "ETH", "ALT")
LAG_DRAWS = 999


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict.

    Attributes
    ----------
    claim : as registered
    cell : by which it is judged; None where the market has not the series or the asset
    cells : all horizons of the assets that the claim is about
    verdict : one of `training.claims.verdicts`
    halving : beside the same months of other halving cycles; None without events
    followed : DataFrame, a row an event, asset and horizon: date, asset, horizon, log_return, over_mean, over_matched, over_beta
    extremes : DataFrame, a row an event and asset: date, asset, mfe, mae, to_mfe, share (of all sessions with as great an mfe)
    """

    claim: Claim
    cell: Cell | None
    cells: list[Cell]
    verdict: str
    halving: HalvingControl | None
    followed: pd.DataFrame
    extremes: pd.DataFrame


@dataclass(frozen=True)
class Trial:
    """All that is said of the claims on one market.

    Attributes
    ----------
    market, simulated, note : of the market
    first, last : its sessions
    prices : of the assets on sessions
    events : as `training.claims.rules.list_rule_events`
    highs : as `training.claims.highs.judge_highs`, with the series, by date
    ends : confirmed breakouts and how each ended, as `features.breakout_cells.list_grid`, registered cell
    cells : the whole family
    judged : C1 to C5
    flow, loss : C6; timing : C7, an entry a coin
    placebos, reverse : as `training.claims.placebos`
    naive : t-test on every record day by horizon: what not to do
    draws : of the nulls
    """

    market: str
    simulated: bool
    note: str
    first: pd.Timestamp
    last: pd.Timestamp
    prices: pd.DataFrame
    events: pd.DataFrame
    highs: pd.DataFrame
    ends: pd.DataFrame
    cells: list[Cell]
    judged: list[Judged]
    flow: FlowEvidence
    loss: LossEvidence
    timing: list[Timing]
    placebos: pd.DataFrame
    reverse: pd.DataFrame
    naive: dict[int, RecordDayTest]
    draws: int


def hold_trial(market: Market, progress: Progress, draws: int = DRAWS, seed: int = 0) -> Trial:
    """Judge every claim on a market.

    Parameters
    ----------
    progress : called with a word, the steps done and their number
    draws, seed : of the nulls; leads and lags take 999 draws at most

    Raises
    ------
    JobError
        If the market has no price of any coin, or no closes of the small-cap index.
    """
    prices = claim_prices(market)
    if REFERENCE not in prices or not index_closes(market, SMALL_CAPS).notna().any():
        raise JobError(
            f"claims: market '{market.name}' lacks closes of '{SMALL_CAPS}' or of '{REFERENCE}'; rule: both, or there is nothing to judge. "
            "Name them in the market file"
        )
    events = list_rule_events(market)
    cells = family_of(events, prices, with_closes(market), draws, seed, progress)
    small = index_closes(market, SMALL_CAPS)
    grid = list_grid(market)
    registered = (grid["base"] == REGISTERED[0]) & (grid["tolerance"] == REGISTERED[1]) & grid["confirmed"].notna()
    return Trial(
        market.name,
        bool(market.simulated),
        market.note,
        market.sessions[0],
        market.sessions[-1],
        prices,
        events,
        _highs(market),
        grid[registered].reset_index(drop=True),
        cells,
        [judge_claim(claim, cells, events, prices) for claim in CLAIMS],
        flow_evidence(market),
        loss_evidence(market),
        timings_of(market, [asset for asset in COINS if asset in prices], min(draws, LAG_DRAWS), seed, progress),
        placebo_table(market, prices[REFERENCE], HORIZONS, draws, seed),
        reversed_table(market, prices[REFERENCE], HORIZONS, draws, seed),
        _naive(small, prices[REFERENCE]),
        draws,
    )


def judge_claim(claim: Claim, cells: list[Cell], events: pd.DataFrame, prices: pd.DataFrame) -> Judged:
    """Find the cells of a claim, and apply the rule of `training.claims.verdicts`."""
    own = [c for c in cells if (c.series, c.state) == (claim.series, claim.state) and c.asset in (claim.asset, *claim.also)]
    cell = next((c for c in own if (c.asset, c.horizon) == (claim.asset, claim.horizon)), None)
    picked = events[(events["series"] == claim.series) & (events["state"] == claim.state) & events["counted"].astype(bool)]
    dates = pd.DatetimeIndex(picked["date"])
    assets = [asset for asset in (claim.asset, *claim.also) if asset in prices]
    followed, extremes = follow(dates, prices, assets)
    if cell is None:
        return Judged(claim, None, own, judge(NOTHING, (np.nan, np.nan), []), None, followed, extremes)
    verdict = judge(cell.shift, cell.adjusted, list(cell.without), always=claim.always, falls=len(cell.falls))
    halving = halving_control(dates, prices[claim.asset], claim.horizon) if cell.shift.n else None
    return Judged(claim, cell, own, verdict, halving, followed, extremes)


def follow(dates: pd.DatetimeIndex, prices: pd.DataFrame, assets: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give `Judged.followed` and `Judged.extremes`; events before an asset had a price are left out, open horizons are missing values."""
    followed, extremes = [], []
    for asset in assets:
        there = dates[prices[asset].reindex(dates).notna().to_numpy()]
        for horizon in HORIZONS:
            moves = abnormal_returns(there, prices, asset, horizon, REFERENCE)
            followed.append(moves.rename_axis("date").reset_index().assign(asset=asset, horizon=horizon))
        every = excursions(prices[asset])
        own = every.reindex(there)
        known = every["mfe"].dropna().to_numpy()
        share = [float((known >= best).mean()) if len(known) and not np.isnan(best) else float("nan") for best in own["mfe"]]
        extremes.append(own.assign(share=share, asset=asset).rename_axis("date").reset_index())
    return (pd.concat(followed, ignore_index=True), pd.concat(extremes, ignore_index=True)) if assets else (pd.DataFrame(), pd.DataFrame())


def _highs(market: Market) -> pd.DataFrame:
    parts = [judge_highs(index_closes(market, name)).assign(series=name) for name in with_closes(market)]
    return pd.concat(parts, ignore_index=True).sort_values(["date", "series"], kind="stable", ignore_index=True)


def _naive(small: pd.Series, price: pd.Series) -> dict[int, RecordDayTest]:
    records = record_ages(small).notna().to_numpy()
    out = {}
    for horizon in HORIZONS:
        forward = forward_return(price, horizon).to_numpy(dtype=np.float64)
        known = ~np.isnan(forward)
        out[horizon] = record_day_test(forward[known], np.flatnonzero(records[known]))
    return out
