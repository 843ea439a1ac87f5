"""A market from a market file: vendors' files as they are, a store, or the simulator."""

import dataclasses
import datetime
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from features.errors import DataError
from features.market import Market
from features.schemas import KEYS, SCHEMAS
from sources.calendar import sessions as sessions_between
from sources.coins import read_coins
from sources.downloads import MemberBooks, shown
from sources.filings import read_filings
from sources.fund_books import read_member_books
from sources.inventory import panel_name
from sources.market_file import expand_root, read_spec
from sources.members import read_members
from sources.panel import read_panel
from sources.sec_files import read_sec_filings
from sources.series import dated, read_funds, read_macro, read_prices
from sources.simulated import simulate_market
from sources.spec import FilesSpec, FilingFile, SimulatedSpec, Span, StoreSpec
from sources.store_market import from_store, instants_of
from sources.table import Folder


def load_market(path: str | Path, like: str | None = None) -> Market:
    """Read the market that a market file describes.

    Parameters
    ----------
    path : YAML, `kind: simulated` with the parameters of `simulate_market`; `kind: store` with the root of a store; or
        `kind: files` with a root and, for each series, a path below it, the vendor's column names and a rule for known-at
        (`sources.known.RULES`), or a file as its source serves it (`sources.downloads`)
    like : note of an earlier market from this file: a store is read at its two instants, whatever came since

    Returns
    -------
    Market; what was set aside on the way is in its `quarantine`, and its `note` names the funds that are summed

    Raises
    ------
    DataError
        Naming file, line, column, rule and value of the first structural fault.
    """
    spec = read_spec(path)
    if isinstance(spec, SimulatedSpec):
        return simulate_market(spec.seed, spec.effect, spec.lag, spec.years, str(spec.end), spec.n_stocks, spec.n_states)
    root = expand_root(spec.root, Path(path).parent)
    if not isinstance(spec, StoreSpec):
        return _from_files(spec, Folder(root))
    instants = instants_of(like) if like else None
    return from_store(spec if instants is None else dataclasses.replace(spec, known=instants[0], recorded=instants[1]), root)


def _from_files(spec: FilesSpec, folder: Folder) -> Market:
    last = _last(spec, folder)
    span = Span(start=spec.calendar.start, end=last)
    sessions = sessions_between(pd.Timestamp(span.start), pd.Timestamp(last))
    if not len(sessions):
        raise DataError(f"calendar: no session from {span.start} to {span.end}")
    frames = {"prices": read_prices(folder, spec.prices, span)}
    if spec.coins:
        frames["coins"] = read_coins(folder, spec.coins, spec.caps, span)
    if isinstance(spec.members, MemberBooks):
        frames["members"] = read_member_books(folder, spec.members, sessions)
    elif spec.members:
        frames["members"] = read_members(folder, spec.members, sessions)
    if spec.funds:
        frames["funds"] = read_funds(folder, spec.funds, span)
    if isinstance(spec.filings, FilingFile):
        frames["filings"] = read_filings(folder, spec.filings, span)
    elif spec.filings:
        frames["filings"] = read_sec_filings(folder, spec.filings, span)
    if spec.macro:
        frames["macro"] = read_macro(folder, spec.macro, span)
    market = Market.from_frames(
        name=spec.name,
        simulated=False,
        note="; ".join([spec.note, *_universe(frames), *folder.notes]),
        sessions=sessions,
        frames=frames,
        panel=read_panel(folder, spec.panel, span) if spec.panel else None,
        origin=_origin(spec, frames),
    )
    if not folder.quarantine:
        return market
    return dataclasses.replace(market, quarantine=pd.concat([*folder.quarantine, market.quarantine], ignore_index=True))


def _last(spec: FilesSpec, folder: Folder) -> datetime.date:
    """End with the last session of R2000 unless the market file says when."""
    if spec.calendar.end is not None:
        return spec.calendar.end
    table, date = dated(folder, "prices", "R2000", spec.prices["R2000"], spec.calendar)
    folder.quarantine.clear()
    priced = date[table.numbers(str(spec.prices["R2000"].close)).notna()]
    if priced.empty:
        raise DataError(
            f"{table.name}: series 'R2000' has no close on or after {spec.calendar.start}; rule: the market needs its small caps"
        )
    last: datetime.date = priced.max().date()
    return last


def _universe(frames: Mapping[str, pd.DataFrame]) -> list[str]:
    """Name the funds whose flows are summed: the answer depends on the list."""
    return [f"funds: {' + '.join(sorted(frames['funds']['fund'].unique()))}"] if "funds" in frames else []


def _origin(spec: FilesSpec, frames: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Say where each series came from; a name in two frames gets both files."""
    paths: dict[str, list[str]] = {}
    for section in (spec.prices, spec.funds, spec.macro):
        for name, file in section.items():
            paths.setdefault(name, []).append(shown(file))
    for coin in spec.coins:
        # the coins of a long file are known only once it is read
        names = [coin.asset] if coin.asset else frames["coins"]["asset"].unique()
        for name in names:
            paths.setdefault(str(name), []).append(coin.path)
    if spec.members:
        paths["members"] = [shown(spec.members)]
    if spec.filings:
        paths["filings"] = [shown(spec.filings)]
    return {name: " or ".join(dict.fromkeys(files)) for name, files in paths.items()}


def describe_market(market: Market) -> pd.DataFrame:
    """Count what a market holds.

    Returns
    -------
    DataFrame with a row a series (members, filings and the panel have one together): `frame`, `series`, `first` and
    `last` date, `n` records, `quarantined` records
    """
    rows = []
    for name in SCHEMAS:
        frame = getattr(market, name)
        if name in ("members", "filings"):
            groups = [(name, frame)] if len(frame) else []
        else:
            groups = list(frame.groupby(KEYS[name][0], sort=True))
        date = {"members": "start", "filings": "period_end"}.get(name, "date")
        rows += [(name, str(series), part[date].min(), part[date].max(), len(part)) for series, part in groups]
    priced = market.priced()
    if len(priced):
        rows.append(("panel", panel_name(market), priced.index.min(), priced.index.max(), len(priced)))
    table = pd.DataFrame(rows, columns=["frame", "series", "first", "last", "n"])
    aside = market.quarantine
    whole = aside["frame"].isin(["members", "filings", "panel"])
    key = aside["frame"] + "/" + aside["series"].astype(str).mask(whole, "")
    counts = key.value_counts()
    own = table["frame"] + "/" + table["series"].mask(table["frame"].isin(["members", "filings", "panel"]), "")
    return table.assign(quarantined=own.map(counts).fillna(0).astype(int))
