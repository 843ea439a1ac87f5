"""What the served forecasts would have earned beside those of the best baseline, on judged rows alone, and what is left of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.forecast import BASELINES, RUNGS
from models.inference import Array
from serving.card import LONGEST_CONFIRMED
from training.book import SERVED
from training.evaluation.deflation import deflated_sharpe, probabilistic_sharpe, sharpe
from training.evaluation.strategy import COSTS_BP, DELAYS, RISK_AVERSION, SESSIONS_A_YEAR, sharpe_test, strategy_returns

COLUMNS = ["session", "asset", "horizon", "series", "delay", "cost_bp", "weight", "ret"]
SUMMARY = ["asset", "horizon", "series", "delay", "cost_bp", "n", "sharpe", "error", "p", "p_gain", "psr", "deflated", "turnover"]
CHOICES = tuple(rung for rung in RUNGS if rung not in BASELINES)


@dataclass(frozen=True)
class Strategies:
    """Strategies of a run.

    Attributes
    ----------
    returns : DataFrame with session (on which it was earned), asset, horizon, series (`served`, or the rung of the best baseline),
        delay, cost_bp, weight (held over the session), ret (simple, after costs)
    summary : a row an asset, horizon, series, delay and cost: n (sessions), sharpe (a year) and its standard error, p (one-sided, of
        'not above zero'), p_gain (of the served series: of 'earns no more than the best baseline', by the difference), psr (against
        zero), deflated (of that difference, for `n_trials`), turnover (of the wealth, a year); NaN where nothing was held, or traded
        as the baseline did
    n_trials : that `deflated` allows for
    """

    returns: pd.DataFrame
    summary: pd.DataFrame
    n_trials: int


def make_strategies(losses: pd.DataFrame, skill: pd.DataFrame, prices: pd.DataFrame, n_trials: int) -> Strategies:
    """Trade what was served, and the best baseline, over the horizons that are tested.

    Positions are decided on judged rows and earn up to the last of them, so that nothing is earned in the lock-box. The spread of
    Sharpe ratios without skill is taken from the gains of the rungs that are no baseline: variants on the same sessions.

    Parameters
    ----------
    losses, skill : of the study
    prices : price of each asset at `asof(t)`
    n_trials : of the family, this one among them
    """
    returns, summary = [], []
    served = skill[(skill["rung"] == SERVED) & (skill["horizon"] <= LONGEST_CONFIRMED)] if len(skill) else skill
    for cell in served.itertuples():
        asset, horizon = str(cell.asset), int(cell.horizon)  # type: ignore[arg-type]
        own = losses[(losses["asset"] == asset) & (losses["horizon"] == horizon) & losses["outer"].astype(bool)]
        forecasts = {str(rung): part.set_index("session")[["mean", "sd"]] for rung, part in own.groupby("rung", sort=False)}
        for delay in DELAYS:
            for cost_bp in COSTS_BP:
                held = {name: _held(forecasts[name], prices[asset], horizon, delay, cost_bp) for name in forecasts}
                base = held[str(cell.best_baseline)]["net"]
                spread = np.array([sharpe((held[name]["net"] - base).to_numpy()) for name in CHOICES])
                for name in (SERVED, str(cell.best_baseline)):
                    labels: dict[str, Any] = {"asset": asset, "horizon": horizon, "series": name, "delay": delay, "cost_bp": cost_bp}
                    returns.append(held[name].rename(columns={"net": "ret"}).assign(**labels)[COLUMNS])
                    summary.append(labels | _summary(held[name], base, spread, n_trials))
    table = pd.concat(returns, ignore_index=True) if returns else pd.DataFrame(columns=COLUMNS)
    return Strategies(table, pd.DataFrame(summary, columns=SUMMARY), n_trials)


def _held(forecast: pd.DataFrame, price: pd.Series, horizon: int, delay: int, cost_bp: float) -> pd.DataFrame:
    """Trade one series of forecasts; the same sessions whatever the delay, and the first position is bought on the first of them."""
    span = price.loc[forecast.index[0] : forecast.index[-1]].ffill()
    said = forecast.reindex(span.index)
    said.iloc[: max(DELAYS) - delay] = np.nan
    moves = np.log(span).diff().fillna(0.0).to_numpy(dtype=np.float64)
    mean, sd = (said[name].to_numpy(dtype=np.float64) for name in ("mean", "sd"))
    table = strategy_returns(mean, sd, moves, horizon, delay, cost_bp, RISK_AVERSION)
    return table.assign(session=span.index).iloc[1 + max(DELAYS) :]


def _summary(held: pd.DataFrame, baseline: pd.Series, spread: Array, n_trials: int) -> dict[str, float]:
    net = held["net"].to_numpy()
    gain = net - baseline.to_numpy()
    test, year = sharpe_test(net), np.sqrt(SESSIONS_A_YEAR)
    return {
        "n": test.n,
        "sharpe": test.sharpe * year,
        "error": test.error * year,
        "p": test.p,
        "p_gain": sharpe_test(gain).p,
        "psr": probabilistic_sharpe(net),
        "deflated": deflated_sharpe(gain, spread, n_trials),
        "turnover": float(np.abs(np.diff(held["weight"], prepend=0.0)).mean()) * SESSIONS_A_YEAR if test.n else float("nan"),
    }
