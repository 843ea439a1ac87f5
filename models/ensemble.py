"""How far the filtered probability moves when the parameters do: many refitted models, filtered together."""

from dataclasses import dataclass

import numpy as np

from models.inference import LOG_2PI, Array

RANGE = (0.1, 0.9)
"""Quantiles of the ensemble that are shown as the range of a probability."""


@dataclass(frozen=True)
class Ensemble:
    """Parameters of models with the same states, refitted on resampled history.

    Attributes
    ----------
    start : (n_models, n_states)
    trans : (n_models, n_states, n_states)
    means, variances : (n_models, n_states, n_features)
    """

    start: Array
    trans: Array
    means: Array
    variances: Array

    def filter_proba(self, X: Array, last: Array | None = None) -> Array:
        """Filtered probabilities under every model, (n_obs, n_models, n_states); a NaN in `X` is marginalised out.

        Parameters
        ----------
        X : (n_obs, n_features)
        last : (n_models, n_states) of the row before the first; None at the beginning of history
        """
        prior = self.start if last is None else self._next(last)
        out = np.empty((len(X), *self.start.shape))
        for t, x in enumerate(X):
            seen = ~np.isnan(x)
            mean, variance = self.means[:, :, seen], self.variances[:, :, seen]
            dens = -0.5 * (LOG_2PI + np.log(variance) + (x[seen] - mean) ** 2 / variance).sum(axis=2)
            dens = np.where(prior > 0.0, dens, -np.inf)  # a state that cannot be must not set the scale
            peak = dens.max(axis=1, keepdims=True)
            joint = prior * np.exp(dens - np.where(peak > -np.inf, peak, 0.0))
            total = joint.sum(axis=1, keepdims=True)
            out[t] = np.where(total > 0, joint / np.where(total > 0, total, 1.0), prior)
            prior = self._next(out[t])
        return out

    def _next(self, probs: Array) -> Array:
        return np.asarray(np.einsum("mi,mij->mj", probs, self.trans))


def probability_range(probs: Array) -> tuple[Array, Array]:
    """Low and high end of the first state's probability over the models, (n_obs,) each (`RANGE`).

    Parameters
    ----------
    probs : (n_obs, n_models, n_states)
    """
    low, high = np.quantile(probs[:, :, 0], RANGE, axis=1)
    return np.asarray(low), np.asarray(high)
