"""Tables of the report on how good forecasts were: skill, scores, coverage, PIT tests, what they would have earned."""

import numpy as np
import pandas as pd

from models.forecast import RUNGS
from serving.card import LONGEST_CONFIRMED
from serving.words import count, fixed, p_value, prob, share, signed
from training.book import SERVED
from training.evaluation.coverage import EVERY_ROW, REGIMES, TERCILES
from training.reports.table import Table
from training.strategies import Strategies

KINDS = {"model": "model's own", "conformal": "calibrated"}
CHOICES, UNBOUNDED = "the walk's choices", "unbounded"


def served_table(skill: pd.DataFrame) -> Table:
    """The tested family: what would have been served, one row an asset and horizon."""
    rows = []
    for r in skill[skill["rung"] == SERVED].to_dict("records"):
        numbers = [
            signed(r["crps_skill"]),
            signed(r["r2_oos"]),
            p_value(r["p"]),
            p_value(r["p_adjusted"]),
            p_value(r["p_delay1"]),
            p_value(r["p_gain"]),
        ]
        verdict = f"{r['verdict']}; {r['note']}" if r["note"] else r["verdict"]
        rows.append([r["asset"], str(r["horizon"]), f"{r['n']} ({r['n_independent']})", r["best_baseline"], *numbers, verdict])
    head = [
        "asset",
        "sessions",
        "n (independent)",
        "best baseline",
        "CRPS skill",
        "R² out of sample",
        "p",
        "p adjusted",
        "p, a session late",
        "p of CRPS",
        "verdict",
    ]
    return Table(
        f"The walk's choices: the rung that an inner walk had chosen by then. Those up to {LONGEST_CONFIRMED} sessions are tests.",
        head,
        rows,
        text=(0, 3, 10),
    )


def rung_table(skill: pd.DataFrame, asset: str) -> Table:
    """Every rung of one asset, with raw p-values."""
    rows = []
    for r in skill[skill["asset"] == asset].to_dict("records"):
        name = "the walk's choices" if r["rung"] == SERVED else f"{r['rung']} {RUNGS[r['rung']]}"
        best = "*" if r["rung"] == r["best_baseline"] else ""
        cost = [
            fixed(r["crps"], 4),
            fixed(r["log_score"], 3),
            fixed(r["pinball"], 4),
            signed(r["crps_skill"]),
            signed(r["r2_oos"]),
            fixed(r["brier"], 3),
            share(r["coverage_80"]),
        ]
        rows.append(
            [f"{r['horizon']}", name + best, str(r["n"]), *cost, fixed(r["cw_t"], 2), p_value(r["p"]), p_value(r["p_delay1"]), r["note"]]
        )
    head = [
        "sessions",
        "rung",
        "n",
        "CRPS",
        "log score",
        "pinball loss",
        "CRPS skill",
        "R² out of sample",
        "Brier of P(up)",
        "80% interval held",
        "Clark-West t",
        "raw p",
        "raw p, a session late",
        "remark",
    ]
    caption = f"{asset}: every rung against the best baseline (*). Raw p-values of single rungs are descriptive."
    return Table(caption, head, rows, text=(1, 13))


def interval_table(skill: pd.DataFrame) -> Table:
    """Write what the table of the tests leaves out, of the walk's choices and of the best baseline."""
    rows = []
    for r in skill[(skill["rung"] == SERVED) | (skill["rung"] == skill["best_baseline"])].to_dict("records"):
        name = CHOICES if r["rung"] == SERVED else f"{r['rung']} {RUNGS[r['rung']]}"
        scores = [fixed(r[score], digits) for score, digits in (("crps", 4), ("log_score", 3), ("pinball", 4), ("interval_score", 3))]
        held = [fixed(r["brier"], 3), share(r["coverage_80"]), p_value(r["p_overlap"])]
        rows.append([r["asset"], str(r["horizon"]), name, *scores, *held, f"{r['n']} ({r['n_independent']})"])
    head = [
        "asset",
        "sessions",
        "forecast",
        "CRPS",
        "log score",
        "pinball loss",
        "interval score, 80%",
        "Brier of P(up)",
        "80% interval held",
        "p of all rows",
        "n (independent)",
    ]
    return Table("Scores of the walk's choices beside the best baseline's; of scores less is better.", head, rows, text=(0, 2))


