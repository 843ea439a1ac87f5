"""What the single specifications of an averaged regime say: the newest session, the days they call otherwise, and how far refits spread."""

from typing import Any

import numpy as np

from models.average import EVEN, RegimeAverage, spread_parts
from models.params import Array
from training.config import RegimeConfig, SpecificationConfig
from training.regimes import RegimeWalk
from training.study import Study

LEAST_SPREAD = 0.01
"""A standard deviation of a probability below this is nothing to part."""


def specification_facts(walk: RegimeWalk, config: RegimeConfig) -> list[dict[str, Any]]:
    """Say of each specification what it is and what it says, as plain values; empty of a model that is no average.

    Returns
    -------
    list of name, differs (from the regime's own settings, in words), p (risk-on, newest session), identified, other_days (share of the
    published sessions on which it is on the other side of even odds than the average), and of the newest fit dwell (sessions, by state),
    dof (by state; None of a Gaussian) and sd_ratio
    """
    refit = walk.refits[-1]
    if not isinstance(refit.model, RegimeAverage):
        return []
    others = other_days(published_members(walk))
    settings = {each.name: each for each in config.specifications}
    return [
        {
            "name": name,
            "differs": differs(settings[name], config),
            "p": float(refit.states[-1, i, 0]),
            "identified": each.identified,
            "other_days": float(others[i]),
            "dwell": each.dwell.tolist(),
            "dof": _finite(each.params.dof),
            "sd_ratio": each.identity.sd_ratio,
        }
        for i, (name, each) in enumerate(zip(refit.model.names, refit.model.members, strict=True))
    ]


def published_members(walk: RegimeWalk) -> Array:
    """P(first state) of each member on every published session, with the parameters it was published with, (n_obs, n_members)."""
    return np.concatenate([each.states[each.position - walk.first : each.end - walk.first, :, 0] for each in walk.refits])


def other_days(members: Array) -> Array:
    """Share of the rows on which each member is on the other side of even odds than their average, (n_members,).

    Parameters
    ----------
    members : (n_obs, n_members)
    """
    average = members.mean(axis=1, keepdims=True)
    return np.asarray(((members >= EVEN) != (average >= EVEN)).mean(axis=0))


def newest_spread(study: Study) -> dict[str, float] | None:
    """Part the spread of the newest P(risk-on) over refits on resampled history.

    Returns
    -------
    sd, and the shares of the variance that lie between the specifications and within them (that of their parameters); None where nothing
    was resampled, where there is one specification, or where the refits agree
    """
    if study.ensemble is None or study.ensemble_states is None or len(set(study.ensemble.names)) < 2:
        return None
    between, within = (float(part[0]) for part in spread_parts(study.ensemble_states[-1:], np.array(study.ensemble.names)))
    sd = float(np.sqrt(between + within))
    return {"sd": sd, "specification": between / sd**2, "parameters": within / sd**2} if sd >= LEAST_SPREAD else None


def differs(own: SpecificationConfig, base: RegimeConfig) -> str:
    """Say in words what a specification has of its own."""
    emission = {"student": "heavy tails (Student-t)", "gaussian": "Gaussian"}
    words = [
        emission[own.emission] if own.emission not in (None, base.emission) else "",
        f"fitted on the newest {own.window} sessions" if own.window else "",
        f"staying put weighs {own.kappa:g} in place of {base.kappa:g}" if own.kappa not in (None, base.kappa) else "",
        f"values beyond {own.clip:g} sd read as {own.clip:g}" if own.clip else "",
    ]
    stated = f"{emission[base.emission]}, all history, staying put weighs {base.kappa:g}"
    return ", ".join(filter(None, words)) or stated


def _finite(dof: Array) -> list[float] | None:
    """Degrees of freedom; None of a Gaussian."""
    return [float(each) for each in dof] if np.isfinite(dof).all() else None
