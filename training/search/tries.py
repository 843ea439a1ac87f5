"""The candidates of a search: proposed in batches, each walked once, and the sampler told how they did on the tuning rows."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from training.config import TrainConfig
from training.errors import JobError
from training.ledger.trial import Trial
from training.search.candidate import Candidate, laid_out, walk_candidate
from training.search.children import Child, open_children
from training.search.nested import relative_loss
from training.search.space import SearchConfig, values_now, with_values
from training.search.workers import Map
from training.study import Table
from training.tracking import RunHandle

if TYPE_CHECKING:
    import optuna

OBJECTIVE = "tuning_crps_ratio"


@contextmanager
def sampled(search: SearchConfig) -> Iterator["optuna.Study"]:
    """Give a study of Optuna's with the sampler that is asked for.

    Raises
    ------
    JobError
        Where Optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise JobError("search: optuna is not installed; run `pip install 'appetite[search]'`") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler if search.sampler == "tpe" else optuna.samplers.QMCSampler
        yield optuna.create_study(sampler=sampler(seed=search.seed))


@dataclass
class Tries:
    """Candidates so far.

    Attributes
    ----------
    table, config, search : what is searched, from where, how
    split : first session that the sampler may not look at
    folder : of the losses of candidates
    run, tags, trial : of the search
    paths : losses by number of the candidate
    values : of the searched keys, by number
    rows : what is told of each
    seen : objective by values: one that is proposed again is no new trial
    """

    table: Table
    config: TrainConfig
    search: SearchConfig
    split: pd.Timestamp
    folder: Path
    run: RunHandle
    tags: Mapping[str, str]
    trial: Trial
    paths: dict[int, Path] = field(default_factory=dict)
    values: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    seen: dict[tuple[tuple[str, Any], ...], float] = field(default_factory=dict)

    def batch(self, study: "optuna.Study", spread: Map) -> None:
        """Propose a batch, walk what was not walked before, and tell the sampler."""
        if not study.trials and (now := values_now(self.config, self.search)) is not None:
            study.enqueue_trial(now)  # the config as it is comes first: ties go to it
        asked = [study.ask() for _ in range(min(self.search.batch, self.search.trials - len(study.trials)))]
        proposed = [tuple((key, space.suggest(each, key)) for key, space in self.search.space.items()) for each in asked]
        fresh = [dict(values) for values in dict.fromkeys(proposed) if values not in self.seen]
        candidates = [Candidate(len(self.paths) + i, values, with_values(self.config, values)) for i, values in enumerate(fresh)]
        work = [(self.table, each.config, self.folder / f"{each.number}.parquet") for each in candidates]
        with open_children(self.run, candidates, self.tags, self.trial) as children:
            for child, path in zip(children, spread(walk_candidate, work), strict=True):
                self._enter(child, path)
        for each, values in zip(asked, proposed, strict=True):
            study.tell(each, self.seen[values])

    def _enter(self, child: Child, path: Path) -> None:
        candidate = child.candidate
        self.paths[candidate.number] = path
        ratio = self._objective(candidate.number)
        child.finish(path, {OBJECTIVE: ratio})
        self.seen[tuple(candidate.values.items())] = ratio
        self.values.append(dict(candidate.values))
        self.rows.append({"candidate": candidate.number, "run_id": child.run_id, **candidate.values, OBJECTIVE: ratio})

    def _objective(self, number: int) -> float:
        """Mean loss on rows whose outcome was known before the split, relative to the expanding mean's under the first candidate."""
        rows, losses, reference = laid_out({each: self.paths[each] for each in sorted({0, number})}, self.table)
        known = (rows["position"] + rows["horizon"] < self.table.features.index.searchsorted(self.split)).to_numpy()
        return float(relative_loss(losses, reference, rows["cell"].to_numpy(), known)[-1])
