"""The card: one set of facts for the screen, the report and JSON."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from models.scoring import UNIDENTIFIED

TOLD_APART, OPPOSITE = "risk_on", "risk_off"
LONGEST_CONFIRMED = 21
"""Horizons beyond this one, in sessions, are descriptive (METHODS 3.4): no part of the tested family, and never a win."""

OF_TRAINING = ("lag", "history", "claims", "draws", "looks", "skill", "trials", "lockbox")
"""Facts of training that the card takes over as they are; one that a model was not given is None."""

CALIBRATED, OWN = "calibrated", "model"
"""Kinds of the interval shown: of delayed conformal inference, or the model's own where that one is unbounded or the horizon descriptive:
the misses it takes its width from, 500 at most, hold under ten that do not overlap."""


def build_card(facts: Mapping[str, Any], answers: pd.DataFrame, model: str | None) -> dict[str, Any]:
    """Merge what training knows with the newest answer.

    Parameters
    ----------
    facts : as stored with the model (`facts.json`); its `today` of the session shown (`serving.today.gather_today`), else those
        parts of the card stay empty
    answers : rows of the scoring function, in order of session; the last one is shown
    model : what the model is called; None where the baseline answers

    Returns
    -------
    dict, JSON-able; the same numbers go to every renderer
    """
    row = answers.iloc[-1]
    session = pd.Timestamp(row["session"])
    today = facts["today"] if f"{session:%Y-%m-%d}" == facts["today"]["session"] else None
    return {
        "session": f"{session:%Y-%m-%d}",
        "known_at": f"{session + pd.Timedelta(days=1):%Y-%m-%dT00:00:00Z}",
        "market": facts["market"],
        "model": model,
        "trained_to": facts["trained_to"],
        "regime": _regime(facts, answers),
        "last_revision": None,  # of what was published: `serving.label_rows.publish_answer` knows it
        "breakout": today["breakout"] if today else None,
        "forecast": _forecast(facts, row),
        "against": _against(today) if today else None,
        **{name: facts.get(name) for name in OF_TRAINING},
        "ages": _ages(today["quality"]) if today else None,
        "quarantined": facts["quarantined"],
        "revised": facts.get("revised", []),
    }


def _regime(facts: Mapping[str, Any], answers: pd.DataFrame) -> dict[str, Any]:
    row = answers.iloc[-1]
    names = answers["regime"].to_numpy()
    run = 1
    while run < len(names) and names[-1 - run] == names[-1]:
        run += 1
    known = facts["regime"]
    of_training = f"{row['session']:%Y-%m-%d}" == facts["trained_to"]
    identity = known.get("identity") or {}
    prefix = f"p_{TOLD_APART}"
    dwell = known.get("dwell")
    return {
        "name": _text(row["regime"]),
        "probability": _number(row[prefix]),
        "low": _number(row[f"{prefix}_lo"]),
        "high": _number(row[f"{prefix}_hi"]),
        "range_of": f"{known['bootstrap']} refits on resampled history" if known.get("bootstrap") else None,
        "specifications": len(known.get("specifications") or ()) or None,
        "spec_low": _number(row.get(f"{prefix}_spec_lo")),
        "spec_high": _number(row.get(f"{prefix}_spec_hi")),
        "ambiguous": bool(row.get("ambiguous", False)),
        "ambiguous_share": known.get("ambiguous_share"),
        "moved": known.get("moved") if of_training else None,
        "drivers": known.get("drivers"),
        "spread": known.get("spread") if of_training else None,
        "sessions": run,
        "since": f"{pd.Timestamp(answers['session'].iloc[-run]):%Y-%m-%d}",
        "dwell_expected": {TOLD_APART: dwell[0], OPPOSITE: dwell[-1]}.get(row["regime"]) if dwell else None,
        "mean_test_passed": identity.get("mean_passed"),
        "sd_ratio": identity.get("sd_ratio"),
        "order_prob": identity.get("order_prob"),
        "identified": row["regime"] != UNIDENTIFIED,
        "failed": known.get("failed"),
        "inverted": known.get("inverted"),
        "called_before": _last_call(answers),
        "of_newest_fit": known["last_fit"] is not None and f"{row['session']:%Y-%m-%d}" >= known["last_fit"],
        "kind": known["kind"],
        "label_brier_gain": known.get("label_brier_gain"),
        "last_fit": known["last_fit"],
    }


def _last_call(answers: pd.DataFrame) -> dict[str, str] | None:
    named = answers[answers["regime"].notna() & (answers["regime"] != UNIDENTIFIED)]
    return {"name": str(named["regime"].iloc[-1]), "until": f"{named['session'].iloc[-1]:%Y-%m-%d}"} if len(named) else None


def _forecast(facts: Mapping[str, Any], row: pd.Series) -> list[dict[str, Any]]:
    skill = {(each["asset"], each["horizon"]): each for each in facts.get("skill") or ()}
    out = []
    for rate in facts["base_rates"]:
        key = f"{rate['asset']}_{rate['horizon']}"
        if f"{key}_median" not in row:
            continue
        judged = skill.get((rate["asset"], rate["horizon"]), {})
        model = [_number(row[f"{key}_{end}80"]) for end in ("lo", "hi")]
        calibrated = [_number(row.get(f"{key}_{end}80_conformal")) for end in ("lo", "hi")]
        descriptive = rate["horizon"] > LONGEST_CONFIRMED
        kind = OWN if descriptive or None in calibrated else CALIBRATED
        out.append(
            {
                "asset": rate["asset"],
                "horizon": rate["horizon"],
                "descriptive": descriptive,
                "log_median": _number(row[f"{key}_median"]),
                "log_lo": (calibrated if kind == CALIBRATED else model)[0],
                "log_hi": (calibrated if kind == CALIBRATED else model)[1],
                "interval": kind,
                "log_lo80": model[0],
                "log_hi80": model[1],
                "log_lo80_conformal": calibrated[0],
                "log_hi80_conformal": calibrated[1],
                "p_up": _number(row[f"{key}_p_up"]),
                "served_by": _text(row[f"{key}_served_by"]),
                "base_up": rate["up"],
                "n": rate["n"],
                "n_independent": rate["n_independent"],
                "p": judged.get("p"),
                "p_adjusted": judged.get("p_adjusted"),
                "crps_skill": judged.get("crps_skill"),
                "verdict": judged.get("verdict"),
            }
        )
    return out


def _against(today: Mapping[str, Any]) -> dict[str, Any]:
    values, seen, quality = today["features"], today["last_seen"], today["quality"]
    return {
        "flow_ytd_usd": values.get("flows__ytd_usd"),
        "flow_ytd_share": values.get("flows__ytd_pct"),
        "funds": today["funds"],
        "record_high_with_outflows": values.get("flows__record_high_with_outflows"),
        "flows_last_seen": seen.get("flows"),
        "neg_share": values.get("profitability__neg_share"),
        "neg_share_n": quality.get("profitability__n"),
        "neg_share_record": today["neg_share_record"],
        "profitability_last_seen": seen.get("profitability"),
        "breadth": values.get("breadth__panel_pct_above_200"),
        "breadth_rank": today["ranks"]["breadth__panel_pct_above_200"],
        "breadth_survivorship_biased": True,
        "vix": values.get("liquidity__vix"),
        "vix_rank": today["ranks"]["liquidity__vix"],
    }


def _ages(quality: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removesuffix("__age_sessions"): age for name, age in quality.items() if name.endswith("__age_sessions")}


def _text(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
