"""The facts that only training knows: base rates, skill, breakouts, trials. They travel with the model, for the card."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from features.market import Market
from models.average import RegimeAverage
from models.explain_regime import moved
from models.forecast import BASELINES, RUNGS
from models.regime import RegimeHMM
from models.regime_tvtp import RegimeTVTP
from serving.today import clean, gather_today
from training.book import SERVED
from training.claims.events import base_rates
from training.config import TrainConfig
from training.ledger.register import Place
from training.reference import label_gain
from training.refit_history import lead_identity
from training.regimes import names_of
from training.specifications import newest_spread, specification_facts
from training.study import Study

N_CHOICES = len(set(RUNGS) - set(BASELINES))


def gather_facts(
    market: Market, study: Study, config: TrainConfig, thesis: Mapping[str, Any] | None = None, place: Place | None = None
) -> dict[str, Any]:
    """Collect everything the card and the report say besides the answer itself, as plain values for JSON.

    Parameters
    ----------
    thesis : as `training.thesis.thesis_of`; None where nothing was judged, and then nothing is said of it
    place : in the ledger, as `training.ledger.register.Register.place`; None where it is no trial
    """
    thesis = thesis or {}
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
            "trials": {"rungs": len(config.assets) * len(config.horizons) * N_CHOICES} | _place(place),
            "lockbox": _lockbox(study, config),
            **{name: thesis.get(name) for name in ("draws", "looks", "history", "claims", "lag")},
            "quarantined": _quarantined(market),
            "today": gather_today(market, study.features, study.quality),
        }
    )
    return facts


def _place(place: Place | None) -> dict[str, Any]:
    if place is None:
        return {"family_id": None, "family": None, "chosen": None}
    return {"family_id": place.family_id, "family": place.number, "chosen": place.chosen and vars(place.chosen)}


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
        "inverted_refits": sum(each.inverted for each in walk.refits),
        "degenerate_refits": sum(each.degenerate for each in walk.refits),
        "identified": refit.identified,
        "inverted": refit.inverted,
        "churn_median": float(pd.Series([each.churn for each in walk.refits]).median()),
    }
    if config.regime.kind == "classifier":
        label = study.calm_rise(config.regime.label_horizon, config.regime.label_drawdown)
        out["label_brier_gain"] = label_gain(study.features, walk.published["p_risk_on"], label, config.regime.label_horizon)
    lead = refit.model.members[0] if isinstance(refit.model, RegimeAverage) else refit.model
    if isinstance(lead, RegimeTVTP):
        out["drivers"] = _drivers(lead)
    known = lead_identity(refit.model)
    if known is not None:
        out |= {"identity": known.to_dict(), "failed": list(known.failed)}
    if isinstance(lead, RegimeHMM | RegimeTVTP):
        out |= {"dwell": lead.dwell.tolist(), "bootstrap": 0 if study.ensemble is None else len(study.ensemble.members)}
    out["moved"] = moved(refit.model, study.features.iloc[study.regimes.first :], refit.states)
    if isinstance(refit.model, RegimeAverage):
        out["specifications"] = specification_facts(walk, config.regime)
        out["spread"] = newest_spread(study)
        out["ambiguous_share"] = float(walk.published.loc[walk.published["refit"].notna(), "ambiguous"].mean())
    return out


def _drivers(model: RegimeTVTP) -> list[dict[str, Any]]:
    """What each driver adds to the log-odds of moving rather than staying, a standard deviation of its own."""
    names, states = names_of(model), range(model.n_states)
    moves = [(i, j) for i in states for j in states if i != j]
    return [
        {"driver": driver, "from": names[i], "to": names[j], "log_odds": float(model.coefs[i, j, 1 + p])}
        for p, driver in enumerate(model.drivers)
        for i, j in moves
    ]


def _lockbox(study: Study, config: TrainConfig) -> dict[str, Any] | None:
    """Since when outcomes are locked away; None where none are."""
    locked = study.features.index[study.lockbox]
    return {"since": locked[0], "share": config.walk.lockbox} if len(locked) else None


def _quarantined(market: Market) -> list[dict[str, Any]]:
    counts = market.quarantine.groupby(["frame", "series", "rule"]).size().rename("n").reset_index()
    return [{str(k): v for k, v in row.items()} for row in counts.to_dict("records")]
