"""The card for the report: the screen's facts as terms, sentences and a table."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from models.forecast import RUNGS
from serving.screen import own_momentum
from serving.words import UNKNOWN, count, p_value, percent, plain, plural, prob, share, signed
from training.report_tables import Table
from training.skill import BEATS

HISTORY_HORIZON = 63
AGE_WORDS = {"momentum": "prices", "flows": "flows", "profitability": "filings", "crypto": "coins"}

Terms = list[tuple[str, list[str]]]


def card_terms(card: Mapping[str, Any]) -> Terms:
    """Word every fact of the card except the forecast table.

    Parameters
    ----------
    card : as made by `serving.card.build_card`

    Returns
    -------
    list of (term, sentences)
    """
    terms = [("Regime", _regime(card["regime"]))]
    if card["breakout"]:
        terms.append(("Breakout", _breakout(card["breakout"])))
    if card["against"]:
        terms.append(("Counter-evidence", _against(card["against"], card["trained_to"])))
    terms += [("History", _history(card)), ("Skill", _skill(card))]
    if card["ages"]:
        ages = [f"{word} {count(card['ages'].get(family))}" for family, word in AGE_WORDS.items() if family in card["ages"]]
        terms.append(("Data age", ["in sessions: " + ", ".join(ages)]))
    return terms


def card_when(card: Mapping[str, Any]) -> str:
    """Say which session the card is of, and when it could be known."""
    session, known = pd.Timestamp(card["session"]), pd.Timestamp(card["known_at"])
    return f"as of {session:%a} {session.day} {session:%b %Y}, known {known.day} {known:%b %Y %H:%M} UTC"


def forecast_table(card: Mapping[str, Any]) -> Table:
    """Lay the forecasts out with their base rates and what serves them."""
    rows = []
    for each in card["forecast"]:
        horizon = f"{each['horizon']}*" if each["descriptive"] else str(each["horizon"])
        interval = f"[{percent(each['log_lo80'])}, {percent(each['log_hi80'])}]"
        n = f"{each['n']} ({each['n_independent']})"
        numbers = [percent(each["log_median"]), interval, prob(each["p_up"]), prob(each["base_up"]), n]
        rows.append([each["asset"], horizon, *numbers, served_by(each["served_by"])])
    head = ["asset", "sessions", "median", "80% interval", "P(up)", "base rate of a rise", "n (independent)", "served by"]
    note = "Forecasts of the session shown. * descriptive: one decade is too short to establish such a horizon."
    return Table(note, head, rows, text=(0, 7))


def served_by(words: Any) -> str:
    """Shorten what serves a forecast to rung and name."""
    if not isinstance(words, str):
        return UNKNOWN
    rung = words.removeprefix("baseline ").split()[0]
    return f"{'baseline ' if words.startswith('baseline') else ''}{rung} ({RUNGS[rung]})" if rung in RUNGS else words


def _regime(regime: Mapping[str, Any]) -> list[str]:
    name = plain(regime["name"]) if isinstance(regime["name"], str) else "not yet fitted"
    out = [f"{name} · P(risk-on) {prob(regime['probability'])}"]
    if regime["low"] is not None:
        out[0] += f", range {prob(regime['low'])} - {prob(regime['high'])} over {regime['range_of']}"
    out.append(f"for {plural(regime['sessions'], 'session')}, since {regime['since']}")
    if regime["dwell_expected"]:
        out.append(f"such a spell lasts {regime['dwell_expected']:.0f} sessions on average")
    if regime["kind"] == "classifier":
        out.append("label of a classifier: small caps rise over the next month without a deep fall")
    elif not regime["identified"]:
        out.append("unidentified: the states cannot be told apart well enough to be named")
    elif regime["mean_test_passed"]:
        out.append("the states differ in mean and variance")
    else:
        out.append("a calm/turbulent label: the states differ in variance, not surely in mean")
    return out


def _breakout(breakout: Mapping[str, Any]) -> list[str]:
    place = "at the record" if not breakout["drawdown"] else f"{share(-math.expm1(breakout['drawdown']))} below the record"
    out = [f"Russell 2000: {plain(breakout['state'])} ({place}; the last record is {count(breakout['record_age'])} sessions old)"]
    for series, last in breakout["last_by_series"].items():
        out.append(f"last event of {series}: {plain(last['event'])} on {last['date']}")
    return out


def _against(against: Mapping[str, Any], trained_to: str) -> list[str]:
    out = []
    if against["flow_ytd_usd"] is not None:
        word = "outflows" if against["flow_ytd_usd"] < 0 else "inflows"
        of_assets = "" if against["flow_ytd_share"] is None else f", {share(abs(against['flow_ytd_share']), 1)} of assets"
        out.append(f"{word} year to date ${abs(against['flow_ytd_usd']) / 1e9:.1f}bn ({', '.join(against['funds'])}{of_assets})")
    else:
        out.append(_no_news("fund flows", against["flows_last_seen"]))
    if against["record_high_with_outflows"]:
        out.append("record high with outflows year to date")
    record = against["neg_share_record"]
    if against["neg_share"] is not None:
        standing = ""
        if record and record["date"] == trained_to:
            standing = ", highest on record" if record["whole_record"] else f", highest since {record['highest_since']}"
        out.append(f"{share(against['neg_share'])} of {count(against['neg_share_n'])} filers lose money{standing}")
    else:
        past = f" (then {share(record['value'])} lost money)" if record else ""
        out.append(_no_news("profitability", against["profitability_last_seen"]) + past)
    if against["breadth"] is not None:
        out.append(f"{share(against['breadth'])} of stocks above their 200-day average (survivorship-biased panel)")
    if against["vix"] is not None:
        out.append(f"VIX {against['vix']:.0f}")
    return out


def _no_news(what: str, last: str | None) -> str:
    return f"{what}: no news since {last}" if last else f"{what}: no data"


def _history(card: Mapping[str, Any]) -> list[str]:
    horizons = [each["horizon"] for each in card["history"]]
    if not horizons:
        return ["no confirmed breakout of the Russell 2000 on record"]
    horizon = HISTORY_HORIZON if HISTORY_HORIZON in horizons else horizons[0]
    base = {(each["asset"], each["horizon"]): each["base_up"] for each in card["forecast"]}
    out = []
    for each in (each for each in card["history"] if each["horizon"] == horizon):
        before = f", {each['before_prices']} more before it had prices" if each["before_prices"] else ""
        moves = ", ".join(percent(move) for move in each["log_returns"]) or "none"
        rate = prob(base.get((each["asset"], horizon)))
        what = f"{each['asset']} over {horizon} sessions after {plural(each['n'], 'confirmed breakout')}"
        out.append(f"{what}: {moves}{before}; base rate of a rise {rate}")
    return [*out, "too few to conclude from"]


def _skill(card: Mapping[str, Any]) -> list[str]:
    tested = [each for each in card["skill"] if each["p_adjusted"] is not None]
    trials = f"{card['trials']} variants tried"
    if not tested:
        return ["no out-of-sample test yet: too few rows", trials]
    won = [each for each in tested if each["verdict"] == BEATS]
    if won:
        rungs = {(each["asset"], each["horizon"]): served_by(each["served_by"]) for each in card["forecast"]}
        cells = [
            f"{each['asset']} {each['horizon']} by {rungs.get((each['asset'], each['horizon']), UNKNOWN)}, "
            f"adjusted p {p_value(each['p_adjusted'])}, CRPS {signed(each['crps_skill'])}"
            for each in won
        ]
        return [
            "beats the best baseline out of sample: " + "; ".join(cells) + own_momentum(won, rungs),
            "the baseline serves the rest",
            trials,
        ]
    best = min(tested, key=lambda each: each["p_adjusted"])
    numbers = f"{best['asset']} {best['horizon']} sessions, p {p_value(best['p'])}, adjusted {p_value(best['p_adjusted'])}"
    return [
        "no model beat its baseline out of sample: the baseline's own forecast is served",
        f"best of {len(tested)} tests: {numbers}",
        trials,
    ]
