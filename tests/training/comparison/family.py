"""Families of trials in a ledger and in MLflow, for the tests of comparisons and the benchmark."""

from collections.abc import Iterable, Mapping

import pandas as pd

from tests.training.ledger.trials import trial, walk
from training.ledger.ledger import Ledger
from training.ledger.trial import Trial


def enter(
    ledger: Ledger, run_id: str, losses: pd.DataFrame | None, *, made: Trial | None = None, status: str = "FINISHED", name: str = ""
) -> None:
    """Enter a trial that ended, with its numbers if it has any."""
    ledger.open(run_id, name or f"run {run_id}", "appetite", made or trial(run_id))
    ledger.end(run_id, status, None if losses is None else ledger.mirror.keep(losses))


def family(ledger: Ledger, gains: Mapping[str, float], **given) -> None:
    """Enter finished trials of one family, by the share of the loss that each saves."""
    for seed, (run_id, gain) in enumerate(gains.items()):
        enter(ledger, run_id, walk(seed, gain=gain, **given))


def tagged(client, experiment: str, trials: Iterable[tuple[str, Trial]]) -> list[str]:
    """Make finished runs in MLflow as `training.tracking.open_run` leaves them, and give their ids."""
    out = []
    for name, each in trials:
        tags = each.tags() | {"job": each.kind, "data.fingerprint": each.family.data, "market": each.market, "simulated": "true"}
        run = client.create_run(experiment, run_name=name, tags=tags)
        client.set_terminated(run.info.run_id)
        out.append(run.info.run_id)
    return out
