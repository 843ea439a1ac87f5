"""What a state is called, on what that rests, and whether it is the same state after a refit."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import ndtr

from models.inference import Array, HMMParams

MIN_SD_RATIO = 1.3
MIN_ORDER_PROB = 0.975
MEAN_LEVEL = 0.975
"""METHODS 2.3: two-sided 5%; at .9 a world without a difference is named in a fifth of cases."""

MIN_GAIN_Z = 1.645
"""One-sided 5%: the states must foretell the score column surely better than one state, normal or Student-t."""

MIN_MARGIN = 0.1
"""METHODS 2.3: below it two states might as well be matched the other way round."""


CRITERIA = ("apart", "order", "gain")
"""What states that carry names must be: apart in mean or variance, in a sure order, and of use in foretelling the score column."""


class UnsureMatchWarning(UserWarning):
    """States of two refits are so alike that it is open which is which."""


@dataclass(frozen=True)
class Identity:
    """Evidence for naming the states of one fit.

    Attributes
    ----------
    scores : (n_states,) mean over standard deviation of the score column in each state, highest first
    means, sds : (n_states,) of the score column, in its own unit
    sd_ratio : standard deviation in the last state over that in the first
    mean_passed : whether the difference of the two means is significant at two-sided 5%
    order_prob : probability, from bootstrap refits, that the states are in this order (`order_probability`); NaN where not run
    gain_z : gain in one-step log score of the score column over one state, in standard errors
        (`models.one_state.gain_z`); NaN where not run
    """

    scores: tuple[float, ...]
    means: tuple[float, ...]
    sds: tuple[float, ...]
    sd_ratio: float
    mean_passed: bool
    order_prob: float = float("nan")
    gain_z: float = float("nan")

    @property
    def failed(self) -> tuple[str, ...]:
        """What the states lack to carry their names (METHODS 2.3), of `CRITERIA`."""
        apart = self.mean_passed or self.sd_ratio >= MIN_SD_RATIO
        ordered = np.isnan(self.order_prob) or self.order_prob >= MIN_ORDER_PROB
        foretold = np.isnan(self.gain_z) or self.gain_z >= MIN_GAIN_Z
        return tuple(name for name, met in zip(CRITERIA, (apart, ordered, foretold), strict=True) if not met)

    @property
    def identified(self) -> bool:
        """Whether the states may carry their names: they are apart, in a sure order, and foretell what one state does not."""
        return not self.failed

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "scores": list(self.scores),
            "means": list(self.means),
            "sds": list(self.sds),
            "sd_ratio": self.sd_ratio,
            "mean_passed": self.mean_passed,
            "order_prob": None if np.isnan(self.order_prob) else self.order_prob,
            "gain_z": None if np.isnan(self.gain_z) else self.gain_z,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Identity":
        """Inverse of `to_dict`."""
        order_prob, gain = values["order_prob"], values.get("gain_z")  # models stored before there was a gain have none
        return cls(
            tuple(values["scores"]),
            tuple(values["means"]),
            tuple(values["sds"]),
            values["sd_ratio"],
            values["mean_passed"],
            float("nan") if order_prob is None else order_prob,
            float("nan") if gain is None else gain,
        )


def identify(probs: Array, params: HMMParams, center: float, scale: float, column: int) -> tuple[NDArray[np.int64], Identity]:
    """Order states by score and weigh the evidence that the first differs from the last.

    Parameters
    ----------
    probs : (n_obs, n_states) filtered probabilities of the training rows
    center, scale : standardisation of the score column
    column : its position in the model

    Returns
    -------
    order : (n_states,) positions of the states, highest score first
    identity : Identity
    """
    means = params.means[:, column] * scale + center
    sds = np.sqrt(params.variances[:, column]) * scale
    order = np.argsort(-means / sds, kind="stable")
    means, sds, weight = means[order], sds[order], probs[:, order].sum(axis=0)
    error = float(np.hypot(sds[0] / np.sqrt(max(weight[0], 1.0)), sds[-1] / np.sqrt(max(weight[-1], 1.0))))
    passed = bool(ndtr((means[0] - means[-1]) / error) > MEAN_LEVEL)
    scores = means / sds
    return order.astype(np.int64), Identity(
        tuple(map(float, scores)), tuple(map(float, means)), tuple(map(float, sds)), float(sds[-1] / sds[0]), passed
    )


def order_probability(scores: Array) -> float:
    """Probability that each state scores above the next, from scores of bootstrap refits: of the pair that is surest of it least.

    Phi(mean / standard deviation) of the differences uses every draw; the share of positive ones, with 80 draws, is .975 give or take
    .018 and names or unnames states by the luck of the seed.

    Parameters
    ----------
    scores : (n_refits, n_states), at least two refits
    """
    gaps = scores[:, :-1] - scores[:, 1:]
    spread = gaps.std(axis=0, ddof=1)
    z = np.divide(gaps.mean(axis=0), spread, out=np.copysign(np.full(gaps.shape[1], np.inf), gaps.mean(axis=0)), where=spread > 0)
    return float(ndtr(z).min())


def hellinger(a: HMMParams, b: HMMParams) -> Array:
    """Hellinger distances between the emissions of two models, (n_states of a, n_states of b), each in [0, 1].

    Student-t states are compared as Gaussians of the same means and covariances: the distance of two t densities has no closed form.
    """
    ca, cb = a.covars[:, None], b.covars[None, :]
    middle = 0.5 * (ca + cb)
    gap = a.means[:, None, :] - b.means[None, :, :]
    squared = (gap * np.linalg.solve(middle, gap[..., None])[..., 0]).sum(axis=-1)
    log_det_a, log_det_b, log_det = (np.linalg.slogdet(each)[1] for each in (ca, cb, middle))
    log_bc = 0.25 * (log_det_a + log_det_b) - 0.5 * log_det - 0.125 * squared
    return np.asarray(np.sqrt(np.clip(1.0 - np.exp(log_bc), 0.0, 1.0)))


def match(old: HMMParams, new: HMMParams) -> NDArray[np.int64]:
    """Position in `new` of each state of `old`: the assignment of least total Hellinger distance."""
    return assign(hellinger(old, new))


def assign(cost: Array) -> NDArray[np.int64]:
    """Partner of each row of a square matrix of distances: the assignment of least total distance (Kuhn 1955)."""
    return np.asarray(linear_sum_assignment(cost)[1], dtype=np.int64)


def match_margin(old: HMMParams, new: HMMParams) -> float:
    """By how much the surest wrong partner is farther than the matched one, of the state that is surest least.

    Negative where a state's nearest partner went to another one; infinite for a single state.
    """
    cost, partner = hellinger(old, new), match(old, new)
    matched = cost[np.arange(len(cost)), partner]
    others = np.where(np.arange(cost.shape[1]) == partner[:, None], np.inf, cost)
    ways = np.concatenate([others.min(axis=1) - matched, others.min(axis=0)[partner] - matched])
    return float(ways.min())


def warn_if_unsure(margins: Mapping[str, float], where: str) -> list[str]:
    """Warn, once for all, of matches that might as well be the other way round; returns which they are.

    Parameters
    ----------
    margins : `match_margin` by what was matched

    Warns
    -----
    UnsureMatchWarning
        If any is below `MIN_MARGIN`.
    """
    unsure = [name for name, margin in margins.items() if margin < MIN_MARGIN]
    if unsure:
        least = min(unsure, key=margins.__getitem__)
        warnings.warn(
            f"{where}: {len(unsure)} of {len(margins)} matched with a margin as low as {margins[least]:.3f} ({least}); rule: at least "
            f"{MIN_MARGIN}. Their names may not mean what they meant before: use fewer states, or columns that tell them apart",
            UnsureMatchWarning,
            stacklevel=2,
        )
    return unsure


def label_churn(before: Array, after: Array) -> float:
    """Share of the rows both have whose most probable state changed.

    Parameters
    ----------
    before, after : (n_obs, n_states) from the same first row, states in the same order; the longer one is cut
    """
    common = min(len(before), len(after))
    return float(np.mean(before[:common].argmax(axis=1) != after[:common].argmax(axis=1)))


def revision(published: Array, now: Array) -> float:
    """Mean absolute difference between probabilities as published and as they are computed now; rows missing in either are left out.

    Parameters
    ----------
    published, now : (n_obs,) probability of the same state on the same rows
    """
    return float(np.nanmean(np.abs(now - published)))


def hysteresis(prob: Array, enter: float, leave: float, held: bool = False) -> NDArray[np.bool_]:
    """Hold a state from the row its probability rises above `enter` until it falls below `leave`.

    Parameters
    ----------
    prob : (n_obs,) filtered probability; NaN keeps what was held
    held : whether it was held before the first row
    """
    out = np.empty(len(prob), dtype=np.bool_)
    for t, p in enumerate(prob):
        held = p > enter if not held else not p < leave
        out[t] = held
    return out
