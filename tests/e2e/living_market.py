"""A vendor whose records grow by a session a day, with late and revised ones, splits, members that come and go; a store asks it daily."""

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import yaml

from features.market import Market
from features.schemas import SCHEMAS
from sources import load_market
from sources.known import known_at
from sources.store import Batch, Store

LIVE = 15
"""Sessions that are lived through."""

ASKED = pd.Timedelta(hours=14, minutes=15)
"""Time of the day after a session (UTC) at which the vendor is asked."""

QUOTED, SECURITIES = ["IWM", "IWN"], 2
"""Series and the number of securities that are given as traded, with their actions."""

Revision = tuple[str, dict[str, Any], str, float, int]
"""Frame, key, column, factor, and the lived session after which the vendor shows the other value, without a word."""


@dataclass
class Vendor:
    """Records as they will have been at the end, each with its known-at; nothing is shown before it."""

    market: Market
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    revisions: list[Revision] = field(default_factory=list)

    @property
    def days(self) -> pd.DatetimeIndex:
        """The sessions that are lived through."""
        return self.market.sessions[-LIVE:]

    def asked(self, k: int) -> pd.Timestamp:
        """Instant after the lived session `k` (-1: before all of them)."""
        return (self.market.sessions[k - LIVE] + pd.Timedelta(days=1) + ASKED).tz_localize("UTC")

    def shown(self, k: int) -> dict[str, pd.DataFrame]:
        """What the vendor shows after the lived session `k`."""
        instant, out = self.asked(k), {}
        for name, frame in self.frames.items():
            out[name] = frame[frame["known_at"] <= instant].copy()
        out["members"]["end"] = out["members"]["end"].where(out["members"]["end"].dt.tz_localize("UTC") <= instant)
        for name, key, column, factor, since in self.revisions:
            if k >= since:
                out[name].loc[_where(out[name], key), column] *= factor
        return {name: frame for name, frame in out.items() if len(frame)}

    def late(self, name: str, key: dict[str, Any], instant: pd.Timestamp) -> None:
        """Let a record be known later than its like."""
        rows = _where(self.frames[name], key)
        assert rows.sum() == 1, (name, key)
        self.frames[name].loc[rows, "known_at"] = instant


def _where(frame: pd.DataFrame, key: dict[str, Any]) -> pd.Series:
    rows = pd.Series(data=True, index=frame.index)
    for column, value in key.items():
        rows &= frame[column] == value
    return rows


def lively(market: Market) -> Vendor:
    """Put everything into the last sessions that vendors do."""
    vendor = Vendor(market, {name: getattr(market, name).copy() for name in SCHEMAS})
    day, frames = vendor.days, vendor.frames
    long = market.panel.close.stack().dropna().rename("close").rename_axis(["date", "security"]).reset_index()
    frames["panel"] = long.assign(known_at=long["date"].map(market.panel.known_at).dt.as_unit("us"))
    traded = _as_traded(vendor)
    _members(vendor)
    filing = frames["filings"][frames["filings"]["known_at"] < vendor.asked(0)].sort_values("known_at").tail(1)
    restated = filing.assign(net_income=filing["net_income"] * 2 - 1e6, known_at=vendor.asked(6) - pd.Timedelta(hours=2))
    frames["filings"] = pd.concat([frames["filings"], restated], ignore_index=True)
    others = sorted(frames["panel"].loc[frames["panel"]["date"] == day[-1], "security"])
    vendor.late("macro", {"series": "VIX", "date": day[3]}, vendor.asked(3) + pd.Timedelta(hours=5))
    vendor.late("macro", {"series": "VIX3M", "date": day[6]}, vendor.asked(8) + pd.Timedelta(hours=8))
    vendor.late("panel", {"security": others[0], "date": day[5]}, vendor.asked(5) + pd.Timedelta(hours=1))
    vendor.late("panel", {"security": others[1], "date": day[4]}, vendor.asked(9) - pd.Timedelta(hours=1))
    vendor.late("quotes", {"series": traded[1], "date": day[8]}, vendor.asked(8) + pd.Timedelta(hours=1))
    vendor.revisions = [
        ("macro", {"series": "HY_OAS", "date": day[2]}, "value", 1.25, 8),
        ("coins", {"asset": "BTC", "date": day[1]}, "close", 1.1, 9),
        ("panel", {"security": others[2], "date": day[3]}, "close", 0.8, 7),
        ("funds", {"fund": "IWM", "date": day[4]}, "shares_outstanding", 1.3, 9),
        ("prices", {"series": "R2000", "date": day[5]}, "close", 0.97, 10),
        ("quotes", {"series": "IWM", "date": day[6]}, "close", 1.05, 11),
        ("actions", {"series": "IWM", "date": day[7]}, "dividend", 3.0, 12),
    ]
    return vendor


