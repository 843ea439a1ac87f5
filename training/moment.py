"""The card of this moment: what only the present knows is put to the answer of the model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from serving.card import TOLD_APART
from serving.clock import clock_of
from serving.label_place import SeriesOf
from serving.label_series import LabelSeries
from training.errors import LedgerError
from training.ledger.ledger import Ledger
from training.tracking import REGISTERED


def card_now(card: Mapping[str, Any], version: str | None, labels: Path, ledger: Ledger, instant: pd.Timestamp) -> dict[str, Any]:
    """Put clock, last revision and the trials made since to a card.

    Parameters
    ----------
    card : as of `serving.card.build_card`
    version : of the champion that answered; None where none did, and then nothing was published of it
    labels : folder of all series of labels; it is read and not written
    ledger : of trials; one that is broken tells nothing
    instant : of asking
    """
    told = dict(card) | {"clock": clock_of(card["session"], instant), "trials": _trials(card.get("trials"), ledger)}
    market = card["market"]
    if version is None:
        return told
    revisions = LabelSeries(labels, SeriesOf.known(REGISTERED, market["name"], market["simulated"], market["note"])).revisions()
    newest = revisions[revisions["differs"]]
    return told | ({"last_revision": _revision(newest.iloc[-1])} if len(newest) else {})


def _trials(trials: Mapping[str, Any] | None, ledger: Ledger) -> dict[str, Any] | None:
    """Add how many trials the family has by now; None where that is not known."""
    if trials is None:
        return None
    try:
        entries = ledger.read().families().get(trials["family_id"])
    except LedgerError:
        entries = None
    return dict(trials) | {"family_now": len(entries) if entries else None}


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
