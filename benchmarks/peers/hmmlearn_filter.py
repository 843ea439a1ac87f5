"""Filtered regime probabilities with plain hmmlearn: smooth a history that ends today, keep its last row."""

import numpy as np
from hmmlearn.hmm import GaussianHMM
from numpy.typing import NDArray

Array = NDArray[np.float64]


def gaussian_hmm(start: Array, trans: Array, means: Array, variances: Array) -> GaussianHMM:
    """Set up hmmlearn's model with given parameters; 'scaling' is the faster of its two recursions."""
    model = GaussianHMM(len(start), covariance_type="diag", implementation="scaling")
    model.startprob_, model.transmat_, model.means_, model.covars_ = start, trans, means, variances
    return model


def filter_by_prefixes(model: GaussianHMM, X: Array) -> Array:
    """`predict_proba` has seen every row it is given, so each day needs a call of its own."""
    return np.array([model.predict_proba(X[: t + 1])[-1] for t in range(len(X))])


def filter_newest(model: GaussianHMM, X: Array) -> Array:
    """Probabilities of the newest row: the whole history once more."""
    return np.asarray(model.predict_proba(X)[-1])
