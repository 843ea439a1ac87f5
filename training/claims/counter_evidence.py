"""What speaks against the thesis: redemptions of small-cap funds, and companies that lose money (METHODS 4)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.flow_episodes import flow_quarantine
from features.flow_universe import WHOLE, leave_one_out
from features.market import Market
from features.profitability import profitability
from training.claims.register import LOSS_SHARE_SAID, LOSS_TOLERANCE
from training.claims.verdicts import CONSISTENT, CONTRADICTED, INCONCLUSIVE, NOT_TESTABLE

RECENT = 126
"""Sessions within which the last share of loss-makers speaks of today: two quarters."""


@dataclass(frozen=True)
class FlowEvidence:
    """Flows of the year of the last session.

    Attributes
    ----------
    year, until : the year, and the last session of the data
    funds : on hand
    total : USD, all funds, what the guard set aside left out
    without : DataFrame with left_out, usd: the same without one fund; empty with a single fund
    verdict : of the claim that money leaves
    """

    year: int
    until: pd.Timestamp
    funds: tuple[str, ...]
    total: float
    without: pd.DataFrame
    verdict: str


@dataclass(frozen=True)
class LossEvidence:
    """Share of companies whose trailing twelve months show a loss.

    Attributes
    ----------
    last : session of the last known share, None without any
    share : then; n: companies
    verdict : of the claim that it is some 40%
    """

    last: pd.Timestamp | None
    share: float
    n: int
    verdict: str


def flow_evidence(market: Market) -> FlowEvidence:
    """Add up the flows of the year of the last session, with every fund left out once."""
    until = market.sessions[-1]
    totals = flow_quarantine(market).totals
    own = totals[totals["year"] == until.year]
    if own.empty:
        nothing = pd.DataFrame(columns=["left_out", "usd"])
        return FlowEvidence(until.year, until, (), float("nan"), nothing, NOT_TESTABLE)
    table = leave_one_out(own)
    total = float(table.loc[table["left_out"] == WHOLE, "without_usd"].iloc[0])
    rest = table[(table["left_out"] != WHOLE) & table["without_usd"].notna()]
    without = rest[["left_out", "without_usd"]].rename(columns={"without_usd": "usd"}).reset_index(drop=True)
    return FlowEvidence(until.year, until, tuple(sorted(own["fund"])), total, without, flow_verdict(total, without["usd"].to_numpy()))


def flow_verdict(total: float, without: np.ndarray) -> str:
    """One fund cannot speak for all; several must agree on the sign, each left out in turn."""
    if not len(without) or not (np.sign(without) == np.sign(total)).all():
        return INCONCLUSIVE
    return CONSISTENT if total < 0 else CONTRADICTED


def loss_evidence(market: Market) -> LossEvidence:
    """Take the last known share of loss-makers, if it speaks of today."""
    family = profitability(market)
    share = family.values["profitability__neg_share"].dropna()
    if share.empty:
        return LossEvidence(None, float("nan"), 0, NOT_TESTABLE)
    last, value = share.index[-1], float(share.iloc[-1])
    n = int(family.quality.loc[last, "profitability__n"])
    if int((market.sessions > last).sum()) > RECENT:
        return LossEvidence(last, value, n, NOT_TESTABLE)
    near = abs(value - LOSS_SHARE_SAID) <= LOSS_TOLERANCE
    return LossEvidence(last, value, n, CONSISTENT if near else CONTRADICTED)


def joined(flow: FlowEvidence, loss: LossEvidence) -> str:
    """Give both halves of the claim one verdict: the weaker; what cannot be tested leaves the rest inconclusive."""
    said = {flow.verdict, loss.verdict}
    if said == {NOT_TESTABLE}:
        return NOT_TESTABLE
    if CONTRADICTED in said:
        return CONTRADICTED
    return CONSISTENT if said == {CONSISTENT} else INCONCLUSIVE
