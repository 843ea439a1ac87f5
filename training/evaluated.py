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
from training.study import Study, Table, run_study

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
    """

    study: Study
    facts: dict[str, Any]
    scorer: Scorer
    card: dict[str, Any]
    events: pd.DataFrame


def evaluate(market: Market, table: Table, config: TrainConfig, run_id: str, progress: Progress) -> Evaluated:
    """Run the study and gather what is recorded of it: the same market, config and code give the same numbers.

    Parameters
    ----------
    table : of `training.study.make_table`
    run_id : of the run that records it; the card names it
    """
    study = run_study(table, config, progress)
    progress("record", 0, 4)
    facts = gather_facts(market, study, config)
    scorer = make_scorer(study, config)
    card = build_card(facts, scorer.published, f"run {run_id[:8]}")
    events = event_study(market, list(config.assets), list(config.horizons))
    return Evaluated(study, facts, scorer, card, events)
