"""A trial that is under way, between its two lines."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from training.errors import LedgerError
from training.ledger.ledger import Ledger
from training.ledger.mirror import Kept


@dataclass
class OpenTrial:
    """The trial of an open run.

    Attributes
    ----------
    ledger : that has its first line
    run_id : of its run
    kept, sealed : hashes of its numbers and of its lock-box, once there are any
    """

    ledger: Ledger
    run_id: str
    kept: Kept | None = None
    sealed: str = ""

    def keep(self, losses: pd.DataFrame, lockbox: Path | None = None) -> None:
        """Keep the judged rows of a walk beside the ledger, and the hash of the file that holds its lock-box, if one was written.

        Parameters
        ----------
        losses : as `training.forecasts.ForecastWalk.losses`
        """
        self.kept = self.ledger.mirror.keep(losses)
        if lockbox is not None and lockbox.exists():
            self.sealed = hashlib.sha256(lockbox.read_bytes()).hexdigest()

    def end(self, status: str) -> None:
        """Write the second line.

        Parameters
        ----------
        status : MLflow's word
        """
        self.ledger.end(self.run_id, status, self.kept, self.sealed)

    def end_badly(self, status: str) -> None:
        """Write the second line if that can be done: the error that ended the trial is what the user is told."""
        try:
            self.end(status)
        except LedgerError:
            return
