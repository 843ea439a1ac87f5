"""What is judged and what is locked away: dates fixed by sessions and configuration, before anything is trained."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.config import TrainConfig


@dataclass(frozen=True)
class JudgedWindow:
    """Sessions that a walk plans to judge.

    Attributes
    ----------
    first, last : sessions; of a cell whose features begin later, the first is later
    lockbox : first session of the lock-box, which reaches to the last; None where there is none
    """

    first: pd.Timestamp
    last: pd.Timestamp
    lockbox: pd.Timestamp | None


def judged_window(sessions: pd.Index, config: TrainConfig) -> JudgedWindow | None:
    """Plan the judged window: from the first session with enough labels behind it to the last whose shortest label is known.

    Parameters
    ----------
    sessions : on which some asset has a price (`training.window.priced_sessions`)
    config : the lock-box takes a share `walk.lockbox` of the window, its newest sessions

    Returns
    -------
    JudgedWindow; None where the history is too short to judge anything
    """
    shortest = min(config.horizons)
    start = int(sessions.searchsorted(pd.Timestamp(config.walk.start)))
    first = start + config.walk.min_history + shortest - 1  # the labels of `min_history` rows have ended by then
    last = len(sessions) - 1 - shortest
    if last < first:
        return None
    locked = int(np.ceil((last - first + 1) * config.walk.lockbox))
    return JudgedWindow(sessions[first], sessions[last], sessions[last + 1 - locked] if locked else None)


def priced_sessions(prices: pd.DataFrame, config: TrainConfig) -> pd.Index:
    """Sessions on which some asset of the configuration has a price."""
    return prices.index[prices[list(config.assets)].notna().any(axis=1)]


def lockbox_rows(sessions: pd.Index, window: JudgedWindow | None) -> NDArray[np.bool_]:
    """Whether each session lies in the lock-box, or after it."""
    if window is None or window.lockbox is None:
        return np.zeros(len(sessions), dtype=np.bool_)
    return np.asarray(sessions >= window.lockbox)


def clear_of(lockbox: NDArray[np.bool_], horizon: int) -> NDArray[np.bool_]:
    """Whether a row's labels, the one entered a session later included, end before the lock-box.

    Parameters
    ----------
    lockbox : of `lockbox_rows`
    """
    begin = int(lockbox.argmax()) if lockbox.any() else len(lockbox) + horizon + 1
    return np.arange(len(lockbox)) + horizon + 1 < begin
