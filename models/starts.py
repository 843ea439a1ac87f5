"""Where EM begins: cold starts that know nothing, and the last parameters, which know the way."""

from dataclasses import replace

import numpy as np

from models.em import standardisation
from models.params import Array, HMMParams

START_DIAGONAL = 0.98
VARIANCE_SPAN = (0.5, 2.0)
"""Start of EM: persistent states with common means that differ in variance (random starts settle in an i.i.d. mixture)."""

START_DOF = 10.0
"""Degrees of freedom that Student-t states start from: the mode of their prior."""

COLD_GUARDS = 1
"""Cold starts of a refit beside the last parameters. Ten reach better posteriors, change twice as many labels of the past, and gain .01 of
balanced accuracy at most (tests/recovery/test_refits.py): daily columns obey no such model, and its highest hill is not the truth."""

SOFTENING = 0.01
"""Share of a flat row mixed into the last transitions: EM never leaves a zero, and what was impossible once would stay so."""


def sticky_start(n_components: int, X: Array, dof: float = np.inf) -> HMMParams:
    """Start of EM that suits daily data: `START_DIAGONAL`, common means, variances spread by `VARIANCE_SPAN`.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    dof : degrees of freedom of every state
    """
    center, scale = standardisation(X)
    trans = np.full((n_components, n_components), (1.0 - START_DIAGONAL) / max(n_components - 1, 1))
    np.fill_diagonal(trans, START_DIAGONAL if n_components > 1 else 1.0)
    means, variances = np.tile(center, (n_components, 1)), np.geomspace(*VARIANCE_SPAN, n_components)[:, None] * scale**2
    return HMMParams(np.full(n_components, 1.0 / n_components), trans, means, variances, np.full(n_components, dof))


def jittered(params: HMMParams, rng: np.random.Generator) -> HMMParams:
    """Give another start near `params`: means moved by half a standard deviation, scales stretched by half a log unit a column."""
    means = params.means + 0.5 * np.sqrt(params.variances) * rng.normal(size=params.means.shape)
    stretch = np.exp(0.25 * rng.normal(size=params.means.shape))
    return replace(params, means=means, scales=params.scales * stretch[:, :, None] * stretch[:, None, :])


def cold_starts(n_starts: int, n_components: int, X: Array, rng: np.random.Generator, dof: float = np.inf) -> list[HMMParams]:
    """Give starts that know nothing of earlier fits: the sticky one and others near it.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    rng : of the jitter
    dof : degrees of freedom of every state
    """
    if n_starts == 0:
        return []
    sticky = sticky_start(n_components, X, dof)
    return [sticky, *(jittered(sticky, rng) for _ in range(n_starts - 1 if n_components > 1 else 0))]


def softened(params: HMMParams) -> HMMParams:
    """Let every state be reached again (`SOFTENING`)."""
    start, trans = ((1.0 - SOFTENING) * each + SOFTENING / params.n_states for each in (params.start, params.trans))
    return replace(params, start=start, trans=trans)
