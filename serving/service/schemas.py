"""What the routes take and give, for the OpenAPI document."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

Day = Annotated[str | None, Query(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="a session, YYYY-MM-DD")]
Limit = Annotated[int, Query(ge=1, le=10_000, description="rows at most, the newest ones")]


class Served(BaseModel):
    """Which model answers."""

    name: str
    version: str
    run_id: str
    code_hash: str


class Head(BaseModel):
    """Who answers, on what data: part of every answer."""

    model: Served
    market: str
    simulated: bool
    trained_to: str
    data_as_of: str
    known_at: str


class Regime(Head):
    """The regime of a session."""

    session: str
    status: str
    regime: str | None
    probabilities: dict[str, float | None]
    lo: float | None
    hi: float | None
    spec_lo: float | None
    spec_hi: float | None
    ambiguous: bool
    since: str
    sessions: int
    revised: bool
    first_said: dict[str, Any] | None


class Observed(Regime):
    """The regime of a session that was observed, and whether it was new."""

    new: bool


class History(Head):
    """Regimes of a stretch of sessions."""

    total: int
    rows: list[dict[str, Any]]


class Forecast(Head):
    """Forecasts of a session."""

    session: str
    base_rates_to: str
    forecasts: list[dict[str, Any]]


class Scores(Head):
    """Answers to rows, as the scoring function lays them out."""

    rows: list[dict[str, Any]]


class Predictions(BaseModel):
    """Answers to rows, as MLflow's own server wraps them."""

    predictions: list[dict[str, Any]]


class Health(BaseModel):
    """That the process is there."""

    status: str


class Ready(BaseModel):
    """Whether it answers with the champion and all that was observed."""

    ready: bool
    why: list[str]
    model: Served


class Version(Head):
    """Which model answers, and the columns it reads."""

    columns: list[str]


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


class Rule(BaseModel):
    """What of a request breaks a rule."""

    loc: list[str | int]
    msg: str
    type: str


class Broken(BaseModel):
    """A request that breaks a rule, and where."""

    detail: list[Rule] | str


REFUSED: dict[int | str, dict[str, Any]] = {
    422: {"model": Broken},
    **{status: {"model": Problem} for status in (401, 403, 404, 409, 413, 429, 503, 504)},
}
_DAY = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_VALUES = {"type": "object", "additionalProperties": {"type": ["number", "null"]}}
_ROW = {"type": "object", "required": ["session"], "properties": {"session": _DAY}, "additionalProperties": {"type": ["number", "null"]}}
_ROWS = {"type": "object", "required": ["rows"], "additionalProperties": False, "properties": {"rows": {"type": "array", "items": _ROW}}}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
ROWS = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _ROWS},
            "application/vnd.apache.arrow.stream": _BINARY,
            "application/vnd.apache.parquet": _BINARY,
        },
    }
}
_OBSERVATION = {
    "type": "object",
    "required": ["session", "values"],
    "additionalProperties": False,
    "properties": {"session": _DAY, "values": _VALUES, "revise": {"type": "boolean", "default": False}},
}
OBSERVATION = {"requestBody": {"required": True, "content": {"application/json": {"schema": _OBSERVATION}}}}
_INVOCATION = {
    "type": "object",
    "properties": {
        "dataframe_split": {"type": "object"},
        "dataframe_records": {"type": "array", "items": _ROW},
        "instances": {"type": "array", "items": _ROW},
        "inputs": {"type": "object"},
    },
    "minProperties": 1,
}
INVOCATION = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _INVOCATION}, "text/csv": {"schema": {"type": "string"}}},
    }
}
