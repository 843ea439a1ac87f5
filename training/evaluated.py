"""What a study amounts to: the facts, the scorer, the card and the events that a run records."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from features.market import Market
from models.scoring import Scorer
from serving.card import build_card
from training.artefact import make_scorer
from training.claims.events import event_study
from training.config import TrainConfig
from training.facts import gather_facts
from training.strategies import Strategies, make_strategies
from training.study import Study, Table, run_study
from training.thesis import thesis_of
from training.tracking import current_ledger

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Evaluated:
    """A study and what is made of it, before anything is written.

    Attributes
    ----------
    study : the walk-forwards
    facts : what only training knows, for the card
    scorer : what is served
    card : facts of the card
    events : breakouts and what followed
    strategies : what the forecasts would have earned
    """

    study: Study
    facts: dict[str, Any]
    scorer: Scorer
    card: dict[str, Any]
    events: pd.DataFrame
    strategies: Strategies


def evaluate(market: Market, table: Table, config: TrainConfig, run_id: str, progress: Progress) -> Evaluated:
    """Run the study and gather what is recorded of it: the same market, config and code give the same numbers.

    Parameters
    ----------
    table : of `training.study.make_table`
    run_id : of the run that records it; the card names it
    """
    study = run_study(table, config, progress)
    progress("record", 0, 4)
    place = current_ledger().read().place(run_id)
    facts = gather_facts(market, study, config, thesis_of(market, config.assets, progress), place)
    scorer = make_scorer(study, config)
    card = build_card(facts, scorer.published, f"run {run_id[:8]}")
    events = event_study(market, list(config.assets), list(config.horizons))
    strategies = make_strategies(study.forecasts.losses, study.skill, study.prices, place.number if place else 1)
    return Evaluated(study, facts, scorer, card, events, strategies)
