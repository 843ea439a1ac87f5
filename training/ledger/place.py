"""Where the ledger lies, and how its faults are told."""

import os
from pathlib import Path

from serving.journal import Kind
from serving.label_place import SQLITE
from training.errors import LedgerError

ROOT_VARIABLE = "APPETITE_LEDGER"
SUFFIX = ".ledger"
TRIALS = "trials.jsonl"
LEDGER = Kind(
    "lines of the ledger",
    (TRIALS,),
    ROOT_VARIABLE,
    "a line never changes: restore the folder from a copy. Moved away, a new ledger begins, and every run of before has to be acknowledged",
    LedgerError,
)


def ledger_root(tracking_uri: str) -> Path:
    """Give the folder of the ledger of a tracking store.

    `APPETITE_LEDGER`, else beside the SQLite database of the tracking URI and named after it (`mlflow.db`: `mlflow.ledger`), else
    `mlflow.ledger` in the current folder.
    """
    named = os.environ.get(ROOT_VARIABLE)
    if named:
        return Path(named)
    database = tracking_uri.removeprefix(SQLITE) if tracking_uri.startswith(SQLITE) else "mlflow.db"
    return Path(database).with_suffix(SUFFIX)
