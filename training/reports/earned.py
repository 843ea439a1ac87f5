"""The report's section on what forecasts would have earned: a sentence, a table, and the other delays and costs behind it."""

from dataclasses import dataclass

import pandas as pd

from serving.words import p_value, plural
from training.book import SERVED
from training.evaluation.skill import LEVEL
from training.evaluation.strategy import COSTS_BP, DELAYS
from training.reports.table import Table
from training.reports.tables_skill import strategy_view
from training.strategies import Strategies

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
    tried = own["p_gain"].dropna()
    if tried.empty:
        return f"{told}; nowhere did the choices trade otherwise than the baseline, so there is no gain to test."
    least, looks = float(tried.min()), len(tried)
    adjusted = min(least * looks, 1.0)
    worth = "consistent with a gain" if adjusted <= LEVEL else "no evidence of a gain"
    return (
        f"{told}. The least p of a gain over the baseline is {p_value(least)}, times {plural(looks, 'look')} {p_value(adjusted)}: {worth}. "
        f"The deflated ratio is of the gain over the baseline, for N = {plural(strategies.n_trials, 'trial')} of the family; above 0 is "
        "against earning nothing, and an asset that rose gives that to whoever held it."
    )
