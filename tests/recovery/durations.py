"""Do regimes of explicit duration beat the plain model? The model, the worlds and the comparison; run with `python -m`.

A regime whose dwell is negative binomial (a sum of geometric stages) is a series of sub-states that look alike, so the ordinary filter and
smoother serve it (Rabiner 1989, section IV.D; Langrock and Zucchini 2011).
"""

import itertools
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.em import Prior, climb, data_prior
from models.engine.filtering import filter_history
from models.engine.transitions import smooth_moving
from models.params import HMMParams
from models.starts import sticky_start
from models.tvtp_emissions import EmissionSteps, offsets_of
from sources.simulated.regimes import MEANS, SIGMAS

Array = NDArray[np.float64]
Stages = tuple[int, ...]

KAPPA, N_FIT, N_LATER = 100.0, 3000, 1500

GRID = (1, 2, 4, 8)
"""Stages tried for each regime; the number of parameters is the same for all, so the likelihood chooses."""

MARGIN = 3.0
"""Log-likelihood by which stages must beat the plain model: without it they are chosen by noise where the dwell is geometric."""

MILD = (0.011, 0.016)


def expand_durations(params: HMMParams, stages: Stages) -> HMMParams:
    """Regime k as `stages[k]` sub-states in series, tied emissions, the mean dwell unchanged: stages / q, so q is stages (1 - a_kk)."""
    counts = np.array(stages)
    leave = np.minimum(counts * (1.0 - np.diag(params.trans)), 1.0)
    regime, last = np.repeat(np.arange(len(counts)), counts), np.cumsum(counts) - 1
    first = last - counts + 1
    trans = np.diag(1.0 - leave[regime])
    inner = np.setdiff1d(np.arange(len(regime)), last)
    trans[inner, inner + 1] = leave[regime[inner]]
    for k, end in enumerate(last):
        others = np.arange(len(counts)) != k
        trans[end, first[others]] = leave[k] * params.trans[k, others] / params.trans[k, others].sum()
    return HMMParams((params.start / counts)[regime], trans, params.means[regime], params.scales[regime], params.dof[regime])


def by_regime(probs: Array, stages: Stages) -> Array:
    """Probabilities (n_obs, sum(stages)) of sub-states added up by regime."""
    return np.add.reduceat(probs, np.cumsum(stages) - np.array(stages), axis=1)


@dataclass(frozen=True)
class DurationFit:
    """Expanded parameters, the stages of each regime and the log-likelihood of the rows they were fitted on."""

    params: HMMParams
    stages: Stages
    log_lik: float


def fit_durations(X: Array, begin: HMMParams, prior: Prior, stages: Stages, n_iter: int = 60, tol: float = 1e-2) -> DurationFit:
    """EM from a plain model; the sub-states of a regime share emissions and leaving probability, and its sticky pseudo-counts."""
    emissions, current = EmissionSteps(X, begin, prior, "diag"), expand_durations(begin, stages)
    regime = np.repeat(np.arange(len(stages)), stages)
    membership = (regime[None] == np.arange(len(stages))[:, None]).astype(np.float64)
    n_states, history = len(regime), [-np.inf]
    gamma, pairs = np.empty((n_states, len(X))), np.empty((len(X), n_states, n_states))
    start, trans = current.start, current.trans
    for _ in range(n_iter):
        emissions.expect()
        every = np.broadcast_to(trans, pairs.shape)
        log_lik = smooth_moving(start, every, np.ascontiguousarray(emissions.dens[regime]), offsets_of(len(X), None), gamma, pairs)
        history.append(emissions.in_units(log_lik))
        counts = pairs.sum(axis=0)
        stays = membership @ np.diag(counts)
        leaves = membership @ counts.sum(axis=1) - stays
        moves = membership @ (counts * (1.0 - np.eye(n_states))) @ membership.T * (1.0 - np.eye(len(stages)))
        keep = (stays + prior.trans.diagonal() - 1.0) / (stays + leaves + prior.trans.sum(axis=1) - prior.trans.shape[1])
        mean_leave = (1.0 - keep) / np.array(stages)
        away = moves / moves.sum(axis=1, keepdims=True) * mean_leave[:, None]
        emissions.maximise(membership @ gamma)
        start = gamma[:, 0].copy()
        trans = expand_durations(emissions.params(np.ones(len(stages)), away + np.diag(1.0 - mean_leave)), stages).trans
        if history[-1] - history[-2] < tol:
            break
    regimes = emissions.params(np.ones(len(stages)), away + np.diag(1.0 - mean_leave))
    return DurationFit(replace(expand_durations(regimes, stages), start=start), stages, history[-1])


