"""The causality contract: what became known later changes no earlier row, bit for bit (METHODS A1, A12)."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from features.asof import asof
from features.market import Market, Panel

Compute = Callable[[Market], pd.DataFrame]
Alteration = Callable[[Market, pd.Timestamp, np.random.Generator], Market]

NUMBERS: Mapping[str, tuple[str, ...]] = {
    "prices": ("close", "adj_close"),
    "coins": ("close", "market_cap"),
    "funds": ("nav", "shares_outstanding"),
    "filings": ("net_income", "revenue"),
    "macro": ("value",),
}
"""What is altered in each frame; dates and known_at never are."""

SERIES: Mapping[str, str] = {"prices": "series", "coins": "asset", "funds": "fund", "filings": "security", "macro": "series"}


def dropped(market: Market, instant: pd.Timestamp, rng: np.random.Generator) -> Market:
    """Leave out everything known later."""
    return market.as_of(instant)


def noise(market: Market, instant: pd.Timestamp, rng: np.random.Generator) -> Market:
    """Multiply every later number by noise around ten, signs kept."""

    def shaken(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
        return values * 10 * np.exp(rng.standard_normal(values.shape))

    return _altered(market, instant, shaken)


def permuted(market: Market, instant: pd.Timestamp, rng: np.random.Generator) -> Market:
    """Shuffle later numbers among the later records of their series."""

    def shuffled(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
        out = values.copy()
        for group in np.unique(groups):
            at = np.flatnonzero(groups == group)
            out[at] = values[rng.permutation(at)]
        return out

    return _altered(market, instant, shuffled)


ALTERATIONS: Mapping[str, Alteration] = {"dropped": dropped, "noise": noise, "permuted": permuted}


def assert_causal(
    compute: Compute,
    market: Market,
    cuts: Iterable[pd.Timestamp],
    alterations: Mapping[str, Alteration] = ALTERATIONS,
    seed: int = 0,
) -> None:
    """Compute on the whole market and on altered ones: rows up to each cut must be equal bit for bit.

    Parameters
    ----------
    compute : makes a frame whose index holds the session each row belongs to (sessions may repeat, as in a list of events)
    market : Market
    cuts : sessions; what is known after `asof(cut)` is altered
    alterations : by name; `dropped`, `noise` and `permuted` by default

    Raises
    ------
    AssertionError
        Naming alteration, cut, column and the first row that changed.
    """
    whole = compute(market)
    for cut in cuts:
        instant = asof(pd.DatetimeIndex([cut]))[0]
        for name, alter in alterations.items():
            altered = compute(alter(market, instant, np.random.default_rng(seed)))
            difference = first_difference(whole[whole.index <= cut], altered[altered.index <= cut])
            if difference is not None:
                raise AssertionError(f"later records, {name} after {cut:%Y-%m-%d}, changed {difference}")


def first_difference(expected: pd.DataFrame, got: pd.DataFrame) -> str | None:
    """Describe where two frames first differ in a bit; None where they do not. NaN equals NaN."""
    if list(expected.columns) != list(got.columns):
        return f"the columns: {sorted(set(expected.columns) ^ set(got.columns)) or 'their order'}"
    if not expected.index.equals(got.index):
        return f"the rows: {len(expected)} became {len(got)}"
    for column in expected.columns:
        left, right = expected[column].to_numpy(), got[column].to_numpy()
        same = (left == right) | (pd.isna(left) & pd.isna(right))
        if not same.all():
            at = int(np.argmin(same))
            return f"column '{column}' at {expected.index[at]:%Y-%m-%d}: {left[at]!r} became {right[at]!r} ({(~same).sum()} rows did)"
    return None


def shaken_before(market: Market, instant: pd.Timestamp, seed: int = 0, scale: float = 0.05) -> Market:
    """Alter every number known up to `instant` a little: the converse, to find features that hear nothing."""
    rng = np.random.default_rng(seed)

    def shaken(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
        return values * np.exp(scale * rng.standard_normal(values.shape))

    altered = _altered(market, instant, shaken, later=False)
    # profits turn into losses: a share of loss-makers hears nothing else
    turned = (altered.filings["known_at"] <= instant) & (rng.random(len(altered.filings)) < 0.3)
    income = altered.filings["net_income"].where(~turned, -altered.filings["net_income"])
    return dataclasses.replace(altered, filings=altered.filings.assign(net_income=income))


def known_one_session_later(market: Market, frame: str) -> Market:
    """Delay what is known of one frame (or 'panel') by one session."""
    if frame == "panel":
        return dataclasses.replace(market, panel=Panel(market.panel.close, _delayed(market.panel.known_at, market.sessions)))
    records = getattr(market, frame)
    return dataclasses.replace(market, **{frame: records.assign(known_at=_delayed(records["known_at"], market.sessions))})


def _delayed(known_at: pd.Series, sessions: pd.DatetimeIndex) -> pd.Series:
    instants = asof(sessions)
    slots = instants.searchsorted(pd.DatetimeIndex(known_at), side="left") + 1
    ladder = instants.append(pd.DatetimeIndex([instants[-1] + pd.Timedelta(days=n) for n in (1, 2)]))
    return pd.Series(ladder[np.minimum(slots, len(ladder) - 1)], index=known_at.index, name=known_at.name)


def _altered(
    market: Market, instant: pd.Timestamp, change: Callable[[np.ndarray, np.ndarray], np.ndarray], *, later: bool = True
) -> Market:
    frames = {}
    for name, columns in NUMBERS.items():
        frame = getattr(market, name).copy()
        rows = ((frame["known_at"] > instant) == later).to_numpy()
        groups = frame.loc[rows, SERIES[name]].to_numpy()
        for column in columns:
            frame.loc[rows, column] = change(frame.loc[rows, column].to_numpy(), groups)
        frames[name] = frame
    members = market.members.copy()
    rows = ((members["known_at"] > instant) == later).to_numpy()
    members.loc[rows, "security"] = members.loc[rows, "security"].to_numpy()[::-1]
    close = market.panel.close.copy()
    rows = ((market.panel.known_at > instant) == later).to_numpy()
    close.loc[rows] = change(close.to_numpy()[rows], np.zeros(rows.sum()))
    return dataclasses.replace(market, members=members, panel=Panel(close, market.panel.known_at), **frames)
