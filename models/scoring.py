"""The one scoring function: it is what training publishes with, what files, Python and HTTP answer with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.answers import answer_columns, name_rows, range_columns
from models.average import RegimeAverage
from models.cell import Cell
from models.distribution import NormalMixture
from models.errors import ScoringError
from models.identity import hysteresis
from models.inference import Array
from models.row_marks import row_marks
from models.rows import Rows, take
from models.scoring_rows import checked_rows
from models.scoring_state import ScoringState

Dates = NDArray[np.datetime64]

PUBLISHED, SCORED, BEFORE = "published", "scored", "before the first fit"
UNIDENTIFIED = "unidentified"
"""Name to answer with where the states may not carry theirs."""

REVISED = "published, on other values"
"""What was published on a session whose row reads otherwise now: revised data, or another market."""


@dataclass(frozen=True)
class Scorer:
    """A fitted model as it is served.

    Attributes
    ----------
    regime : filters the regimes (`filter_states`, `proba`, `predict_proba_ahead`)
    names : names of its states, in order; the first is held by hysteresis
    identified : whether the states may carry their names
    enter, leave : hysteresis
    cells : forecasts
    published : what training published, one row a session, `session` ascending
    last_state : what the filter carries from the last published session
    held : whether the first state was held then
    calendar : sessions that follow the last published one, ascending
    ensemble : refits on resampled history, for the range of the first state's probability; None where there is none
    last_ensemble : (n_refits, n_states) their filtered probabilities of the last published session
    marks : (n_published,) of the rows that were published on (`models.row_marks.row_marks`); None compares nothing
    """

    regime: Any
    names: tuple[str, ...]
    identified: bool
    enter: float
    leave: float
    cells: tuple[Cell, ...]
    published: pd.DataFrame
    last_state: Array
    held: bool
    calendar: pd.DatetimeIndex
    ensemble: RegimeAverage | None = None
    last_ensemble: Array | None = None
    marks: Array | None = None

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Feature columns that rows must have."""
        wanted: dict[str, None] = dict.fromkeys(self.regime.columns)
        for cell in self.cells:
            wanted |= dict.fromkeys((cell.vol, *cell.momentum, *(c for c in cell.features if c is not None)))
        return tuple(wanted)

    @property
    def trained_to(self) -> pd.Timestamp:
        """Last published session."""
        return pd.Timestamp(self.published["session"].iloc[-1])

    def score(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Answer for each row, in order of session.

        Sessions up to the end of training get what was published then, with a status that says so where the row reads otherwise
        now. Later ones must be the next sessions without a gap; they go on from the stored state of the filter.

        Parameters
        ----------
        rows : `session` (date) and `columns`; a missing value is left out of the evidence

        Returns
        -------
        DataFrame with session, status, regime, p_<state>, the range of the first state's probability (_lo, _hi), and for
        each forecast lo80, median, hi80 (log returns), those of `models.conformal.ENDS` (missing where unbounded), p_up, served_by

        Raises
        ------
        ScoringError
        """
        rows = checked_rows(rows, self.columns)
        told = self.answer(rows["session"].to_numpy(), take(rows, self.columns))
        return pd.DataFrame(told).astype(self.published.dtypes.to_dict())

    def answer(self, sessions: Dates, values: Array) -> dict[str, Any]:
        """Answer as `score` does, on bare arrays.

        Parameters
        ----------
        sessions : (n_obs,) ascending, none twice
        values : (n_obs, n_columns) in the order of `columns`, finite or NaN where missing

        Returns
        -------
        columns of `published`, each (n_obs,); text as objects, NaN where there is none

        Raises
        ------
        ScoringError
        """
        rows = Rows(self.columns, values)
        split = int(np.searchsorted(sessions, np.datetime64(self.trained_to), side="right"))
        parts = []
        if split:
            parts.append(self._recall(sessions[:split], rows[:split]))
        if split < len(sessions):
            answers, _ = self._continue(sessions[split:], rows[split:])
            parts.append({name: np.broadcast_to(np.asarray(answers[name]), len(sessions) - split) for name in self._published})
        if len(parts) == 1:
            return parts[0]
        return {name: np.concatenate([part[name].astype(self._published[name].dtype) for part in parts]) for name in self._published}

    def _recall(self, sessions: Dates, rows: Rows) -> dict[str, Any]:
        """Give published answers, and say which were given on other values than the rows have now."""
        places = np.searchsorted(self._published["session"], sessions)
        unknown = self._published["session"][places] != sessions
        if unknown.any():
            raise ScoringError(
                f"row {_day(sessions[unknown][0])} was no session in training; rule: sessions from "
                f"{_day(self._published['session'][0])} to {self.trained_to:%Y-%m-%d} are answered as they were published"
            )
        answered = {name: values[places] for name, values in self._published.items()}
        if self.marks is not None:
            other = (row_marks(pd.DataFrame(rows.values)) != self.marks[places]) & (answered["status"] == PUBLISHED)
            answered["status"] = np.where(other, REVISED, answered["status"]).astype(object)
        return answered

    @cached_property
    def _published(self) -> dict[str, Any]:
        return {str(name): column.to_numpy() for name, column in self.published.items()}

    def _continue(self, sessions: Dates, rows: Rows) -> tuple[dict[str, Any], ScoringState]:
        self.must_follow(0, sessions)
        answers, state = self.advance(self.begin, rows)
        return {"session": sessions, "status": SCORED} | answers, state

    def must_follow(self, n_after: int, sessions: Dates) -> None:
        """Refuse sessions that are not the next ones of the calendar after `n_after` sessions past the last published one.

        Raises
        ------
        ScoringError
        """
        expected = self._calendar[n_after : n_after + len(sessions)]
        if len(expected) < len(sessions):
            raise ScoringError(f"rows reach beyond {self.calendar[-1]:%Y-%m-%d}, the end of the calendar stored with the model: retrain it")
        wrong = np.flatnonzero(sessions != expected)
        if len(wrong):
            raise ScoringError(
                f"session {_day(expected[wrong[0]])} is missing (the row there is {_day(sessions[wrong[0]])}); rule: rows after "
                f"{self.trained_to:%Y-%m-%d} are the next sessions without a gap. Add the missing row (its values may be empty)"
            )

    @cached_property
    def _calendar(self) -> Dates:
        return np.asarray(self.calendar, dtype="datetime64[us]")

    @property
    def begin(self) -> ScoringState:
        """State after the last published session."""
        return ScoringState(0, self.last_state, self.last_ensemble, self.held)

    def advance(self, state: ScoringState, rows: Rows) -> tuple[dict[str, Any], ScoringState]:
        """Answer for the next sessions of the calendar: one row or many, to the same bits.

        Parameters
        ----------
        state : `begin`, or what the last call gave
        rows : one a session, the first the session after that of `state`

        Returns
        -------
        answers : columns of `score` but session and status, each (n_obs,)
        state : after the last row
        """
        states = self.regime.filter_states(rows, state.states)
        probs = self.regime.proba(states)
        held = hysteresis(probs[:, 0], self.enter, self.leave, state.held)
        refits = None if self.ensemble is None else self.ensemble.filter_states(rows, state.ensemble)
        ranges = range_columns(self.names[0], refits, states if isinstance(self.regime, RegimeAverage) else None, len(rows))
        answers = {"regime": self.call(probs, held)} | answer_columns(self.names, probs, ranges, self.told(rows, probs))
        newest = ScoringState(state.n_after + len(rows), states[-1], None if refits is None else refits[-1], bool(held[-1]))
        return answers, newest

    def observe(self, state: ScoringState, session: np.datetime64, values: Array) -> tuple[dict[str, Any], ScoringState]:
        """Answer for the next session: one observation, one update.

        Parameters
        ----------
        state : `begin`, or what the last call gave
        session : must be the next one of the calendar
        values : (n_columns,) in the order of `columns`, NaN where missing

        Raises
        ------
        ScoringError
            If another session comes next, or the calendar ends.
        """
        sessions = np.asarray([session], dtype="datetime64[us]")
        self.must_follow(state.n_after, sessions)
        answers, newest = self.advance(state, Rows(self.columns, values[None]))
        return {"session": sessions, "status": SCORED} | answers, newest

    def call(self, probs: Array, held: Sequence[bool] | np.ndarray) -> list[str]:
        """Name rows from their probabilities and whether the first state is held."""
        if not self.identified:
            return [UNIDENTIFIED] * len(probs)
        return name_rows(probs, held, self.names)

    def forecasts(self, rows: pd.DataFrame | Rows, probs: Array) -> list[tuple[Cell, NormalMixture]]:
        """Forecast distributions of every cell for `rows`."""
        ahead = {steps: self.regime.predict_proba_ahead(probs, steps, rows) for steps in {cell.horizon for cell in self.cells}}
        return [(cell, cell.ladder.predict(cell.rung, cell.inputs(rows, probs, ahead[cell.horizon]))) for cell in self.cells]

    def told(self, rows: pd.DataFrame | Rows, probs: Array) -> list[tuple[str, NormalMixture, str, Mapping[str, float]]]:
        """Forecasts as `models.answers.assemble` takes them."""
        return [(cell.prefix, forecast, cell.served_by, cell.half_width) for cell, forecast in self.forecasts(rows, probs)]


def _day(session: np.datetime64) -> str:
    return str(session.astype("datetime64[D]"))
