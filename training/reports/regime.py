"""The report's section on how sure the regime is: specifications, spread, what moved it, what its names rest on, what refits take back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.average import RegimeAverage, quantile_range
from models.explain_regime import explain_regime
from models.regime import RegimeHMM
from models.regime_tvtp import RegimeTVTP
from serving.regime_words import doubts, spread_words
from serving.words import count, day, fixed, prob, share, stay
from training.refit_history import refit_history
from training.reports.plot import Plot, captioned
from training.reports.plots_regime import drawn_panels, moved_figure, range_figure, refits_figure
from training.reports.table import Table
from training.study import Study

YEAR = 252
MONTH = 21
"""Sessions from one row to the next of the table behind the newest year."""


@dataclass(frozen=True)
class RegimeSection:
    """What the section shows.

    Attributes
    ----------
    sentences : what its numbers come to
    specifications : what each says; None of a single model
    plots : by name; those that the kind of model allows
    """

    sentences: list[str]
    specifications: Table | None
    plots: dict[str, Plot]


def regime_section(study: Study, regime: Mapping[str, Any], enter: float, leave: float, simulated: bool) -> RegimeSection:
    """Gather the section.

    Parameters
    ----------
    regime : `training.facts.gather_facts` of the regime
    enter, leave : thresholds of the call
    """
    history = refit_history(study.regimes, enter, leave)
    plots = {}
    if drawn_panels(history):
        plots["refits"] = captioned("refits", refits_figure(history, simulated), [refits_table(history)])
    listed = regime.get("specifications")
    if listed:
        published = study.regimes.published.iloc[study.regimes.refits[0].position :]
        figure = range_figure(published, _resampled(study), YEAR, simulated)
        plots["range"] = captioned("range", figure, [ambiguous_table(published)])
    year = newest_year(study)
    if regime.get("moved") and year is not None:
        plots["moved"] = captioned(
            "moved", moved_figure(regime["moved"], year, simulated), [moved_table(regime["moved"]), year_table(year)]
        )
    return RegimeSection(sure_sentences(regime, history), specification_table(listed) if listed else None, plots)


def sure_sentences(regime: Mapping[str, Any], history: pd.DataFrame) -> list[str]:
    """Say what the numbers of the section come to."""
    out = []
    if regime.get("ambiguous_share") is not None:
        often, n = share(regime["ambiguous_share"]), len(regime["specifications"])
        out.append(f"Specification: on {often} of the published sessions the {n} specifications do not agree whether risk-on is likely.")
    if regime.get("spread"):
        over = f"over {regime['bootstrap']} refits of them on resampled history"
        sd = f"P(risk-on) of the newest session has a standard deviation of {prob(regime['spread']['sd'])}"
        out.append(f"Specification and parameters: {over}, {sd} (variance: {spread_words(regime['spread'])}).")
    named = f"at {share(history['identified'].mean())} of {len(history)} refits the states could carry their names"
    out.append(f"Names: {named}{_newest(history)}.")
    return [*out, *_revised(history.iloc[-1])]


def _newest(history: pd.DataFrame) -> str:
    newest = history.iloc[-1]
    return "" if newest["identified"] else f"; at the newest they cannot: {doubts(newest['failed'], inverted=bool(newest['inverted']))}"


def _revised(newest: pd.Series) -> list[str]:
    if pd.isna(newest["revision"]):
        return []
    renamed = "" if pd.isna(newest["renamed"]) else f", and {share(newest['renamed'])} of the names would be others"
    by = f"by the newest parameters P(risk-on) of the earlier sessions would be {prob(newest['revision'])} away from what was published"
    return [f"Revision: {by}, on average{renamed}. What was published stays."]


def newest_year(study: Study) -> pd.DataFrame | None:
    """What the log-odds of the newest sessions are made of under the newest model.

    None of a model without likelihood, of a walk of one session, and where any of these numbers is not finite: one such row drops the
    whole year.

    Returns
    -------
    DataFrame on the newest sessions, `YEAR` of them at most: base (the model's forecast from the session before the first, without any
    row since), a column a family (all its rows since), total; they add up
    """
    refit = study.regimes.refits[-1]
    n = min(YEAR, len(refit.states) - 1)
    if not isinstance(refit.model, RegimeHMM | RegimeAverage | RegimeTVTP) or n < 1:
        return None
    rows = study.features.iloc[-n:]
    told = explain_regime(refit.model, rows, refit.states[-1 - n], memory=True)
    year = pd.DataFrame(
        {"base": told.base, **dict(zip(told.families, told.contributions.T, strict=True)), "total": told.total}, index=rows.index
    )
    return year if np.isfinite(year.to_numpy()).all() else None


def _resampled(study: Study) -> pd.DataFrame | None:
    """80% range over refits on resampled history, of the sessions since the newest refit."""
    if study.ensemble_states is None:
        return None
    since = study.regimes.refits[-1].position
    low, high = quantile_range(study.ensemble_states[since - study.regimes.first :])
    return pd.DataFrame({"lo": low, "hi": high}, index=study.features.index[since:])


def specification_table(listed: list[dict[str, Any]]) -> Table:
    """Write `training.specifications.specification_facts`."""
    rows = [
        [
            each["name"],
            each["differs"],
            prob(each["p"]),
            share(each["other_days"], 1),
            ", ".join(map(stay, each["dwell"])),
            "Gaussian" if each["dof"] is None else ", ".join(map(count, each["dof"])),
            fixed(each["sd_ratio"], 2),
            "yes" if each["identified"] else "no",
        ]
        for each in listed
    ]
    head = ["specification", "what differs", "P(risk-on) now", "days on the other side of .5"]
    head += ["expected spells, sessions", "degrees of freedom", "sd ratio", "told apart"]
    return Table("The specifications that are averaged, each weighing the same. Several numbers: by state.", head, rows, text=(0, 1))


def ambiguous_table(published: pd.DataFrame) -> Table:
    """Count ambiguous sessions by year, with the mean width of the specifications' range."""
    wide = published["p_risk_on_spec_hi"] - published["p_risk_on_spec_lo"]
    years = published.assign(wide=wide).groupby(published.index.year)  # type: ignore[attr-defined]
    rows = [[str(year), str(len(part)), share(part["ambiguous"].mean()), prob(part["wide"].mean())] for year, part in years]
    return Table("Ambiguous sessions by year.", ["year", "sessions", "ambiguous", "mean range, highest less lowest"], rows[::-1])


