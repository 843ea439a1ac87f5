"""Refits on resampled history, to ask whether the order of the states is real, and how sure the parameters are."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.ensemble import Ensemble
from models.hmm import fit_hmm
from models.identity import match, order_probability
from models.inference import HMMParams
from models.regime import RegimeHMM
from models.regime_fit import HMMSettings, complete_blocks

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
    """Refit on resampled training rows, from the model's own parameters, and match the states back to it.

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
        fit = fit_hmm(
            X[rows],
            settings.n_components,
            kappa=settings.kappa,
            starts=[model.params],
            n_iter=REFIT_ITERATIONS,
            tol=settings.tol,
            lengths=lengths,
        )
        refitted.append(fit.params.reordered(match(model.params, fit.params)))
        progress(number + 1, n_refits)
    natural = [(p.means[:, at] * model.scale[at] + model.center[at]) / (np.sqrt(p.variances[:, at]) * model.scale[at]) for p in refitted]
    return Ensemble(tuple(refitted)), order_probability(np.stack(natural))
