"""hmmlearn's priors, which are on the unit scale, in the form that the EM reads."""

from typing import Any

import numpy as np

from models.em import Prior, sticky_prior


def unit_prior(model: Any, n_features: int, stickiness: float = 0.0) -> Prior:
    """Read the priors off an hmmlearn model: its `covars_prior` is added to sums of squares as it is, whatever the scale of the data.

    Parameters
    ----------
    model : with the parameters of `hmmlearn.hmm.GaussianHMM`
    stickiness : sessions that the sticky prior is worth in each state
    """
    n_states, whole = model.n_components, model.covariance_type in ("full", "tied")
    start = np.broadcast_to(np.asarray(model.startprob_prior, dtype=np.float64), n_states)
    flat = np.broadcast_to(np.asarray(model.transmat_prior, dtype=np.float64), (n_states, n_states))
    trans = flat - 1.0 + sticky_prior(n_states, stickiness)
    mean = np.broadcast_to(np.asarray(model.means_prior, dtype=np.float64), (n_states, n_features))
    scatter = np.asarray(model.covars_prior, dtype=np.float64)
    if whole:
        scatter = np.broadcast_to(scatter, (n_states, n_features, n_features))
    else:
        scatter = np.broadcast_to(scatter, (n_states, n_features))[:, :, None] * np.eye(n_features)
    rows = max(float(model.covars_weight) - (n_features if whole else 1), 0.0)
    return Prior(start, trans, mean, scatter, mean_rows=float(model.means_weight), rows=rows)
