"""The card as text: 100 columns, words before colour."""

import math
import textwrap
from collections.abc import Mapping
from typing import Any

import pandas as pd

from serving.words import UNKNOWN, count, p_value, percent, plural, prob

WIDTH = 100
LABEL = 10


def render_screen(card: Mapping[str, Any]) -> str:
    """Lay the card out for a terminal.

    Parameters
    ----------
    card : as made by `serving.card.build_card`
    """
    blocks = [_head(card), _regime(card["regime"])]
    if card["breakout"]:
        blocks.append(_breakout(card["breakout"]))
    blocks.append(_forecast(card))
    if card["against"]:
        blocks.append(_against(card["against"], card["trained_to"]))
    blocks += [_history(card), _skill(card)]
    return "\n\n".join(blocks)


def _head(card: Mapping[str, Any]) -> str:
    market = card["market"]
    session = pd.Timestamp(card["session"])
    lines = []
    if market["simulated"]:
        lines.append(_fill("SIMULATED", f"no real market: {market['note'].removeprefix('simulated, ')}"))
    lines.append("appetite · small caps as a gauge of risk appetite")
    known = pd.Timestamp(card["known_at"])
    lines.append(_wrap(f"as of {session:%a} {session.day} {session:%b %Y}, known {known:%-d %b %Y %H:%M} UTC · market: {market['name']}"))
    ages = card["ages"]
    data_age = " · data age in sessions: " + ", ".join(f"{k} {count(v)}" for k, v in _short_ages(ages).items()) if ages else ""
    lines.append(_wrap(f"model {card['model']}, trained to {card['trained_to']}{data_age}"))
    return "\n".join(lines)


def _short_ages(ages: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"momentum": "prices", "flows": "flows", "profitability": "filings", "crypto": "coins"}
    return {word: ages.get(family) for family, word in shown.items() if family in ages}


def _regime(regime: Mapping[str, Any]) -> str:
    name = str(regime["name"]).replace("_", "-") if isinstance(regime["name"], str) else "not yet fitted"
    text = f"{name} · P(risk-on) {prob(regime['probability'])}"
    if regime["low"] is not None:
        text += f", range {prob(regime['low'])} - {prob(regime['high'])} over {regime['range_of']}"
    text += f" · for {plural(regime['sessions'], 'session')}, since {regime['since']}"
    if regime["dwell_expected"]:
        text += f" · such a spell lasts {regime['dwell_expected']:.0f} sessions on average"
    if regime["kind"] == "classifier":
        text += " · label of a classifier: small caps rise over the next month without a deep fall"
    elif not regime["identified"]:
        text += " · unidentified: the states cannot be told apart well enough to be named"
    elif regime["mean_test_passed"]:
        text += " · the states differ in mean and variance"
    else:
        text += " · a calm/turbulent label: the states differ in variance, not surely in mean"
    return _fill("REGIME", text)


def _breakout(breakout: Mapping[str, Any]) -> str:
    drawdown, age = breakout["drawdown"], breakout["record_age"]
    place = UNKNOWN if drawdown is None else f"{-math.expm1(drawdown):.0%} below the record" if drawdown else "at the record"
    text = f"Russell 2000: {str(breakout['state'] or UNKNOWN).replace('_', ' ')} ({place}; the last record is {count(age)} sessions old)"
    last = breakout["last"]
    text += f" · last event: {last['event'].replace('_', ' ')} on {last['date']}" if last else " · no event on record"
    return _fill("BREAKOUT", text)


def _forecast(card: Mapping[str, Any]) -> str:
    header = (
        f"{'FORECAST':<{LABEL}}{'asset':<6}{'sessions':>8}  {'median':>7}  {'80% interval':>15}  {'P(up)':>6}"
        f"  {'base rate':>9}  {'n (independent)':>15}  served by"
    )
    lines = [header]
    asset = None
    for each in card["forecast"]:
        name = each["asset"] if each["asset"] != asset else ""
        asset = each["asset"]
        interval = f"[{percent(each['log_lo80'])}, {percent(each['log_hi80'])}]"
        horizon = f"{each['horizon']}{'*' if each['descriptive'] else ' '}"
        words = (each["served_by"] or UNKNOWN).split()
        source = {"baseline": " ".join(words[:2]), "walk-forward:": words[-1]}.get(words[0], words[0])
        lines.append(
            f"{'':<{LABEL}}{name:<6}{horizon:>8}  {percent(each['log_median']):>7}  {interval:>15}  {prob(each['p_up']):>6}"
            f"  {prob(each['base_up']):>9}  {each['n']:>8} {'(' + str(each['n_independent']) + ')':>6}  {source}"
        )
    lines.append(_wrap("* descriptive: one decade is too short to establish such a horizon", indent=LABEL))
    return "\n".join(lines)


