"""What the registry says, and a copy of what was served: where the registry does not answer, the last good version goes on."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from serving.errors import ServingError
from serving.label_place import SQLITE
from serving.output import write_text
from serving.service.settings import LAST, MODELS

NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
KEPT = 3
"""Copies that stay: the version served, and those to go back to."""


class RegistryError(ServingError):
    """The registry does not answer, or has no such version."""


@dataclass(frozen=True)
class Registry:
    """Versions of one model.

    Attributes
    ----------
    model, alias : what is served
    state : folder for the copies
    """

    model: str
    alias: str
    state: Path

    def champion(self) -> str:
        """Give the version that carries the alias.

        Raises
        ------
        RegistryError
        """
        import mlflow
        from mlflow.exceptions import MlflowException

        _must_be_there(mlflow.get_tracking_uri())
        try:
            return str(mlflow.MlflowClient().get_model_version_by_alias(self.model, self.alias).version)
        except MlflowException as error:
            if error.error_code in NOT_THERE:
                raise RegistryError(
                    f"registry: no version of '{self.model}' carries the alias '{self.alias}'; run `appetite train`, or `appetite promote`"
                ) from None
            raise RegistryError(f"registry: it does not answer ({_first_line(error)})") from None

    def copy_of(self, version: str) -> Path:
        """Give a folder with the version's files, fetched where it is not there.

        Raises
        ------
        RegistryError
        """
        import mlflow.artifacts
        from mlflow.exceptions import MlflowException

        folder = self.state / MODELS / f"{self.model}-{version}"
        if folder.is_dir():
            return folder
        part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
        try:
            part.mkdir(parents=True)
            fetched = mlflow.artifacts.download_artifacts(f"models:/{self.model}/{version}", dst_path=str(part))
            Path(fetched).rename(folder) if Path(fetched) != part else part.rename(folder)
        except (MlflowException, OSError) as error:
            if folder.is_dir():  # another worker was first
                return folder
            raise RegistryError(f"registry: version {version} of '{self.model}' cannot be fetched ({_first_line(error)})") from None
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return folder

    def last_good(self) -> str | None:
        """Give the version that was served last; None where none was."""
        try:
            told = json.loads((self.state / LAST).read_text(encoding="utf-8"))
            return str(told["version"]) if told["model"] == self.model else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remember(self, version: str) -> None:
        """Note which version is good, and let old copies go."""
        write_text(json.dumps({"model": self.model, "version": version}) + "\n", self.state / LAST)
        copies = sorted((self.state / MODELS).glob(f"{self.model}-*"), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in [each for each in copies if each.name != f"{self.model}-{version}"][KEPT - 1 :]:
            shutil.rmtree(old, ignore_errors=True)


def _must_be_there(uri: str) -> None:
    """Refuse a SQLite database that is not there: the first question would make an empty one."""
    database = Path(uri.removeprefix(SQLITE))
    if uri.startswith(SQLITE) and not database.is_file():
        raise RegistryError(f"registry: no database '{database}'; look at MLFLOW_TRACKING_URI, or run `appetite train` first")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
