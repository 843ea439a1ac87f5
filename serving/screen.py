"""The card as text: 100 columns, words before colour."""

import textwrap
from collections.abc import Mapping
from typing import Any

import pandas as pd

from serving.clock import clock_sentences
from serving.sentences import ages, card_terms, interval_words, marks, rung
from serving.words import UNKNOWN, percent, prob

WIDTH = 100
LABEL = 10
SHOWN = 3
"""Revised columns that are named; the others are counted."""


def render_screen(card: Mapping[str, Any]) -> str:
    """Lay the card out for a terminal.

    Parameters
    ----------
    card : as made by `serving.card.build_card`
    """
    terms = card_terms(card)
    before, after = ("Regime", "Breakout"), ("Against", "Lag", "History", "Skill")
    blocks = [_head(card), *_blocks(terms, before), _forecast(card), *_blocks(terms, after)]
    return "\n\n".join(blocks)


def _blocks(terms: Mapping[str, list[str]], wanted: tuple[str, ...]) -> list[str]:
    return [_fill(term.upper(), " · ".join(terms[term])) for term in wanted if term in terms]


def _head(card: Mapping[str, Any]) -> str:
    market = card["market"]
    session, known = pd.Timestamp(card["session"]), pd.Timestamp(card["known_at"])
    lines = []
    if market["simulated"]:
        lines.append(_fill("SIMULATED", f"no real market: {market['note'].removeprefix('simulated, ')}"))
    lines.append("appetite · small caps as a gauge of risk appetite")
    lines.append(_wrap(f"as of {session:%a} {session.day} {session:%b %Y}, known {known:%-d %b %Y %H:%M} UTC · market: {market['name']}"))
    data_age = f" · data age {ages(card['ages'])}" if card["ages"] else ""
    model = f"model {card['model']}, trained to {card['trained_to']}" if card["model"] else "there is no champion: the baseline answers"
    lines.append(_wrap(f"{model}{data_age}"))
    if card.get("clock"):
        lines.append(_wrap(" · ".join(clock_sentences(card["clock"], market["simulated"]))))
    if card["trained_to"] and card["session"] < card["trained_to"]:
        lines.append(_wrap(f"base rates, history and skill below are those of {card['trained_to']}, when the model was trained"))
    if card["revised"]:
        more = f" and {len(card['revised']) - SHOWN} more" if len(card["revised"]) > SHOWN else ""
        lines.append(_wrap(f"on its last training session this market reads otherwise now: {', '.join(card['revised'][:SHOWN])}{more}"))
    return "\n".join(lines)


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
        interval = interval_words(each)
        horizon = f"{each['horizon']}{'*' if each['descriptive'] else ' '}"
        lines.append(
            f"{'':<{LABEL}}{name:<6}{horizon:>8}  {percent(each['log_median']):>7}  {interval:>15}  {prob(each['p_up']):>6}"
            f"  {prob(each['base_up']):>9}  {each['n']:>8} {'(' + str(each['n_independent']) + ')':>6}  {_source(each['served_by'])}"
        )
    lines += [_wrap(words, indent=LABEL) for words in marks(card["forecast"])]
    return "\n".join(lines)


def _source(words: str | None) -> str:
    """Name the rung alone: the table has no room for more."""
    if words is None:
        return UNKNOWN
    return f"{'baseline ' if words.startswith('baseline') else ''}{rung(words)}"


def _fill(label: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=f"{label:<{LABEL}}", subsequent_indent=" " * LABEL, break_on_hyphens=False)


def _wrap(text: str, indent: int = 0) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent, break_on_hyphens=False)
