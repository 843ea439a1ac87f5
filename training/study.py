"""A study: features, regimes, forecasts and their skill on one market, out of sample from end to end."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features import asset_prices, features_with_quality
from features.levels import price_level
from features.market import Market
from models.average import RegimeAverage
from models.bootstrap import weigh_names
from models.params import Array
from models.regime import RegimeHMM
from models.regime_fit import HMMSettings, filter_regimes
from models.scoring import UNIDENTIFIED
from training.config import TrainConfig
from training.errors import JobError
from training.evaluation.skill import skill_table
from training.forecasts import ForecastWalk, walk_forecasts
from training.regime_kinds import hmm_settings, specification_settings
from training.regimes import RegimeWalk, schedule, walk_regimes
from training.targets import calm_rise
from training.window import clear_of

Progress = Callable[[str, int, int], None]

SMALL_CAPS = "R2000"

SERVED_REFITS = 100
"""Refits on resampled history that a model keeps for the range of its probability; its names rest on all of them."""


@dataclass(frozen=True)
class Table:
    """What a market gives a study: all on its sessions.

    Attributes
    ----------
    features, quality : feature matrix and its coverage and age
    prices : price of each asset at `asof(t)`
    small_caps : price-return index of small caps
    """

    features: pd.DataFrame
    quality: pd.DataFrame
    prices: pd.DataFrame
    small_caps: pd.Series


@dataclass(frozen=True)
class Study:
    """Everything a run is judged and served by.

    Attributes
    ----------
    table : what it was made of
    regimes, forecasts : the walk-forwards
    skill : out-of-sample table (`training.evaluation.skill.skill_table`)
    ensemble : bootstrap refits of the last regime model; None for a classifier or where none were asked for
    """

    table: Table
    regimes: RegimeWalk
    forecasts: ForecastWalk
    skill: pd.DataFrame
    ensemble: RegimeAverage | None

    @property
    def features(self) -> pd.DataFrame:
        """Feature matrix."""
        return self.table.features

    @property
    def quality(self) -> pd.DataFrame:
        """Coverage and age of the features."""
        return self.table.quality

    @property
    def prices(self) -> pd.DataFrame:
        """Price of each asset at `asof(t)`."""
        return self.table.prices

    @property
    def lockbox(self) -> NDArray[np.bool_]:
        """Whether each session lies in the lock-box, or after its first one; none does where nothing is locked away."""
        losses = self.forecasts.losses
        locked = losses.loc[losses["lockbox"].astype(bool), "session"]
        return np.asarray(self.features.index >= locked.min()) if len(locked) else np.zeros(len(self.features), dtype=np.bool_)

    def calm_rise(self, horizon: int, drawdown: float) -> pd.Series:
        """Give the label of a classifier (`training.targets.calm_rise`) as far as it may be judged: none that reaches into the lock-box."""
        return calm_rise(self.table.small_caps, horizon, drawdown).where(clear_of(self.lockbox, horizon))

    @cached_property
    def ensemble_states(self) -> Array | None:
        """Filtered probabilities of the bootstrap refits from the first row of the walk, (n_obs, n_refits, n_states); None without them."""
        return None if self.ensemble is None else filter_regimes(self.ensemble, self.features.iloc[self.regimes.first :])


def make_table(market: Market, config: TrainConfig, progress: Progress) -> Table:
    """Compute features and prices, and refuse a config that the market cannot serve.

    Raises
    ------
    JobError, DataError
        Before anything is recorded.
    """
    progress("features", 0, 1)
    made = features_with_quality(market)
    table = Table(made.values, made.quality, asset_prices(market), price_level(market, SMALL_CAPS, "close")[0])
    check_columns(table.features, table.prices, config)
    schedule(table.features.index, config)
    progress("features", 1, 1)
    return table


def run_study(table: Table, config: TrainConfig, progress: Progress) -> Study:
    """Run the walk-forwards.

    Parameters
    ----------
    progress : called with a word, the steps done and their number
    """
    regimes = walk_regimes(table.features, table.small_caps, config, progress)
    regimes, ensemble = _weigh_identity(table.features, regimes, config, progress)
    forecasts = walk_forecasts(table.features, table.prices, regimes, config, progress)
    return Study(table, regimes, forecasts, skill_table(forecasts.losses), ensemble)


def check_columns(features: pd.DataFrame, prices: pd.DataFrame, config: TrainConfig) -> None:
    """Refuse a config that names columns or assets the market does not have."""
    drivers = config.regime.drivers if config.regime.kind == "tvtp" else []
    named = {"regime.columns": config.regime.columns, "regime.drivers": drivers, "forecast.features": config.forecast.features}
    for where, columns in named.items():
        unknown = [c for c in columns if c not in features]
        if unknown:
            family = unknown[0].split("__")[0]
            near = [str(c) for c in features if str(c).startswith(family + "__")]
            raise JobError(
                f"config key '{where}': column '{unknown[0]}' does not exist; of its family there are {', '.join(near) or 'none'}"
            )
    absent = [a for a in config.assets if a not in prices or prices[a].notna().sum() == 0]
    if absent:
        raise JobError(f"config key 'assets': the market has no prices of '{absent[0]}'; leave it out or add them to the market file")


def _weigh_identity(
    features: pd.DataFrame, walk: RegimeWalk, config: TrainConfig, progress: Progress
) -> tuple[RegimeWalk, RegimeAverage | None]:
    """Bootstrap the last model: the range of today's probability, and whether today's states may carry their names.

    What the walk published stays as it was published: this evidence is about the newest model alone.
    """
    last = walk.refits[-1]
    if not isinstance(last.model, RegimeHMM | RegimeAverage) or config.regime.bootstrap == 0:
        return walk, None
    window = features.iloc[walk.first : last.position + 1]
    members, settings = _members(last.model, config)
    each = max(-(-config.regime.bootstrap // len(members)), 2)  # rounded up: every specification gets as many
    rng = np.random.default_rng([config.seed, 1])
    names: list[str] = []
    refits: list[RegimeHMM] = []
    weighed: list[RegimeHMM] = []
    for name, model in members.items():
        rows = window.iloc[-(settings[name].window or len(window)) :]

        def told(done: int, _of: int, before: int = len(weighed) * each) -> None:
            progress("identity", before + done, each * len(members))

        ensemble, identity = weigh_names(model, rows, settings[name], each, rng, told)
        weighed.append(replace(model, identity=identity))
        kept = ensemble.members[: max(SERVED_REFITS // len(members), 2)]  # a served model filters all of them at every session
        refits += [replace(model, params=params, fit=None) for params in kept]
        names += [name] * len(kept)
    newest = replace(last.model, members=tuple(weighed)) if isinstance(last.model, RegimeAverage) else weighed[0]
    refitted = (*walk.refits[:-1], replace(last, model=newest))
    published = walk.published
    if not refitted[-1].identified:  # the newest session is answered with all that is known, the earlier ones stay
        published = published.assign(regime=[*published["regime"].iloc[:-1], UNIDENTIFIED])
    return replace(walk, refits=refitted, published=published), RegimeAverage(tuple(names), tuple(refits))


def _members(model: RegimeHMM | RegimeAverage, config: TrainConfig) -> tuple[dict[str, RegimeHMM], dict[str, HMMSettings]]:
    """Models that are averaged and their settings, by name; of a single one that one."""
    if isinstance(model, RegimeAverage):
        return dict(zip(model.names, model.members, strict=True)), specification_settings(config)
    return {"": model}, {"": hmm_settings(config)}
