"""From an experiment's name to a comparison: ledger, MLflow, and whether they agree."""

from collections.abc import Sequence

from training.comparison.choose import choose
from training.comparison.compare import Comparison, compare
from training.errors import JobError
from training.ledger.agreement import missing_trials
from training.ledger.ledger import Ledger
from training.ledger.seen import experiment_names, runs_of
from training.ledger.trial import JOBS


def compare_experiment(
    ledger: Ledger, experiment: str, names: Sequence[str], *, market: str = "", family: str = "", common: bool = False
) -> Comparison:
    """Compare runs of one family of an experiment.

    Parameters
    ----------
    names : names, ids or beginnings of ids of runs; all if empty
    market : only families on the market of this name; any if empty
    family : id of a family, or its beginning; the one that was tried last if empty
    common : rank on the dates that all trials share, those with few among them

    Raises
    ------
    JobError
        Where there is nothing to compare, or the runs are not alike.
    LedgerError
        Where the ledger or its numbers are not as they were written.
    """
    there = experiment_names()
    if experiment not in there:
        raise JobError(f"compare: there is no experiment '{experiment}'; there are {', '.join(sorted(there))}")
    choice = choose(ledger.read(), experiment, names=names, market=market, family=family)
    seen = [each for each in runs_of("family_id", choice.family_id) if each.tags.get("job") in JOBS]
    deleted = {each.run_id for each in seen if each.deleted}
    return compare(choice, ledger.mirror, missing_trials(choice.family, seen), common=common, deleted=deleted)