def moved_table(moved: Mapping[str, Any]) -> Table:
    """Write what the newest session changed."""
    rows = [["expected before the session", f"{moved['base']:+.2f}", prob(moved["base_prob"])]]
    rows += [[name, f"{value:+.2f}", ""] for name, value in moved["families"].items()]
    rows += [["after it", f"{moved['total']:+.2f}", prob(moved["total_prob"])]]
    return Table("What the newest session changed.", ["part", "log-odds", "P(risk-on)"], rows)


def year_table(year: pd.DataFrame) -> Table:
    """Write every month of `newest_year`, newest first."""
    monthly = year.iloc[::-MONTH]
    rows = [
        [day(at), *(f"{round(value, 1) + 0.0:+.1f}" for value in values)]
        for at, values in zip(monthly.index, monthly.to_numpy(), strict=True)
    ]
    head = ["session", *("model alone" if name == "base" else str(name) for name in year)]
    return Table(f"What the log-odds are made of, every {MONTH} sessions, newest first.", head, rows)


def refits_table(history: pd.DataFrame) -> Table:
    """Write `training.refit_history.refit_history`, newest first."""
    rows = []
    for at, each in history.iloc[::-1].iterrows():
        names = "yes" if each["identified"] else f"no: {doubts(each['failed'], inverted=bool(each['inverted']))}"
        evidence = [fixed(each["order_prob"], 3), fixed(each["gain_z"], 1), fixed(each["sd_ratio"], 2)]
        margin = "" if np.isinf(each["margin"]) else fixed(each["margin"], 2)
        past = [share(each["ambiguous"]), share(each["churn"], 1), fixed(each["revision"], 3), share(each["renamed"], 1)]
        rows.append([day(at), *evidence, margin, *past, names])
    head = ["refit on", "order of states, probability", "gain over one state, z", "sd, last over first", "margin of the match"]
    head += ["ambiguous until the next", "days relabelled", "mean |new - published|", "published names changed", "states carry names"]
    return Table("What names rest on and what each refit takes back, newest first.", head, rows, text=(0, 9))
