"""The card of this moment: what only the present knows is put to the answer of the model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from serving.card import TOLD_APART
from serving.clock import clock_of
from serving.label_place import SeriesOf
from serving.label_series import LabelSeries
from training.tracking import REGISTERED


def card_now(card: Mapping[str, Any], version: str | None, labels: Path, instant: pd.Timestamp) -> dict[str, Any]:
    """Put clock and last revision to a card.

    Parameters
    ----------
    card : as of `serving.card.build_card`
    version : of the champion that answered; None where none did, and then nothing was published of it
    labels : folder of all series of labels; it is read and not written
    instant : of asking
    """
    told = dict(card) | {"clock": clock_of(card["session"], instant)}
    market = card["market"]
    if version is None:
        return told
    revisions = LabelSeries(labels, SeriesOf.known(REGISTERED, market["name"], market["simulated"], market["note"])).revisions()
    newest = revisions[revisions["differs"]]
    return told | ({"last_revision": _revision(newest.iloc[-1])} if len(newest) else {})


def _revision(row: pd.Series) -> dict[str, Any]:
    """Give the newest revision as the card tells it (`serving.label_rows.last_revision`)."""
    return {
        "session": f"{row['session']:%Y-%m-%d}",
        "was": row["published_regime"],
        "is": row["regime"],
        "was_p": float(row[f"published_p_{TOLD_APART}"]),
        "p": float(row[f"p_{TOLD_APART}"]),
        "version": row["version"],
    }
