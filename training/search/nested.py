"""Nested walk-forward of a search: which candidate it would have chosen on each session, by outcomes known then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.inference import Array

KEY = ["asset", "horizon", "session"]


@dataclass(frozen=True)
class Choice:
    """What a search chose at one time.

    Attributes
    ----------
    position : number of the session on which it was chosen
    candidate : number of the candidate, by order of proposal
    ratio : its mean loss until then, relative to the reference's
    """

    position: int
    candidate: int
    ratio: float


def relative_loss(losses: Array, reference: Array, cells: NDArray[np.int64], known: NDArray[np.bool_]) -> Array:
    """Mean loss of each candidate relative to a reference, cell by cell, so that no cell outweighs another.

    Parameters
    ----------
    losses : (n_rows, n_candidates)
    reference : (n_rows,) losses of the reference
    cells : (n_rows,) number of each row's asset and horizon
    known : (n_rows,) rows that count

    Returns
    -------
    (n_candidates,) mean over cells of mean loss / mean loss of the reference; NaN where no cell has a row
    """
    own, of, cell = losses[known], reference[known], cells[known]
    present = np.unique(cell)
    if not len(present):
        return np.full(losses.shape[1], np.nan)
    ratios = [own[cell == each].mean(axis=0) / of[cell == each].mean() for each in present]
    return np.asarray(np.mean(ratios, axis=0))


def choose_nested(losses: Array, reference: Array, rows: pd.DataFrame, times: Sequence[int]) -> list[Choice]:
    """Choose a candidate at each of several times, by the rows whose outcome was known by then.

    Parameters
    ----------
    losses, reference : as of `relative_loss`
    rows : position (number of the session) and horizon of each row, and its `cell`
    times : positions at which it is chosen anew

    Returns
    -------
    list of Choice; ties go to the earlier candidate. A time before any outcome is known chooses the first
    """
    position, horizon = rows["position"].to_numpy(), rows["horizon"].to_numpy()
    cells = rows["cell"].to_numpy()
    out = []
    for time in times:
        ratio = relative_loss(losses, reference, cells, position + horizon <= time)
        best = 0 if np.isnan(ratio).all() else int(np.nanargmin(ratio))
        out.append(Choice(time, best, float(ratio[best])))
    return out


def follow(losses: Mapping[int, pd.DataFrame], choices: Sequence[Choice], position: pd.Series) -> pd.DataFrame:
    """Put together what the choices would have served: each row from the candidate in force on its session.

    Parameters
    ----------
    losses : losses table of each candidate, by its number (rows of the same sessions, assets and horizons)
    choices : in order of position
    position : number of each session, indexed by session

    Returns
    -------
    DataFrame in the columns of the candidates' tables, with `candidate`; rows before the first choice are left out
    """
    at = np.array([choice.position for choice in choices])
    parts = []
    for number in dict.fromkeys(choice.candidate for choice in choices):
        table = losses[number]
        place = np.searchsorted(at, position.loc[table["session"]].to_numpy(), side="right") - 1
        in_force = np.array([choice.candidate for choice in choices])[np.maximum(place, 0)]
        parts.append(table[(place >= 0) & (in_force == number)].assign(candidate=number))
    together: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return together.sort_values(KEY, kind="stable", ignore_index=True)
