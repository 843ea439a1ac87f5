"""Where EM begins: cold starts that know nothing, and the last parameters, which know the way."""

import warnings
from dataclasses import replace

import numpy as np
from scipy.cluster.vq import kmeans2
from sklearn.cluster import kmeans_plusplus

from models.em import standardisation
from models.params import Array, HMMParams

START_DIAGONAL = 0.98
VARIANCE_SPAN = (0.5, 2.0)
"""Start of EM: persistent states with common means that differ in variance (random starts settle in an i.i.d. mixture)."""

START_DOF = 10.0
"""Degrees of freedom that Student-t states start from: the mode of their prior."""

COLD_GUARDS = 2
"""Cold starts of a refit beside the last parameters, one of each kind. On four columns they end 1 to 3 nats of log-posterior below the best
of ten starts, the last parameters alone 8 to 60, these and the sticky start 2 to 24 (means by world; tests/recovery/test_refits.py)."""

SOFTENING = 0.01
"""Share of a flat row mixed into the last transitions: EM never leaves a zero, and what was impossible once would stay so."""

CLUSTERING_STEPS = 10


def sticky_start(n_components: int, X: Array, dof: float = np.inf) -> HMMParams:
    """Start of EM that suits daily data: `START_DIAGONAL`, common means, variances spread by `VARIANCE_SPAN`.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    dof : degrees of freedom of every state
    """
    center, scale = standardisation(X)
    return _persistent(np.tile(center, (n_components, 1)), np.geomspace(*VARIANCE_SPAN, n_components)[:, None] * scale**2, dof)


def clustered_start(n_components: int, X: Array, rng: np.random.Generator, dof: float = np.inf) -> HMMParams:
    """Start of EM where states differ in mean: centres and variances of k-means clusters, each with one row at the pooled variance.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing; clustered by its complete rows (too few of them: the sticky start)
    rng : seeds the centres (k-means++, Arthur and Vassilvitskii 2007)
    dof : degrees of freedom of every state
    """
    center, scale = standardisation(X)
    rows = (X[~np.isnan(X).any(axis=1)] - center) / scale
    if len(rows) < n_components:
        return sticky_start(n_components, X, dof)
    first, _ = kmeans_plusplus(rows, n_components, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an empty cluster keeps its centre, and the pooled variance
        centres, label = kmeans2(rows, first, iter=CLUSTERING_STEPS, minit="matrix", missing="warn")
    members = np.eye(n_components)[label]
    squares = members.T @ rows**2 - 2.0 * centres * (members.T @ rows) + members.sum(axis=0)[:, None] * centres**2
    variances = (squares + 1.0) / (members.sum(axis=0)[:, None] + 1.0)
    return _persistent(centres * scale + center, variances * scale**2, dof)


def jittered(params: HMMParams, rng: np.random.Generator) -> HMMParams:
    """Give another start near `params`: means moved by half a standard deviation, scales stretched by half a log unit a column."""
    means = params.means + 0.5 * np.sqrt(params.variances) * rng.normal(size=params.means.shape)
    stretch = np.exp(0.25 * rng.normal(size=params.means.shape))
    return replace(params, means=means, scales=params.scales * stretch[:, :, None] * stretch[:, None, :])


def cold_starts(n_starts: int, n_components: int, X: Array, rng: np.random.Generator, dof: float = np.inf) -> list[HMMParams]:
    """Give starts that know nothing of earlier fits: the sticky one, one from clusters, and others near these two.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    rng : of clusters and jitter
    dof : degrees of freedom of every state
    """
    starts: list[HMMParams] = []
    for number in range(n_starts if n_components > 1 else min(n_starts, 1)):
        if number == 0:
            starts.append(sticky_start(n_components, X, dof))
        elif number == 1:
            starts.append(clustered_start(n_components, X, rng, dof))
        else:
            starts.append(jittered(starts[number % 2], rng))
    return starts


def refit_starts(last: HMMParams, X: Array, rng: np.random.Generator, dof: float = np.inf, n_guards: int = COLD_GUARDS) -> list[HMMParams]:
    """Give the starts of a refit: the last parameters, softened, and cold ones as a guard against following them astray.

    Parameters
    ----------
    last : parameters of the refit before, on the scale of `X`
    n_guards : cold starts beside them
    """
    return [softened(last), *cold_starts(n_guards, last.n_states, X, rng, dof)]


def softened(params: HMMParams) -> HMMParams:
    """Let every state be reached again (`SOFTENING`)."""
    start, trans = ((1.0 - SOFTENING) * each + SOFTENING / params.n_states for each in (params.start, params.trans))
    return replace(params, start=start, trans=trans)


def _persistent(means: Array, variances: Array, dof: float) -> HMMParams:
    n_components = len(means)
    trans = np.full((n_components, n_components), (1.0 - START_DIAGONAL) / max(n_components - 1, 1))
    np.fill_diagonal(trans, START_DIAGONAL if n_components > 1 else 1.0)
    return HMMParams(np.full(n_components, 1.0 / n_components), trans, means, variances, np.full(n_components, dof))
