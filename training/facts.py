"""The facts that only training knows: base rates, skill, breakouts, trials. They travel with the model, for the card."""

import math
from typing import Any

import pandas as pd

from features.breakout import STATES
from features.market import Market
from models.forecast import BASELINES, RUNGS
from models.regime import RegimeHMM
from training.book import SERVED
from training.config import TrainConfig
from training.events import SERIES, base_rates, event_study
from training.regimes import is_identified
from training.study import Study

CONFIRMED = "breakout_confirmed"
TODAY = ("momentum", "breadth", "flows", "profitability", "liquidity")


def gather_facts(market: Market, study: Study, config: TrainConfig) -> dict[str, Any]:
    """Collect everything the card and the report say besides the answer itself, as plain values for JSON."""
    events = event_study(market, list(config.assets), list(config.horizons))
    facts: dict[str, Any] = clean(
        {
            "market": {"name": market.name, "simulated": market.simulated, "note": market.note},
            "trained_to": f"{study.features.index[-1]:%Y-%m-%d}",
            "first_session": f"{study.features.index[0]:%Y-%m-%d}",
            "assets": list(config.assets),
            "horizons": list(config.horizons),
            "regime": _regime(study, config),
            "base_rates": base_rates(study.prices, list(config.assets), list(config.horizons)).to_dict("records"),
            "skill": study.skill[study.skill["rung"] == SERVED].to_dict("records") if len(study.skill) else [],
            "trials": len(config.assets) * len(config.horizons) * len(set(RUNGS) - set(BASELINES)),
            "breakouts": _breakouts(study, events),
            "history": _history(events, study, config),
            "quarantined": _quarantined(market),
            "funds": sorted(market.funds["fund"].unique().tolist()),
            "today": _today(study),
            "records": _records(study),
        }
    )
    return facts


def clean(value: Any) -> Any:
    """Turn NaN and infinities into null, numpy scalars into Python's, dates into text."""
    if isinstance(value, dict):
        return {str(k): clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [clean(v) for v in value]
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _regime(study: Study, config: TrainConfig) -> dict[str, Any]:
    walk, refit = study.regimes, study.regimes.refits[-1]
    index = study.features.index
    out: dict[str, Any] = {
        "kind": config.regime.kind,
        "columns": list(refit.model.columns),
        "left_out": sorted({column for each in walk.refits for column in each.left_out}),
        "refits": len(walk.refits),
        "first_fit": f"{index[walk.refits[0].position]:%Y-%m-%d}",
        "last_fit": f"{index[refit.position]:%Y-%m-%d}",
        "sessions_to_next_fit": config.walk.refit_every - (len(index) - 1 - refit.position),
        "degenerate_refits": sum(each.degenerate for each in walk.refits),
        "identified": is_identified(refit.model),
        "churn_median": float(pd.Series([each.churn for each in walk.refits]).median()),
    }
    if isinstance(refit.model, RegimeHMM):
        identity = refit.model.identity
        out |= {"dwell": refit.model.dwell.tolist(), "identity": identity.to_dict(), "bootstrap": config.regime.bootstrap}
    return out


def _breakouts(study: Study, events: pd.DataFrame) -> dict[str, Any]:
    row = study.features.iloc[-1]
    state = next((s for s in STATES if row.get(f"momentum__breakout_{s}") == 1.0), None)
    own = events[events["series"] == "R2000"].drop_duplicates(["date", "event"])
    last = own.iloc[-1] if len(own) else None
    return {
        "state": state,
        "drawdown": row.get("momentum__dd"),
        "record_age": row.get("momentum__age"),
        "last": None if last is None else {"date": last["date"], "event": last["event"], "margin": last["margin"]},
        "last_by_series": {
            name: {"date": part["date"].iloc[-1], "event": part["event"].iloc[-1]}
            for name in SERIES
            if len(part := events[events["series"] == name])
        },
    }


def _history(events: pd.DataFrame, study: Study, config: TrainConfig) -> list[dict[str, Any]]:
    """What followed the confirmed breakouts of the index, by asset and horizon."""
    own = events[(events["series"] == "R2000") & (events["event"] == CONFIRMED)]
    out = []
    for (asset, horizon), part in own.groupby(["asset", "horizon"], sort=False):
        seen = part[part["log_return"].notna()]
        out.append(
            {
                "asset": asset,
                "horizon": horizon,
                "n_events": len(part),
                "n": len(seen),
                "dates": [f"{d:%Y-%m-%d}" for d in seen["date"]],
                "log_returns": seen["log_return"].tolist(),
                "before_prices": int((part["note"] == "no price yet").sum()),
            }
        )
    return out


def _quarantined(market: Market) -> list[dict[str, Any]]:
    counts = market.quarantine.groupby(["frame", "series", "rule"]).size().rename("n").reset_index()
    return [{str(k): v for k, v in row.items()} for row in counts.to_dict("records")]


def _today(study: Study) -> dict[str, Any]:
    values, quality = study.features.iloc[-1], study.quality.iloc[-1]
    return {
        "features": {c: v for c, v in values.items() if str(c).split("__")[0] in TODAY},
        "quality": quality.to_dict(),
        "last_seen": {
            family: _last_seen(study.features[[c for c in study.features if str(c).startswith(family + "__")]]) for family in TODAY
        },
    }


def _last_seen(frame: pd.DataFrame) -> str | None:
    # calendar facts (months since halving) never go missing: a family has news while most of its columns do
    seen = frame.notna().mean(axis=1) >= 0.5
    return f"{frame.index[seen][-1]:%Y-%m-%d}" if seen.any() else None


def _records(study: Study) -> dict[str, Any]:
    """Where today's counter-evidence stands in its own history."""
    share = study.features["profitability__neg_share"].dropna()
    out: dict[str, Any] = {}
    if len(share):
        higher = share[share > share.iloc[-1]]
        since = share.index[0] if not len(higher) else higher.index[-1]
        out["neg_share"] = {"value": share.iloc[-1], "date": share.index[-1], "highest_since": since, "whole_record": not len(higher)}
    return out
