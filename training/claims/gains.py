"""The gain on the way that a claim promises: what followed a breakout, and how common as much is from any day on."""

import math
from typing import Any

import pandas as pd

from serving.words import day, percent, share
from training.claims.outcomes import excursions
from training.claims.register import GAIN_SAID

RARE = 0.05
"""Share of all sessions below which such a gain is rare, and not what any day brings."""


def best_words(date: Any, moves: pd.Series) -> str:
    """Say how far the best close of the year after a breakout was.

    Parameters
    ----------
    moves : a row of `training.claims.outcomes.excursions`
    """
    best = f"{percent(moves['mfe'])}, {moves['to_mfe']:.0f} sessions on"
    return f"Within a year of the breakout confirmed on {day(date)} the best close was {best}."


def gain_words(price: pd.Series) -> str:
    """Say how common a gain as great as the claim's is from any day on: common, rare, or without an example.

    Parameters
    ----------
    price : of the claim's asset, on sessions
    """
    best = excursions(price)["mfe"].dropna()
    if not len(best):
        return "How common such a gain is cannot be said: no session has a whole year after it."
    great = int((best >= math.log1p(GAIN_SAID)).sum())
    said = f"A best close {GAIN_SAID:+.0%} or more above the start came within a year of"
    if not great:
        return (
            f"{said} none of {len(best):,} sessions (greatest {percent(best.max())}, median {percent(best.median())}): "
            "nothing in the data, event or none, gained as much."
        )
    behind = f"(n = {len(best):,}; median {percent(best.median())})"
    if great / len(best) < RARE:
        return f"{said} {share(great / len(best), 1)} of all sessions {behind}, {great:,} of them: it is rare from any day on."
    return f"{said} {share(great / len(best))} of all sessions {behind}: it takes no event."
