"""Configurations that a search had as candidates before they were trials of their own."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from serving.sentences import chosen_words
from training.ledger.trial import Family, Trial


@dataclass(frozen=True)
class Chosen:
    """A search that had tried a configuration before it was a trial of its own.

    Attributes
    ----------
    run_id : of the search
    candidates : that it had tried by then, in the same family
    """

    run_id: str
    candidates: int

    def words(self) -> str:
        """Say what the configuration was chosen from."""
        return chosen_words(self.run_id, self.candidates)


class Searches:
    """Candidates of searches so far.

    Parameters
    ----------
    trials : in the order of their opening
    """

    def __init__(self, trials: Iterable[Trial]) -> None:
        self._tried: dict[tuple[Family, str], list[str]] = {}
        self._candidates: Counter[tuple[Family, str]] = Counter()
        for trial in trials:
            self.add(trial)

    def add(self, trial: Trial) -> None:
        """Count a trial if it is a candidate of a search."""
        if trial.parent:
            self._tried.setdefault((trial.family, trial.hypothesis_id), []).append(trial.parent)
            self._candidates[trial.family, trial.parent] += 1

    def chosen(self, trial: Trial) -> Chosen | None:
        """Give the search with the most candidates among those that had a trial's hypothesis in its family; None for a candidate."""
        if trial.parent or not trial.hypothesis_id:
            return None
        found = [Chosen(each, self._candidates[trial.family, each]) for each in self._tried.get((trial.family, trial.hypothesis_id), [])]
        return max(found, key=lambda each: each.candidates, default=None)
