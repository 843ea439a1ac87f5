"""Twenty candidate forecasts of a coin in market S, walked forward and tested as the skill table does; for A7 and A8."""

from dataclasses import dataclass
from functools import lru_cache
from unittest.mock import patch

import numpy as np
import pandas as pd
from scipy.signal import lfilter
from scoringrules import crps_normal

from models.scores import r2_oos
from tests.recovery.lag_worlds import filtered, market
from tests.training.evaluation.worlds import persistent
from training.comparison.columns import p_of_columns
from training.evaluation import family as family_of
from training.evaluation import many
from training.evaluation.family import SEED, family_wise
from training.evaluation.forecast_tests import adjusted_gain
from training.evaluation.overlap import mean_of
from training.evaluation.resampling import drawn_counts

N_OBS, FIRST, REFIT, RECENT, HISTORY = 2500, 1000, 21, 1000, 252
"""Rows; first row out of sample; rows between refits; rows of the rolling mean; sessions before that features look back on."""

CONFIRMED, SHOWN = (5, 21), 63
LAG = 10
STATE_LAGS = (0, 5, 10, 15, 21, 31, 42)
ANNOUNCED = "P(on), 0 sessions ago"
"""The candidate that a hypothesis announced beforehand would name: the regime of today."""

same_draws = lru_cache(maxsize=8)(drawn_counts)
"""The tests fix their seed, so the rows they draw are those of every world: drawn once."""


@dataclass(frozen=True)
class Walk:
    """Out-of-sample rows: outcome (n,), baselines (n, 4) and candidates (n, k), and the common sd of the density forecasts (n,)."""

    y: np.ndarray
    baselines: np.ndarray
    fitted: np.ndarray
    sd: np.ndarray


def features(small: np.ndarray, coin: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Twenty columns known on their row: lagged regime, momentum of both in units of volatility, volatility, noise that lasts."""
    on = pd.Series(filtered(small))
    columns = {f"P(on), {lag} sessions ago": on.shift(lag) for lag in STATE_LAGS}
    for name, returns, spans in (("small caps", small, (21, 63, 126, 252)), ("coin", coin, (5, 21, 63, 126))):
        series = pd.Series(returns)
        columns |= {f"{name}, {span} sessions": series.rolling(span).sum() / series.rolling(63).std() / np.sqrt(span) for span in spans}
        columns[f"{name}, volatility"] = pd.Series(np.log(lfilter([0.06], [1.0, -0.94], returns**2) + 1e-12))
    noise = persistent(rng.standard_normal((1, len(coin), 3)))[0]
    return pd.DataFrame(columns | {f"noise {number}": column for number, column in enumerate(noise.T)})


def walked(x: np.ndarray, returns: np.ndarray, horizon: int) -> Walk:
    """Expanding regressions of the next `horizon` returns on one column each, refitted every `REFIT` rows on labels known by then."""
    level = np.cumsum(returns)
    y = level[horizon:] - level[:-horizon]
    rows = np.arange(FIRST, len(y))
    known = FIRST + (rows - FIRST) // REFIT * REFIT - horizon + 1  # labels that had ended at the refit
    x = x[: len(y)]
    sums = [np.concatenate([np.zeros((1, each.shape[1])), np.cumsum(each, axis=0)])[known] for each in (x, x**2, x * y[:, None])]
    total, square = (np.concatenate([[0.0], np.cumsum(each)]) for each in (y, y**2))
    mean, n = total[known] / known, known[:, None]
    slope = (sums[2] - sums[0] * mean[:, None]) / (sums[1] - sums[0] ** 2 / n)
    fitted = mean[:, None] + slope * (x[rows] - sums[0] / n)
    recent = (total[known] - total[np.maximum(known - RECENT, 0)]) / np.minimum(known, RECENT)
    baselines = np.column_stack([np.zeros(len(rows)), 0.5 * mean, recent, mean])
    return Walk(y[rows], baselines, fitted, np.sqrt(square[known] / known - mean**2))


def scored(walk: Walk, horizon: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Each candidate against the baseline it has most trouble with: scores, p-values, and the gains (4, n, k) that were tested."""
    y = walk.y[:, None]
    cost, fixed = crps_normal(y, walk.fitted, walk.sd[:, None]), crps_normal(y, walk.baselines, walk.sd[:, None])
    gains = np.array([adjusted_gain(y, base[:, None], walk.fitted) for base in walk.baselines.T])
    p = np.array([p_of_columns(each, horizon) for each in gains])
    cheaper = np.max([p_of_columns(base[:, None] - cost, horizon) for base in fixed.T], axis=0)
    scores = {
        "r2_oos": [r2_oos(walk.y, each, walk.baselines[:, -1]) for each in walk.fitted.T],
        "crps_skill": 1.0 - cost.mean(axis=0) / fixed.mean(axis=0).min(),
        "p": p.max(axis=0),
        "p_mean": p[-1],
        "p_gain": cheaper,
    }
    return pd.DataFrame(scores), gains


def world(seed: int, effect: float, n_obs: int = N_OBS) -> pd.DataFrame:
    """Test all candidates in one world.

    Returns
    -------
    DataFrame, a row a candidate and horizon: r2_oos (to the expanding mean), crps_skill (to the best baseline), p (Clark-West, the
        largest over the baselines), p_mean (against the expanding mean alone), p_gain (losses smaller), p_adjusted (family of all
        candidates and confirmed horizons), p_apart (the same on rows apart), p_alone (family of the announced candidate alone), and
        p_overlap of that one over 63 sessions
    """
    rng = np.random.default_rng([7, round(1000 * effect), n_obs, seed])
    small, _, coin = market(rng, HISTORY + n_obs, LAG, effect)
    table = features(small[LAG:], coin, rng).iloc[HISTORY:]
    returns = coin[HISTORY:]
    parts, family = [], {}
    with patch.object(many, "drawn_counts", same_draws), patch.object(family_of, "drawn_counts", same_draws):
        for horizon in CONFIRMED:
            scores, gains = scored(walked(table.to_numpy(), returns, horizon), horizon)
            family |= {len(family) + place: pd.DataFrame(column) for place, column in enumerate(gains.transpose(2, 1, 0))}
            apart = np.maximum(np.max([many.adjusted_apart(each, horizon, SEED)[1] for each in gains], axis=0), scores["p"])
            parts.append(scores.assign(horizon=horizon, candidate=table.columns, p_apart=np.minimum(len(CONFIRMED) * apart, 1.0)))
        out = pd.concat(parts, ignore_index=True)
        alone = {row: family[row] for row in np.flatnonzero(out["candidate"] == ANNOUNCED)}
        for column, members in {"p_adjusted": family, "p_alone": alone}.items():
            out[column] = family_wise(out["p"], members, max(CONFIRMED))
    return pd.concat([out, _beyond(table[[ANNOUNCED]], returns)], ignore_index=True).assign(world=seed)


def _beyond(table: pd.DataFrame, returns: np.ndarray) -> pd.DataFrame:
    """Score the announced candidate over 63 sessions, where no p-value is given of 1500 rows: beside it that of all rows."""
    walk = walked(table.to_numpy(), returns, SHOWN)
    scores, _ = scored(walk, SHOWN)
    overlap = max(mean_of(adjusted_gain(walk.y, base, walk.fitted[:, 0]), SHOWN).p for base in walk.baselines.T)
    return scores.assign(horizon=SHOWN, candidate=ANNOUNCED, p_overlap=overlap)
