"""What names of states rest on from refit to refit: their evidence, and whether one went to another state."""

from dataclasses import replace

import numpy as np
import pandas as pd

from models.average import RegimeAverage
from models.bootstrap import weigh_names
from models.identity import assign, hellinger, label_churn, match_margin
from models.params import Array
from models.regime import RegimeHMM
from models.regime_fit import filter_regimes
from models.regime_jump import RegimeJump
from models.regime_tvtp import RegimeTVTP
from training.config import TrainConfig
from training.regime_kinds import RegimeModel, hmm_settings, specification_settings

EVIDENCE_EVERY = 4
"""Refits from one weighing of the names to the next, about a year: those between rest on the last, while the states are the same."""

MOVED = 0.05
"""Share of the window's labels that a refit changes, above which its states are others: what the last ones' names rest on is not theirs."""


def with_evidence(
    model: RegimeModel, before: RegimeModel | None, number: int, window: pd.DataFrame, rng: np.random.Generator, config: TrainConfig
) -> RegimeModel:
    """Give the model its evidence for names: weighed anew where its turn has come or its states are others, else that of the refit before.

    Parameters
    ----------
    before : model of the refit before; None for the first
    number : of the refit, from 0
    window : rows that the model was fitted on
    """
    if before is None or number % EVIDENCE_EVERY == 0 or states_moved(before, model, window):
        return _weighed(model, window, rng, config)
    return _carried(model, before)


def states_moved(before: RegimeModel, model: RegimeModel, window: pd.DataFrame) -> bool:
    """Whether a refit's states are others than those before: of other columns, under swapped names, or of other days (`MOVED`).

    Of an average those of its first member, on which its names rest.
    """
    old, new = _lead(before), _lead(model)
    if not isinstance(old, RegimeHMM) or not isinstance(new, RegimeHMM):
        return False
    if old.columns != new.columns or names_inverted(old, new):
        return True
    return label_churn(filter_regimes(old, window), filter_regimes(new, window)) > MOVED


def _lead(model: RegimeModel) -> RegimeModel:
    if isinstance(model, RegimeTVTP):
        return model.base
    return model.members[0] if isinstance(model, RegimeAverage) else model


def _weighed(model: RegimeModel, window: pd.DataFrame, rng: np.random.Generator, config: TrainConfig) -> RegimeModel:
    """Give the model its evidence for names, of an average that of its first member: what is published rests on what was known then."""
    if config.regime.evidence == 0:
        return model
    if isinstance(model, RegimeAverage):
        lead = _weighed(model.members[0], window, rng, config)
        return replace(model, members=(lead, *model.members[1:])) if isinstance(lead, RegimeHMM) else model
    if isinstance(model, RegimeTVTP):  # its states are weighed with the constant transitions that come nearest
        lead = _weighed(replace(model.base, params=replace(model.base.params, trans=model.average)), window, rng, config)
        return replace(model, base=replace(model.base, identity=lead.identity)) if isinstance(lead, RegimeHMM) else model
    if not isinstance(model, RegimeHMM):
        return model
    settings = next(iter(specification_settings(config).values()), hmm_settings(config))
    rows = window.iloc[-(settings.window or len(window)) :]
    return replace(model, identity=weigh_names(model, rows, settings, config.regime.evidence, rng)[1])


def _carried(model: RegimeModel, before: RegimeModel) -> RegimeModel:
    """Give the model the evidence of the refit before, whose states are its own."""
    if isinstance(model, RegimeAverage) and isinstance(before, RegimeAverage):
        lead = _carried(model.members[0], before.members[0])
        return replace(model, members=(lead, *model.members[1:])) if isinstance(lead, RegimeHMM) else model
    if isinstance(model, RegimeTVTP) and isinstance(before, RegimeTVTP):
        lead = _carried(model.base, before.base)
        return replace(model, base=lead) if isinstance(lead, RegimeHMM) else model
    if isinstance(model, RegimeHMM) and isinstance(before, RegimeHMM):
        own, known = model.identity, before.identity
        return replace(model, identity=replace(own, order_prob=known.order_prob, gain_z=known.gain_z))
    return model


def name_margin(before: RegimeModel, model: RegimeModel) -> float:
    """How surely states were matched to those of the refit before (`models.identity.match_margin`), of an average the least sure member.

    Infinite where no laws of states can be matched: other columns, or a model that has none.
    """
    laws = [
        (old.natural(), new.natural()) for old, new in _pairs(before, model) if isinstance(old, RegimeHMM) and isinstance(new, RegimeHMM)
    ]
    return min((match_margin(*pair) for pair in laws), default=float("inf"))


def names_inverted(before: RegimeModel, model: RegimeModel) -> bool:
    """Whether a state's name went to another state, of an average in any member."""
    costs = [_distances(old, new) for old, new in _pairs(before, model)]
    return any(bool((assign(cost) != np.arange(len(cost))).any()) for cost in costs)


def _distances(old: RegimeHMM | RegimeJump, new: RegimeHMM | RegimeJump) -> Array:
    """Distances of old and new states, (n_states, n_states): Hellinger's of their laws, or of a jump model's centers on the new scale."""
    if isinstance(old, RegimeHMM) and isinstance(new, RegimeHMM):
        return hellinger(old.natural(), new.natural())
    assert isinstance(old, RegimeJump)
    assert isinstance(new, RegimeJump)
    held = (old.params.centers * old.scale + old.center - new.center) / new.scale
    return np.asarray(np.linalg.norm(held[:, None] - new.params.centers, axis=2))


def _pairs(before: RegimeModel, model: RegimeModel) -> list[tuple[RegimeHMM | RegimeJump, RegimeHMM | RegimeJump]]:
    """Give the models inside two refits whose states can be matched, in pairs: of one kind, on the same columns."""
    if isinstance(before, RegimeAverage) and isinstance(model, RegimeAverage):
        same = zip(before.members, model.members, strict=True) if before.names == model.names else ()
        return [pair for old, new in same for pair in _pairs(old, new)]
    old, new = (each.base if isinstance(each, RegimeTVTP) else each for each in (before, model))
    for kind in (RegimeHMM, RegimeJump):
        if isinstance(old, kind) and isinstance(new, kind) and (old.columns, old.n_states) == (new.columns, new.n_states):
            return [(old, new)]
    return []
