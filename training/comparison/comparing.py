"""The word compare: find runs, refuse unlike ones, print and write the table."""

from pathlib import Path

import jinja2
import pandas as pd

from serving.output import write_table, write_text
from training.comparison.compare import SHORT_ID, Scored, comparison, find_runs, refuse_unlike
from training.errors import JobError

SHOWN = 4
"""Decimals of the ratio: what is equal on the page shares a place."""


def compare_experiment(experiment: str, names: list[str], *, market: str = "", common: bool = False) -> pd.DataFrame:
    """Compare the runs of an experiment.

    Parameters
    ----------
    names : names, ids or beginnings of ids of runs; all if empty
    market : only runs on the market of this name; all if empty
    common : rank on shared dates where the dates differ, instead of refusing
    """
    runs = _pick(find_runs(experiment), names, market, experiment)
    if not common:
        refuse_unlike(runs)
    return comparison(runs)


def _pick(runs: list[Scored], names: list[str], market: str, experiment: str) -> list[Scored]:
    unknown = [name for name in names if not any(_is(run, name) for run in runs)]
    if unknown:
        raise JobError(f"compare: '{unknown[0]}' is no finished run of '{experiment}'; there are {', '.join(map(str, runs))}")
    markets = sorted({run.market for run in runs})
    if market and market not in markets:
        raise JobError(f"compare: no finished run of '{experiment}' is on a market '{market}'; there are {', '.join(markets)}")
    picked = [run for run in runs if not names or any(_is(run, name) for name in names)]
    return [run for run in picked if not market or run.market == market]


def _is(run: Scored, name: str) -> bool:
    return name == run.name or (len(name) >= SHORT_ID and run.run_id.startswith(name))


def render_comparison(table: pd.DataFrame, experiment: str) -> str:
    """Lay the comparison out for a terminal."""
    first, last, rows = table["first"].iloc[0], table["last"].iloc[0], table["rows"].iloc[0]
    lines = ["SIMULATED market"] if bool(table["simulated"].iloc[0]) else []
    lines += [
        f"experiment '{experiment}', market '{table['market'].iloc[0]}', on {rows} common out-of-sample rows, {first} to {last}",
        "CRPS relative to the expanding mean's, smaller is better; differences are not tested here",
        "",
        f"{'':>4}{'run':<34}{'CRPS ratio':>11}{'80% held':>10}  run id",
    ]
    for row in _placed(table).to_dict("records"):
        lines.append(
            f"{row['place']:>3} {row['name']:<34}{row['crps_ratio']:>11.4f}{row['coverage_80']:>10.1%}  {str(row['run_id'])[:SHORT_ID]}"
        )
    return "\n".join(lines)


def _placed(table: pd.DataFrame) -> pd.DataFrame:
    """Number the rows, best first; equal ones share a place."""
    return table.assign(place=table["crps_ratio"].round(SHOWN).rank(method="min").astype(int))


def write_comparison(table: pd.DataFrame, experiment: str, out: Path) -> list[Path]:
    """Write OUT.csv and OUT.html."""
    paths = [out.with_name(out.name + ".csv"), out.with_name(out.name + ".html")]
    write_table(table, paths[0])
    write_text(_page(table, experiment), paths[1])
    return paths


def _page(table: pd.DataFrame, experiment: str) -> str:
    pages = jinja2.Environment(loader=jinja2.PackageLoader("training"), autoescape=True)
    return pages.get_template("comparison.html.j2").render(experiment=experiment, rows=_placed(table).to_dict("records"))
