"""The word compare: find runs, refuse unlike ones, print and write the table."""

from html import escape
from pathlib import Path

import pandas as pd

from serving.output import write_table, write_text
from training.compare import Scored, comparison, find_runs, refuse_unlike
from training.errors import JobError

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}table{border-collapse:collapse;width:100%}"
    "th,td{padding:.4rem .6rem;border-bottom:1px solid #999;text-align:right}th:first-child,td:first-child{text-align:left}tr.base{font-style:italic}"
)


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
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in ("run", "CRPS ratio", "80% held", "rows", "first", "last", "run id"))
    body = "".join(
        f"<tr class='{'base' if str(row['name']).startswith('baseline ') else 'run'}'><td>{escape(str(row['name']))}</td><td>{row['crps_ratio']:.4f}</td>"
        f"<td>{row['coverage_80']:.1%}</td><td>{row['rows']}</td><td>{row['first']}</td><td>{row['last']}</td><td>{escape(str(row['run_id']))}</td></tr>"
        for row in table.to_dict("records")
    )
    title = f"Runs of {escape(experiment)}"
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{title}</title><style>{STYLE}</style>"
        f"<h1>{title}</h1><p>Mean CRPS on common out-of-sample rows, relative to the expanding mean's: smaller is better. Differences are not tested here.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></html>\n"
    )
