"""The numbers of finished trials, kept beside the ledger by their hash: what MLflow loses is still there."""

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import pandas as pd

from models.forecast import BASELINES
from training.book import SERVED
from training.errors import LedgerError
from training.ledger.place import ROOT_VARIABLE

FOLDER = "losses"
KEY = ["asset", "horizon", "session"]
OWN = ("mean", "sd", "crps", "pit", "p_on")
"""Columns of the served series that are kept; a walk that lacks one keeps it as missing."""

SHARED = ("y", *(f"{score}_{rung}" for rung in BASELINES for score in ("mean", "crps")))
"""Columns that trials of a family have in common: one file for all of them as long as they are equal to the bit."""


@dataclass(frozen=True)
class Kept:
    """Hashes of what was kept of a trial: its own columns, and those of the baselines on the same rows."""

    losses: str
    baselines: str


def judged(losses: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut the judged rows out of the losses of a walk.

    Parameters
    ----------
    losses : as `training.forecasts.ForecastWalk.losses`

    Returns
    -------
    own : columns `OWN` of the served series
    shared : `KEY` and `SHARED` of the same rows, by asset, horizon and session; rows that a baseline has no score on are left out
    """
    rows = losses[losses["outer"].astype(bool) & losses["crps"].notna()]
    by_rung = {str(rung): part.set_index(KEY) for rung, part in rows.groupby("rung", sort=False)}
    if SERVED not in by_rung:
        return pd.DataFrame(columns=list(OWN), dtype=float), pd.DataFrame(columns=[*KEY, *SHARED])
    served = by_rung[SERVED].sort_index()
    scores = {f"{score}_{rung}": by_rung[rung][score] for rung in BASELINES for score in ("mean", "crps")}
    shared = pd.DataFrame({"y": served["y"], **scores}, index=served.index)
    complete = shared.notna().all(axis=1).to_numpy()
    own = served.reindex(columns=list(OWN)).astype(float)
    return own[complete].reset_index(drop=True), shared[complete].reset_index()


@dataclass(frozen=True)
class Mirror:
    """The folder of numbers.

    Attributes
    ----------
    root : folder of the ledger
    """

    root: Path

    def keep(self, losses: pd.DataFrame) -> Kept:
        """Keep the judged rows of a walk; they are on the disk when this returns.

        Raises
        ------
        LedgerError
            Where they cannot be written.
        """
        own, shared = judged(losses)
        return Kept(self._write(own), self._write(shared))

    def read(self, sha256: str) -> pd.DataFrame:
        """Read one file back, which must be as it was written.

        Raises
        ------
        LedgerError
            Where it is missing or altered.
        """
        return pd.read_parquet(io.BytesIO(self.bytes_of(sha256)))

    def bytes_of(self, sha256: str) -> bytes:
        """Read the bytes of one file, which must be as they were written; errors as of `read`."""
        path = self._path(sha256)
        try:
            body = path.read_bytes()
        except OSError:
            raise LedgerError(
                f"numbers of the ledger '{path}': they are missing; rule: numbers are kept; restore them from a copy"
            ) from None
        if hashlib.sha256(body).hexdigest() != sha256:
            raise LedgerError(
                f"numbers of the ledger '{path}': they were altered; rule: a file is named by its hash; restore it from a copy"
            )
        return body

    def _write(self, frame: pd.DataFrame) -> str:
        body = frame.to_parquet(index=False, compression="zstd")
        sha256 = hashlib.sha256(body).hexdigest()
        path = self._path(sha256)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                with NamedTemporaryFile(dir=path.parent, delete=False) as part:
                    part.write(body)
                    part.flush()
                    os.fsync(part.fileno())
                Path(part.name).replace(path)
        except OSError as error:
            raise LedgerError(
                f"numbers of the ledger '{path.parent}': they cannot be written ({error.strerror or error}); rule: a folder that may be "
                f"written to, on a disk with room. Make it so, or name another root in {ROOT_VARIABLE}"
            ) from None
        return sha256

    def _path(self, sha256: str) -> Path:
        return self.root / FOLDER / f"{sha256}.parquet"
