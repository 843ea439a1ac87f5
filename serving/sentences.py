"""The card in sentences: worded once, for the screen, the report and whatever comes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from models.forecast import RUNGS
from serving.card import LONGEST_CONFIRMED, OWN
from serving.regime_words import regime_sentences, revision_sentences
from serving.thesis_words import thesis_terms
from serving.words import BEATS, INFORMED, UNKNOWN, count, p_value, percent, plain, plural, share, signed

AGE_WORDS = {"momentum": "prices", "flows": "flows", "profitability": "filings", "crypto": "coins"}

Terms = dict[str, list[str]]


def card_terms(card: Mapping[str, Any]) -> Terms:
    """Word every fact of the card except the forecast table.

    Parameters
    ----------
    card : as made by `serving.card.build_card`

    Returns
    -------
    sentences by term (Regime, Breakout, Against, Lag, History, Skill, Data age); a term without facts is left out
    """
    terms: Terms = {"Regime": [*regime_sentences(card["regime"]), *revision_sentences(card.get("last_revision"))]}
    if card["breakout"]:
        terms["Breakout"] = _breakout(card["breakout"])
    if card["against"]:
        terms["Against"] = _against(card["against"], card["session"])
    terms |= thesis_terms(card)
    if card["skill"] is not None:
        terms["Skill"] = _skill(card)
    if card["ages"]:
        terms["Data age"] = [ages(card["ages"])]
    return terms


def ages(by_family: Mapping[str, Any]) -> str:
    """Say how many sessions ago each kind of data last changed."""
    return "in sessions: " + ", ".join(f"{word} {count(by_family[family])}" for family, word in AGE_WORDS.items() if family in by_family)


def served_by(words: Any) -> str:
    """Shorten what serves a forecast to rung and name."""
    if not isinstance(words, str):
        return UNKNOWN
    name = rung(words)
    return f"{'baseline ' if words.startswith('baseline') else ''}{name} ({RUNGS[name]})" if name in RUNGS else words


def interval_words(each: Mapping[str, Any]) -> str:
    """Write the interval of a forecast; a '~' marks the model's own."""
    return f"{'~' if each['interval'] == OWN else ''}[{percent(each['log_lo'])}, {percent(each['log_hi'])}]"


def marks(forecast: Sequence[Mapping[str, Any]]) -> list[str]:
    """Explain the marks that a table of these forecasts has."""
    out = []
    if any(each["descriptive"] for each in forecast):
        out.append("* descriptive: one decade is too short to establish such a horizon")
    if any(each["interval"] == OWN for each in forecast):
        out.append("~ the model's own interval: too few misses that do not overlap are known to calibrate it")
    return out


def trials_words(trials: Mapping[str, Any] | None) -> str:
    """Say how much was tried before."""
    if trials is None:
        return "how much was tried is not known"
    family, newest = trials["family"], trials.get("family_now")
    if family is None:
        return f"{trials['rungs']} variants in this run, those of earlier runs come on top"
    more = f", which has {newest} by now" if newest is not None and newest > family else ""
    chosen = f"; {chosen_words(trials['chosen']['run_id'], trials['chosen']['candidates'])}" if trials.get("chosen") else ""
    return f"{trials['rungs']} variants in this run, trial {family} of its family in the ledger{more}{chosen}"


def chosen_words(search: str, candidates: int) -> str:
    """Say of what search a configuration is the outcome: the rows it is judged on chose it."""
    return f"its configuration was chosen among {plural(candidates, 'candidate')} of search {search[:8]} on these rows"


def rung(words: str) -> str:
    """Find the rung in the words of what serves: 'baseline M0 (...)', 'M1 (...)', 'walk-forward: M0'."""
    return words.removeprefix("baseline ").removeprefix("walk-forward: ").split()[0].rstrip(":")


