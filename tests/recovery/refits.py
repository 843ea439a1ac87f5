"""Chains of refits on growing windows: do names stay, do labels churn, and does a warm start get stuck."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd

from models.bootstrap import weigh_names
from models.engine.filtering import filter_history
from models.hmm import HMMFit, fit_hmm
from models.identity import label_churn, match, match_margin
from models.inference import HMMParams
from models.regime import RegimeHMM
from models.regime_fit import fit_regime_hmm
from models.starts import COLD_GUARDS, cold_starts, softened
from tests.models.worlds import frame_of
from tests.recovery.naming import BURN, N_REFITS, SETTINGS, columns_like_the_shipped
from tests.recovery.worlds import STATED, STATELESS

FIRST, EVERY = 1008, 63
STUCK = 1.0
"""Nats of log posterior below the best known fit that count as another optimum."""

COLD_STARTS = 8

POLICIES = {"warm": 0, "warm and sticky": 1, "as shipped": COLD_GUARDS}
"""Number of cold guards beside the last parameters, by policy."""


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


def start_chain(name: str, seed: int, n_obs: int, first: str, n_states: int, shipped: bool) -> pd.DataFrame:
    """Log posteriors at every refit, less the best that is known there, by what it starts from (`POLICIES`), or from cold starts alone.

    Parameters
    ----------
    first : where the chains begin: 'sticky', or 'random' for states that differ in the mean and do not persist
    shipped : whether the columns are like those of the shipped configuration, or the return alone
    """
    world = {**STATED, **STATELESS}[name](seed, n_obs + BURN * shipped)
    raw = columns_like_the_shipped(world, seed).to_numpy() if shipped else world.X
    rng = np.random.default_rng([seed, 3])
    rows = []
    chains: dict[str, HMMParams | None] = dict.fromkeys(POLICIES)
    label = f"{name}, {raw.shape[1]} columns, {n_states} states"
    for end in range(FIRST, n_obs + 1, EVERY):
        center, scale = raw[:end].mean(axis=0), raw[:end].std(axis=0)
        X, tops = (raw[:end] - center) / scale, {}
        cold = cold_starts(COLD_STARTS, n_states, X, rng)
        begin = cold[0] if first == "sticky" else _random_start(cold[0], rng)
        for policy, n_guards in POLICIES.items():
            held = chains[policy]
            warm = begin if held is None else held.rescaled(-center / scale, 1.0 / scale)
            fit = _fit(X, [softened(warm), *cold[:n_guards]])
            chains[policy], tops[policy] = fit.params.rescaled(center, scale), fit.log_posterior
        tops["cold"] = _fit(X, cold[:COLD_GUARDS]).log_posterior
        best = max(*tops.values(), _fit(X, cold).log_posterior)
        rows.append({"world": label, "first": first, "seed": seed, **{k: best - top for k, top in tops.items()}})
    return pd.DataFrame(rows)


def _random_start(cold: HMMParams, rng: np.random.Generator) -> HMMParams:
    even = np.full_like(cold.trans, 1.0 / cold.n_states)
    return replace(cold, trans=even, means=rng.normal(size=cold.means.shape))


def _fit(X: np.ndarray, starts: list[HMMParams]) -> HMMFit:
    return fit_hmm(X, starts[0].n_states, kappa=SETTINGS.kappa, starts=starts, n_iter=SETTINGS.n_iter, tol=SETTINGS.tol)


def stuck_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Share of refits more than `STUCK` nats below the best known fit, the mean lack and the largest, by policy."""
    policies = [*POLICIES, "cold"]
    grouped = rows.groupby(["world", "first"], sort=False)[policies]
    shares = grouped.agg(lambda lack: float((lack > STUCK).mean())).add_suffix(", share stuck")
    return shares.join(grouped.mean().add_suffix(", mean lack")).join(grouped.max().add_suffix(", largest lack")).round(3)
