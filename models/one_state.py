"""Whether states foretell a column better than one state does, heavy tails allowed."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from models.engine.filtering import filter_history, log_densities
from models.hmm import count_parameters, fit_hmm
from models.params import Array, HMMParams
from models.starts import START_DOF, sticky_start

ITERATIONS, TOL = 200, 1e-3


def predicted_density(X: Array, params: HMMParams, column: int, lengths: NDArray[np.int64] | None = None) -> Array:
    """Log p(x_t[column] | x_1..x_{t-1}), (n_obs,): a mixture over the states as the rows before t foretell them.

    A state learnt from columns that are made of past returns (a trend, a realised volatility) holds high and low returns apart in its
    own rows even where nothing can be foretold: here row t has no part in its own state.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing, but not in `column`
    lengths : rows of each sequence in `X`; one sequence if None
    """
    probs = filter_history(X, params, lengths=lengths).probs
    belief = np.vstack([params.start, probs[:-1] @ params.trans])
    if lengths is not None:
        belief[np.cumsum(lengths)[:-1]] = params.start
    alone = params.marginal(np.arange(params.n_features) == column)
    return np.asarray(logsumexp(log_densities(X[:, [column]], alone), b=belief, axis=1))


def one_state_density(x: Array) -> Array:
    """Log-density of each value under one law fitted to all of them, normal or Student-t, whichever is likelier, (n_obs,).

    Both, because the prior of the degrees of freedom keeps the Student-t from becoming normal.
    """
    rows = x[:, None]
    tails = (np.inf, START_DOF)
    fits = [fit_hmm(rows, 1, kappa=0.0, starts=[sticky_start(1, rows, dof)], n_iter=ITERATIONS, tol=TOL) for dof in tails]
    return np.asarray(max((log_densities(rows, fit.params)[:, 0] for fit in fits), key=np.sum))


def gain_z(X: Array, params: HMMParams, column: int, lengths: NDArray[np.int64] | None = None) -> float:
    """Gain in one-step log score over one state in its standard errors (Vuong 1989, eq. 4.2 and 5.9 with Akaike's correction).

    Both laws know their parameters from the same rows; the gain pays one nat for each that the states have more, so that states which are
    one and the same do not pass by a gain that is tiny and sure. Gains of different rows are taken as uncorrelated: each is an
    innovation, given the rows before.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing, but not in `column`
    lengths : rows of each sequence in `X`; one sequence if None

    Returns
    -------
    standard errors above zero; 0 where the gain does not vary at all
    """
    gain = predicted_density(X, params, column, lengths) - one_state_density(X[:, column])
    heavy = bool(np.isfinite(params.dof).any())
    price = count_parameters(params.n_states, 1, heavy=heavy) - count_parameters(1, 1, heavy=heavy)
    spread = float(gain.std(ddof=1))
    return float((gain.sum() - price) / (np.sqrt(len(gain)) * spread)) if spread > 0.0 else 0.0
