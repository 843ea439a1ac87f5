"""Filings of all companies at once: which periods stood in each company's ledger on the sessions on which it filed.

Companies that report by the same calendar have ledgers of the same shape: few differ, and a walk found in one serves all of its shape.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.asof import first_usable
from features.market import Market
from features.trailing import KEEP_DAYS, SAME_DATE, nearest_boundary

Whole = NDArray[np.int64]

BITS = 20
"""Of a number of days, and of a boundary in a key made of several."""

NO_INCOME, NO_REVENUE, ANNUAL = 1, 2, 4
"""Marks of a period: what was not stated, and whether a 10-K stated one that ends there."""


@dataclass(frozen=True)
class Filed:
    """Filings in the order of company and time; arrays of shape (n_filings,).

    Attributes
    ----------
    company : position in the order of names
    slot : session from which the filing can be used
    end : last day of the period, days from `epoch`
    left, right : boundaries of the period, likewise; days near each other are one boundary
    net_income, revenue : USD, NaN where not stated
    annual : whether the form is a 10-K
    epoch : the day, from 1970-01-01, on which days here count from
    """

    company: Whole
    slot: Whole
    end: Whole
    left: Whole
    right: Whole
    net_income: NDArray[np.float64]
    revenue: NDArray[np.float64]
    annual: NDArray[np.bool_]
    epoch: int


@dataclass(frozen=True)
class Ledgers:
    """What had been filed on each session with a filing, of each company that filed.

    Attributes
    ----------
    last : (n_events,) the newest filing at each event
    newest : (n_events,) end of the newest period, 0 where there is none
    start : (n_events + 1,) where the periods of each event begin
    period : (n_periods,) the filing that states each period, in the order in which a ledger holds them
    shape : (n_events,) number of the ledger's shape
    shapes : for each shape, its periods: days from the left and the right boundary to the newest end, and marks
    """

    last: Whole
    newest: Whole
    start: Whole
    period: Whole
    shape: Whole
    shapes: list[list[tuple[int, int, int]]]


def filed(market: Market) -> Filed:
    """Put the filings of a market in order; those no session can use yet are left out."""
    frame = market.filings
    slots = first_usable(frame["known_at"], market.sessions)
    frame, slots = frame[slots < len(market.sessions)], slots[slots < len(market.sessions)]
    company = pd.factorize(frame["security"], sort=True)[0].astype(np.int64)
    start, end = days_of(frame["period_start"]), days_of(frame["period_end"])
    order = np.lexsort((start, end, frame["known_at"].astype("int64").to_numpy(), company))
    epoch = int(start.min()) - 2 * SAME_DATE if len(start) else 0
    company = company[order]
    left, right = _boundaries(company, start[order] - 1 - epoch, end[order] - epoch)
    income, revenue = (frame[name].to_numpy(np.float64)[order] for name in ("net_income", "revenue"))
    annual = frame["form"].str.startswith("10-K").to_numpy(bool)[order]
    return Filed(company, slots[order], end[order] - epoch, left, right, income, revenue, annual, epoch)


def days_of(dates: pd.Series) -> Whole:
    """Give dates as days from 1970-01-01."""
    return dates.to_numpy("datetime64[D]").astype(np.int64)


def ledgers(filings: Filed) -> Ledgers:
    """Follow all companies from filing to filing.

    Parameters
    ----------
    filings : Filed

    Returns
    -------
    Ledgers
    """
    n, company = len(filings.company), filings.company
    counts = filings.left != filings.right  # a period within one boundary is none
    newest = np.maximum.accumulate((company << BITS) + np.where(counts, filings.right, 0))
    goes_on = (company[1:] == company[:-1]) & (filings.slot[1:] == filings.slot[:-1])
    last = np.flatnonzero(np.append(~goes_on, True)[:n])
    order, edge = _in_ledger_order(filings)
    # a period is there from its filing until a newer vintage comes, or it lies too far back
    gone = np.searchsorted(newest, (company << BITS) + np.maximum(filings.left, filings.right) + KEEP_DAYS, side="right")
    renewed = np.append(np.where(edge[order][1:] == edge[order][:-1], order[1:], n), n)[:n]
    begin, stop = np.searchsorted(last, order), np.searchsorted(last, np.minimum(gone[order], renewed))
    length = np.where(counts[order], np.maximum(stop - begin, 0), 0)
    event = np.repeat(begin - (np.cumsum(length) - length), length) + np.arange(length.sum())
    key = (event << 32) | np.repeat(np.arange(n), length)
    key.sort()
    event, period = key >> 32, order[key & 0xFFFFFFFF]
    start = np.searchsorted(event, np.arange(len(last) + 1))
    newest = newest[last] - (company[last] << BITS)
    marks = np.isnan(filings.net_income) * NO_INCOME + np.isnan(filings.revenue) * NO_REVENUE + _annual_before(filings, counts) * ANNUAL
    code = (newest[event] - filings.left[period] << BITS) + (newest[event] - filings.right[period] << 3) + marks[period]
    shape, example = _shapes(code, start)
    shapes = [[_decoded(each) for each in code[start[at] : start[at + 1]].tolist()] for at in example]
    return Ledgers(last, newest, start, period, shape, shapes)


def _decoded(code: int) -> tuple[int, int, int]:
    left = code >> BITS
    rest = code - (left << BITS)
    return left, rest >> 3, rest & 7


def _boundaries(company: Whole, left: Whole, right: Whole) -> tuple[Whole, Whole]:
    """Make days within `SAME_DATE` of a boundary of the company one with it, in the order of filing."""
    left, right = left.copy(), right.copy()
    days = np.sort(np.concatenate(((company << BITS) + left, (company << BITS) + right)))
    step = np.diff(days)
    close = np.unique(days[1:][(step > 0) & (step <= SAME_DATE)] >> BITS)
    for each in close:
        known: dict[int, None] = {}
        begin, stop = np.searchsorted(company, (each, each + 1))
        for at in range(begin, stop):
            for side in (left, right):
                side[at] = nearest_boundary(known, int(side[at]))
                known[int(side[at])] = None
    return left, right


def _in_ledger_order(filings: Filed) -> tuple[Whole, Whole]:
    """Order filings by boundary on the left as first seen, then period as first seen, then vintage; and number the periods."""
    n = len(filings.company)
    base = filings.company << BITS
    seen = np.stack((base + filings.left, base + filings.right), axis=1).ravel()
    _, first, number = np.unique(seen, return_index=True, return_inverse=True)
    edge_key = (filings.company << 2 * BITS) + (filings.left << BITS) + filings.right
    _, first_edge, edge = np.unique(edge_key, return_index=True, return_inverse=True)
    return np.lexsort((np.arange(n), first_edge[edge], first[number[::2]])), edge


def _annual_before(filings: Filed, counts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a 10-K had stated a period with this end by then."""
    n = len(filings.company)
    _, end = np.unique((filings.company << BITS) + filings.right, return_inverse=True)
    soonest = np.full(int(end.max()) + 1 if n else 0, n)
    stated = np.flatnonzero(filings.annual & counts)
    np.minimum.at(soonest, end[stated], stated)
    before: NDArray[np.bool_] = soonest[end] <= np.arange(n)
    return before


def _shapes(code: Whole, start: Whole) -> tuple[Whole, Whole]:
    """Number the different sequences of codes: (n_events,), and an event of each."""
    length = np.diff(start)
    mixed = _mix(code, np.arange(len(code)) - np.repeat(start[:-1], length))
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(mixed)))
    _, example, shape = np.unique(sums[start[1:]] - sums[start[:-1]], return_index=True, return_inverse=True)
    like = example[shape]
    # a hash may collide: who is not like the example has a shape of its own
    alike = length == length[like]
    inside = np.repeat(alike, length)
    within = np.arange(len(code)) - np.repeat(start[:-1], length)
    differs = code[inside] != code[(np.repeat(start[like], length) + within)[inside]]
    alike[np.repeat(np.arange(len(length)), length)[inside][differs]] = False
    alone = np.flatnonzero(~alike)
    shape[alone] = len(example) + np.arange(len(alone))
    return shape, np.concatenate((example, alone))


def _mix(code: Whole, place: Whole) -> NDArray[np.uint64]:
    """Hash codes and their places (finaliser of splitmix64)."""
    mixed: NDArray[np.uint64] = code.astype(np.uint64) + place.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
