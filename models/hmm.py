"""Fitting an HMM that stays in its states: EM with a sticky prior from some starts, and which of their ends is kept."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.degenerate import DegenerateFitWarning
from models.em import Climb, CovarianceType, climb, data_prior
from models.errors import FitError
from models.fit_checks import check_fit
from models.observations import read_rows
from models.params import Array, HMMParams
from models.starts import softened

AnyClimb = TypeVar("AnyClimb", bound=Climb)

ROWS_A_PARAMETER = 5

WORTH_A_MOVE = 10.0
"""Nats of log-posterior by which another optimum must beat the last refit's: twice what Kass and Raftery (1995) call very strong evidence.
"""


@dataclass(frozen=True)
class HMMFit:
    """A fitted model and how it was reached.

    Attributes
    ----------
    params : states in the order EM left them
    log_posterior : log-likelihood plus log priors (without their constants) at the last step of EM, of the start that was kept
    spread : log-posterior of the best start minus that of the worst
    n_iter : EM iterations of the start that was kept
    converged : whether it met `tol`
    fell : largest loss of the objective in one iteration; EM never loses more than rounding
    """

    params: HMMParams
    log_posterior: float
    spread: float
    n_iter: int
    converged: bool
    fell: float = 0.0


def count_parameters(n_components: int, n_features: int, covariance_type: CovarianceType = "diag", heavy: bool = False) -> int:
    """Free parameters of transitions and emissions; the first state's probabilities say nothing of later days."""
    free = {
        "spherical": n_components,
        "diag": n_components * n_features,
        "tied": n_features * (n_features + 1) // 2,
        "full": n_components * n_features * (n_features + 1) // 2,
    }
    return n_components * (n_components - 1 + n_features + int(heavy)) + free[covariance_type]


def fit_hmm(
    X: Array,
    n_components: int,
    *,
    kappa: float,
    starts: list[HMMParams],
    n_iter: int,
    tol: float,
    lengths: NDArray[np.int64] | None = None,
    covariance_type: CovarianceType = "diag",
    names: list[str] | None = None,
    last: HMMParams | None = None,
) -> HMMFit:
    """Fit by EM from each start and keep the best posterior; at a refit, that of the last parameters unless another is much better.

    Maximises the log-likelihood plus a Dirichlet prior on each row of the transition matrix (`models.em.sticky_prior`) and a prior of
    `models.em.PRIOR_ROWS` row at the pooled variance.

    Parameters
    ----------
    X : (n_obs, n_features), NaN where missing
    kappa : sessions that the sticky prior is worth in each state
    starts : where EM begins; finite degrees of freedom make the states Student-t
    lengths : rows of each contiguous sequence in `X`; one sequence if None
    names : of the columns, for what is said of them
    last : parameters of the refit before, on the scale of `X`: where EM begins too, and what `starts` guard against following astray
        (`choose`). Between hills of like height the top moves from refit to refit, and labels of the past with it, for nothing

    Raises
    ------
    FitError
        If there are too few rows for the parameters, a column is empty, constant or infinite, or every start failed.

    Warns
    -----
    DegenerateFitWarning
        If a column repeats others or holds an outlier.
    """
    X, _ = read_rows(X, "fit_hmm", FitError)
    n_params = count_parameters(n_components, X.shape[1], covariance_type, heavy=any(np.isfinite(s.dof).any() for s in starts))
    if len(X) < ROWS_A_PARAMETER * n_params:
        raise FitError(
            f"fit_hmm: {len(X)} rows for {n_params} parameters; rule: at least {ROWS_A_PARAMETER} rows a parameter. Use fewer states, "
            "fewer columns or more history"
        )
    check_fit(X, n_components, n_params, names, "fit_hmm")
    prior = data_prior(X, n_components, kappa)
    begun = starts if last is None else [softened(last), *starts]
    usable = [start for start in begun if np.isfinite(start.means).all() and np.isfinite(start.scales).all()]
    climbs = [climb(X, start, prior, covariance_type=covariance_type, n_iter=n_iter, tol=tol, lengths=lengths) for start in usable]
    held = last is not None and bool(usable) and usable[0] is begun[0]
    reached = [each for each in climbs if reached_end(each)]
    if not reached:
        raise FitError(f"fit_hmm: none of {len(begun)} starts gave finite parameters; look for constant or extreme columns")
    return report_fit(choose(climbs, held=held), reached)


def reached_end(climbed: Climb) -> bool:
    """Whether EM ended in finite numbers."""
    return not climbed.failed and len(climbed.objective) > 0 and bool(np.isfinite(climbed.objective).all())


def choose(climbs: Sequence[AnyClimb], *, held: bool) -> AnyClimb:
    """Choose the best posterior; where the first climb is `held`, as it began from the last parameters, that one unless much is gained.

    A held climb gives way to one more than `WORTH_A_MOVE` better, and, where it did not converge, to any better one.
    """
    best = max((each for each in climbs if reached_end(each)), key=_top)
    own = climbs[0]
    stays = held and reached_end(own) and own.converged and _top(best) - _top(own) <= WORTH_A_MOVE
    return own if stays else best


def report_fit(kept: Climb, reached: Sequence[Climb]) -> HMMFit:
    """Say how the climb that was kept went, among those that reached an end."""
    tops = [_top(each) for each in reached]
    fell = float(-min(np.diff(kept.objective).min(initial=0.0), 0.0))
    return HMMFit(kept.params, _top(kept), max(tops) - min(tops), len(kept.objective), kept.converged, fell)


def _top(reached: Climb) -> float:
    return float(reached.objective[-1])


def degenerate_reasons(fit: HMMFit, occupancy: Array, min_occupancy: float) -> list[str]:
    """Say why a fit should not be relied on, with the way out of each; empty where it may be."""
    reasons = []
    if not fit.converged:
        reasons.append(f"EM did not converge in {fit.n_iter} iterations (raise n_iter)")
    if fit.fell > 1e-6 * max(abs(fit.log_posterior), 1.0):
        reasons.append(f"the posterior fell by {fit.fell:.2g} in an iteration (look for extreme values)")
    if occupancy.min() < min_occupancy:
        reasons.append(
            f"state {int(occupancy.argmin())} holds {occupancy.min():.1%} of the days, under {min_occupancy:.0%} (use fewer states)"
        )
    return reasons


def warn_if_degenerate(fit: HMMFit, occupancy: Array, min_occupancy: float, where: str) -> list[str]:
    """Warn of a fit that should not be relied on; returns the reasons."""
    reasons = degenerate_reasons(fit, occupancy, min_occupancy)
    if reasons:
        warnings.warn(f"{where}: {'; '.join(reasons)}", DegenerateFitWarning, stacklevel=2)
    return reasons
