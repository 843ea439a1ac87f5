"""The application: routes over the view and the keeper of one model version."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from serving.clock import clock_of
from serving.errors import ServingError
from serving.service import schemas
from serving.service.bodies import SESSION, BodyError, Given, day_of, known_of, parsed, read_table, rows_of, table_of
from serving.service.engine import Engine
from serving.service.gate import Gate, Limits
from serving.service.invocations import invoked
from serving.service.keeper import Keeper, RevisedError, TurnError
from serving.service.limits import Rate
from serving.service.store import Store, StoreError
from serving.service.tokens import Token
from serving.service.view import UnknownSessionError, View

TABLES = {"application/vnd.apache.arrow.stream": "arrow", "application/vnd.apache.parquet": "parquet"}
MOST_HISTORY = 10_000


@dataclass
class Desk:
    """What the routes answer from.

    Attributes
    ----------
    engine, keeper : of the version that is served
    limits : of a request
    ready : says why the service is not as it should be; empty where it is
    """

    engine: Engine
    keeper: Keeper
    limits: Limits
    ready: Callable[[], Sequence[str]] = tuple
    _view: View | None = None

    def view(self) -> View:
        """Give what can be said now; made anew once something was observed."""
        links = self.keeper.links()
        if self._view is None or self._view.links is not links:
            self._view = View(self.engine, links)
        return self._view


def make_app(
    engine: Engine,
    store: Store,
    *,
    tokens: Callable[[], Sequence[Token]] | None,
    rate: Rate,
    limits: Limits,
    ready: Callable[[], Sequence[str]] = tuple,
) -> Gate:
    """Assemble the service.

    Parameters
    ----------
    engine : loaded and checked
    store : of observations
    tokens : gives those that hold now; None lets everyone in
    ready : says what else is not as it should be
    """
    app = FastAPI(title="appetite", version="1", docs_url=None, redoc_url=None)
    app.state.desk = Desk(engine, Keeper(store, engine.served.version, engine.scorer), limits, ready)
    for route in (_reading, _writing, _watching):
        route(app, app.state.desk)
    _faults(app)
    return Gate(app, tokens, rate, limits)


def _reading(app: FastAPI, desk: Desk) -> None:
    @app.get("/v1/regime", response_model=schemas.Regime, responses=schemas.REFUSED)
    async def regime(session: schemas.Day = None) -> Response:
        """Say the regime of the newest session, or as of a date."""
        view = desk.view()
        return _json(view.newest if session is None else to_json(view.regime(_day(session)), inf_nan_mode="null"))

    @app.get("/v1/regime/history", response_model=schemas.History, responses=schemas.REFUSED)
    async def history(start: schemas.Day = None, end: schemas.Day = None, limit: schemas.Limit = 1000) -> Response:
        """Give the regimes of a stretch of sessions."""
        told = desk.view().history(_day(start), _day(end), limit)
        return _json(to_json(told, inf_nan_mode="null"))

    @app.get("/v1/forecast", response_model=schemas.Forecast, responses=schemas.REFUSED)
    async def forecast(session: schemas.Day = None) -> Response:
        """Give the forecasts of the newest session, or as of a date."""
        return _json(to_json(desk.view().forecast(_day(session)), inf_nan_mode="null"))

    @app.get("/v1/card", responses=schemas.REFUSED)
    async def card(session: schemas.Day = None) -> Response:
        """Give the card, and how old it is at this moment."""
        view = desk.view()
        told = view.card(_day(session))
        clock = clock_of(told["session"], pd.Timestamp(datetime.datetime.now(datetime.UTC)))
        return _json(to_json(view.head | {"card": told | {"clock": clock}}, inf_nan_mode="null"))


def _writing(app: FastAPI, desk: Desk) -> None:
    @app.post("/v1/score", response_model=schemas.Scores, responses=schemas.REFUSED, openapi_extra=schemas.ROWS)
    async def score(request: Request) -> Response:
        """Answer rows: the same numbers as the logged model gives."""
        answers = _answered(_given(await request.body(), _kind(request), desk), desk)
        return _json(to_json(desk.view().head | {"rows": records(answers)}, inf_nan_mode="null"))

    @app.post("/invocations", response_model=schemas.Predictions, responses=schemas.REFUSED, openapi_extra=schemas.INVOCATION)
    async def invocations(request: Request) -> Response:
        """Answer rows in the form of MLflow's own server; what is missing is null."""
        given = invoked(await request.body(), _kind(request), desk.engine.scorer.columns, desk.limits.rows)
        rows = [row | {SESSION: f"{row[SESSION]}T00:00:00"} for row in records(_answered(given, desk))]
        return _json(to_json({"predictions": rows}, inf_nan_mode="null"))

    @app.post("/v1/observations", response_model=schemas.Observed, responses=schemas.REFUSED, openapi_extra=schemas.OBSERVATION)
    async def observe(request: Request) -> Response:
        """Append a session; the same again changes nothing."""
        told = parsed(await request.body())
        if not isinstance(told, dict) or not {SESSION, "values"} <= told.keys() <= {SESSION, "values", "revise"}:
            raise BodyError([], "must be an object with session, values and, where it is a revision, revise")
        session = str(day_of(told[SESSION], [SESSION]).astype("datetime64[D]"))
        if not isinstance(told.get("revise", False), bool):
            raise BodyError(["revise"], "must be true or false")
        known = known_of(told["values"], desk.engine.scorer.columns)
        token: Token = request.scope["token"]
        _, new = await run_in_threadpool(desk.keeper.observe, session, known, token.name, revise=told.get("revise", False))
        view = desk.view()
        return _json(to_json(view.regime(session) | {"new": new}, inf_nan_mode="null"), 201 if new else 200)


