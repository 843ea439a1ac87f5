"""What names of states rest on from refit to refit: their evidence, and whether one went to another state."""

from dataclasses import replace

import numpy as np
import pandas as pd

from models.average import RegimeAverage
from models.bootstrap import weigh_names
from models.identity import match, match_margin
from models.regime import RegimeHMM
from models.regime_tvtp import RegimeTVTP
from training.config import TrainConfig
from training.regime_kinds import RegimeModel, hmm_settings, specification_settings

EVIDENCE_EVERY = 4
"""Refits from one weighing of the names to the next, about a year: those between rest on the last."""


def with_evidence(
    model: RegimeModel, before: RegimeModel | None, number: int, window: pd.DataFrame, rng: np.random.Generator, config: TrainConfig
) -> RegimeModel:
    """Give the model its evidence for names: weighed anew where its turn has come, else that of the refit before.

    Parameters
    ----------
    before : model of the refit before; None for the first
    number : of the refit, from 0
    window : rows that the model was fitted on
    """
    return _carried(model, before) if before is not None and number % EVIDENCE_EVERY else _weighed(model, window, rng, config)


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
    """Give the model the evidence of the refit before, whose states are its own or the names are not used (`inverted`)."""
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

    Infinite where nothing can be matched: other columns, or a model without states.
    """
    if isinstance(before, RegimeAverage) and isinstance(model, RegimeAverage) and before.names == model.names:
        return min(name_margin(a, b) for a, b in zip(before.members, model.members, strict=True))
    if not isinstance(before, RegimeHMM) or not isinstance(model, RegimeHMM) or before.columns != model.columns:
        return float("inf")
    return match_margin(before.natural(), model.natural())


def names_inverted(before: RegimeModel, model: RegimeModel) -> bool:
    """Whether a state's name went to another state (matched by Hellinger distance on a common scale), of an average in any member."""
    if isinstance(before, RegimeAverage) and isinstance(model, RegimeAverage) and before.names == model.names:
        return any(names_inverted(a, b) for a, b in zip(before.members, model.members, strict=True))
    if isinstance(before, RegimeTVTP) and isinstance(model, RegimeTVTP):
        return names_inverted(before.base, model.base)
    if not isinstance(before, RegimeHMM) or not isinstance(model, RegimeHMM) or before.columns != model.columns:
        return False
    return bool((match(before.natural(), model.natural()) != np.arange(model.n_states)).any())