def _against(against: Mapping[str, Any], trained_to: str) -> str:
    parts = []
    if against["flow_ytd_usd"] is not None:
        word = "outflows" if against["flow_ytd_usd"] < 0 else "inflows"
        amount = abs(against["flow_ytd_usd"]) / 1e9
        share = "" if against["flow_ytd_share"] is None else f", {abs(against['flow_ytd_share']):.1%} of assets"
        parts.append(f"{word} year to date ${amount:.1f}bn ({', '.join(against['funds'])}{share})")
    else:
        parts.append(_no_news("fund flows", against["flows_last_seen"]))
    if against["record_high_with_outflows"]:
        parts.append("record high with outflows year to date")
    if against["neg_share"] is not None:
        record = against["neg_share_record"]
        note = ""
        if record and record["date"] == trained_to:
            note = ", highest on record" if record["whole_record"] else f", highest since {record['highest_since']}"
        parts.append(f"{against['neg_share']:.0%} of {count(against['neg_share_n'])} filers lose money{note}")
    else:
        record = against["neg_share_record"]
        past = f" (then {record['value']:.0%} lost money)" if record else ""
        parts.append(_no_news("profitability", against["profitability_last_seen"]) + past)
    if against["breadth"] is not None:
        parts.append(f"{against['breadth']:.0%} of stocks above their 200-day average (survivorship-biased panel)")
    if against["vix"] is not None:
        parts.append(f"VIX {against['vix']:.0f}")
    return _fill("AGAINST", " · ".join(parts))


def _no_news(what: str, last: str | None) -> str:
    return f"{what}: no news since {last}" if last else f"{what}: no data"


def _history(card: Mapping[str, Any]) -> str:
    horizon = 63 if any(h["horizon"] == 63 for h in card["history"]) else (card["history"][0]["horizon"] if card["history"] else 0)
    shown = [h for h in card["history"] if h["horizon"] == horizon]
    if not shown:
        return _fill("HISTORY", "no confirmed breakout of the Russell 2000 on record")
    parts = []
    for each in shown:
        base = next((f["base_up"] for f in card["forecast"] if (f["asset"], f["horizon"]) == (each["asset"], horizon)), None)
        before = f", {each['before_prices']} more before it had prices" if each["before_prices"] else ""
        moves = ", ".join(percent(r) for r in each["log_returns"]) or "none"
        noun = "breakout" if each["n"] == 1 else "breakouts"
        parts.append(f"{each['asset']} after {each['n']} confirmed {noun} ({moves}{before}; base rate of a rise {prob(base)})")
    return _fill("HISTORY", f"over {horizon} sessions: " + " · ".join(parts) + " · too few to conclude from")


def _skill(card: Mapping[str, Any]) -> str:
    tested = [s for s in card["skill"] if s["p_adjusted"] is not None]
    won = [s for s in tested if s["verdict"] == "beats the baseline"]
    trials = f"{card['trials']} variants tried"
    if not tested:
        return _fill("SKILL", f"no out-of-sample test yet: too few rows · {trials}")
    best = min(tested, key=lambda s: s["p_adjusted"])
    if won:
        rungs = {(f["asset"], f["horizon"]): (f["served_by"] or UNKNOWN).split(":")[0] for f in card["forecast"]}
        cells = ", ".join(
            f"{s['asset']} {s['horizon']} by {rungs.get((s['asset'], s['horizon']), UNKNOWN)}, adjusted p "
            f"{p_value(s['p_adjusted'])}, CRPS {s['crps_skill']:+.1%}"
            for s in won
        )
        return _fill(
            "SKILL", f"beats the best baseline out of sample: {cells}{own_momentum(won, rungs)} · the baseline serves the rest · {trials}"
        )
    text = f"no model beat its baseline out of sample: the baseline's own forecast is served · best of {len(tested)} tests: "
    return _fill(
        "SKILL",
        text + f"{best['asset']} {best['horizon']} sessions, p {p_value(best['p'])}, adjusted {p_value(best['p_adjusted'])} · {trials}",
    )


def own_momentum(won: list[dict[str, Any]], rungs: Mapping[tuple[str, int], str]) -> str:
    """Say so where what won is an asset's own momentum: that is no word on small caps."""
    return " · M1 does not read small caps" if any(rungs.get((s["asset"], s["horizon"]), "").startswith("M1") for s in won) else ""


def _fill(label: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=f"{label:<{LABEL}}", subsequent_indent=" " * LABEL, break_on_hyphens=False)


def _wrap(text: str, indent: int = 0) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent, break_on_hyphens=False)
