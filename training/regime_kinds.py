"""A regime model of the configured kind, in the model's own words."""

from dataclasses import replace

import numpy as np
import pandas as pd

from models.average import RegimeAverage
from models.classifier import RegimeClassifier
from models.classifier_fit import fit_classifier
from models.jump_settings import JumpSettings
from models.regime import RegimeHMM
from models.regime_fit import HMMSettings, fit_average, fit_regime_hmm
from models.regime_jump import RegimeJump
from models.regime_jump_fit import fit_regime_jump
from models.regime_tvtp import RegimeTVTP
from models.regime_tvtp_fit import fit_regime_tvtp
from training.config import SpecificationConfig, TrainConfig
from training.targets import calm_rise

RegimeModel = RegimeHMM | RegimeAverage | RegimeTVTP | RegimeJump | RegimeClassifier

GRID_STEPS = {2: 0.05, 3: 0.1, 4: 0.2}
"""Step of a continuous jump model's grid by its number of states: 21, 66 and 56 vectors, as work goes with their square."""


def fit_kind(
    window: pd.DataFrame,
    price: pd.Series,
    columns: tuple[str, ...],
    before: RegimeModel | None,
    rng: np.random.Generator,
    config: TrainConfig,
) -> RegimeModel:
    """Fit the kind that is configured.

    Parameters
    ----------
    window : rows that the fit sees
    price : small caps' price on the same rows (the classifier's label is made of it)
    columns : columns with enough values, drivers among them
    before : model of the refit before, from which fitting starts where it is of the same kind; None for the first
    """
    regime = config.regime
    if regime.kind == "classifier":
        label = calm_rise(price, regime.label_horizon, regime.label_drawdown)
        return fit_classifier(window, columns, label.to_numpy(), regime.label_horizon)
    if regime.kind == "jump":
        last_jump = before if isinstance(before, RegimeJump) else None
        return fit_regime_jump(window, columns, jump_settings(config), regime.score_column, rng, last_jump)
    if regime.kind == "tvtp":
        observed, drivers = (tuple(c for c in wanted if c in columns) for wanted in (regime.columns, regime.drivers))
        last_driven = before if isinstance(before, RegimeTVTP) else None
        return fit_regime_tvtp(window, observed, drivers, hmm_settings(config), rng, last_driven)
    specifications = specification_settings(config)
    if not specifications:
        return fit_regime_hmm(window, columns, hmm_settings(config), rng, before if isinstance(before, RegimeHMM) else None)
    return fit_average(window, columns, specifications, rng, before if isinstance(before, RegimeAverage) else None)


def hmm_settings(config: TrainConfig) -> HMMSettings:
    """Give the settings of the HMM in the model's own words."""
    regime = config.regime
    heavy = regime.emission == "student"
    return HMMSettings(regime.n_components, regime.kappa, regime.n_init, regime.n_iter, regime.tol, regime.score_column, heavy)


def jump_settings(config: TrainConfig) -> JumpSettings:
    """Give the settings of the jump model in the model's own words; `n_iter` may raise its rounds, never lower them."""
    regime = config.regime
    step, continuous = GRID_STEPS[regime.n_components], regime.jump_continuous
    rounds = max(regime.n_iter, JumpSettings.max_iter)
    return JumpSettings(regime.n_components, regime.jump_penalty, continuous, step, n_init=regime.n_init, max_iter=rounds)


def specification_settings(config: TrainConfig) -> dict[str, HMMSettings]:
    """Give the settings of each specification by its name; none where a single model is asked for."""
    if config.regime.kind != "hmm":
        return {}
    base = hmm_settings(config)
    return {each.name: _varied(base, each) for each in config.regime.specifications}


def _varied(base: HMMSettings, own: SpecificationConfig) -> HMMSettings:
    heavy = base.heavy_tails if own.emission is None else own.emission == "student"
    kappa = base.kappa if own.kappa is None else own.kappa
    return replace(base, heavy_tails=heavy, kappa=kappa, window=own.window, clip=np.inf if own.clip is None else own.clip)
