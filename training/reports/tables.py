"""Tables of the report: words in cells, and which columns are text."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from features.market import Market
from serving.words import count, day, fixed, percent, plain, prob, share, signed, stay
from training.evaluation.calibration import PIT_BINS, gain_by_year
from training.reference import CONSTANT
from training.reports.plots import regime_spells
from training.reports.table import Table
from training.study import Study


def spell_table(study: Study) -> Table:
    """List the runs of one regime, newest first."""
    spells = regime_spells(study.regimes.published).iloc[::-1]
    rows = [[day(s.start), day(s.end), plain(s.regime), count(s.sessions)] for s in spells.itertuples()]
    return Table("Spells of the published regime, newest first.", ["from", "to", "regime", "sessions"], rows, text=(0, 1, 2))


def refit_table(study: Study) -> Table:
    """List the refits, newest first."""
    rows = []
    for refit in reversed(study.regimes.refits):
        dwell = getattr(refit.model, "dwell", None)
        dwelling = "not modelled" if dwell is None else ", ".join(map(stay, dwell))
        left = ", ".join(refit.left_out) or "none"
        rows.append([day(study.features.index[refit.position]), share(refit.churn, 1), dwelling, "yes" if refit.degenerate else "no", left])
    head = ["refit on", "days relabelled", "expected spell by state, sessions", "degenerate", "columns left out"]
    return Table("Refits, newest first; days relabelled against the refit before, on the days both know.", head, rows, text=(0, 2, 3, 4))


def base_table(forecast: Sequence[Mapping[str, Any]], base: pd.DataFrame) -> Table:
    """Put forecast quantiles beside those of all past moves."""
    past = base.set_index(["asset", "horizon"])
    rows = []
    for each in forecast:
        own = past.loc[(each["asset"], each["horizon"])]
        fan = [percent(each[k]) for k in ("log_lo", "log_median", "log_hi")]
        rows.append(
            [
                each["asset"],
                str(each["horizon"]),
                *fan,
                *(percent(own[k]) for k in ("lo80", "median", "hi80")),
                f"{own['n']:.0f} ({own['n_independent']:.0f})",
            ]
        )
    head = ["asset", "sessions", "forecast from", "median", "to", "past 10%", "median", "90%", "n (independent)"]
    return Table("Forecast and base rate: median and 80% interval of the move.", head, rows)


def reliability_table(table: pd.DataFrame) -> Table:
    """Write `training.evaluation.calibration.reliability`."""
    rows = [
        [
            r["asset"],
            str(r["horizon"]),
            prob(r["p_up"]),
            share(r["observed"]),
            f"[{share(r['lo'])}, {share(r['hi'])}]",
            f"{r['n']} ({r['n_independent']})",
        ]
        for r in table.to_dict("records")
    ]
    head = ["asset", "sessions", "mean P(up)", "rose", "95% interval", "n (independent)"]
    return Table("Every bin, those too thin to be drawn included.", head, rows)


def pit_table(table: pd.DataFrame) -> Table:
    """Write `training.evaluation.calibration.pit_histogram`."""
    rows = [
        [r["asset"], str(r["horizon"]), *(fixed(r[f"density_{k + 1}"], 2) for k in range(PIT_BINS)), f"{r['n']} ({r['n_independent']})"]
        for r in table.to_dict("records")
    ]
    head = ["asset", "sessions", *(f"{k / PIT_BINS:.1f}-{(k + 1) / PIT_BINS:.1f}" for k in range(PIT_BINS)), "n (independent)"]
    return Table("Density of outcomes in each tenth of their forecast; 1 is calibrated.", head, rows)


def gain_table(gain: pd.DataFrame) -> Table:
    """Gain by calendar year."""
    years = gain_by_year(gain)
    rows = [[str(year), *(signed(v, 2) for v in values)] for year, values in zip(years.index, years.to_numpy(), strict=True)]
    return Table("CRPS saved in each year, as a share of the baseline's total.", ["year", *map(str, years.columns)], rows)


def reference_view(table: pd.DataFrame) -> Table:
    """Write `training.reference.reference_table`, best first."""
    rows = []
    for r in table.sort_values("brier", kind="stable").to_dict("records"):
        difference = f"{r['gain']:+.4f} ± {r['gain_se']:.4f}" if r["classifier"] != CONSTANT else "0"
        rates = [share(r["share_on"]), share(r["rate_on"]), share(r["rate_off"])]
        rows.append([r["classifier"], fixed(r["brier"], 4), difference, *rates, f"{r['n']} ({r['n_independent']})"])
    head = ["classifier", "Brier score", "better than the constant by", "says yes", "hits after yes", "hits after no", "n (independent)"]
    return Table("Best first. ± is one standard error that allows for the overlap.", head, rows)


def event_table(events: pd.DataFrame) -> Table:
    """Every transition of the automaton, newest first."""
    once = events.drop_duplicates(["series", "date", "event"]).iloc[::-1]
    rows = [
        [
            day(e["date"]),
            e["series"],
            plain(e["event"]),
            fixed(e["resistance"], 2),
            fixed(e["close"], 2),
            share(e["margin"], 2),
            "knife-edge" if e["knife_edge"] else "",
        ]
        for e in once.to_dict("records")
    ]
    head = ["date", "series", "event", "resistance", "close", "margin", "remark"]
    return Table("Every event, stamped on the session that settled it, newest first.", head, rows, text=(0, 1, 2, 6))


def followed_table(events: pd.DataFrame, series: Sequence[str], event: str) -> Table:
    """What followed the events of the plot, one row an event and asset."""
    picked = events[events["series"].isin(series) & (events["event"] == event)]
    if picked.empty:
        return Table("No such event on record.", ["date"], [])
    cells = picked.assign(words=[n or percent(r) for r, n in zip(picked["log_return"], picked["note"], strict=True)])
    wide = cells.pivot_table(index=["date", "series", "asset"], columns="horizon", values="words", aggfunc="first", sort=False)
    wide = wide.sort_index(level=0, ascending=False, sort_remaining=False, kind="stable").sort_index(axis="columns")
    rows = [[day(key[0]), key[1], key[2], *values] for key, values in zip(wide.index, wide.to_numpy(), strict=True)]
    head = ["date", "series", "asset", *(f"{h} sessions" for h in wide.columns)]
    return Table("Moves from the confirmation on.", head, rows, text=(0, 1, 2))


def quarantine_table(market: Market) -> Table:
    """Records set aside on entry, by series and rule."""
    groups: Any = market.quarantine.groupby(["frame", "series", "rule"])
    rows = [[*key, str(len(part)), day(part["date"].min()), day(part["date"].max())] for key, part in groups]
    return Table(
        "Records set aside, and why.", ["frame", "series", "rule it broke", "records", "first", "last"], rows, text=(0, 1, 2, 4, 5)
    )


def left_out_table(study: Study) -> Table:
    """Columns that a fit had to do without."""
    regimes: dict[str, int] = {}
    for refit in study.regimes.refits:
        for column in refit.left_out:
            regimes[column] = regimes.get(column, 0) + 1
    rows = [[column, "regime", f"{n} of {len(study.regimes.refits)} refits"] for column, n in regimes.items()]
    cells: dict[str, list[str]] = {}
    for (asset, horizon), fit in study.forecasts.last.items():
        for column in fit.left_out:
            cells.setdefault(column, []).append(f"{asset} {horizon}")
    rows += [[column, "forecast, newest fit", ", ".join(names)] for column, names in cells.items()]
    return Table("Columns below the coverage that a fit needs.", ["column", "fit", "where"], rows, text=(0, 1, 2))
