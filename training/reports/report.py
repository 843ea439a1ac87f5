"""The report: one HTML file that carries everything it shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from features.market import Market
from serving.card import LONGEST_CONFIRMED
from serving.sentences import card_terms, trials_words
from serving.words import share
from training.evaluation import calibration
from training.evaluation.coverage import coverage_table
from training.evaluation.offsets import MIN_ROWS
from training.evaluation.skill import LONGEST_TESTED
from training.evaluation.strategy import RISK_AVERSION
from training.reference import DRAWDOWN, HORIZON, reference_table
from training.reports import inputs, plots_checks, tables, tables_skill
from training.reports.base_fans import base_fan
from training.reports.card import card_when, forecast_table
from training.reports.earned import earned_section
from training.reports.kept import Report
from training.reports.ladder import ladder_sentences
from training.reports.made import commands_of, config_table, made_terms
from training.reports.plot import Plot, captioned
from training.reports.plots import gain_figure, regime_figure
from training.reports.plots_fans import fan_figure
from training.reports.regime import regime_section
from training.reports.table import Table
from training.strategies import Strategies
from training.study import Study

TEMPLATES = Path(__file__).parents[1] / "templates"
ENTER, LEAVE = 0.6, 0.4


def make_report(
    card: Mapping[str, Any],
    facts: Mapping[str, Any],
    study: Study,
    market: Market,
    events: pd.DataFrame,
    strategies: Strategies,
    run_info: Mapping[str, Any],
) -> Report:
    """Make the report of a run.

    Parameters
    ----------
    card : as `serving.card.build_card`
    facts : as `training.facts.gather_facts`
    events : as `training.claims.events.event_study`
    strategies : as `training.strategies.make_strategies`
    run_info : run_id, experiment, tracking_uri, commit, code_hash, seed, fingerprint and config (values by dotted name), as
        far as they are known

    """
    config = dict(run_info.get("config", {}))
    simulated = bool(market.simulated)
    assets, horizons = list(facts["assets"]), list(facts["horizons"])
    plots = _plots(card, study, events, config, assets, horizons, simulated)
    page = {
        "title": f"{'SIMULATED · ' if simulated else ''}appetite: report on {market.name}, {card['session']}",
        "market": market,
        "card": card,
        "when": card_when(card),
        "terms": card_terms(card).items(),
        "forecast": forecast_table(card),
        "facts": facts,
        "plots": plots,
        "sure": regime_section(study, facts["regime"], *_thresholds(config), simulated),
        "skill": _skill(study, assets),
        "ladder": ladder_sentences(study),
        "tried": trials_words(facts["trials"]),
        "locked": _locked(facts["lockbox"]),
        "coverage": _coverage(study),
        "pit_tests": tables_skill.pit_test_table(study.skill) if len(study.skill) else None,
        "earned": earned_section(strategies),
        "risk_aversion": f"{RISK_AVERSION:.0f}",
        "longest_confirmed": LONGEST_CONFIRMED,
        "longest_tested": LONGEST_TESTED,
        "min_rows": MIN_ROWS,
        "families": inputs.family_views(market, study, _readers(config)),
        "wide": (inputs.WIDE, inputs.HIGH),
        "silent": inputs.silent_columns(study.features),
        "left_out": tables.left_out_table(study),
        "events": tables.event_table(events),
        "quarantine": tables.quarantine_table(market),
        "reference": _reference(study, config),
        "label": {"horizon": config.get("regime.label_horizon", HORIZON), "drawdown": config.get("regime.label_drawdown", DRAWDOWN)},
        "made": made_terms(run_info, market, facts),
        "commands": commands_of(run_info),
        "config": config_table(config),
    }
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return Report(environment.get_template("report.html.j2").render(page), plots)


def _plots(
    card: Mapping[str, Any],
    study: Study,
    events: pd.DataFrame,
    config: Mapping[str, Any],
    assets: list[str],
    horizons: list[int],
    simulated: bool,
) -> dict[str, Plot]:
    losses = study.forecasts.losses
    base = base_fan(study.prices, assets, horizons)
    reliable, pit, gain = calibration.reliability(losses), calibration.pit_histogram(losses), calibration.loss_gain(losses, study.skill)
    enter, leave = _thresholds(config)
    followed = tables.followed_table(events, plots_checks.DRAWN, plots_checks.CONFIRMED)
    plots = {
        "regimes": captioned(
            "regimes", regime_figure(study, enter, leave, simulated), [tables.spell_table(study), tables.refit_table(study)]
        ),
        "fans": captioned("fans", fan_figure(card["forecast"], base, simulated), [tables.base_table(card["forecast"], base)]),
        "paths": captioned("paths", plots_checks.paths_figure(events, study.prices, assets, simulated), [followed]),
    }
    if len(gain):
        plots |= {
            "reliability": captioned(
                "reliability", plots_checks.reliability_figure(reliable, assets, simulated), [tables.reliability_table(reliable)]
            ),
            "pit": captioned("pit", plots_checks.pit_figure(pit, assets, simulated), [tables.pit_table(pit)]),
            "gain": captioned("gain", gain_figure(gain, simulated), [tables.gain_table(gain)]),
        }
    return plots


def _thresholds(config: Mapping[str, Any]) -> tuple[float, float]:
    return config.get("regime.enter", ENTER), config.get("regime.leave", LEAVE)


def _skill(study: Study, assets: list[str]) -> list[Table]:
    if study.skill.empty:
        return []
    return [
        tables_skill.served_table(study.skill),
        tables_skill.interval_table(study.skill),
        *(tables_skill.rung_table(study.skill, asset) for asset in assets),
    ]


def _coverage(study: Study) -> list[Table]:
    table = coverage_table(study.forecasts.losses)
    if table.empty:
        return []
    view, groups = tables_skill.coverage_view, tables_skill.coverage_groups
    return [view(table, 0.8), groups(table, 0.8), view(table, 0.9), groups(table, 0.9), view(table, 0.5)]


def _locked(lockbox: Mapping[str, Any] | None) -> str:
    if lockbox is None:
        return "No rows are locked away: everything here has been looked at."
    return (
        f"The newest {share(lockbox['share'])} of the judged sessions, from {lockbox['since']} on, are locked away: no number on "
        "skill, coverage, rules of thumb or strategies has seen an outcome of theirs; base rates, history, events and claims use all "
        "sessions. They are opened once a family, and the opening is on record."
    )


def _reference(study: Study, config: Mapping[str, Any]) -> Table | None:
    horizon, drawdown = config.get("regime.label_horizon", HORIZON), config.get("regime.label_drawdown", DRAWDOWN)
    table = reference_table(study.features, study.regimes.published["p_risk_on"], study.calm_rise(horizon, drawdown), horizon)
    return None if table.empty else tables.reference_view(table)


def _readers(config: Mapping[str, Any]) -> dict[str, list[str]]:
    """Columns by reader; those that drive transitions are read by the kind that has them alone."""
    drivers = config.get("regime.drivers", []) if config.get("regime.kind") == "tvtp" else []
    regime = dict.fromkeys([*config.get("regime.columns", []), *drivers])
    return {"regime": list(regime), "ridge": list(config.get("forecast.features", []))}
