"""The rules of promotion, as their file gives them."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.config import explain, read_yaml, told
from training.errors import JobError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sound(_Frozen):
    """Thresholds that every champion meets."""

    min_outer_rows: Annotated[int, Field(ge=1)]
    coverage_80: tuple[float, float]
    min_crps_skill: float
    max_degenerate_share: Annotated[float, Field(ge=0, le=1)]
    max_churn: Annotated[float, Field(ge=0, le=1)]
    min_label_gain: float


class Better(_Frozen):
    """Thresholds against the champion."""

    min_common_rows: Annotated[int, Field(ge=1)]
    min_gain: float
    min_gain_errors: Annotated[float, Field(ge=0)]


class PromoteConfig(_Frozen):
    """Rules of promotion."""

    sound: Sound
    better: Better


def load_promote_config(path: str | Path) -> PromoteConfig:
    """Read the rules; a fault is a `JobError` that names file, key, rule and value."""
    try:
        return PromoteConfig.model_validate(read_yaml(path))
    except ValidationError as error:
        raise JobError(told(explain(path, error))) from None
