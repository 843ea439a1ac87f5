"""Runs that are no training and cannot be made again as one: what they are, and what to type instead."""

import shlex
from collections.abc import Mapping

from training.errors import JobError
from training.ledger.trial import BACKTEST, SEARCH, TRAIN

COMPARE = "compare"


def refuse_other_job(run_id: str, name: str, experiment: str, tags: Mapping[str, str]) -> None:
    """Refuse a run of a search, one of its candidates or a comparison; a run that does not say its job is let through.

    Parameters
    ----------
    tags : of the run

    Raises
    ------
    JobError
        Where it is none of train or backtest.
    """
    job = tags.get("job", TRAIN)
    if job in (TRAIN, BACKTEST):
        return
    what, instead = f"a run of '{job}'", "name a run of train or backtest"
    if job == SEARCH:
        parent = tags.get("parent", "")
        what = (
            f"a candidate of search {parent[:8]}, of which the scores alone are kept" if parent else "a search, which tries configurations"
        )
        file = f"mlflow artifacts download --run-id {parent or run_id} --artifact-path evaluation/best.yaml --dst-path ."
        instead = (
            f"the configuration that the search ended with is had by `{file}`, trained by `appetite train --config best.yaml`, "
            "and that run can be reproduced"
        )
    elif job == COMPARE:
        typed = shlex.join(["--experiment", experiment, "--family", tags.get("family_id", "")])
        what, instead = "a comparison", f"compare the family as it stands now with `appetite compare {typed}`"
    raise JobError(f"reproduce: run '{name}' is {what}; rule: a run of train or backtest is made again. Instead, {instead}")
