"""What the card says of the thesis: what followed breakouts, the verdicts on the claims, and the lag, as `appetite claims` has them."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from features.breakout_list import with_closes
from features.levels import index_closes
from features.market import Market
from training.claims.assets import claim_prices
from training.claims.counter_evidence import flow_evidence, joined, loss_evidence
from training.claims.family import Cell, family_of
from training.claims.lags import LagProfile
from training.claims.register import CLAIMS
from training.claims.rules import CONFIRMED, list_rule_events
from training.claims.shifts import DRAWS
from training.claims.timing import Timing, days_of, judge_timing, timings_of
from training.claims.trial import COINS, LAG_DRAWS, REFERENCE, SMALL_CAPS, Judged, judge_claim
from training.claims.verdicts import judge

Progress = Callable[[str, int, int], None]
SEED = 0
"""Of the nulls, as in `training.claims.trial.hold_trial`: the same draws give the same figures."""


def thesis_of(market: Market, assets: Sequence[str], progress: Progress) -> dict[str, Any] | None:
    """Judge the claims; their placebos are left to `appetite claims`.

    Parameters
    ----------
    assets : whose history is told

    Returns
    -------
    dict with draws, looks, history (an entry an asset and horizon), claims, lag; None on a market on which there is nothing to judge
    """
    prices = claim_prices(market)
    if REFERENCE not in prices or not index_closes(market, SMALL_CAPS).notna().any():
        return None
    events = list_rule_events(market)
    cells = family_of(events, prices, with_closes(market), DRAWS, SEED, progress)
    judged = [judge_claim(claim, cells, events, prices) for claim in CLAIMS]
    timing = timings_of(market, [asset for asset in COINS if asset in prices], LAG_DRAWS, SEED, progress)
    told = [each for each in cells if (each.series, each.state) == (SMALL_CAPS, CONFIRMED) and each.asset in assets]
    counted = events[(events["series"] == SMALL_CAPS) & (events["state"] == CONFIRMED) & events["counted"].astype(bool)]
    return {
        "draws": DRAWS,
        "looks": sum(cell.shift.n > 0 for cell in cells),
        "history": [_history(cell, counted, prices[cell.asset]) for cell in told],
        "claims": [
            *(_claim(each) for each in judged),
            {"name": "C6", "verdict": joined(flow_evidence(market), loss_evidence(market))},
            {"name": "C7", "verdict": judge_timing(timing)},
        ],
        "lag": [_lag(each) for each in timing],
    }


def _history(cell: Cell, counted: pd.DataFrame, price: pd.Series) -> dict[str, Any]:
    early = counted["date"] < price.first_valid_index()
    return (
        {"asset": cell.asset, "horizon": cell.horizon}
        | _figures(cell)
        | {
            "before_prices": int(early.sum()),
            "not_over": [f"{each:%Y-%m-%d}" for each in cell.open_dates],
            "verdict": judge(cell.shift, cell.adjusted, list(cell.without)),
        }
    )


def _claim(judged: Judged) -> dict[str, Any]:
    claim = judged.claim
    words = {"name": claim.name, "series": claim.series, "state": claim.state, "asset": claim.asset, "horizon": claim.horizon}
    return words | (_figures(judged.cell) if judged.cell is not None else {"n": 0}) | {"verdict": judged.verdict}


def _figures(cell: Cell) -> dict[str, Any]:
    return {
        "n": cell.shift.n,
        "dates": [f"{each:%Y-%m-%d}" for each in cell.dates],
        "log_returns": list(cell.returns),
        "p": cell.shift.p_above,
        "p_adjusted": cell.adjusted[0],
        "base_up": cell.base.up,
        "base_n": cell.base.n,
        "base_n_independent": cell.base.n_independent,
    }


def _lag(timing: Timing) -> dict[str, Any]:
    return {
        "asset": timing.asset,
        "leads": timing.leads,
        "p_adjusted": timing.p_lead,
        "conventions": [{"day": words} | _profile(each) for words, each in timing.profiles.items()],
    }


def _profile(profile: LagProfile) -> dict[str, Any]:
    found = {name: getattr(profile, name) for name in ("best", "lo", "hi")}
    days = {f"{name}_days": None if value is None else days_of(value) for name, value in found.items()}
    return {"n": profile.n, "same_day": profile.at(0), "p": profile.p, "band": profile.band} | found | days
