"""The report's section on what forecasts would have earned: a sentence, a table, and the other delays and costs behind it."""

from dataclasses import dataclass

import pandas as pd

from serving.words import plural, prob
from training.book import SERVED
from training.evaluation.strategy import COSTS_BP, DELAYS
from training.reports.tables import Table
from training.reports.tables_skill import strategy_view
from training.strategies import Strategies

SURE = 0.95
"""Probability under which a Sharpe ratio is no evidence."""

KEY = ["asset", "horizon"]


@dataclass(frozen=True)
class EarnedSection:
    """What the section shows.

    Attributes
    ----------
    sentence : what the tables say
    first : table at the dear venue, entered at once
    others : of the other delays and costs
    """

    sentence: str
    first: Table
    others: list[Table]


def earned_section(strategies: Strategies) -> EarnedSection | None:
    """Lay out the strategies; None where there are none."""
    if strategies.summary.empty:
        return None
    dear = max(COSTS_BP)
    others = [strategy_view(strategies, delay, cost) for delay in DELAYS for cost in COSTS_BP if (delay, cost) != (0, dear)]
    return EarnedSection(earned_sentence(strategies, dear), strategy_view(strategies, 0, dear), others)


def earned_sentence(strategies: Strategies, cost_bp: float) -> str:
    """Say in how many cells the choices earned more than the baseline for the risk, and whether luck is ruled out in any."""
    table = strategies.summary
    shown = table[(table["delay"] == 0) & (table["cost_bp"] == cost_bp)]
    own = shown[shown["series"] == SERVED].set_index(KEY)
    base = shown[shown["series"] != SERVED].set_index(KEY)
    both = pd.DataFrame({"own": own["sharpe"], "base": base["sharpe"]}).dropna()
    told = (
        f"After {cost_bp:.0f} basis points the walk's choices had the higher Sharpe ratio in {int((both['own'] > both['base']).sum())} of "
        f"{plural(len(own), 'cell')}"
    )
    idle = len(own) - len(both)
    told += f" ({idle} could not be compared: one side held nothing)" if idle else ""
    best = own["deflated"].max()
    if pd.isna(best):
        return f"{told}; no Sharpe ratio can be deflated, for nothing was held."
    surest = own.reset_index().sort_values("deflated", ascending=False, kind="stable").iloc[0]
    allowed = f"allowing for N = {plural(strategies.n_trials, 'trial')} of the family"
    worth = "consistent with more than luck" if best > SURE else "no evidence of more than luck"
    cell = f"{surest['asset']} over {surest['horizon']} sessions"
    return (
        f"{told}. The highest deflated Sharpe ratio of theirs, {cell}, is {prob(best)} {allowed}: {worth} ({prob(SURE)} is asked for). "
        "That is against earning nothing: an asset that rose gives it to whoever held it, so the baseline's line is the one to compare."
    )
