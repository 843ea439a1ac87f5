"""How well models recover simulated states out of sample, each beside the filter that knows the parameters."""

import warnings
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from hmmlearn import hmm

from models.engine.filtering import filter_history
from models.errors import FitError
from models.gaussian_hmm import GaussianHMM
from models.inference import HMMParams
from models.jump_model import JumpModel
from models.starts import sticky_start
from models.student_hmm import StudentTHMM
from tests.models.worlds import balanced_accuracy
from tests.recovery.worlds import STATED, Array, World

N_OBS, N_FIT = 4000, 3000
KAPPA, N_ITER, PENALTY = 100.0, 300, 5.0
RANDOM_STARTS = 3
TRUE = "true filter"

Online = tuple[Array, Array]
"""Filtered probabilities (n_obs, 2) and one-step log scores (n_obs,), NaN where a model has none."""


def of_params(params: HMMParams, X: Array) -> Online:
    filtered = filter_history(X, params)
    return filtered.probs, filtered.log_next


def true_filter(world: World) -> Online:
    assert world.truth is not None
    return of_params(world.truth, world.X)


def hmmlearn_random(world: World) -> Online:
    """Best of three random starts, on returns in percent; its parameters in the causal filter."""
    X = 100.0 * world.X if world.X.shape[1] == 1 else world.X
    best, top = None, -np.inf
    for seed in range(RANDOM_STARTS):
        model = hmm.GaussianHMM(2, covariance(world), n_iter=100, tol=1e-2, random_state=seed, implementation="scaling")
        top_here = model.fit(X[:N_FIT]).score(X[:N_FIT])
        best, top = (model, top_here) if top_here > top else (best, top)
    assert best is not None
    params = HMMParams(best.startprob_, best.transmat_, best.means_, np.asarray(best.covars_))
    probs, log_next = of_params(params, X)
    return probs, log_next + (np.log(100.0) if world.X.shape[1] == 1 else 0.0)


def sticky(kind: type[GaussianHMM], dof: float) -> Callable[[World], Online]:
    """Fit an estimator from the sticky start under its sticky prior."""

    def fit(world: World) -> Online:
        scale = world.X[:N_FIT].std(axis=0)
        X = world.X / scale
        model = kind(2, covariance(world), prior="data", stickiness=KAPPA, n_iter=N_ITER, tol=1e-3, init_params="")
        start = sticky_start(2, X[:N_FIT], dof)
        model.n_features = X.shape[1]
        model.startprob_, model.transmat_, model.means_ = start.start, start.trans, start.means
        model.covars_ = start.scales if covariance(world) == "full" else np.diagonal(start.scales, axis1=1, axis2=2).copy()
        if np.isfinite(dof):
            model.dof_ = start.dof
        model.fit(X[:N_FIT])
        probs, log_next = of_params(model.params_, X)
        return probs, log_next - np.log(scale).sum()

    return fit


def jump(world: World) -> Online:
    """Jump model on the standardised size of the returns, mean of the columns; its label as a probability of 0 or 1."""
    X = np.abs(world.X).mean(axis=1, keepdims=True)
    X = (X - X[:N_FIT].mean(axis=0)) / X[:N_FIT].std(axis=0)
    labels = JumpModel(jump_penalty=PENALTY, n_init=5, random_state=0).fit(X[:N_FIT]).filter_labels(X)
    return np.eye(2)[labels], np.full(len(X), np.nan)


def covariance(world: World) -> str:
    return "full" if world.X.shape[1] > 1 else "diag"


MODELS: Mapping[str, Callable[[World], Online]] = {
    TRUE: true_filter,
    "hmmlearn, random starts": hmmlearn_random,
    "GaussianHMM, sticky": sticky(GaussianHMM, np.inf),
    "StudentTHMM, sticky": sticky(StudentTHMM, 10.0),
    "JumpModel, online": jump,
}


