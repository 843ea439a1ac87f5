"""What the counts of breadth stand on: coverage of both universes, clipped returns, ties."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from features.breadth import MIN_COVERAGE, UNIVERSES, count_universes
from features.market import Market
from features.membership import member_spans
from serving.words import day, share
from training.data.section import Section
from training.reports.plot import Plot
from training.reports.style import INK, LINES, MUTED, canvas, to_bytes
from training.reports.table import Table

BIASED = "survivorship-biased"
NAMES = {"panel": f"panel ({BIASED})", "members": "members"}
TITLE = "Breadth: coverage, clipped returns, ties"
Tables = Mapping[str, pd.DataFrame]
SUMS = ("priced", "expected", "clipped", "ties_50", "ties_200")

CAPTION = (
    "Above: lowest coverage in each month, panel (solid) and members (dashed); under the dotted line at .80 a row is missing. Below: daily "
    "returns beyond a factor 4 that were clipped in each year, panel. A year with many holds bad splits: distrust its equal-weight returns."
)
MEANING = (
    f"The panel is {BIASED}: whoever drew the list up knew who lasted, and its coverage, priced of those priced in the last 21 sessions, "
    "says nothing of who is not in the list. Coverage of the members does: priced members of all members as known on the day."
)


def breadth_section(market: Market) -> Section:
    """Show what both universes are counted from."""
    table = by_session(market)
    if not any(own["priced"].any() for own in table.values()):
        return Section("breadth", TITLE, ["The market has no closes of constituents."], findings=["No constituents: breadth is empty."])
    plot = Plot(to_bytes(coverage_figure(table, market.simulated)), CAPTION, CAPTION, [])
    return Section(
        "breadth",
        TITLE,
        [MEANING],
        [whole_table(table)],
        [year_table(table, each) for each in UNIVERSES],
        [plot],
        findings=_findings(table),
    )


def by_session(market: Market) -> dict[str, pd.DataFrame]:
    """Give counts and coverage of both universes.

    Returns
    -------
    for each universe a DataFrame on the sessions with `SUMS` and coverage (NaN where nobody is expected)
    """
    counts = count_universes(market, member_spans(market))
    tables = {universe: pd.DataFrame({name: counts[universe][name] for name in SUMS}, index=market.sessions) for universe in UNIVERSES}
    return {name: own.assign(coverage=own["priced"] / own["expected"].where(own["expected"] > 0)) for name, own in tables.items()}


def by_year(own: pd.DataFrame) -> pd.DataFrame:
    """Sum counts and describe coverage by year.

    Parameters
    ----------
    own : one universe of `by_session`

    Returns
    -------
    DataFrame by year with `SUMS`, mean, lowest, on (session of the lowest), covered (share of the sessions with a coverage of .80 or more);
        years in which nobody is expected are left out
    """
    own = own[own["coverage"].notna()]
    years = pd.DatetimeIndex(own.index).year
    sums = own[list(SUMS)].groupby(years).sum()
    coverage = own["coverage"].groupby(years)
    described = {"mean": coverage.mean(), "lowest": coverage.min(), "on": coverage.idxmin()}
    return sums.assign(**described, covered=(own["coverage"] >= MIN_COVERAGE).groupby(years).mean())


def _findings(table: Tables) -> list[str]:
    found = [f"The panel of constituents is {BIASED}: its breadth flatters the past."]
    members = table["members"]["coverage"].dropna()
    low = float((members < MIN_COVERAGE).mean()) if len(members) else 1.0
    if not len(members):
        found.append("No dated membership: breadth of the members is empty.")
    elif low > 0:
        found.append(
            f"Members: {share(low)} of the sessions are covered by less than .80 and have no breadth; the mean is {share(members.mean())}."
        )
    clipped = by_year(table["panel"])["clipped"]
    if clipped.sum():
        worst = clipped.index[int(clipped.argmax())]
        found.append(
            f"{clipped.sum():,.0f} daily returns of the panel beyond a factor 4 were clipped, {clipped[worst]:,.0f} of them in {worst}."
        )
    return found


def whole_table(table: Tables) -> Table:
    """Write both universes over the whole span."""
    rows = []
    for universe in UNIVERSES:
        own = table[universe]
        there = own["coverage"].dropna()
        if not len(there):
            rows.append([NAMES[universe], *[""] * 8])
            continue
        sums = [f"{own[name].sum():,.0f}" for name in ("priced", "clipped", "ties_50", "ties_200")]
        covered = [share(there.mean()), share(there.min()), share((there >= MIN_COVERAGE).mean())]
        rows.append([NAMES[universe], f"{day(there.index[0])} to {day(there.index[-1])}", *sums, *covered])
    return Table("Both universes; they are never spliced.", ["universe", "sessions", *_head()], rows, text=(0, 1))


def _head() -> list[str]:
    return ["closes", "returns clipped", "50-day ties", "200-day ties", "mean coverage", "lowest", "sessions at .80 or more"]


def year_table(table: Tables, universe: str) -> Table:
    """Write `by_year`, newest first."""
    rows = []
    for year, row in by_year(table[universe]).iloc[::-1].iterrows():
        sums = [f"{row[name]:,.0f}" for name in ("priced", "clipped", "ties_50", "ties_200")]
        rows.append([str(year), *sums, share(row["mean"]), f"{share(row['lowest'])} on {day(row['on'])}", share(row["covered"])])
    words = "A tie: a close within 1e-9 of its average, counted as not above it."
    return Table(f"{NAMES[universe]}, by year. {words}", ["year", *_head()], rows)


def coverage_figure(table: Tables, simulated: bool) -> Figure:
    """Draw the lowest coverage of each month and the returns clipped in each year."""
    looks: Mapping[str, Mapping[str, str]] = {"panel": {"color": INK}, "members": {"color": LINES[1]["color"], "linestyle": "--"}}
    with canvas(3.6, simulated) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.6, 1.0))
        for universe in UNIVERSES:
            own = table[universe]["coverage"].dropna()
            lowest = own.groupby(pd.DatetimeIndex(own.index).to_period("M")).min()
            above.plot(
                pd.PeriodIndex(lowest.index).to_timestamp(), lowest.to_numpy(), linewidth=1.3, label=NAMES[universe], **looks[universe]
            )
        above.axhline(MIN_COVERAGE, color=MUTED, linewidth=0.9, linestyle=":")
        above.set_ylim(0.0, 1.05)
        above.yaxis.set_major_formatter(PercentFormatter(1.0))
        above.set_title("Coverage, lowest of each month")
        years = by_year(table["panel"])["clipped"]
        middle = pd.to_datetime([f"{year}-07-01" for year in years.index])
        below.bar(middle, years.to_numpy(dtype=np.float64), width=250.0, facecolor="#cfcfcf", edgecolor=INK, linewidth=0.7)
        below.set_ylim(0.0, max(1.0, 1.05 * float(years.max())))
        below.set_title(f"Returns clipped in each year, {NAMES['panel']}")
        figure.legend(loc="outside upper left", ncols=2)
    return figure
