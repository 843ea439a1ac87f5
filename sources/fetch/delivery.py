"""What a source is given to work with, and what it delivers."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from features.market import Panel
from features.quarantine import QUARANTINE
from sources.store import Store
from sources.web import WebClient
from sources.yaml_file import expand

Progress = Callable[[str, int, int], None]


def no_aside() -> pd.DataFrame:
    """Nothing set aside."""
    return pd.DataFrame(columns=list(QUARANTINE))


@dataclass(frozen=True)
class Delivery:
    """Records of one source that belong together: they are written as one batch.

    Attributes
    ----------
    source : where they come from, as every record will say
    frames : by kind, as `Store.write` takes them
    panel : closes of many securities
    aside : records that were set aside on reading
    missing : names that gave nothing, where that is no fault
    """

    source: str
    frames: Mapping[str, pd.DataFrame]
    panel: Panel | None = None
    aside: pd.DataFrame = field(default_factory=no_aside)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tools:
    """What a source is given.

    Attributes
    ----------
    store : read to go on from what is there
    now : instant (UTC) of asking
    beside : folder of the plan; paths in it are below
    user_agent, per_second : of the HTTP client; the first may name environment variables, which only those who ask need
    progress : called with words, how many are done and how many there are
    inject : in the place of clients of vendors, by name; given by tests
    """

    store: Store
    now: pd.Timestamp
    beside: Path
    user_agent: str
    per_second: float
    progress: Progress
    inject: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def client(self) -> WebClient:
        """The client of services over HTTP, made when first asked for: without a User-Agent there is none."""
        if "client" in self.inject:
            given: WebClient = self.inject["client"]
            return given
        way_out = "set it to a name and an e-mail address, e.g. export {name}='Jane Doe jane@example.org'"
        return WebClient(expand(self.user_agent, "user_agent", way_out), per_second=self.per_second)

    @property
    def downloads(self) -> Path:
        """Folder of downloaded files, beside the store."""
        return self.store.root.with_name(self.store.root.name + "-downloads")

    def last_dates(self, kind: str) -> dict[str, datetime.date]:
        """Give the date of the newest record of each series of a kind."""
        status = self.store.status().filter(kind=kind)
        return {name: last for name, last in status.select("series", "last").rows() if last is not None}


class Source(Protocol):
    """The contract of a source."""

    NEEDS: str
    """What a user must have or set."""

    GIVES: str
    """Kinds of records."""

    KNOWN: str
    """When its records could be known, and by what rule."""

    def deliver(self, tools: Tools) -> Iterator[Delivery]:
        """Fetch; each delivery is whole."""
        ...