def recover(name: str, seed: int) -> pd.DataFrame:
    """Every model's probability of 'on' on the rows after the fit, of one world; states named by the training rows' truth."""
    world = STATED[name](seed, N_OBS)
    out = []
    for model, run in MODELS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hmmlearn warns of a last step within rounding
            try:
                probs, log_next = run(world)
            except FitError:  # a state that no row supports: the model says nothing
                probs, log_next = np.full((N_OBS, 2), 0.5), np.full(N_OBS, np.nan)
        if balanced_accuracy(world.states[:N_FIT], probs[:N_FIT]) < 0.5:
            probs = probs[:, ::-1]
        rows = slice(N_FIT, None)
        out.append(
            pd.DataFrame({"state": world.states[rows], "p_on": probs[rows, 0], "log_next": log_next[rows]}).assign(
                world=name, seed=seed, model=model
            )
        )
    return pd.concat(out)


def measure(rows: pd.DataFrame) -> pd.Series:
    """Balanced accuracy, switches of the label, mean log score and log loss of the state, of one model in one world."""
    p, on = rows["p_on"].to_numpy(), rows["state"].to_numpy() == 0
    probs = np.column_stack([p, 1.0 - p])
    told = np.clip(np.where(on, p, 1.0 - p), 1e-12, None)
    return pd.Series(
        {
            "accuracy": balanced_accuracy(rows["state"].to_numpy(), probs),
            "switches": np.abs(np.diff((p > 0.5).astype(int))).sum(),
            "log_score": rows["log_next"].mean(),
            "log_loss": -np.log(told).mean(),
        }
    )


def gaps(measured: pd.DataFrame) -> pd.DataFrame:
    """Per world and model, what it lacks against the true filter: accuracy, log score and log loss, and the ratio of switches."""
    truth = measured.xs(TRUE, level="model")
    out = measured.copy()
    for column in ("accuracy", "log_score"):
        out[f"{column}_gap"] = truth[column] - measured[column]
    out["log_loss_gap"] = measured["log_loss"] - truth["log_loss"]
    out["switch_ratio"] = measured["switches"] / truth["switches"].clip(lower=1.0)
    return out


def reliability(rows: pd.DataFrame, n_bins: int = 10) -> tuple[float, float]:
    """Expected calibration error on equal bins, and the slope of the hit rates on the mean probabilities, weighted by rows."""
    on = (rows["state"] == 0).astype(float)
    bins = np.minimum((rows["p_on"] * n_bins).astype(int), n_bins - 1)
    table = pd.DataFrame({"p": rows["p_on"], "on": on}).groupby(bins.to_numpy()).agg(p=("p", "mean"), on=("on", "mean"), n=("on", "size"))
    weight = table["n"] / table["n"].sum()
    error = float((weight * (table["p"] - table["on"]).abs()).sum())
    if len(table) < 2:
        return error, float("nan")
    centred = table["p"] - (weight * table["p"]).sum()
    return error, float((weight * centred * table["on"]).sum() / (weight * centred**2).sum())


def recovery_table(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table that is printed (medians over worlds, calibration over their rows together), and the gaps of every world."""
    keys = ["world", "seed", "model"]
    measured = rows.groupby(keys, sort=False)[["state", "p_on", "log_next"]].apply(measure)
    each = gaps(measured)
    pooled = rows.groupby(["world", "model"], sort=False)[["state", "p_on"]].apply(
        lambda part: pd.Series(dict(zip(("ece", "slope"), reliability(part), strict=True)))
    )
    fitted = rows["p_on"].ne(0.5).groupby([rows[key] for key in keys], sort=False).any()
    each["no_fit"] = (~fitted.reindex(each.index)).astype(float)
    columns = ["accuracy", "accuracy_gap", "switch_ratio", "log_score_gap", "log_loss_gap"]
    by = ["world", "model"]
    medians = each[columns].groupby(by, sort=False).median()
    return medians.join(pooled).join(each["no_fit"].groupby(by, sort=False).sum()).round(3), each
