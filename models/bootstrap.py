"""Refits on resampled history, to ask whether the order of the states is real, and how sure the parameters are."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.ensemble import Ensemble
from models.hmm import fit_hmm
from models.identity import Identity, match, order_probability
from models.inference import Array, HMMParams
from models.one_state import gain_z
from models.regime import RegimeHMM
from models.regime_fit import HMMSettings, complete_blocks
from models.starts import START_DOF, softened, sticky_start

MEAN_BLOCK = 63
REFIT_ITERATIONS = 25


def stationary_blocks(n_obs: int, mean_block: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw rows in blocks of geometric length (Politis and Romano 1994), wrapping round at the end.

    Returns
    -------
    rows : (n_obs,) positions
    lengths : of the blocks, so that a join of two blocks is not taken for a transition
    """
    lengths = np.minimum(rng.geometric(1.0 / mean_block, size=n_obs), n_obs)
    n_blocks = int(np.searchsorted(np.cumsum(lengths), n_obs)) + 1
    lengths = lengths[:n_blocks].copy()
    lengths[-1] -= int(lengths.sum()) - n_obs
    starts = rng.integers(n_obs, size=n_blocks)
    rows = np.concatenate([(start + np.arange(length)) % n_obs for start, length in zip(starts, lengths, strict=True)])
    return rows.astype(np.int64), lengths.astype(np.int64)


def bootstrap_refits(
    model: RegimeHMM,
    frame: pd.DataFrame,
    settings: HMMSettings,
    n_refits: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Ensemble, float]:
    """Refit on resampled training rows, from the model's own parameters and cold, and match the states back to it.

    The better posterior of the two is kept: from the model's own parameters alone EM stays near them, and takes states that the rows do
    not support for certain.

    Parameters
    ----------
    model : fitted on `frame`
    n_refits : resampled histories, at least 2
    progress : called with the refits done and their number

    Returns
    -------
    ensemble : the refitted parameters, on the model's standardised scale, states in the model's order
    order_prob : probability that the states are in the model's order (`models.identity.order_probability`)
    """
    X, _ = complete_blocks(model.standardise(frame))
    at = model.columns.index(settings.score_column)
    refitted: list[HMMParams] = []
    for number in range(n_refits):
        rows, lengths = stationary_blocks(len(X), MEAN_BLOCK, rng)
        params = _refit(X[rows], lengths, model.params, settings)
        refitted.append(params.reordered(match(model.params, params)))
        progress(number + 1, n_refits)
    natural = [(p.means[:, at] * model.scale[at] + model.center[at]) / (np.sqrt(p.variances[:, at]) * model.scale[at]) for p in refitted]
    return Ensemble(tuple(refitted)), order_probability(np.stack(natural))


def weigh_names(
    model: RegimeHMM,
    frame: pd.DataFrame,
    settings: HMMSettings,
    n_refits: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Ensemble, Identity]:
    """Give the model's identity with all its evidence: the order under resampling, and the gain over one state.

    Parameters
    ----------
    as of `bootstrap_refits`
    """
    ensemble, order_prob = bootstrap_refits(model, frame, settings, n_refits, rng, progress)
    X, lengths = complete_blocks(model.standardise(frame))
    gain = gain_z(X, model.params, model.columns.index(settings.score_column), lengths)
    return ensemble, replace(model.identity, order_prob=order_prob, gain_z=gain)


def _refit(X: Array, lengths: NDArray[np.int64], own: HMMParams, settings: HMMSettings) -> HMMParams:
    heavy = bool(np.isfinite(own.dof).any())
    fit = fit_hmm(
        X,
        settings.n_components,
        kappa=settings.kappa,
        starts=[softened(own), sticky_start(settings.n_components, X, START_DOF if heavy else np.inf)],
        n_iter=REFIT_ITERATIONS,
        tol=settings.tol,
        lengths=lengths,
        covariance_type="diag" if own.diagonal else "full",
    )
    return fit.params
