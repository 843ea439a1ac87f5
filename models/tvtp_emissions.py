"""The half of EM that knows only emissions: log-densities of all rows, and parameters from smoothed probabilities of any chain."""

import numpy as np
from numpy.typing import NDArray

from models.em import KINDS, CovarianceType, Prior, gap_patterns, prior_numbers, standardisation
from models.engine.emission_sums import emission_sums
from models.engine.emissions import log_densities
from models.engine.maximise import DIAG, log_prior, maximise_means, maximise_scales, update_dof
from models.engine.quadratic import augmented, design
from models.params import Array, HMMParams


class EmissionSteps:
    """E- and M-step of Gaussian or Student-t emissions; whatever drives the states is the caller's.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    start : of which the emissions are the first guess
    prior : of which that of means and scales is used
    covariance_type : as of `models.em.climb`
    """

    def __init__(self, X: Array, start: HMMParams, prior: Prior, covariance_type: CovarianceType) -> None:
        self.center, self.scale = standardisation(X, common=covariance_type == "spherical")
        rows = (X - self.center) / self.scale
        self._gaps, self._kind = gap_patterns(rows), KINDS[covariance_type]
        self._phi = design(augmented(rows), self._kind <= DIAG)
        self._totals, self._taken_off = self._phi.sum(axis=1), 0.0
        self._numbers = prior_numbers(prior.rescaled(-self.center / self.scale, 1.0 / self.scale))
        inside = start.rescaled(-self.center / self.scale, 1.0 / self.scale)
        self.means, self.scales, self.dof = (np.array(each, order="C") for each in (inside.means, inside.scales, inside.dof))
        shape = (start.n_states, len(X))
        self.heavy = bool(np.isfinite(self.dof).any())
        self._far, self._weight = np.zeros(shape if self.heavy else (len(self.dof), 0)), np.empty(shape)
        self.dens = np.empty(shape)
        self._shift = float((~np.isnan(rows)).sum(axis=0) @ np.log(self.scale))
        divisors = 1 if covariance_type == "tied" else start.n_states
        self._prior_shift = float(prior.rows * np.log(self.scale).sum() * divisors)

    def expect(self) -> bool:
        """Write log-densities (n_states, n_obs) of standardised rows into `dens`, less what `in_units` puts back of each row.

        False where a scale is not positive definite.
        """
        emissions = self._kind <= DIAG, self.means, self.scales, self.dof
        self._taken_off = log_densities(self._phi, self._totals, self._gaps, *emissions, np.zeros(len(self.center)), self.dens, self._far)
        return not np.isnan(self._taken_off)

    def in_units(self, log_lik: float) -> float:
        """Log-likelihood of the rows as they came, from that of `dens`."""
        return log_lik + self._taken_off - self._shift

    def log_prior(self) -> float:
        """Log prior of the emissions as they came, without its constants."""
        n_states = len(self.means)
        flat = (np.ones(n_states), np.ones((n_states, n_states)), *self._numbers[2:])
        value = log_prior(np.ones(n_states), np.ones((n_states, n_states)), self.means, self.scales, self.dof, False, flat, self._kind)
        return float(value) - self._prior_shift

    def maximise(self, gamma: Array) -> None:
        """Set emissions from smoothed probabilities, (n_states, n_obs)."""
        _, _, prior_mean, prior_weight, scatter, rows, shape, rate = self._numbers
        n_states, width = len(gamma), len(self.center) + 1
        mass, excess, moments = np.empty(n_states), np.empty(n_states), np.empty((n_states, width, width))
        diagonal = self._kind <= DIAG
        emission_sums(
            self._phi,
            self._totals,
            self._gaps,
            diagonal,
            self.means,
            self.scales,
            self.dof,
            gamma,
            self._far,
            self._weight,
            mass,
            moments,
            excess,
        )
        maximise_means(moments, prior_mean, prior_weight, self.means)
        maximise_scales(mass, moments, self.means, prior_mean, prior_weight, scatter, rows, self._kind, self.scales)
        if self.heavy:
            update_dof(mass, excess, shape, rate, False, self.dof)

    def params(self, start: Array, trans: Array) -> HMMParams:
        """Parameters for the rows as they came."""
        return HMMParams(start.copy(), trans, self.means.copy(), self.scales.copy(), self.dof.copy()).rescaled(self.center, self.scale)


def offsets_of(n_obs: int, lengths: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Where each sequence begins, and the end, (n_sequences + 1,)."""
    runs = np.array([n_obs]) if lengths is None else np.asarray(lengths)
    return np.concatenate([[0], np.cumsum(runs)]).astype(np.int64)
