"""The answer where there is no champion: each asset's expanding mean and volatility, and no regime."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features import asset_prices, ewma_volatility, features_with_quality
from features.market import Market
from models.answers import forecast_columns
from models.distribution import heavy_tailed
from models.scoring import UNIDENTIFIED
from models.volatility import TAIL_WEIGHT, fit_horizon_scale
from serving.card import build_card
from serving.errors import ServingError
from serving.output import as_records, write_table
from serving.today import gather_today
from sources import load_market

ASSETS = ("BTC", "ETH", "ALT")
STATUS = "baseline"
SERVED_BY = "baseline M0 (expanding mean): there is no champion"
HORIZONS = (5, 21, 63, 126)
MIN_ROWS = 250


def score_baseline(market_file: str, out: Path | None) -> dict[str, Any]:
    """Answer for the last session of a market, as `serving.batch.score_in_fresh_process` does with a model."""
    market = load_market(market_file)
    rows = baseline_rows(market)
    if out is not None:
        write_table(rows, out)
    card = build_card(_facts(market, rows), rows, None)
    return {"card": card, "rows": len(rows), "last": as_records(rows)[0]}


def _facts(market: Market, rows: pd.DataFrame) -> dict[str, Any]:
    prices = asset_prices(market)
    made = features_with_quality(market)
    rates = []
    for asset in ASSETS:
        for horizon in HORIZONS:
            y = (np.log(prices[asset]).shift(-horizon) - np.log(prices[asset])).dropna()
            up = float((y > 0).mean()) if len(y) else None
            rates.append({"asset": asset, "horizon": horizon, "up": up, "n": len(y), "n_independent": len(y) // horizon})
    return {
        "market": {"name": market.name, "simulated": market.simulated, "note": market.note},
        "trained_to": None,
        "regime": {"kind": "none", "identified": False, "last_fit": None},
        "base_rates": rates,
        "skill": None,
        "quarantined": [],
        "today": gather_today(market, made.values, made.quality),
    }


def baseline_rows(market: Market, assets: tuple[str, ...] = ASSETS) -> pd.DataFrame:
    """Forecast from the last session of a market, in the columns of the scoring function; calibrated intervals need a walk and are missing.

    Returns
    -------
    DataFrame of one row
    """
    prices = asset_prices(market)
    row: dict[str, Any] = {"session": prices.index[-1], "status": STATUS, "regime": UNIDENTIFIED}
    row |= dict.fromkeys(("p_risk_on", "p_risk_off", "p_risk_on_lo", "p_risk_on_hi"), float("nan"))
    for asset in assets:
        log_price = np.log(prices[asset])
        vol = ewma_volatility(log_price.diff())
        for horizon in HORIZONS:
            y = (log_price.shift(-horizon) - log_price).to_numpy()
            known = ~np.isnan(y) & ~np.isnan(vol.to_numpy())
            if known.sum() < MIN_ROWS or np.isnan(vol.iloc[-1]):
                continue
            mean = float(y[known].mean())
            scale = fit_horizon_scale(y[known] - mean, vol.to_numpy()[known], horizon)
            forecast = heavy_tailed(np.array([mean]), scale.sd(vol.to_numpy()[-1:], horizon), TAIL_WEIGHT, scale.tail_ratio)
            row |= {
                name: value if isinstance(value, str) else value[0]
                for name, value in forecast_columns(f"{asset}_{horizon}", forecast, SERVED_BY).items()
            }
    if not any(str(name).endswith("_median") for name in row):
        raise ServingError(f"the market has under {MIN_ROWS} known forward returns of every asset; nothing can be forecast from it")
    return pd.DataFrame([row])