def pit_test_table(skill: pd.DataFrame) -> Table:
    """Write the tests of 'outcomes fall evenly in their forecasts'."""
    rows = [
        [r["asset"], str(r["horizon"]), p_value(r["ks_p"]), p_value(r["berkowitz_p"]), f"{r['n']} ({r['n_independent']})"]
        for r in skill[skill["rung"] == SERVED].to_dict("records")
    ]
    head = ["asset", "sessions", "p of uniform (Kolmogorov, Smirnov)", "p of independent and normal (Berkowitz)", "n (independent)"]
    return Table("Two tests of the histograms, on rows that do not overlap; a small p: they are wrong as a whole.", head, rows)


def coverage_view(coverage: pd.DataFrame, level: float) -> Table:
    """Write one nominal level of `training.evaluation.coverage.coverage_table` over all rows."""
    rows = []
    for r in coverage[(coverage["level"] == level) & (coverage["group"] == EVERY_ROW)].to_dict("records"):
        width = UNBOUNDED if r["width"] == np.inf else fixed(r["width"], 3)
        held = [share(r["held"]), f"[{share(r['lo'])}, {share(r['hi'])}]"]
        n = f"{count(r['n'])} ({count(r['n_independent'])})"
        rows.append([r["asset"], str(r["horizon"]), KINDS[r["interval"]], *held, share(r["unbounded"]), width, n, r["verdict"]])
    head = ["asset", "sessions", "interval", "held", "95% interval", "unbounded", "median width, log", "n (independent)", "verdict"]
    return Table(f"How often the {level:.0%} interval held, on all judged rows.", head, rows, text=(0, 2, 8))


def coverage_groups(coverage: pd.DataFrame, level: float) -> Table:
    """Write the same by published regime and by tercile of volatility, a row an asset, horizon and kind of interval."""
    rows = []
    for (asset, horizon, kind), part in coverage[coverage["level"] == level].groupby(["asset", "horizon", "interval"], sort=False):
        own = part.set_index("group")
        held = [f"{share(own.loc[each, 'held'])} ({count(own.loc[each, 'n_independent'])})" for each in (*REGIMES, *TERCILES)]
        rows.append([str(asset), str(horizon), KINDS[str(kind)], *held])
    head = ["asset", "sessions", "interval", *REGIMES, *(f"{each} days" for each in TERCILES)]
    return Table(
        f"How often the {level:.0%} interval held by regime and by volatility (rows that do not overlap).", head, rows, text=(0, 2)
    )


def strategy_view(strategies: Strategies, delay: int, cost_bp: float) -> Table:
    """Write the strategies of one delay and cost."""
    table = strategies.summary
    rows = []
    for r in table[(table["delay"] == delay) & (table["cost_bp"] == cost_bp)].to_dict("records"):
        name = CHOICES if r["series"] == SERVED else f"{r['series']} {RUNGS[r['series']]}"
        ratio = fixed(r["sharpe"], 2) if pd.isna(r["error"]) else f"{r['sharpe']:.2f} ± {r['error']:.2f}"
        chances = [p_value(r["p_gain"]), prob(r["psr"]), prob(r["deflated"])]
        rows.append([r["asset"], str(r["horizon"]), name, ratio, *chances, fixed(r["turnover"], 1), str(r["n"])])
    when = "entered at once" if delay == 0 else "entered a session late"
    head = ["asset", "sessions", "forecast", "Sharpe ratio a year", "p of the gain", "P(above 0)", "gain deflated", "turnover a year", "n"]
    return Table(f"Traded {when}, {cost_bp:.0f} basis points of what is traded.", head, rows, text=(0, 2))
