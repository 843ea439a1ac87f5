"""A market out of a store, by the two instants that its market file names or leaves open."""

import dataclasses
import datetime
import re
from pathlib import Path
from urllib.parse import quote

from features.errors import DataError
from features.market import Market
from sources.spec import StoreSpec
from sources.store import Store
from sources.store.read import instant

LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def from_store(spec: StoreSpec, root: Path) -> Market:
    """Read what was known at one instant, as far as it was recorded by another.

    Parameters
    ----------
    spec : without `recorded` the last batch counts, without `known` what was known at `recorded`
    root : folder of the store

    Returns
    -------
    Market; both instants are in its note, so that the same note and store give the same market for ever

    Raises
    ------
    DataError
        Where there is no store, or no price in it was known.
    """
    store = Store.open(root)
    # asking for no kind gives the instants alone
    recorded = store.as_of(LONG_AGO, spec.recorded, kinds=()).recorded
    if recorded <= LONG_AGO:
        raise DataError(f"store '{root}': nothing was recorded yet; bring records in with `appetite fetch`")
    known = instant(spec.known or recorded, "known")
    quotes = set() if spec.quoted is None else set(store.series("quotes"))
    market = store.to_market(
        known,
        recorded,
        name=spec.name,
        note=f"{spec.note}; {spec.prints} prints known {_words(known)}, recorded {_words(recorded)}",
        start=spec.start,
        end=spec.end,
        prints=spec.prints,
        quoted=None if spec.quoted is None else sorted(quotes.intersection(spec.quoted)),
        panel=() if spec.panel == "stored" else sorted(quotes.difference(spec.quoted or ())),
        counts=root.with_name(f"{root.name}-counts") / f"{quote(spec.name, safe='')}.npz" if spec.counted else None,
    )
    funds = " + ".join(sorted(market.funds["fund"].unique()))
    return dataclasses.replace(market, note=f"{market.note}; funds: {funds}") if funds else market


def instants_of(note: str) -> tuple[datetime.datetime, datetime.datetime] | None:
    """Read the two instants, known and recorded, out of the note of a market that came from a store; None for any other market."""
    found = re.search(r"; \w+ prints known (\S+Z), recorded (\S+Z)(;|$)", note)
    if found is None:
        return None
    known, recorded = (datetime.datetime.fromisoformat(each) for each in found.groups()[:2])
    return known, recorded


def _words(instant: datetime.datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S.%fZ}"
