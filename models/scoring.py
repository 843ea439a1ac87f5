"""The one scoring function: it is what training publishes with, what files, Python and HTTP answer with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from models.answers import answer_columns, name_rows, range_columns
from models.average import RegimeAverage
from models.conformal import UNBOUNDED
from models.distribution import NormalMixture
from models.errors import ScoringError
from models.forecast import BASELINES, Inputs, Ladder
from models.identity import hysteresis
from models.inference import Array
from models.row_marks import row_marks
from models.rows import Rows, take
from models.scoring_rows import checked_rows

PUBLISHED, SCORED, BEFORE = "published", "scored", "before the first fit"
UNIDENTIFIED = "unidentified"
"""Name to answer with where the states may not carry theirs."""

REVISED = "published, on other values"
"""What was published on a session whose row reads otherwise now: revised data, or another market."""


@dataclass(frozen=True)
class Cell:
    """What is needed to forecast one asset over one horizon.

    Attributes
    ----------
    asset, horizon : what is forecast, sessions
    ladder : fitted rungs
    rung : the one that is served
    served_by : why that one, in words
    vol, momentum, features : columns it reads; None among `features` stands for the probability of state 0
    half_width : of the calibrated intervals, in sd, by `models.conformal.LEVELS`; frozen at the end of training
    """

    asset: str
    horizon: int
    ladder: Ladder
    rung: str
    served_by: str
    vol: str
    momentum: tuple[str, ...]
    features: tuple[str | None, ...]
    half_width: Mapping[str, float] = field(default_factory=lambda: UNBOUNDED)

    @property
    def prefix(self) -> str:
        """Begin of this cell's column names."""
        return f"{self.asset}_{self.horizon}"

    def inputs(self, rows: pd.DataFrame | Rows, probs: Array, average: Array) -> Inputs:
        """Gather the rungs' inputs of `rows`."""
        vol = take(rows, (self.vol,))[:, 0]
        if self.rung in BASELINES:  # reads nothing else
            nothing = np.empty((len(vol), 0))
            return Inputs(vol, nothing, nothing, nothing)
        given = take(rows, tuple(column for column in self.features if column is not None))
        gaps = [k for k, column in enumerate(self.features) if column is None]
        own = np.insert(given, [k - before for before, k in enumerate(gaps)], probs[:, [0]], axis=1)
        return Inputs(vol, take(rows, self.momentum), average, own)


@dataclass(frozen=True)
class ScoringState:
    """What is carried from one session to the next.

    Attributes
    ----------
    n_after : sessions answered after the last published one
    states : what the filter of the regimes carries
    ensemble : (n_refits, n_states) what those of the refits carry; None where there are none
    held : whether the first state is held
    """

    n_after: int
    states: Array
    ensemble: Array | None
    held: bool


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
        late = rows["session"] > self.trained_to
        parts = [part(rows[kind]) for kind, part in ((~late, self._recall), (late, self._continue)) if kind.any()]
        answers = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
        return answers[list(self.published.columns)]

    def _recall(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Give published answers, and say which were given on other values than the rows have now."""
        places = self._places.get_indexer(pd.Index(rows["session"]))
        if (places < 0).any():
            raise ScoringError(
                f"row {rows['session'].iloc[int((places < 0).argmax())]:%Y-%m-%d} was no session in training; rule: sessions from "
                f"{self.published['session'].iloc[0]:%Y-%m-%d} "
                f"to {self.trained_to:%Y-%m-%d} are answered as they were published"
            )
        answered = self.published.iloc[places].reset_index(drop=True)
        if self.marks is None:
            return answered
        other = (row_marks(rows[list(self.columns)]) != self.marks[places]) & (answered["status"] == PUBLISHED).to_numpy()
        return answered.assign(status=answered["status"].where(~other, REVISED))

    @cached_property
    def _places(self) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(self.published["session"])

    def _continue(self, rows: pd.DataFrame) -> pd.DataFrame:
        expected = self.calendar[: len(rows)]
        given = pd.DatetimeIndex(rows["session"])
        if len(expected) < len(given):
            raise ScoringError(f"rows reach beyond {self.calendar[-1]:%Y-%m-%d}, the end of the calendar stored with the model: retrain it")
        wrong = np.flatnonzero(given != expected)
        if len(wrong):
            raise ScoringError(
                f"session {expected[wrong[0]]:%Y-%m-%d} is missing (the row there is {given[wrong[0]]:%Y-%m-%d}); rule: rows after "
                f"{self.trained_to:%Y-%m-%d} are the next sessions without a gap. Add the missing row (its values may be empty)"
            )
        answers, _ = self.advance(self.begin, Rows(self.columns, take(rows, self.columns)))
        return pd.DataFrame({"session": np.asarray(given, dtype="datetime64[us]"), "status": SCORED} | answers)

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