def _breakout(breakout: Mapping[str, Any]) -> list[str]:
    drawdown, age = breakout["drawdown"], breakout["record_age"]
    place = UNKNOWN if drawdown is None else f"{share(-math.expm1(drawdown))} below the record" if drawdown else "at the record"
    out = [f"Russell 2000: {plain(breakout['state'])} ({place}; the last record is {count(age)} sessions old)"]
    last = ", ".join(f"{name} {plain(each['event'])} on {each['date']}" for name, each in breakout["last_by_series"].items())
    return [*out, f"last event: {last}" if last else "no event on record"]


def _against(against: Mapping[str, Any], session: str) -> list[str]:
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
        if record and record["date"] == session:
            standing = ", highest on record" if record["whole_record"] else f", highest since {record['highest_since']}"
        out.append(f"{share(against['neg_share'])} of {count(against['neg_share_n'])} filers lose money{standing}")
    else:
        past = f" (then {share(record['value'])} lost money)" if record else ""
        out.append(_no_news("profitability", against["profitability_last_seen"]) + past)
    if against["breadth"] is not None:
        place = f"more than on {share(against['breadth_rank'])} of days"
        out.append(f"{share(against['breadth'])} of stocks above their 200-day average, {place} (survivorship-biased panel)")
    if against["vix"] is not None:
        out.append(f"VIX {against['vix']:.0f}, higher than on {share(against['vix_rank'])} of days")
    return out


def _no_news(what: str, last: str | None) -> str:
    return f"{what}: no news since {last}" if last else f"{what}: no data"


def _skill(card: Mapping[str, Any]) -> list[str]:
    tested = [each for each in card["skill"] if each["p_adjusted"] is not None]
    trials = trials_words(card["trials"])
    if not tested:
        return [_untested(card["skill"]), trials]
    won = [each for each in tested if each["verdict"] == BEATS]
    if won:
        by = {(each["asset"], each["horizon"]): each["served_by"] for each in card["forecast"]}
        cells = [
            f"{each['asset']} {each['horizon']}, adjusted p {p_value(each['p_adjusted'])}, CRPS {signed(each['crps_skill'])} "
            f"(p {p_value(each['p_gain'])}), {_judged(each)}, now by {served_by(by.get((each['asset'], each['horizon'])))}"
            for each in won
        ]
        own = [each for each in won if rung(by.get((each["asset"], each["horizon"])) or UNKNOWN) == "M1"]
        blind = ["M1 does not read small caps"] if own else []
        return [
            "the walk's choices beat the best baseline out of sample: " + "; ".join(cells),
            *blind,
            "the baseline serves the rest",
            "adjusted over the cells of this run alone; `appetite compare` adjusts over every trial of its family",
            trials,
        ]
    best = min(tested, key=lambda each: each["p_adjusted"])
    numbers = f"{best['asset']} {best['horizon']} sessions, p {p_value(best['p'])}, adjusted {p_value(best['p_adjusted'])}, {_judged(best)}"
    informed = [f"{each['asset']} {each['horizon']} {INFORMED}" for each in tested if each["verdict"] == INFORMED]
    return [
        "no model beat its baseline out of sample: the baseline's own forecast is served",
        f"best of {len(tested)} tests: {numbers}",
        *informed,
        trials,
    ]


def _untested(cells: Sequence[Mapping[str, Any]]) -> str:
    """Say why nothing was tested: what was chosen was the baseline itself, or too few rows."""
    short = [each for each in cells if each["horizon"] <= LONGEST_CONFIRMED]
    same = [each for each in short if str(each.get("note") or "").startswith("same as")]
    if not same:
        return "no out-of-sample test yet: too few rows"
    where = "in every cell" if len(same) == len(short) else ", ".join(f"{each['asset']} {each['horizon']}" for each in same)
    rest = "" if len(same) == len(short) else "; the rest has too few rows"
    return f"nothing to test up to {LONGEST_CONFIRMED} sessions: the walk chose the baseline's own forecast ({where}){rest}"


def _judged(cell: Mapping[str, Any]) -> str:
    return f"{cell['n']} rows judged ({cell['n_independent']} independent)"
