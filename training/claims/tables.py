"""Tables of the trial, in words."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from serving.words import count, day, fixed, p_value, percent, plain, share
from training.claims.c6_c7 import flow_finding, timing_finding
from training.claims.family import Cell
from training.claims.outcomes import HORIZONS
from training.claims.placebos import PLACEBOS
from training.claims.rules import STATES
from training.claims.sentences import SPANS
from training.claims.timing import Timing
from training.claims.trial import Judged, Trial
from training.reports.table import Table

NONE = "–"


def verdict_table(trial: Trial) -> Table:
    """One row a claim."""
    rows = []
    for judged in trial.judged:
        cell = judged.cell
        dates = ", ".join(day(date) for date in cell.dates) if cell is not None and cell.dates else NONE
        rows.append([judged.claim.name, judged.claim.words, str(0 if cell is None else cell.shift.n), dates, judged.verdict])
    rows += [[f.name, f.words, f.n, NONE, f.verdict] for f in (flow_finding(trial), timing_finding(trial))]
    head = ["claim", "in plain words", "n", "dates", "verdict"]
    return Table("The claims and what the data say of them; 'consistent' is the most that can be said.", head, rows, text=(0, 1, 3, 4))


def evidence_table(trial: Trial) -> Table:
    """One row a claim about events: what followed, against what, by which tests."""
    rows = []
    for judged in trial.judged:
        cell, halving = judged.cell, judged.halving
        if cell is None or not cell.shift.n or halving is None:
            continue
        low, high = cell.left_out_range
        left = f"{p_value(low)} to {p_value(high)}" if cell.without else NONE
        counts = [f"{cell.rises.up} of {cell.rises.n}", share(cell.base.up), p_value(cell.shift.p_above), p_value(cell.adjusted[0]), left]
        moves = ", ".join(percent(value) for value in cell.returns)
        rows.append([judged.claim.name, f"{cell.asset}, {cell.horizon}", moves, *counts, f"{halving.shortly} of {halving.n}"])
    head = [
        "claim",
        "asset, sessions",
        "what followed",
        "rose",
        "any session",
        "p shift",
        "adjusted",
        "without one event",
        "near a halving",
    ]
    return Table(
        "By the cell of each claim; without one: p without each event in turn; near a halving: within the 7 months after it.",
        head,
        rows,
        text=(0, 1, 2),
    )


def followed_table(judged: Judged) -> Table:
    """What followed each event, at every horizon and at its best and worst within a year."""
    rows = []
    for extreme in judged.extremes.to_dict("records"):
        own = judged.followed[(judged.followed["asset"] == extreme["asset"]) & (judged.followed["date"] == extreme["date"])]
        moves = ["not over" if pd.isna(move) else percent(move) for move in own.set_index("horizon")["log_return"].reindex(list(HORIZONS))]
        best = [percent(extreme["mfe"]), count(extreme["to_mfe"]), percent(extreme["mae"]), share(extreme["share"])]
        rows.append([day(extreme["date"]), str(extreme["asset"]), *moves, *([NONE] * 4 if pd.isna(extreme["mfe"]) else best)])
    head = ["event", "asset", *(f"{h} ({SPANS[h]})" for h in HORIZONS), "best close", "after, sessions", "worst close", "as good from any"]
    words = "What followed, by sessions; best and worst close within 252, and the share of all sessions with as good a best."
    return Table(words, head, rows, text=(0, 1))


def null_table(cells: Sequence[Cell]) -> Table:
    """Every horizon against its base rate and the nulls."""
    rows = []
    for cell in cells:
        if not cell.shift.n:
            continue
        low, high = cell.left_out_range
        rows.append(
            [
                cell.asset,
                str(cell.horizon),
                str(cell.shift.n),
                f"{cell.rises.up} of {cell.rises.n}",
                f"[{share(cell.rises.low)}, {share(cell.rises.high)}]",
                share(cell.base.up),
                p_value(cell.rises.p),
                percent(cell.shift.mean),
                percent(cell.base.median),
                p_value(cell.shift.p_above),
                p_value(cell.adjusted[0]),
                f"{p_value(low)} to {p_value(high)}" if cell.without else NONE,
                p_value(cell.without_2020.p_above) if cell.without_2020.n else NONE,
                p_value(cell.random_dates.p_above) if cell.random_dates.n else NONE,
                p_value(cell.bootstrap.p_above),
            ]
        )
    head = [
        "asset", "sessions", "n", "rose", "95% interval", "any session", "p binomial", "mean", "median of any", "p shift", "p adjusted",
        "without one event", "without 2020", "p random dates", "p bootstrap",
    ]  # fmt: skip
    return Table("Against the base rate and chance: all p-values one-sided, mean of log moves.", head, rows)


def abnormal_table(judged: Judged) -> Table:
    """What followed beyond what was to be expected."""
    own = judged.followed[judged.followed["log_return"].notna()] if len(judged.followed) else judged.followed
    names = ("log_return", "over_mean", "over_matched", "over_beta")
    rows = [[day(r["date"]), r["asset"], str(r["horizon"]), *(fixed(r[name], 2) for name in names)] for r in own.to_dict("records")]
    head = ["event", "asset", "sessions", "log move", "less the mean known then", "less days as volatile", "less beta to Bitcoin"]
    return Table("Abnormal moves (log): n/a where it was not known then, or where it is Bitcoin itself.", head, rows, text=(0, 1))


def high_table(trial: Trial) -> Table:
    """Record highs since the first coin, in or out by rule, and what Bitcoin did."""
    begun = trial.prices["BTC"].first_valid_index()
    rows = []
    forward = {h: trial.prices["BTC"].shift(-h) / trial.prices["BTC"] - 1 for h in (63, 126, 252)}
    for r in trial.highs[trial.highs["date"] >= begun].to_dict("records"):
        moves = [f"{forward[h][r['date']]:+.0%}" if pd.notna(forward[h][r["date"]]) else NONE for h in forward]
        rows.append([day(r["date"]), r["series"], fixed(r["close"], 2), *moves, r["reason"]])
    head = ["record close", "series", "at", *(f"BTC, {h} sessions" for h in forward), "in or out, and why"]
    return Table("Every record close after two months without one, in or out by rule.", head, rows, text=(0, 1, 6))


def placebo_view(trial: Trial) -> Table:
    """Breakouts that should say nothing, and reversed roles."""
    shown = [table[table["horizon"].isin([63, 252])] if len(table) else table for table in (trial.placebos, trial.reverse)]
    rows = [[f"{PLACEBOS[r['series']]}, {r['kind']}", "BTC", *_tested(r)] for r in shown[0].to_dict("records")]
    rows += [[f"BTC: {STATES[r['state']]}", "R2000", *_tested(r)] for r in shown[1].to_dict("records")]
    head = ["event of", "what moved", "sessions", "n", "mean", "p shift", "dates"]
    words = "Placebos (confirmed breakouts of other markets) and the roles reversed; p one-sided, not adjusted, none under n = 1."
    return Table(words, head, rows, text=(0, 1, 6))


def _tested(row: Mapping[Hashable, Any]) -> list[str]:
    return [str(row["horizon"]), str(row["n"]), percent(row["mean"]), p_value(row["p_above"]), ", ".join(row["dates"]) or NONE]


def naive_table(trial: Trial) -> Table:
    """What not to do."""
    rows = [[str(h), str(t.n), percent(t.mean), fixed(t.t, 1), p_value(t.p)] for h, t in trial.naive.items()]
    head = ["sessions", "record days, as if independent", "mean above any session's", "t", "p"]
    return Table("What not to do: every record day of the Russell 2000 as an event, and a t-test (BTC).", head, rows)


def ends_table(trial: Trial) -> Table:
    """How each confirmed breakout ended."""
    rows = [
        [day(r["confirmed"]), r["series"], share(r["margin"], 2), plain(r["end"]), NONE if pd.isna(r["ended"]) else day(r["ended"])]
        for r in trial.ends.to_dict("records")
    ]
    head = ["confirmed", "series", "margin", "end", "on"]
    return Table("Every confirmed breakout and its end, by rule; a margin under 0.20% is a knife-edge.", head, rows, text=(0, 1, 3, 4))


def projection_table(timings: Sequence[Timing]) -> Table:
    """Local projections of all coins, both ways."""
    rows = []
    for timing in timings:
        for words, table in ((f"R2000 foretells {timing.asset}", timing.forward), (f"{timing.asset} foretells R2000", timing.backward)):
            for horizon, r in table.iterrows():
                if pd.isna(r["p"]):
                    rows.append([words, str(horizon), f"{r['n']:.0f}", "under 30: not computed", NONE, NONE, NONE])
                    continue
                numbers = [fixed(r["slope"], 3), fixed(r["error"], 3), p_value(r["p"]), p_value(r["p_adjusted"])]
                rows.append([words, str(horizon), f"{r['n']:.0f}", *numbers])
    head = ["", "sessions", "n (not overlapping)", "slope", "standard error", "p", "p after Holm"]
    return Table("Local projections: move ahead per move of the last 21 sessions, Hodrick's standard errors (1B).", head, rows)


def grid_table(trial: Trial) -> Table:
    """Every cell of the family with an event."""
    rows = [
        [
            cell.series,
            STATES[cell.state],
            cell.asset,
            str(cell.horizon),
            str(cell.shift.n),
            f"{cell.rises.up} of {cell.rises.n}",
            share(cell.base.up),
            percent(cell.shift.mean),
            p_value(cell.shift.p_above),
            p_value(cell.adjusted[0]),
        ]
        for cell in trial.cells
        if cell.shift.n
    ]
    head = ["series", "event", "asset", "sessions", "n", "rose", "any session", "mean", "p shift", "p adjusted"]
    return Table("The whole grid: every look that the p-values are adjusted for.", head, rows, text=(0, 1, 2))
