"""What every section of a market file is checked by: no unknown key, a rule for known-at, days that a calendar has."""

import datetime
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from sources.calendar import LAST_YEAR
from sources.known import RULES

FIRST_DAY, LAST_DAY = datetime.date(1914, 1, 1), datetime.date(LAST_YEAR, 12, 31)
"""Dates outside are misprints; the last is that of the calendar, so that no answer depends on the clock."""

NAMES = "<"
"""Begins the tag by which one of several forms of a section is told, and which no error shows."""


def _is_a_rule(value: str) -> str:
    if value not in RULES:
        raise ValueError(f"'{value}' is no rule for known-at; the rules are {', '.join(RULES)}")
    return value


def _is_a_day(value: datetime.date) -> datetime.date:
    if not FIRST_DAY <= value <= LAST_DAY:
        raise ValueError(f"{value} is no day of the market; rule: from {FIRST_DAY} to {LAST_DAY}")
    return value


Rule = Annotated[str, AfterValidator(_is_a_rule)]
Day = Annotated[datetime.date, AfterValidator(_is_a_day)]


class Strict(BaseModel):
    """Refuse unknown keys, and say which are known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = [str(key) for key in data if key not in cls.model_fields]
            if unknown:
                raise ValueError(f"unknown key '{unknown[0]}'; the keys here are {', '.join(cls.model_fields)}")
            rule = cls.model_fields.get("known_at")
            if rule is not None and rule.is_required() and data.get("known_at") is None:
                raise ValueError(f"no rule for known-at; add 'known_at:' with one of {', '.join(RULES)}")
        return data


class Clipped(Strict):
    """Records of dates outside `start` to `end` are not read."""

    start: datetime.date | None = None
    end: datetime.date | None = None

    @model_validator(mode="after")
    def _ends_after_start(self) -> "Clipped":
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}; rule: the end is not before the start")
        return self


def told_by(*keys: str) -> Callable[[Any], str]:
    """Tell the forms of a section apart by a key that only one of them has; without any of them it is the tidy file's, `path`."""

    def form(data: Any) -> str:
        has = data.__contains__ if isinstance(data, dict) else lambda key: hasattr(data, key)
        return next((f"{NAMES}{key}" for key in keys if has(key)), f"{NAMES}path")

    return form
