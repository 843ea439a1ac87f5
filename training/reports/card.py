"""The card's parts that only the report lays out: when it is of, and the forecasts as a table."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from serving.sentences import interval_words, marks, served_by
from serving.words import percent, prob
from training.reports.table import Table


def card_when(card: Mapping[str, Any]) -> str:
    """Say which session the card is of, and when it could be known."""
    session, known = pd.Timestamp(card["session"]), pd.Timestamp(card["known_at"])
    return f"as of {session:%a} {session.day} {session:%b %Y}, known {known.day} {known:%b %Y %H:%M} UTC"


def forecast_table(card: Mapping[str, Any]) -> Table:
    """Lay the forecasts out with their base rates and what serves them."""
    rows = []
    for each in card["forecast"]:
        horizon = f"{each['horizon']}*" if each["descriptive"] else str(each["horizon"])
        n = f"{each['n']} ({each['n_independent']})"
        numbers = [percent(each["log_median"]), interval_words(each), prob(each["p_up"]), prob(each["base_up"]), n]
        rows.append([each["asset"], horizon, *numbers, served_by(each["served_by"])])
    head = ["asset", "sessions", "median", "80% interval", "P(up)", "base rate", "n (independent)", "served by"]
    note = ". ".join(["Forecasts of the session shown; intervals are calibrated on their own misses", *marks(card["forecast"])])
    return Table(f"{note}.", head, rows, text=(0, 7))
