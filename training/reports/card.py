"""The card's parts that only the report lays out: when it is of, and the forecasts as a table."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from serving.sentences import served_by
from serving.words import percent, prob
from training.reports.tables import Table


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
    note = "Forecasts of the session shown."
    if any(each["descriptive"] for each in card["forecast"]):
        note += " * descriptive: one decade is too short to establish such a horizon."
    return Table(note, head, rows, text=(0, 7))
