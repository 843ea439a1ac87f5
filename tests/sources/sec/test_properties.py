"""What must hold of every filer: sums, order, and no look ahead."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.sec.algebra import trailing
from sources.sec.facts import CONCEPTS, FACTS
from sources.sec.measure import trailing_measure
from sources.sec.quarters import quarters

CALENDARS = [(13, 13, 13, 13), (13, 13, 13, 14), (16, 12, 12, 12), (16, 12, 12, 13), (12, 12, 12, 16), (12, 12, 12, 17)]
FORMS = ("10-Q", "10-Q", "10-Q", "10-K")
VALUES = st.integers(-(10**10), 10**10)


def reports(integer: Callable[[int, int], int], restated: bool = True, switching: bool = False) -> list[dict]:
    """A company's reports over three years, in any calendar of 52 or 53 weeks; some never filed, some late, some amended.

    `integer` gives a number from the first to the second, both included.
    """
    first = date(2013, 1, 1) + timedelta(days=integer(0, 364))
    rows: list[dict] = []
    before: list[tuple[date, date, int]] = []
    shape = [(16, 12, 12), (12, 12, 12), (13, 13, 13)][integer(0, 2)]
    for _ in range(3):
        weeks = (*shape, 52 + integer(0, 1) - sum(shape))
        values = [integer(-(10**10), 10**10) for _ in range(4)]
        periods = [(first, first + timedelta(days=7 * sum(weeks[: k + 1]) - 1), sum(values[: k + 1])) for k in range(4)]
        concept = CONCEPTS["net_income"][integer(0, 2) if switching else 0]
        for k, period in enumerate(periods):
            if integer(0, 9) == 0:
                continue  # never filed
            known = period[1] + timedelta(days=integer(20, 80))
            rows += _filing(known, FORMS[k], [period, *before[k : k + 1]], concept)
            if restated and integer(0, 4) == 0:
                start, end, value = period
                later = known + timedelta(days=integer(1, 300))
                rows += _filing(later, f"{FORMS[k]}/A", [(start, end, value + integer(-(10**9), 10**9))], concept)
        before, first = periods, periods[3][1] + timedelta(days=1)
    return rows


@st.composite
def filers(draw: st.DrawFn, restated: bool = True, switching: bool = False) -> list[dict]:
    return reports(lambda least, most: draw(st.integers(least, most)), restated, switching)


def _filing(known: date, form: str, stated: list[tuple[date, date, int]], concept: str) -> list[dict]:
    instant = datetime(known.year, known.month, known.day, 12, tzinfo=UTC)
    return [
        {"cik": 7, "concept": concept, "start": start, "end": end, "value": float(value), "accn": f"{known}-{form}-{stated[0][1]}"}
        | {"form": form, "filed": known, "known_at": instant}
        for start, end, value in stated
    ]


def frame(rows: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=FACTS)


@given(first=VALUES, second=VALUES, third=VALUES, fourth=VALUES, calendar=st.sampled_from(CALENDARS), late=st.permutations(range(4)))
@settings(max_examples=40)
def test_quarters_sum_to_the_fiscal_year_exactly(first, second, third, fourth, calendar, late) -> None:
    start, values = date(2014, 2, 2), (first, second, third, fourth)
    ends = [start + timedelta(days=7 * sum(calendar[: k + 1]) - 1) for k in range(4)]
    rows = [
        row
        for k in range(4)
        for row in _filing(ends[3] + timedelta(days=10 + late[k]), FORMS[k], [(start, ends[k], sum(values[: k + 1]))], "X")
    ]
    found = quarters(frame(rows)).sort("known_at").unique(["start", "end"], keep="last").sort("end")
    assert found["value"].to_list() == list(values)
    assert found["value"].sum() == sum(values)


@given(rows=filers(), data=st.data())
@settings(max_examples=20)
def test_order_of_rows_does_not_matter(rows: list[dict], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    assert trailing(frame(rows)).equals(trailing(frame(shuffled)))
    assert quarters(frame(rows)).equals(quarters(frame(shuffled)))


@given(rows=filers(switching=True), cut=st.integers(0, 1200))
@settings(max_examples=25)
def test_dropping_later_filings_changes_no_earlier_value(rows: list[dict], cut: int) -> None:
    limit = datetime(2013, 6, 1, tzinfo=UTC) + timedelta(days=cut)
    whole, part = frame(rows), frame([row for row in rows if row["known_at"] <= limit])
    for made in (trailing, quarters, lambda facts: trailing_measure(facts, "net_income")):
        assert made(whole).filter(pl.col("known_at") <= limit).equals(made(part))


@given(rate=st.integers(-(10**9), 10**9), rows=filers(restated=False))
@settings(max_examples=20)
def test_trailing_year_of_a_constant_rate_is_its_window_times_the_rate(rate: int, rows: list[dict]) -> None:
    constant = [row | {"value": float(rate * ((row["end"] - row["start"]).days + 1))} for row in rows]
    years = trailing(frame(constant))
    # 52 or 53 weeks
    ratios = {value / rate for value in years["value"]} if rate else set()
    assert ratios <= {364.0, 371.0}


@given(quarter=VALUES, rows=filers(restated=False))
@settings(max_examples=20)
def test_trailing_year_of_equal_quarters_is_four_of_them(quarter: int, rows: list[dict]) -> None:
    equal = [row | {"value": float(quarter * round((row["end"] - row["start"]).days / 91.3))} for row in rows]
    years = trailing(frame(equal))
    assert set(years["value"].to_list()) <= {4.0 * quarter}