def _watching(app: FastAPI, desk: Desk) -> None:
    @app.get("/healthz", response_model=schemas.Health)
    async def healthz() -> Response:
        """Say that the process is there."""
        return _json(b'{"status":"ok"}')

    @app.get("/readyz", response_model=schemas.Ready, responses={503: {"model": schemas.Ready}})
    async def readyz() -> Response:
        """Say whether it answers with the champion and all that was observed, and if not why."""
        desk.keeper.links()
        why = [*desk.keeper.faults(), *desk.ready()]
        return _json(to_json({"ready": not why, "why": why, "model": asdict(desk.engine.served)}), 503 if why else 200)

    @app.get("/version", response_model=schemas.Version, responses=schemas.REFUSED)
    async def version() -> Response:
        """Say which model answers, from what data, and which columns it reads."""
        return _json(to_json(desk.view().head | {"columns": desk.engine.scorer.columns}))


def _faults(app: FastAPI) -> None:
    def answered(status: int) -> Callable[[Request, Exception], JSONResponse]:
        return lambda _, error: JSONResponse({"detail": " ".join(str(error).split())}, status)

    for error, status in ((StoreError, 503), (RevisedError, 409), (UnknownSessionError, 404), (TurnError, 422), (ServingError, 503)):
        app.add_exception_handler(error, answered(status))
    app.add_exception_handler(BodyError, _unprocessable)
    app.add_exception_handler(RequestValidationError, _unprocessable)


def _unprocessable(_: Request, error: Exception) -> JSONResponse:
    """Name what is wrong and the rule, and repeat nothing of what was sent."""
    if isinstance(error, RequestValidationError):
        told = [{"loc": list(each["loc"]), "msg": each["msg"], "type": each["type"]} for each in error.errors()]
    else:
        told = [{"loc": ["body", *getattr(error, "where", [])], "msg": str(error), "type": "rule"}]
    return JSONResponse({"detail": told}, 422)


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def _answered(given: Given, desk: Desk) -> Mapping[str, Any]:
    try:
        answers: Mapping[str, Any] = desk.engine.scorer.answer(given.sessions, given.values)
    except ValueError as error:  # the scorer's own: sessions that are not the next ones
        raise BodyError(["rows"], str(error)) from None
    return answers


def _given(body: bytes, kind: str, desk: Desk) -> Given:
    columns, most = desk.engine.scorer.columns, desk.limits.rows
    if kind in TABLES:
        return table_of(read_table(body, TABLES[kind], most), columns, most)
    told = parsed(body)
    if not isinstance(told, dict) or told.keys() != {"rows"}:
        raise BodyError([], "must be an object with rows")
    return rows_of(told["rows"], columns, most)


def records(answers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Lay columns of answers out as rows; dates as YYYY-MM-DD."""
    columns = {name: np.asarray(values).tolist() for name, values in answers.items() if name != SESSION}
    days = np.asarray(answers[SESSION]).astype("datetime64[D]").astype(str).tolist()
    return [
        {SESSION: day, **dict(zip(columns, row, strict=True))} for day, row in zip(days, zip(*columns.values(), strict=True), strict=True)
    ]


def _day(session: str | None) -> str | None:
    return None if session is None else str(day_of(session, ["query"]).astype("datetime64[D]"))


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")
