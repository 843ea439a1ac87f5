"""The search: candidates proposed on the tuning rows, each walked forward once, and the procedure judged on the rows after."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from features.market import Market
from training.config import TrainConfig
from training.errors import JobError
from training.evaluation.skill import skill_table
from training.ledger.trial import SEARCH, hypothesis_of
from training.record import TOLD, make_trial, run_tags
from training.search.candidate import laid_out
from training.search.nested import Choice, choose_nested, follow, relative_loss
from training.search.outcome import log_found
from training.search.space import SearchConfig, check_space, with_values
from training.search.tries import Tries, sampled
from training.search.workers import workers
from training.study import Table, make_table
from training.tracking import RunHandle, open_run
from training.window import judged_window, priced_sessions

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes
    ----------
    run : of the search
    tried : DataFrame, a row a candidate: number, run_id, the searched keys and the objective on the tuning rows
    split : first session on which the procedure is judged
    choices : which candidate was in force from when
    losses : losses of the procedure, in the columns of a walk's; before `split` those of the first candidate
    skill : its table against the baselines, from `split` on
    best : config of the candidate that is chosen by all judged rows
    best_number : its number
    """

    run: RunHandle
    tried: pd.DataFrame
    split: pd.Timestamp
    choices: tuple[Choice, ...]
    losses: pd.DataFrame
    skill: pd.DataFrame
    best: TrainConfig
    best_number: int


def run_search(market: Market, config: TrainConfig, search: SearchConfig, *, name: str | None, progress: Progress) -> Found:
    """Search, record every candidate as a trial, and judge the procedure as a whole.

    Nested walk-forward: the sampler sees the losses of the tuning rows alone; on the rows after them the candidate in force is the one
    with the least loss by outcomes known on that day. So the procedure's own losses are out of sample, whatever was tried.

    Raises
    ------
    JobError
        Before a run is opened, for what can be known then.
    """
    check_space(config, search)
    table = make_table(market, config, progress)
    split = split_session(table, config, search)
    trial = replace(make_trial(market, config, table, SEARCH), hypothesis_id=hypothesis_of(config, search.claim))
    tags = run_tags(market, config, SEARCH)
    words = f"{market.name} search {search.sampler} {search.trials} seed {search.seed}"
    with open_run(name, tags, words, trial=trial) as run, warnings.catch_warnings(), TemporaryDirectory() as folder:
        for category in TOLD:
            warnings.simplefilter("ignore", category)
        tries = Tries(table, config, search, split, Path(folder), run, tags, trial)
        with sampled(search) as study, workers(search.backend, search.jobs) as spread:
            while len(study.trials) < search.trials:
                tries.batch(study, spread)
                progress(SEARCH, len(study.trials), search.trials)
        found = _judge(tries)
        if run.trial is not None:
            run.trial.keep(found.losses)
        log_found(found, search)
    return found


def split_session(table: Table, config: TrainConfig, search: SearchConfig) -> pd.Timestamp:
    """First session on which the procedure is judged; what comes before is for tuning.

    Raises
    ------
    JobError
        If the history leaves nothing to tune or to judge on.
    """
    sessions = priced_sessions(table.prices, config)
    window = judged_window(sessions, config)
    if window is None:
        raise JobError("search: the history is too short to judge a candidate; use a longer market or a smaller walk.min_history")
    judged = sessions[(sessions >= window.first) & (sessions < (window.lockbox or window.last))]
    return pd.Timestamp(judged[int(len(judged) * search.tuning)])


def _judge(tries: Tries) -> Found:
    """Choose on each refit date by what was known then, follow the choices, and test what they served."""
    rows, losses, reference = laid_out(tries.paths, tries.table)
    sessions = tries.table.features.index
    times = range(int(sessions.searchsorted(tries.split)), len(sessions), tries.config.walk.refit_every)
    # until the split the first candidate is in force: the procedure then has the rows of every other trial of the family
    choices = [Choice(0, 0, float("nan")), *choose_nested(losses, reference, rows, times)]
    tables = {number: pd.read_parquet(tries.paths[number]) for number in {each.candidate for each in choices}}
    nested = follow(tables, choices, pd.Series(np.arange(len(sessions)), index=sessions))
    final = relative_loss(losses, reference, rows["cell"].to_numpy(), rows["outer"].to_numpy(dtype=bool))
    best = int(np.nanargmin(final))
    config = with_values(tries.config, tries.values[best])
    judged = skill_table(nested[nested["session"] >= tries.split])
    return Found(tries.run, pd.DataFrame(tries.rows), tries.split, tuple(choices), nested, judged, config, best)
