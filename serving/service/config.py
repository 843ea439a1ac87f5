"""The file of the service: checked before anything starts."""

from pathlib import Path

from pydantic import ValidationError

from serving.errors import ServingError
from serving.service.settings import ServeConfig
from sources.yaml_file import first_fault, read_yaml


def load_config(path: Path) -> ServeConfig:
    """Read the settings.

    Raises
    ------
    ServingError
        Naming the first that breaks a rule.
    """
    told = read_yaml(path, "file of the service")
    if not isinstance(told, dict):
        raise ServingError(f"{path}: must be a mapping of settings")
    try:
        return ServeConfig.model_validate(told)
    except ValidationError as error:
        raise ServingError(f"{path}: {first_fault(error)}") from None
