"""The one scoring function: it is what training publishes with, what files, Python and HTTP answer with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from models.answers import assemble, name_rows, range_columns
from models.average import RegimeAverage
from models.conformal import UNBOUNDED
from models.distribution import NormalMixture
from models.errors import ScoringError
from models.forecast import Inputs, Ladder
from models.identity import hysteresis
from models.inference import Array
from models.row_marks import row_marks
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

    def inputs(self, frame: pd.DataFrame, probs: Array, average: Array) -> Inputs:
        """Gather the rungs' inputs of the rows of `frame`."""
        own = [probs[:, 0] if column is None else frame[column].to_numpy(dtype=np.float64) for column in self.features]
        return Inputs(
            frame[self.vol].to_numpy(dtype=np.float64),
            frame[list(self.momentum)].to_numpy(dtype=np.float64),
            average,
            np.column_stack(own),
        )


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

    @property
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
        old = rows[~late]
        answered = self.published.set_index("session").reindex(old["session"])
        absent = answered["status"].isna()
        if absent.any():
            raise ScoringError(
                f"row {answered.index[absent][0]:%Y-%m-%d} was no session in training; rule: sessions from "
                f"{self.published['session'].iloc[0]:%Y-%m-%d} "
                f"to {self.trained_to:%Y-%m-%d} are answered as they were published"
            )
        parts = [self._marked(answered.reset_index(), old)] if len(old) else []
        if late.any():
            parts.append(self._continue(rows[late]))
        answers: pd.DataFrame = pd.concat(parts, ignore_index=True)
        return answers[list(self.published.columns)]

    def _marked(self, answered: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
        """Say which published answers were given on other values than the rows have now."""
        if self.marks is None:
            return answered
        then = pd.Series(self.marks, index=self.published["session"]).reindex(rows["session"]).to_numpy()
        other = (row_marks(rows[list(self.columns)]) != then) & (answered["status"] == PUBLISHED).to_numpy()
        return answered.assign(status=answered["status"].where(~other, REVISED))

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
        states = self.regime.filter_states(rows, self.last_state)
        probs = self.regime.proba(states)
        held = hysteresis(probs[:, 0], self.enter, self.leave, self.held)
        columns = range_columns(
            self.names[0], self.refit_states(rows), states if isinstance(self.regime, RegimeAverage) else None, len(rows)
        )
        return assemble(given, SCORED, self.call(probs, held), self.names, probs, columns, self.told(rows, probs))

    def refit_states(self, rows: pd.DataFrame) -> Array | None:
        """What the refits on resampled history say of rows that follow the last published session; None where there are none."""
        return None if self.ensemble is None else self.ensemble.filter_states(rows, self.last_ensemble)

    def call(self, probs: Array, held: Sequence[bool] | np.ndarray) -> list[str]:
        """Name rows from their probabilities and whether the first state is held."""
        if not self.identified:
            return [UNIDENTIFIED] * len(probs)
        return name_rows(probs, held, self.names)

    def forecasts(self, rows: pd.DataFrame, probs: Array) -> list[tuple[Cell, NormalMixture]]:
        """Forecast distributions of every cell for `rows`."""
        out = []
        for cell in self.cells:
            inputs = cell.inputs(rows, probs, self.regime.predict_proba_ahead(probs, cell.horizon, rows))
            out.append((cell, cell.ladder.predict(cell.rung, inputs)))
        return out

    def told(self, rows: pd.DataFrame, probs: Array) -> list[tuple[str, NormalMixture, str, Mapping[str, float]]]:
        """Forecasts as `models.answers.assemble` takes them."""
        return [(cell.prefix, forecast, cell.served_by, cell.half_width) for cell, forecast in self.forecasts(rows, probs)]