def dwelling_returns(
    n_obs: int, seed: int, law: str, shape: int, sigmas: tuple[float, float] = SIGMAS[2]
) -> tuple[NDArray[np.int64], Array, HMMParams]:
    """Market S with another law of the dwell, of the same means 100 and 33.3: states, returns (n_obs, 1), plain model of those means.

    Parameters
    ----------
    law : 'negative binomial' (`shape` geometric stages; one is market S itself) or 'gamma', rounded, of that shape
    """
    rng, dwell = np.random.default_rng(seed), np.array([100.0, 100.0 / 3.0])
    runs: list[NDArray[np.int64]] = []
    state, length = int(rng.random() > 0.75), 0
    while length < n_obs + 200:
        mean = dwell[state]
        lasts = rng.geometric(shape / mean, size=shape).sum() if law == "negative binomial" else round(rng.gamma(shape, mean / shape))
        runs.append(np.full(max(int(lasts), 1), state))
        length, state = length + len(runs[-1]), 1 - state
    states = np.concatenate(runs)[200 : n_obs + 200]
    mean, sigma = np.array(MEANS[2]), np.array(sigmas)
    X = (mean[states] + sigma[states] * rng.standard_normal(n_obs))[:, None]
    trans = np.array([[0.99, 0.01], [0.03, 0.97]])
    return states, X, HMMParams(np.array([0.75, 0.25]), trans, mean[:, None], sigma[:, None] ** 2)


def choose_durations(X: Array, dof: float = np.inf) -> tuple[HMMParams, DurationFit, float]:
    """The plain sticky model of a history, that of explicit durations, and the likelihood that the best stages gain over single ones.

    Stages of the highest likelihood are taken where they gain `MARGIN`, single ones else.
    """
    prior = data_prior(X, 2, KAPPA)
    plain = climb(X, sticky_start(2, X, dof), prior, n_iter=300, tol=1e-3).params
    plain = plain.reordered(np.argsort(plain.variances[:, 0]))
    fits = [fit_durations(X, plain, prior, stages) for stages in itertools.product(GRID, repeat=2)]
    best = max(fits, key=lambda each: each.log_lik)
    gained = best.log_lik - fits[0].log_lik
    return plain, best if gained > MARGIN else fits[0], gained


def gain(seed: int, law: str, shape: int, sigmas: tuple[float, float] = SIGMAS[2]) -> pd.DataFrame:
    """Out of sample, over the plain sticky model: balanced accuracy and log score a day, fitted and with the true parameters."""
    states, X, truth = dwelling_returns(N_FIT + N_LATER, seed, law, shape, sigmas)
    plain, explicit, _ = choose_durations(X[:N_FIT])
    models = {
        "plain": (plain, (1, 1)),
        "explicit": (explicit.params, explicit.stages),
        "true plain": (truth, (1, 1)),
        "true explicit": (expand_durations(truth, (shape, shape)), (shape, shape)),
    }
    row: dict[str, float | str] = {
        "law": law,
        "shape": shape,
        "mild": float(sigmas == MILD),
        "on": explicit.stages[0],
        "off": explicit.stages[1],
    }
    for name, (params, stages) in models.items():
        done = filter_history(X, params)
        called = by_regime(done.probs, stages)[N_FIT:].argmax(axis=1)
        row[f"accuracy, {name}"] = float(np.mean([(called[states[N_FIT:] == k] == k).mean() for k in (0, 1)]))
        row[f"log score, {name}"] = float(done.log_next[N_FIT:].mean())
    return pd.DataFrame([row])


def compared(table: pd.DataFrame) -> pd.DataFrame:
    """Means of the gains over the plain model, and their standard errors."""
    out = {}
    for what in ("accuracy", "log score"):
        for name, base in (("explicit", "plain"), ("true explicit", "true plain")):
            out[f"{what}, {name}"] = table[f"{what}, {name}"] - table[f"{what}, {base}"]
    gains = pd.DataFrame(out)
    return pd.DataFrame({"mean": gains.mean(), "error": gains.std() / np.sqrt(len(gains))})


def study(seeds: Iterable[int], law: str, shape: int, sigmas: tuple[float, float] = SIGMAS[2]) -> pd.DataFrame:
    """Compare on worlds of these seeds, and print it."""
    table = pd.concat([gain(seed, law, shape, sigmas) for seed in seeds], ignore_index=True)
    chosen = table.groupby(["on", "off"]).size().to_dict()
    print(f"{law} of shape {shape}, sigmas {sigmas}: plain accuracy {table['accuracy, plain'].mean():.4f}, stages chosen {chosen}")  # noqa: T201
    print(compared(table).round(5))  # noqa: T201
    return compared(table)


if __name__ == "__main__":  # python -m tests.recovery.durations 25
    for law, shape in (("negative binomial", 1), ("negative binomial", 4), ("gamma", 8)):
        for sigmas in (SIGMAS[2], MILD):
            study(range(400, 400 + int(sys.argv[1])), law, shape, sigmas)
