"""Chains of refits on growing windows: do names stay, do labels churn, and what should a refit start from."""

import itertools

import numpy as np
import pandas as pd

from models.bootstrap import weigh_names
from models.engine.filtering import filter_history
from models.hmm import HMMFit, fit_hmm
from models.identity import label_churn, match, match_margin
from models.inference import HMMParams
from models.regime import RegimeHMM
from models.regime_fit import fit_regime_hmm
from models.starts import COLD_GUARDS, cold_starts
from tests.models.worlds import balanced_accuracy, frame_of
from tests.recovery.naming import BURN, N_REFITS, SETTINGS, columns_like_the_shipped
from tests.recovery.worlds import STATED

FIRST, EVERY = 1008, 63

COLD_STARTS = 10

POLICIES = ("last alone", "as shipped", "best of ten")
"""What a refit starts from: the last parameters; those and the guards, as training does; or ten cold starts each time."""


def refit_chain(name: str, seed: int, n_obs: int) -> pd.DataFrame:
    """Refit every 63 rows, warm and cold as a walk does; one row a refit but the first.

    `swapped`: the states are matched to the last refit's in another order than their names are. `renamed`: a name that was earned at some
    refit is earned at this one by another state; evidence is weighed in worlds with a swap alone, as there is no other way to be renamed.
    """
    frame = frame_of(STATED[name](seed, n_obs).X, ("ret",))
    models: list[RegimeHMM] = []
    for end in range(FIRST, n_obs + 1, EVERY):
        models.append(fit_regime_hmm(frame.iloc[:end], ("ret",), SETTINGS, np.random.default_rng(0), models[-1] if models else None))
    probs = [filter_history(m.standardise(frame), m.params).probs for m in models]
    rows, turned = [], [False]
    for number, (old, new) in enumerate(itertools.pairwise(models), start=1):
        order, common = match(old.natural(), new.natural()), FIRST + EVERY * (number - 1)
        swapped = bool(order[0] != 0)
        turned.append(turned[-1] ^ swapped)
        churn = label_churn(probs[number - 1][:common], probs[number][:common][:, order])
        rows.append({"churn": churn, "swapped": swapped, "margin": match_margin(old.natural(), new.natural()), "renamed": False})
    out = pd.DataFrame(rows).assign(world=name, seed=seed)
    if any(turned):
        out["renamed"] = _renamed(models, frame, turned)
    return out


def _renamed(models: list[RegimeHMM], frame: pd.DataFrame, turned: list[bool]) -> list[bool]:
    """Whether a refit's earned name stands for another state than the name last earned did; the first refit is left out."""
    out, held = [], None
    for number, (model, turn) in enumerate(zip(models, turned, strict=True)):
        window = frame.iloc[: FIRST + EVERY * number]
        named = weigh_names(model, window, SETTINGS, N_REFITS, np.random.default_rng(1))[1].identified
        out.append(bool(named and held is not None and turn != held))
        held = turn if named else held
    return out[1:]


def policy_chain(name: str, seed: int, n_obs: int, n_states: int, shipped: bool) -> pd.DataFrame:
    """Walks by what their refits start from (`POLICIES`): one row each.

    `accuracy`: balanced, of the label published with the parameters of the last refit; `churn`: past labels that a refit changes;
    `log_score`: out of sample, nats a day; `lack`: log posterior below the best of the three.

    Parameters
    ----------
    shipped : whether the columns are like those of the shipped configuration, or the return alone
    """
    world = STATED[name](seed, n_obs + BURN * shipped)
    raw = columns_like_the_shipped(world, seed).to_numpy() if shipped else world.X
    truth = world.states[BURN * shipped :]
    walks = {policy: _walk(raw, n_states, policy, np.random.default_rng([seed, 3])) for policy in POLICIES}
    best = np.max([tops for *_, tops in walks.values()], axis=0)
    rows = []
    for policy, (labels, churn, scores, tops) in walks.items():
        right = balanced_accuracy(truth[FIRST:], np.eye(n_states)[labels]) if n_states == 2 else np.nan
        rows.append({"policy": policy, "accuracy": right, "churn": churn, "log_score": scores.mean(), "lack": (best - tops).mean()})
    return pd.DataFrame(rows).assign(world=f"{name}, {raw.shape[1]} columns, {n_states} states", seed=seed)


def _walk(raw: np.ndarray, n_states: int, policy: str, rng: np.random.Generator) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """Labels and log scores of the rows after the first refit, mean churn, log posterior of each refit."""
    labels, churn, scores, tops = [], [], [], []
    held: HMMParams | None = None
    for end in range(FIRST, len(raw), EVERY):
        center, scale = raw[:end].mean(axis=0), raw[:end].std(axis=0)
        X = (raw[:end] - center) / scale
        last = None if held is None or policy == "best of ten" else held.rescaled(-center / scale, 1.0 / scale)
        n_guards = {"last alone": 0, "as shipped": COLD_GUARDS}[policy] if last else COLD_STARTS
        fit = _fit(X, n_states, cold_starts(n_guards, n_states, X, rng), last)
        params = fit.params.rescaled(center, scale)
        params = params.reordered(np.argsort(-params.means[:, 0] / np.sqrt(params.variances[:, 0])))
        filtered = filter_history(raw[: end + EVERY], params)
        if held is not None:
            churn.append(label_churn(filter_history(raw[:end], held).probs, filtered.probs[:end]))
        held = params
        labels.append(filtered.probs[end:].argmax(axis=1))
        scores.append(filtered.log_next[end:])
        tops.append(fit.log_posterior)
    return np.concatenate(labels), float(np.mean(churn)), np.concatenate(scores), np.array(tops)


def _fit(X: np.ndarray, n_states: int, starts: list[HMMParams], last: HMMParams | None) -> HMMFit:
    return fit_hmm(X, n_states, kappa=SETTINGS.kappa, starts=starts, n_iter=SETTINGS.n_iter, tol=SETTINGS.tol, last=last)
