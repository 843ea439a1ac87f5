"""The word compare: find runs, refuse unlike ones, print and write the table."""

from pathlib import Path

import jinja2
import pandas as pd

from serving.output import write_table, write_text
from training.compare import Scored, comparison, find_runs, refuse_unlike
from training.errors import JobError


def compare_experiment(experiment: str, names: list[str], *, common: bool) -> pd.DataFrame:
    """Compare the runs of an experiment.

    Parameters
    ----------
    names : ids or names of runs; all if empty
    common : rank on shared dates where the dates differ, instead of refusing
    """
    runs = _pick(find_runs(experiment), names, experiment)
    if not common:
        refuse_unlike(runs)
    return comparison(runs)


def _pick(runs: list[Scored], names: list[str], experiment: str) -> list[Scored]:
    unknown = [name for name in names if not any(name in (run.run_id, run.name) for run in runs)]
    if unknown:
        raise JobError(f"compare: '{unknown[0]}' is no finished run of '{experiment}'; there are {', '.join(run.name for run in runs)}")
    return [run for run in runs if not names or run.run_id in names or run.name in names]


def render_comparison(table: pd.DataFrame, experiment: str) -> str:
    """Lay the comparison out for a terminal."""
    first, last, rows = table["first"].iloc[0], table["last"].iloc[0], table["rows"].iloc[0]
    lines = [
        f"experiment '{experiment}' on {rows} common out-of-sample rows, {first} to {last}",
        "CRPS relative to the expanding mean's, smaller is better; differences are not tested here",
        "",
        f"{'':>4}{'run':<34}{'CRPS ratio':>11}{'80% held':>10}  run id",
    ]
    for place, row in enumerate(table.to_dict("records"), start=1):
        lines.append(f"{place:>3} {row['name']:<34}{row['crps_ratio']:>11.4f}{row['coverage_80']:>10.1%}  {str(row['run_id'])[:8]}")
    return "\n".join(lines)


def write_comparison(table: pd.DataFrame, experiment: str, out: Path) -> list[Path]:
    """Write OUT.csv and OUT.html."""
    paths = [out.with_name(out.name + ".csv"), out.with_name(out.name + ".html")]
    write_table(table, paths[0])
    write_text(_page(table, experiment), paths[1])
    return paths


def _page(table: pd.DataFrame, experiment: str) -> str:
    pages = jinja2.Environment(loader=jinja2.PackageLoader("training"), autoescape=True)
    return pages.get_template("comparison.html.j2").render(experiment=experiment, rows=table.to_dict("records"))
