"""The contract between sources and features: frames whose every record says when it was known."""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from features.errors import DataError
from features.panel.counts import FLAGS
from features.panel.recount import PanelBreadth, session_days
from features.quarantine import QUARANTINE, set_aside, set_aside_rows
from features.schemas import SCHEMAS, checked, empty


@dataclass(frozen=True)
class Panel:
    """Closes of many securities, wide.

    Attributes
    ----------
    close : DataFrame, sessions x securities, split- and dividend-adjusted, NaN where not priced
    known_at : Series in UTC on the same index: when the row could be used
    """

    close: pd.DataFrame
    known_at: pd.Series


@dataclass(frozen=True)
class Market:
    """Everything that was recorded of one market. Build it with `Market.from_frames`.

    Attributes
    ----------
    name : str, shown wherever results are shown
    simulated : bool, True for the sample market; shown wherever results are shown
    note : str, one line on what it is (for a simulation: the planted effect and lag)
    sessions : DatetimeIndex, naive dates on which the exchange trades, ascending
    prices : index and fund prices by `series`: `close` price-return and split-adjusted, `adj_close` total return
    coins : UTC-day closes by `asset`, labelled by the day's start, with `market_cap` where there is one
    panel : closes of the constituents
    members : index membership intervals [start, end), open where `end` is NaT
    funds : net asset value and shares outstanding by `fund`; `split` is new shares per old share, 1 on most days
    filings : net income and revenue of the period [period_start, period_end] as one filing stated them, in USD
    macro : other series, one `value` a date
    quarantine : records set aside on entry and the rule each broke
    counted : breadth of a panel that is too large to hold, counted on the sessions where its closes lie; `panel` is then empty
    """

    name: str
    simulated: bool
    note: str
    sessions: pd.DatetimeIndex
    prices: pd.DataFrame
    coins: pd.DataFrame
    panel: Panel
    members: pd.DataFrame
    funds: pd.DataFrame
    filings: pd.DataFrame
    macro: pd.DataFrame
    quarantine: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(QUARANTINE)))
    counted: PanelBreadth | None = None

    def with_counts(self, counted: PanelBreadth) -> "Market":
        """Put counts in the place of a panel.

        Raises
        ------
        DataError
            Where they are of other sessions, or there is a panel as well.
        """
        if self.panel.close.shape[1]:
            raise DataError(f"market '{self.name}': a panel of closes and counts of one; rule: one or the other")
        if not np.array_equal(counted.days, session_days(self.sessions)):
            raise DataError(f"market '{self.name}': counts are of other sessions; rule: those of the market")
        return dataclasses.replace(self, counted=counted)

    @classmethod
    def from_frames(
        cls,
        *,
        name: str,
        simulated: bool,
        note: str,
        sessions: pd.DatetimeIndex,
        frames: Mapping[str, pd.DataFrame],
        panel: Panel | None = None,
        origin: Mapping[str, str] | None = None,
    ) -> "Market":
        """Check, sort and quarantine, once.

        Parameters
        ----------
        frames : the long frames by name (`features.schemas.SCHEMAS`); an absent one is empty
        panel : constituents' closes; None for none
        origin : the file each series came from, for error texts

        Raises
        ------
        DataError
            For structural faults, and where more than 1% of a series' records are bad.
        """
        unknown = sorted(set(frames) - set(SCHEMAS))
        if unknown:
            raise DataError(f"market '{name}': unknown frame '{unknown[0]}'; known are {', '.join(SCHEMAS)}")
        origin = dict(origin or {})
        good: dict[str, Any] = {}
        bad: list[pd.DataFrame] = []
        for each in SCHEMAS:
            frame = checked(each, frames[each], origin) if each in frames else empty(each)
            good[each], aside = set_aside(each, frame, sessions, origin)
            bad.append(aside)
        panel, aside = _checked_panel(panel, sessions)
        quarantine = pd.concat([*bad, aside], ignore_index=True)
        return cls(name, simulated, note, sessions, **good, panel=panel, quarantine=quarantine)

    def priced(self) -> pd.Series:
        """Count the securities priced on each date of the panel, be it held or counted."""
        if self.counted is None:
            return self.panel.close.notna().sum(axis=1)
        priced = pd.Series(self.counted.everyone.counts[FLAGS.index("priced")], index=self.sessions)
        return priced[priced > 0]

    def as_of(self, instant: pd.Timestamp) -> "Market":
        """Keep only what was known at `instant` (UTC), and the sessions whose row could be made then.

        Parameters
        ----------
        instant : timezone-aware Timestamp; `features.asof` gives the one of a session

        Returns
        -------
        Market
        """
        if instant.tzinfo is None:
            raise DataError(f"as_of: {instant} has no time zone; rule: instants are UTC, e.g. pd.Timestamp('2024-01-31', tz='UTC')")
        kept: dict[str, Any] = {each: _known(getattr(self, each), instant) for each in SCHEMAS}
        # a membership that has not ended is open: its end is learnt when it comes
        ended = kept["members"]["end"].dt.tz_localize("UTC") <= instant
        kept["members"]["end"] = kept["members"]["end"].where(ended)
        rows = (self.panel.known_at <= instant).to_numpy()
        panel = Panel(self.panel.close[rows], self.panel.known_at[rows])
        over = (self.sessions + pd.Timedelta(days=1)).tz_localize("UTC") <= instant
        counted = None if self.counted is None else self.counted.until(int(over.sum()))
        return dataclasses.replace(self, sessions=self.sessions[over], panel=panel, counted=counted, **kept)

    def fingerprint(self) -> str:
        """Hash of every record, name and note: the same market gives the same 64 hex digits on any machine."""
        return self._hashed(f"{self.name}|{self.simulated}|{self.note}")

    def content_hash(self) -> str:
        """Hash of every record alone: what the market is called, and what is said of it, changes nothing."""
        return self._hashed("")

    def _hashed(self, head: str) -> str:
        digest = hashlib.sha256(head.encode())
        digest.update(self.sessions.to_numpy("datetime64[us]").tobytes())
        for each in SCHEMAS:
            digest.update(_bits(getattr(self, each)))
        digest.update("|".join(self.panel.close.columns).encode())
        digest.update(np.ascontiguousarray(self.panel.close.to_numpy()).tobytes())
        digest.update(_bits(self.panel.known_at.to_frame()))
        for totals in () if self.counted is None else (self.counted.everyone, self.counted.members):
            for array in (totals.counts, totals.sums, totals.expected):
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def _known(frame: pd.DataFrame, instant: pd.Timestamp) -> pd.DataFrame:
    return frame[frame["known_at"] <= instant].reset_index(drop=True)


def _bits(frame: pd.DataFrame) -> bytes:
    return pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()


def _checked_panel(panel: Panel | None, sessions: pd.DatetimeIndex) -> tuple[Panel, pd.DataFrame]:
    if panel is None:
        index = pd.DatetimeIndex([], dtype="datetime64[us]", name="date")
        none = Panel(pd.DataFrame(index=index), pd.Series([], index=index, dtype="datetime64[us, UTC]", name="known_at"))
        return none, pd.DataFrame(columns=list(QUARANTINE))
    close = panel.close.sort_index()
    good, aside = set_aside_rows(close, sessions)
    return Panel(close[good], panel.known_at.sort_index()[good]), aside
