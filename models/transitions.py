"""Transition probabilities that move with covariates: a multinomial logit for each row of the matrix."""

import numpy as np

from models.params import Array

LARGEST_LOGIT = 25.0
"""Intercepts are kept within this, and logits within twice this: a move that never happened keeps a probability of e^-25."""

NEWTON_STEPS = 25

NEWTON_TOL = 1e-10


def transition_matrices(coefs: Array, covariates: Array) -> Array:
    """p(state_{t+1} = j | state_t = i, z_t) of each row (Diebold, Lee and Weinbach 1994, eq. 4; Filardo 1994, eq. 3).

    Parameters
    ----------
    coefs : (n_states, n_states, 1 + n_covariates) log-odds of moving from i to j rather than staying: an intercept, then slopes; those of
        staying are 0
    covariates : (n_obs, n_covariates)

    Returns
    -------
    (n_obs, n_states, n_states); matrix t leads from t to t + 1, and knows of row t alone
    """
    logits = np.tile(coefs[:, :, 0], (len(covariates), 1, 1))
    for p in range(covariates.shape[1]):  # a matrix product would round one row otherwise than many
        logits = logits + covariates[:, p, None, None] * coefs[:, :, 1 + p]
    logits = np.clip(logits, -2.0 * LARGEST_LOGIT, 2.0 * LARGEST_LOGIT)
    odds = np.exp(logits - logits.max(axis=2, keepdims=True))
    total = np.zeros(odds.shape[:2])
    for j in range(odds.shape[2]):
        total = total + odds[:, :, j]
    return np.asarray(odds / total[:, :, None])


def into_rows(leading: Array) -> Array:
    """Shift matrices that lead away from their row to the row they lead to, as the filter reads them; the first is never read."""
    return np.concatenate([leading[:1], leading[:-1]])


def homogeneous_coefs(trans: Array, n_covariates: int) -> Array:
    """Coefficients of a constant transition matrix: no slope."""
    coefs = np.zeros((*trans.shape, 1 + n_covariates))
    with np.errstate(divide="ignore"):
        log_odds = np.log(trans) - np.log(np.diag(trans))[:, None]
    coefs[:, :, 0] = np.clip(np.nan_to_num(log_odds), -LARGEST_LOGIT, LARGEST_LOGIT)
    return coefs


def log_prior(coefs: Array, counts: Array, ridge: float) -> float:
    """Log prior density of coefficients, without its constants.

    Dirichlet pseudo-counts are on the matrix at average covariates; slopes are normal about 0 with variance 1 / `ridge`.

    Parameters
    ----------
    counts : (n_states, n_states) Dirichlet parameters; one is none
    """
    average = transition_matrices(coefs, np.zeros((1, coefs.shape[2] - 1)))[0]
    total = float(((counts - 1.0) * np.log(average)).sum())
    slopes = coefs[:, :, 1:]
    return total - (0.5 * ridge * float((slopes**2).sum()) if slopes.any() else 0.0)


def maximise_coefs(coefs: Array, covariates: Array, pairs: Array, counts: Array, ridge: float) -> Array:
    """M-step of the coefficients: a penalised multinomial logit for each row of the matrix, by Newton's method with step halving.

    Parameters
    ----------
    coefs : where to begin
    covariates : (n_moves, n_covariates) known before each move
    pairs : (n_moves, n_states, n_states) p(state before, state after | all rows) of each move
    counts, ridge : as of `log_prior`; an infinite ridge leaves the intercepts alone, which is the homogeneous model

    Returns
    -------
    Coefficients whose objective, expected log-probability of the moves plus log prior, is not below that of `coefs`
    """
    n_covariates = covariates.shape[1]
    out = np.zeros_like(coefs)
    if np.isinf(ridge):
        total = pairs.sum(axis=0) + counts - 1.0
        sums = total.sum(axis=1, keepdims=True)
        out[:, :, :1] = homogeneous_coefs(np.where(sums > 0.0, total / np.where(sums > 0.0, sums, 1.0), np.eye(len(total))), 0)
        return out
    design = np.vstack([np.zeros((1, 1 + n_covariates)), np.column_stack([np.ones(len(covariates)), covariates])])
    design[0, 0] = 1.0  # the pseudo-counts are moves at average covariates
    penalty = np.append(0.0, np.full(n_covariates, ridge))
    for i in range(len(coefs)):
        moves = np.vstack([counts[i] - 1.0, pairs[:, i]])
        out[i] = _maximise_row(coefs[i], i, design, moves, penalty)
    return out


def _maximise_row(coefs: Array, own: int, design: Array, moves: Array, penalty: Array) -> Array:
    """Fit the logit of one row: coefs (n_states, 1 + n_covariates), zero for `own`; moves (n_moves, n_states)."""
    others = np.arange(len(coefs)) != own
    current, mass = coefs.copy(), moves.sum(axis=1)
    value, probs = _value(current, design, moves, penalty)
    for _ in range(NEWTON_STEPS):
        gradient = (moves - mass[:, None] * probs)[:, others].T @ design - penalty * current[others]
        if np.abs(gradient).max(initial=0.0) < NEWTON_TOL * max(mass.sum(), 1.0):
            break
        towards = np.linalg.solve(_curvature(probs[:, others], mass, design, penalty), gradient.ravel()).reshape(gradient.shape)
        size = 1.0
        while size > 1e-6:
            trial = current.copy()
            trial[others] += size * towards
            trial[:, 0] = np.clip(trial[:, 0], -LARGEST_LOGIT, LARGEST_LOGIT)
            reached, at = _value(trial, design, moves, penalty)
            if reached >= value:
                break
            size *= 0.5
        else:
            break
        gained, current, value, probs = reached - value, trial, reached, at
        if gained < 1e-14 * max(abs(value), 1.0) and size == 1.0:
            break
    return current


def _value(coefs: Array, design: Array, moves: Array, penalty: Array) -> tuple[float, Array]:
    logits = np.clip(design @ coefs.T, -2.0 * LARGEST_LOGIT, 2.0 * LARGEST_LOGIT)
    log_probs = logits - logits.max(axis=1, keepdims=True)
    log_probs = log_probs - np.log(np.exp(log_probs).sum(axis=1, keepdims=True))
    return float((moves * log_probs).sum() - 0.5 * (penalty * coefs**2).sum()), np.exp(log_probs)


def _curvature(probs: Array, mass: Array, design: Array, penalty: Array) -> Array:
    """Minus the Hessian, (m (1 + n_covariates),) squared for m other states; a little is added so that it can be inverted."""
    m, width = probs.shape[1], design.shape[1]
    out = np.zeros((m, width, m, width))
    for a in range(m):
        for b in range(m):
            weight = mass * probs[:, a] * ((a == b) - probs[:, b])
            out[a, :, b, :] = (design * weight[:, None]).T @ design + (a == b) * np.diag(penalty)
    return np.asarray(out.reshape(m * width, m * width) + 1e-12 * max(mass.sum(), 1.0) * np.eye(m * width))
