"""Fetch what a plan names, source by source, into its store."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import DataError
from sources.fetch.delivery import Progress, Source, Tools
from sources.fetch.exchange import Exchange
from sources.fetch.fred import Fred
from sources.fetch.issuer import Issuer
from sources.fetch.market_files import MarketFiles
from sources.fetch.plan import FetchPlan
from sources.fetch.sec import Sec
from sources.fetch.yahoo import Yahoo
from sources.store import Store

LONG_AGO = pd.Timestamp(0, tz="UTC")

COMPACT_AFTER = 100
"""Batches whose files are then put together: reading slows with their number."""


@dataclass(frozen=True)
class Outcome:
    """What became of one source.

    Attributes
    ----------
    source : its name in the plan
    new, revised, identical : records written, written as a further vintage, there already
    quarantined : records set aside, on reading and by the store
    batches : numbers of what was written
    missing : names that gave nothing
    fault : why it stopped, None where it did not; what it had delivered before is in the store
    """

    source: str
    new: int = 0
    revised: int = 0
    identical: int = 0
    quarantined: int = 0
    batches: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()
    fault: str | None = None


def list_sources(plan: FetchPlan, only: tuple[str, ...] = ()) -> dict[str, Source]:
    """Give the sources that a plan names, in the order in which they are fetched.

    Parameters
    ----------
    plan : FetchPlan
    only : names of sources; all where there are none

    Raises
    ------
    DataError
        Where the plan names none, or not one of `only`.
    """
    sources: dict[str, Source | None] = {
        "files": MarketFiles(plan.files) if plan.files else None,
        "fred": Fred(plan.fred) if plan.fred else None,
        "funds": Issuer(plan.funds) if plan.funds else None,
        "yahoo": Yahoo(plan.yahoo) if plan.yahoo else None,
        "coins": Exchange(plan.coins) if plan.coins else None,
        "sec": Sec(plan.sec) if plan.sec else None,
    }
    named = {name: source for name, source in sources.items() if source is not None}
    if not named:
        raise DataError("plan: names no source; rule: at least one of files, fred, funds, yahoo, coins, sec")
    unknown = [name for name in only if name not in named]
    if unknown:
        raise DataError(f"source '{unknown[0]}' is not in the plan; it has {', '.join(named)}")
    return {name: source for name, source in named.items() if not only or name in only}


def _now(store: Store) -> pd.Timestamp:
    """Give the time, but later than every batch before: a clock that was set back must not date a revision before its first print."""
    now = pd.Timestamp.now("UTC")
    # a damaged store is told of by the first source that writes
    with suppress(DataError):
        return max(now, pd.Timestamp(store.as_of(LONG_AGO, kinds=()).recorded) + pd.Timedelta(microseconds=1))
    return now


def fetch_into(
    plan: FetchPlan,
    beside: Path,
    *,
    only: tuple[str, ...] = (),
    now: pd.Timestamp | None = None,
    progress: Progress = lambda *_: None,
    inject: Mapping[str, Any] | None = None,
) -> list[Outcome]:
    """Fetch, and write each delivery as soon as it is whole. A source that fails does not stop the others.

    Parameters
    ----------
    plan : FetchPlan
    beside : folder of the plan; files it names are below
    only : names of sources; all where there are none
    now : instant (UTC) of asking
    progress : called with words, how many are done and how many there are
    inject : in the place of clients of vendors; given by tests

    Returns
    -------
    list of Outcome, one a source

    Raises
    ------
    DataError
        For a name in `only` that the plan does not have.
    """
    sources = list_sources(plan, only)
    store = Store.create(plan.store)
    tools = Tools(store, now or _now(store), beside, plan.user_agent, plan.per_second, progress, inject or {})
    outcomes = [_fetch(name, source, tools) for name, source in sources.items()]
    if any(each.batches for each in outcomes) and store.n_batches() >= COMPACT_AFTER:
        store.compact()
    return outcomes


def _fetch(name: str, source: Source, tools: Tools) -> Outcome:
    done = Outcome(name)
    try:
        for delivery in source.deliver(tools):
            done = _with(done, quarantined=len(delivery.aside), missing=delivery.missing)
            batch = tools.store.write(delivery.frames, source=delivery.source, panel=delivery.panel, seen=tools.now)
            done = _with(done, batches=() if batch.number is None else (batch.number,))
            for count in batch.counts.values():
                done = _with(done, new=count.new, revised=count.revised, identical=count.identical, quarantined=count.quarantined)
    except DataError as fault:
        return _with(done, fault=str(fault))
    return done


def _with(outcome: Outcome, **more: Any) -> Outcome:
    """Add up."""
    kept = {name: getattr(outcome, name) for name in Outcome.__dataclass_fields__}
    added = {name: value if name == "fault" else kept[name] + value for name, value in more.items()}
    return Outcome(**{**kept, **added})
