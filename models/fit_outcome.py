"""Whether a fit that ended should be relied on."""

import warnings
from typing import Any

import numpy as np
from hmmlearn.base import ConvergenceMonitor
from numpy.typing import NDArray

from models.degenerate import DegenerateFitWarning
from models.em import PRIOR_ROWS, Climb
from models.engine.filtering import filter_history
from models.hmm import HMMFit, degenerate_reasons
from models.observations import column_name
from models.params import Array, HMMParams

LEAST_OCCUPANCY = 0.01
"""A state that holds a smaller share of the rows is called unused."""

MOST_OF_PRIOR = 0.5
"""A state whose variance is to a larger part the prior's has collapsed: its rows hardly vary."""


def warn_of_outcome(model: Any, rows: Array, lengths: NDArray[np.int64] | None, reached: Climb) -> None:
    """Warn of a fitted `models.GaussianHMM` or `StudentTHMM` that did not converge, fell, or has a state that is unused or collapsed.

    Parameters
    ----------
    rows : (n_obs, n_features) it was fitted on
    reached : its last climb

    Warns
    -----
    DegenerateFitWarning
    """
    history = np.array(model.monitor_.history)
    gain, listening = np.diff(history), type(model.monitor_) is not ConvergenceMonitor
    # a monitor of the user's own says itself when to stop
    done = bool(model.monitor_.converged) if listening else bool(len(gain) and gain[-1] < model.tol)
    # with hmmlearn's priors the likelihood may fall while what EM climbs rises
    fell = float(-gain.min(initial=0.0)) if model.prior is not None else 0.0
    fit = HMMFit(reached.params, float(history[-1]), 0.0, len(history), done, fell)
    occupancy = filter_history(rows, reached.params, lengths=lengths).probs.mean(axis=0)
    reasons = degenerate_reasons(fit, occupancy, LEAST_OCCUPANCY if model.n_components > 1 else 0.0)
    if model.prior is not None and model.covariance_type != "tied":
        names = [str(name) for name in getattr(model, "feature_names_in_", [])] or None
        reasons += collapsed_states(rows, reached.params, occupancy * len(rows), names, model.covariance_type == "spherical")
    if reasons:
        warnings.warn(f"{type(model).__name__}: {'; '.join(reasons)}", DegenerateFitWarning, stacklevel=3)


def collapsed_states(rows: Array, params: HMMParams, mass: Array, names: list[str] | None, spherical: bool = False) -> list[str]:
    """Say which state's variance the prior alone keeps from zero.

    Parameters
    ----------
    mass : (n_states,) rows of each state
    spherical : whether all columns of a state have one variance
    """
    pooled, variances = np.nanvar(rows, axis=0), np.diagonal(params.scales, axis1=1, axis2=2)
    if spherical:
        pooled = np.full_like(pooled, pooled.mean())
    share = PRIOR_ROWS * pooled / ((mass + PRIOR_ROWS)[:, None] * variances)
    if share.max() <= MOST_OF_PRIOR:
        return []
    state, column = np.unravel_index(share.argmax(), share.shape)
    what = "all columns" if spherical else column_name(names, column)
    return [
        f"state {state} collapsed: the prior alone makes {min(share.max(), 1.0):.0%} of its variance of {what} (use fewer states, or look "
        "for repeated values)"
    ]
