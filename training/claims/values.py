"""The trial as plain values: claims.json and events.csv."""

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd

from training.claims.c6_c7 import flow_finding, lag_words, timing_finding
from training.claims.events import what_followed
from training.claims.family import Cell
from training.claims.lags import LagProfile
from training.claims.limits import untestable
from training.claims.listing import event_form
from training.claims.outcomes import HORIZONS
from training.claims.sentences import counter_examples, rule_words, special_words, why_words
from training.claims.timing import Timing
from training.claims.trial import Judged, Trial
from training.claims.verdicts import RULE


def event_rows(trial: Trial) -> pd.DataFrame:
    """Every counted event, asset and horizon, in the form of events.csv (`training.claims.listing.event_form`)."""
    counted = trial.events[trial.events["counted"].astype(bool)]
    return event_form(what_followed(counted, trial.prices, [str(asset) for asset in trial.prices], list(HORIZONS)))


def as_values(trial: Trial) -> dict[str, Any]:
    """Lay the trial out for JSON: no missing number but null, dates as YYYY-MM-DD."""
    findings = [flow_finding(trial), timing_finding(trial)]
    out = {
        "market": trial.market,
        "simulated": trial.simulated,
        "note": trial.note,
        "first_session": trial.first,
        "last_session": trial.last,
        "rule": RULE,
        "draws": trial.draws,
        "family_size": looks_of(trial),
        "claims": [*(_claim(each, trial) for each in trial.judged), *(dataclasses.asdict(each) for each in findings)],
        "lag": {each.asset: lag_words(each) for each in trial.timing},
        "timing": [_timing(each) for each in trial.timing],
        "grid": [_cell(cell) for cell in trial.cells],
        "events": trial.events,
        "highs": trial.highs,
        "placebos": trial.placebos,
        "reversed_roles": trial.reverse,
        "every_record_day": [{"horizon": h} | dataclasses.asdict(test) for h, test in trial.naive.items()],
        "flows": dataclasses.asdict(trial.flow),
        "loss_makers": dataclasses.asdict(trial.loss),
        "not_testable": untestable(trial),
    }
    plain: dict[str, Any] = _plain(out)
    return plain


def looks_of(trial: Trial) -> int:
    """Number of cells with an event: the looks that the p-values are adjusted for."""
    return sum(cell.shift.n > 0 for cell in trial.cells)


def _claim(judged: Judged, trial: Trial) -> dict[str, Any]:
    cell = judged.cell
    return {
        "name": judged.claim.name,
        "words": judged.claim.words,
        "care": judged.claim.care,
        "rule": rule_words(judged),
        "series": judged.claim.series,
        "state": judged.claim.state,
        "asset": judged.claim.asset,
        "horizon": judged.claim.horizon,
        "n": 0 if cell is None else cell.shift.n,
        "dates": [] if cell is None else list(cell.dates),
        "verdict": judged.verdict,
        "why": why_words(judged),
        "horizons": [_cell(each) for each in judged.cells],
        "followed": judged.followed,
        "extremes": judged.extremes,
        "halving": None if judged.halving is None else dataclasses.asdict(judged.halving),
        "counter_examples": [dataclasses.asdict(each) for each in counter_examples(judged, trial)],
        "besides": special_words(judged, trial),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    out = dataclasses.asdict(cell)
    out["leave_one_out"] = [{"without": date} | dataclasses.asdict(test) for date, test in zip(cell.dates, cell.without, strict=False)]
    out["p_above_adjusted"], out["p_below_adjusted"] = cell.adjusted
    del out["without"], out["adjusted"]
    return out


def _timing(timing: Timing) -> dict[str, Any]:
    return {
        "asset": timing.asset,
        "leads": timing.leads,
        "p_lead_adjusted": timing.p_lead,
        "conventions": [{"day": words} | _profile(profile) for words, profile in timing.profiles.items()],
        "forward": timing.forward.reset_index(),
        "backward": timing.backward.reset_index(),
    }


def _profile(profile: LagProfile) -> dict[str, Any]:
    return dataclasses.asdict(profile) | {"lags": profile.lags.tolist(), "correlation": profile.correlation.tolist()}


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return [_plain(row) for row in value.to_dict("records")]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value
