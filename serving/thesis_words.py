"""The card's lag and history in sentences: what moves first, what followed breakouts, and what the claims are worth."""

from collections.abc import Mapping, Sequence
from typing import Any

from serving.words import UNKNOWN, p_value, percent, plural, prob

HISTORY_HORIZON = 63


def thesis_terms(card: Mapping[str, Any]) -> dict[str, list[str]]:
    """Word lag and history.

    Parameters
    ----------
    card : as made by `serving.card.build_card`; a part that is None is left out
    """
    terms = {}
    if card.get("lag") is not None:
        terms["Lag"] = _lag(card["lag"])
    if card.get("history") is not None:
        terms["History"] = [*_history(card["history"]), *_claims(card.get("claims") or ())]
    return terms


def _lag(lag: Sequence[Mapping[str, Any]]) -> list[str]:
    if not lag:
        return ["too few sessions to look for one"]
    found = [_lead(each) for each in lag if each.get("leads")]
    least = min((each["p_adjusted"] for each in lag if each.get("p_adjusted") is not None), default=None)
    none = (
        f"in days: none found, small caps against {_listed(lag)} (lags of 2 to 63 sessions either way, both labels of the coin's day, "
        f"p over coins {p_value(least)} at least)"
    )
    together = ", ".join(
        f"{each['asset']} {_correlation(each['conventions'][0]['same_day'])} (n {each['conventions'][0]['n']})" for each in lag
    )
    return [*(found or [none]), f"correlation on the day: {together}"]


def _listed(lag: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(str(each["asset"]) for each in lag)


def _correlation(value: float | None) -> str:
    return UNKNOWN if value is None else f"{round(value, 2) + 0.0:+.2f}"  # no minus before a zero


def _lead(each: Mapping[str, Any]) -> str:
    """Say which moves first, by how many days under either label of the coin's day, and how sure that is."""
    asset, ways = each["asset"], each["conventions"]
    who = f"small caps lead {asset}" if ways[0]["best"] > 0 else f"{asset} leads small caps"
    return f"{who} by {' or '.join(_days(way) for way in ways)} (p over coins {p_value(each['p_adjusted'])})"


def _days(way: Mapping[str, Any]) -> str:
    low, high = sorted(abs(way[end]) for end in ("lo_days", "hi_days"))
    sure = f"95% {low} to {high}" if way["lo"] * way["hi"] > 0 else f"95% from {way['lo_days']} to {way['hi_days']}, sign open"
    return f"{abs(way['best_days'])} days ({sure}; {way['day']})"


def _history(history: Sequence[Mapping[str, Any]]) -> list[str]:
    horizons = [each["horizon"] for each in history]
    if not horizons:
        return ["no asset has a history"]
    horizon = HISTORY_HORIZON if HISTORY_HORIZON in horizons else horizons[0]
    out = [_followed(each) for each in history if each["horizon"] == horizon]
    return [f"over {horizon} sessions: {out[0]}", *out[1:]]


def _followed(each: Mapping[str, Any]) -> str:
    before = f", {each['before_prices']} more before it had prices" if each["before_prices"] else ""
    waiting = f", {len(each['not_over'])} not over" if each["not_over"] else ""
    moves = ", ".join(percent(move) for move in each["log_returns"]) or "none"
    base = f"base rate of a rise {prob(each['base_up'])}"
    null = f", shift p {p_value(each['p'])}, adjusted {p_value(each['p_adjusted'])}" if each["n"] else ""
    return f"{each['asset']} after {plural(each['n'], 'confirmed breakout')} ({moves}{before}{waiting}; {base}{null}): {each['verdict']}"


def _claims(claims: Sequence[Mapping[str, Any]]) -> list[str]:
    """Group the claims by verdict."""
    verdicts = dict.fromkeys(str(each["verdict"]) for each in claims)
    parts = [f"{', '.join(str(each['name']) for each in claims if each['verdict'] == verdict)} {verdict}" for verdict in verdicts]
    return [f"claims: {'; '.join(parts)} (`appetite claims`)"] if parts else []
