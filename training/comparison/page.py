"""A comparison as one page that asks no host for anything."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from serving.words import count, fixed, p_value, share, signed
from training.comparison.compare import Comparison
from training.comparison.plots import MOST_ROWS, curve_figure, curve_runs, saved, set_figure
from training.comparison.screen import SHOWN, facts, placed, shown_name
from training.ledger.words import SHORT_ID
from training.reports.plot import Plot
from training.reports.style import to_bytes
from training.reports.table import Table

TEMPLATES = Path(__file__).parents[1] / "templates"


def page(comparison: Comparison, experiment: str) -> str:
    """Render the page."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("comparison.html.j2").render(
        experiment=experiment,
        market={"simulated": comparison.simulated, "name": comparison.choice.shown[-1].trial.market},
        facts=facts(comparison),
        verdict=comparison.verdict(),
        missing=[each.words() for each in comparison.missing],
        others=comparison.choice.others,
        runs=run_tables(comparison),
        set=_set_plot(comparison),
        curves=_curve_plot(comparison),
        regimes=regime_table(comparison),
        many=comparison.aligned.n_shown > MOST_ROWS,
        cells=cell_view(comparison),
        n_apart=comparison.composite.n_apart,
    )


def run_tables(comparison: Comparison) -> list[Table]:
    """List runs and baselines with what the family leaves of their p-values: the first ones and every baseline, then the others."""
    head = ["place", "run", "CRPS ratio", "adjusted p", "in set", "p", "q", "DSR", "80% held", "announced", "run id"]
    first: list[list[str]] = []
    rest: list[list[str]] = []
    for row in placed(comparison.runs).to_dict("records"):
        is_baseline = row["trial"] < 0
        cells = [count(row["place"]), shown_name(row, comparison), fixed(row["crps_ratio"], SHOWN), *_tested(row, is_baseline)]
        (first if is_baseline or len(first) < MOST_ROWS else rest).append(cells)
    shown = Table("Runs and baselines, least loss first; equal ones share a place.", head, first, text=(1, 10))
    return [shown, Table(f"The other {len(rest)} runs.", head, rest, text=(1, 10))] if rest else [shown]


def _tested(row: dict[Any, Any], is_baseline: bool) -> list[str]:
    in_set = "yes" if row["in_mcs"] else "no"
    if is_baseline:  # the others are tested against it
        return ["", in_set, *[""] * 6]
    return [
        p_value(row["p_adjusted"]),
        in_set,
        p_value(row["p"]),
        p_value(row["q"]),
        fixed(row["deflated"], 2),
        share(row["coverage_80"], 1),
        "yes" if row["prereg"] else "no",
        str(row["run_id"])[:SHORT_ID],
    ]


def _set_plot(comparison: Comparison) -> Plot:
    table = placed(comparison.runs)
    rows = [
        [str(row["name"]), fixed(row["crps_ratio"], SHOWN), fixed(row["mcs_p"], 3), "yes" if row["in_mcs"] else "no"]
        for row in table.to_dict("records")
    ]
    more = f" The first {MOST_ROWS} are drawn." if len(table) > MOST_ROWS else ""
    caption = (
        "Each mark is a run or a baseline; further left is better. The bar spans those that cannot be told from the best (model confidence "
        f"set, T_R, 90%, n = {comparison.composite.n_apart} rows that do not overlap; null: equal losses) and is broken where one lies "
        "outside: steadily a little worse can be told where wildly worse cannot. A wide bar that holds the baselines says that the runs "
        f"show nothing.{more}"
    )
    behind = Table("Ratio and p-value in the confidence set.", ["run", "CRPS ratio", "p", "in the set"], rows, text=(0, 3))
    return Plot(
        to_bytes(set_figure(comparison)), "CRPS ratio of each run and baseline, with the confidence set as a bar", caption, [behind]
    )


def _curve_plot(comparison: Comparison) -> Plot:
    first = curve_runs(comparison)
    gains = saved(comparison)
    years = gains.groupby(gains.index.to_series().dt.year)
    means, sizes = years.mean(), years.size()
    rows = [
        [str(year), count(sizes[year]), *(signed(means.loc[year, str(trial)], 2) for trial in first["trial"])]
        for year in means.index  # newest last, as the curve is read
    ]
    caption = (
        f"Loss saved against {comparison.composite.best_baseline}, the best baseline, added up from the first session on and divided by "
        "the overlap. What rises all the way is skill; what rises once is an episode. The first four runs are drawn in colour, dashes and "
        "marks, the others in grey. No test: see the adjusted p-values."
    )
    head = ["year", "sessions", *map(str, first["name"])]
    behind = Table("Mean loss saved by year, of the expanding mean's loss.", head, rows)
    return Plot(to_bytes(curve_figure(comparison)), "Cumulated loss saved against the best baseline", caption, [behind])


def regime_table(comparison: Comparison) -> Table:
    """List the loss saved by regime, each run by its own probability."""
    runs = comparison.runs[comparison.runs["trial"] >= 0]
    rows = [
        [str(row["name"]), signed(row["skill_on"], 2), count(row["n_on"]), signed(row["skill_off"], 2), count(row["n_off"])]
        for row in runs.to_dict("records")
    ]
    caption = (
        f"Loss saved against {comparison.composite.best_baseline} by regime, each run by its own probability of the first regime (on: at "
        "least .5), with the sessions of each. Descriptive: overlapping rows, no test."
    )
    return Table(caption, ["run", "on", "sessions", "off", "sessions"], rows)


def cell_view(comparison: Comparison) -> Table:
    """List each run by asset and horizon."""
    rows = [
        [
            f"{row['asset']}, {row['horizon']} sessions",
            str(row["name"]),
            count(row["n_apart"]),
            str(row["best_baseline"]),
            fixed(row["crps_ratio"], SHOWN),
            share(row["coverage_80"]),
            p_value(row["p"]),
            p_value(row["p_informed"]),
        ]
        for row in comparison.cells.to_dict("records")
    ]
    return Table(
        "Each run by asset and horizon.", ["cell", "run", "n", "best", "ratio", "80% held", "p", "p informed"], rows, text=(0, 1, 3)
    )