def _as_traded(vendor: Vendor) -> list[str]:
    """Give some series and securities as they were traded, with splits and dividends, one of them told late."""
    frames, day = vendor.frames, vendor.days
    listed = frames["panel"].loc[frames["panel"]["date"] == day[-1], "security"]
    traded = sorted(listed)[-SECURITIES:]
    prices = frames["prices"]
    own = [prices[prices["series"].isin(QUOTED)][["series", "date", "close", "known_at"]]]
    own.append(frames["panel"][frames["panel"]["security"].isin(traded)].rename(columns={"security": "series"})[list(own[0].columns)])
    rows = [("IWM", day[4], 2.0, 0.0), ("IWM", day[7], 1.0, 0.3), ("IWN", day[2], 1.0, 0.2), (traded[0], day[6], 3.0, 0.0)]
    rows += [(traded[0], day[9], 1.0, 0.01), (traded[1], day[11], 0.5, 0.02)]
    actions = pd.DataFrame(rows, columns=["series", "date", "split", "dividend"]).astype({"date": "datetime64[us]", "series": "str"})
    frames["actions"] = actions.assign(known_at=known_at("session_close", pd.DatetimeIndex(actions["date"])))
    frames["quotes"] = pd.concat(own, ignore_index=True).astype({"series": "str"})
    for action in actions.itertuples():
        after = (frames["quotes"]["series"] == action.series) & (frames["quotes"]["date"] >= action.date)
        frames["quotes"].loc[after, "close"] /= action.split
    vendor.late("actions", {"series": "IWN", "date": day[2]}, vendor.asked(4) - pd.Timedelta(hours=1))
    frames["prices"] = prices[~prices["series"].isin(QUOTED)].reset_index(drop=True)
    frames["panel"] = frames["panel"][~frames["panel"]["security"].isin(traded)].reset_index(drop=True)
    return traded


def _members(vendor: Vendor) -> None:
    """Let one member leave, and another join who was none."""
    members, day = vendor.frames["members"], vendor.days
    open_ = members.index[members["end"].isna()]
    members.loc[open_[0], "end"] = day[10]
    joins = members.loc[[open_[1]]].assign(start=day[6], known_at=vendor.asked(3) - pd.Timedelta(hours=3))
    vendor.frames["members"] = pd.concat([members.drop(index=open_[1]), joins], ignore_index=True)


@dataclass
class Diary:
    """A store that asks the vendor session by session, and remembers what it read."""

    folder: Path
    vendor: Vendor
    seen: bool = True

    def __post_init__(self) -> None:
        self.now = pd.Timestamp(0, tz="UTC")
        self.store = Store.create(self.folder / "store", simulated=True, clock=self._clock)

    def _clock(self) -> datetime.datetime:
        return self.now.to_pydatetime()

    def ask(self, k: int) -> Batch:
        """Write what is shown after the lived session `k`, as `fetch` does: asked at one instant, recorded a little later."""
        asked = self.vendor.asked(k)
        self.now = asked + pd.Timedelta(seconds=40)
        frames = self.vendor.shown(k)
        plain = frames.pop("panel").assign(known_at=lambda panel: panel["known_at"].dt.tz_convert(None))
        panel = pl.from_pandas(plain).with_columns(pl.col("date").cast(pl.Date), pl.col("known_at").dt.replace_time_zone("UTC"))
        return self.store.write(frames, source="vendor", panel=panel, seen=asked if self.seen else None)

    def read(self, **keys: object) -> Market:
        """Read a market out of the store through a market file."""
        path = self.folder / "market.yaml"
        spec = {"kind": "store", "root": "store", "quoted": QUOTED, "panel": "quotes", **keys}
        path.write_text(yaml.safe_dump(spec), encoding="utf-8")
        return load_market(path)
