"""Reading the store of runs where there is one: a look makes none."""

from pathlib import Path

from serving.label_place import SQLITE
from training.errors import JobError
from training.tracking import connect, tracking_uri


def has_store() -> bool:
    """Whether there is a store to read; the first connection would make a SQLite database that is not there."""
    uri = tracking_uri()
    return not uri.startswith(SQLITE) or Path(uri.removeprefix(SQLITE)).is_file()


def connect_existing() -> None:
    """Point MLflow at the store, which must be there.

    Raises
    ------
    JobError
        Where there is no database.
    """
    if not has_store():
        raise JobError(
            f"there is no run on record: no database '{Path(tracking_uri().removeprefix(SQLITE)).absolute()}'; rule: what only reads makes "
            "none. Run `appetite train` first, go to the folder it was run in, or name its database in MLFLOW_TRACKING_URI"
        )
    connect()
