"""How many small caps take part: two universes from one pass over the panel (METHODS 1.2).

`panel` is every priced column and carries the survivorship bias of its making; `members` are the index members as known
on the day. They are never spliced.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.asof import first_usable, on_sessions
from features.family import Family, prefixed
from features.levels import price_level
from features.market import Market, Panel
from features.membership import member_count, member_mask, member_spans
from features.momentum import INDEX
from features.panel.counts import Totals, add_rows
from features.panel.recount import universes
from features.panel.rows import MAX_GAP, Rows
from features.scaling import rolling_z

FAMILY = "breadth"
UNIVERSES = ("panel", "members")
MIN_COVERAGE = 0.80
BLOCK = 256
"""Securities put in long form at a time."""

Counts = dict[str, NDArray[np.float64]]


def breadth(market: Market) -> Family:
    """Breadth of both universes.

    Parameters
    ----------
    market : Market with a panel; members where there are

    Returns
    -------
    Family with columns `breadth__panel_*` and `breadth__members_*`; NaN where coverage is under .80.
        Coverage of `panel`: priced that session / priced in any of the last 21; of `members`: priced members / members.

    Raises
    ------
    DataError
        If the members are a single list dated back.

    Notes
    -----
    A share is taken over securities priced that session whose last n sessions hold closes; gaps up to 5 sessions are bridged by the last
    close, for averages, highs and returns only. Daily returns beyond a factor 4 are clipped there (bad splits).
    """
    spans = member_spans(market)
    counts = count_universes(market, spans)
    level, _ = price_level(market, INDEX, "close")
    index_momentum = np.log(level).diff(63)
    age = _age(market)
    values, quality = [], []
    for universe in UNIVERSES:
        own = counts[universe]
        coverage = pd.Series(_share(own["priced"], own["expected"]), index=market.sessions)
        values.append(indicators(own, coverage, index_momentum).add_prefix(f"{universe}_"))
        described = pd.DataFrame({"coverage": coverage, "age_sessions": age, "n": own["priced"]})
        quality.append(described.add_prefix(f"{universe}_"))
    return Family(prefixed(pd.concat(values, axis=1), FAMILY), prefixed(pd.concat(quality, axis=1), FAMILY))


def count_universes(market: Market, spans: pd.DataFrame) -> dict[str, Counts]:
    """Count and add up over securities, session by session.

    Parameters
    ----------
    market : Market
    spans : `member_spans` of the market

    Returns
    -------
    for each universe, arrays of length n_sessions by the names of `FLAGS`, `SUMS` and `expected` (`features.panel.counts`)
    """
    n_sessions = len(market.sessions)
    if market.counted is not None:
        everyone, members = market.counted.everyone, replace(market.counted.members, expected=np.zeros(n_sessions, np.int64))
    else:
        everyone, members = Totals.zeros(n_sessions), Totals.zeros(n_sessions)
        for rows in _rows(market, spans):
            add_rows(rows, everyone, members)
    # members without a column in the panel are expected as well
    members.expected[:] = member_count(spans, n_sessions)
    return universes(everyone, members)


def _age(market: Market) -> pd.Series:
    """Sessions since closes last arrived."""
    if market.counted is None:
        return on_sessions(pd.Series(0.0, index=market.panel.close.index), market.panel.known_at, market.sessions)[1]
    place = pd.Series(np.arange(len(market.sessions), dtype=np.float64), index=market.sessions)
    return place - place.where(market.counted.universes()["panel"]["priced"] > 0).ffill()


def _rows(market: Market, spans: pd.DataFrame) -> Iterator[Rows]:
    """Give the closes in long form, some securities at a time."""
    panel = market.panel
    found, slots = newest_rows(panel, market.sessions)
    closes, securities = panel.close.to_numpy(), panel.close.columns
    for left in range(0, closes.shape[1], BLOCK):
        block = closes[found, left : left + BLOCK].T.astype(np.float64)
        members = member_mask(spans, securities[left : left + BLOCK], len(market.sessions))[slots].T
        security, at = np.nonzero(~np.isnan(block))
        yield Rows((security + left).astype(np.int32), slots[at].astype(np.int32), block[security, at], members[security, at])


def newest_rows(panel: Panel, sessions: pd.DatetimeIndex) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find, for each session on which panel rows arrive, the newest of them.

    A row known only after a later one is left out, as in the other frames: using it would rewrite rows already made.

    Returns
    -------
    rows, slots : positions in the panel and in the sessions, both ascending
    """
    known = panel.known_at.astype("int64").to_numpy()
    in_order = known <= np.minimum.accumulate(known[::-1])[::-1]
    slots = first_usable(panel.known_at, sessions)
    rows = np.flatnonzero(in_order & (slots < len(sessions)))
    last_of_slot = np.append(np.diff(slots[rows]) > 0, True)[: len(rows)]
    return rows[last_of_slot], slots[rows][last_of_slot]


def indicators(counts: Counts, coverage: pd.Series, index_momentum: pd.Series) -> pd.DataFrame:
    """Turn the counts of one universe into its indicators.

    Parameters
    ----------
    counts : arrays by name, of one universe of `count_universes`
    coverage : Series on the sessions; rows under .80 count as missing, also inside averages
    index_momentum : 63-session log return of the cap-weighted index

    Returns
    -------
    DataFrame; shares in [0, 1], `adl_chg_21` in securities, `mcclellan` and `summation_chg_21` per 1,000 of net advances
    """
    covered = coverage >= MIN_COVERAGE
    c = {name: pd.Series(count, index=coverage.index).where(covered) for name, count in counts.items()}
    net, moved = c["advances"] - c["declines"], c["advances"] + c["declines"]
    moved = moved.where(moved > 0)
    ranked = 1000 * net / moved
    mcclellan = _average(ranked, 0.10, 39) - _average(ranked, 0.05, 39)
    equal_weight: pd.Series = np.log1p(_ratio(c["return_sum"], c["return_n"]))
    out = pd.DataFrame(
        {
            "pct_above_50": _ratio(c["above_50"], c["n_50"]),
            "pct_above_200": _ratio(c["above_200"], c["n_200"]),
            "nhnl": _ratio(c["highs"] - c["lows"], c["n_252"]),
            "ad": net / moved,
            "adl_chg_21": net.rolling(21, min_periods=17).sum(),
            "mcclellan": mcclellan,
            "summation_chg_21": mcclellan.rolling(21, min_periods=17).sum(),
            "thrust": _average(c["advances"] / moved, 2 / 11, 10),
            "ew_cw": equal_weight.rolling(63, min_periods=63 - MAX_GAP).sum() - index_momentum,
            "dispersion": _spread(c["swing_sum"], c["swing_squares"], c["swing_n"]),
        }
    )
    out["pct_above_200_z"] = rolling_z(out["pct_above_200"])
    return out.where(covered)


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return share


def _ratio(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part / whole.where(whole > 0)


def _average(values: pd.Series, alpha: float, span: int) -> pd.Series:
    """Average exponentially; NaN unless .80 of the last `span` values are there, so also while it starts again after a hole."""
    there = values.notna().rolling(span, min_periods=1).sum() >= MIN_COVERAGE * span
    return values.ewm(alpha=alpha, adjust=False).mean().where(there)


def _spread(total: pd.Series, squares: pd.Series, n: pd.Series) -> pd.Series:
    n = n.where(n > 1)
    return ((squares - total**2 / n) / (n - 1)).clip(lower=0) ** 0.5
