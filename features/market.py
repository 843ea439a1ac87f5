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
from features.schemas import KEYS, SCHEMAS, checked, empty

BAD_SHARE = 0.01
"""More bad records than this share of a series are no accident: the load stops."""

ON_SESSIONS = ("prices", "funds")
"""Frames whose dates must be sessions of the exchange."""

IN_ORDER = ("prices", "coins", "funds", "macro")
"""Frames whose records become known in the order of their dates."""

QUARANTINE = ("frame", "series", "date", "rule")


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
            good[each], aside = _set_aside(each, frame, sessions, origin)
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
        """Hash of every record: the same market gives the same 64 hex digits on any machine."""
        digest = hashlib.sha256(f"{self.name}|{self.simulated}|{self.note}".encode())
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


def _set_aside(name: str, frame: pd.DataFrame, sessions: pd.DatetimeIndex, origin: Mapping[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the good records from the bad ones.

    A record that became known after a later one of its series cannot be used without rewriting what was computed
    meanwhile, so it stays out. Whether it does is settled at the instant it becomes known: nothing sees the future.
    """
    series = KEYS[name][0]
    rule = pd.Series("", index=frame.index, dtype=str)
    if name in IN_ORDER and len(frame):
        known = frame["known_at"].astype("int64")
        soonest_later = known[::-1].groupby(frame[series][::-1]).cummin()[::-1]
        rule[known > soonest_later] = "known only after a later record of its series"
    if name == "filings":
        rule[frame["period_end"].dt.tz_localize("UTC") > frame["known_at"]] = "period end after known-at"
    if name in ON_SESSIONS:
        rule[~frame["date"].isin(sessions)] = "date is no session"
    bad = rule != ""
    date = frame["date"] if "date" in frame else frame[KEYS[name][1]]
    aside = pd.DataFrame({"frame": name, "series": frame[series], "date": date, "rule": rule})[bad.to_numpy()]
    _stop_if_many(name, frame[series], aside, origin)
    return frame[~bad].reset_index(drop=True), aside


def _stop_if_many(name: str, series: pd.Series, aside: pd.DataFrame, origin: Mapping[str, str]) -> None:
    # filings of one company are too few for a share of their own: there the frame is the series
    whole = series if name not in ("filings", "members") else pd.Series(name, index=series.index)
    total = whole.value_counts()
    count = whole[aside.index].value_counts()
    share = (count / total[count.index]).sort_values()
    if len(share) and share.iloc[-1] > BAD_SHARE:
        worst = str(share.index[-1])
        first = aside[(whole[aside.index] == worst).to_numpy()].iloc[0]
        raise DataError(
            f"{origin.get(worst, name)}: series '{worst}': {count[worst]} of {total[worst]} records are bad, more than {BAD_SHARE:.0%}; "
            f"the first is {first['date']:%Y-%m-%d}: {first['rule']}. Correct the file, or the start and end of this "
            "series in the market file"
        )


def _checked_panel(panel: Panel | None, sessions: pd.DatetimeIndex) -> tuple[Panel, pd.DataFrame]:
    none = pd.DataFrame(columns=list(QUARANTINE))
    if panel is None:
        index = pd.DatetimeIndex([], dtype="datetime64[us]", name="date")
        return Panel(pd.DataFrame(index=index), pd.Series([], index=index, dtype="datetime64[us, UTC]", name="known_at")), none
    close = panel.close.sort_index()
    if close.index.has_duplicates:
        day = close.index[close.index.duplicated()][0]
        raise DataError(f"panel: date {day:%Y-%m-%d} is there twice; rule: one row per session")
    if close.columns.has_duplicates:
        raise DataError(f"panel: security '{close.columns[close.columns.duplicated()][0]}' is there twice; rule: one column per security")
    values = close.to_numpy()
    if values.dtype.kind != "f":
        raise DataError(f"panel: closes are {values.dtype}; rule: every column holds floating-point prices")
    wrong = np.argwhere(~((values > 0) | np.isnan(values)) | np.isinf(values))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(
            f"panel: column '{close.columns[column]}', row {close.index[row]:%Y-%m-%d}: {values[row, column]} breaks the rule 'is positive'"
        )
    good = close.index.isin(sessions)
    if (~good).mean() > BAD_SHARE:
        raise DataError(
            f"panel: {(~good).sum()} of {len(good)} rows are no sessions, the first {close.index[~good][0]:%Y-%m-%d}; rule: at most 1%"
        )
    aside = pd.DataFrame({"frame": "panel", "series": "panel", "date": close.index[~good], "rule": "date is no session"})
    return Panel(close[good], panel.known_at.sort_index()[good]), aside
