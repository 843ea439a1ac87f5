"""Options that several words share, and how what is given is read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

AS_CONFIGURED = "config"
SAMPLE, CONFIG, RULES, PLAN = "conf/market-sample.yaml", "conf/train.yaml", "conf/promote.yaml", "conf/fetch.yaml"

Fn = Callable[..., Any]


def market_option(function: Fn) -> Fn:
    """Add the option that names a market."""
    return click.option("--market", default=SAMPLE, show_default=True, help="Market file.")(function)


def json_option(function: Fn) -> Fn:
    """Add the option for machines."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")(function)


def store_option(function: Fn) -> Fn:
    """Add the option that names a store."""
    return click.option("--store", required=True, envvar="APPETITE_STORE", show_envvar=True, help="Folder of the store.")(function)


def study_options(function: Fn) -> Fn:
    """Add the options of a study."""
    for option in (
        click.option(
            "--reports", default="reports", show_default=True, type=click.Path(path_type=Path), help="Folder for the HTML report."
        ),
        click.option("--name", default=None, help="Name of the run."),
        click.option("--dry-run", is_flag=True, help="Print what would be done, and how long it would take."),
        click.option("--kind", default=AS_CONFIGURED, metavar="hmm|tvtp|jump|classifier", help="How to label, if not as configured."),
        click.option("--n-components", default=AS_CONFIGURED, metavar="N", help="Number of regimes, if not as configured."),
        click.option("--seed", default=AS_CONFIGURED, metavar="N", help="Seed of every random number, if not as configured."),
        click.option("--config", default=CONFIG, show_default=True, help="Training config."),
        market_option,
        json_option,
    ):
        function = option(function)
    return function


def listed_words(listed: str) -> list[str]:
    """Part a list at its commas."""
    return [each.strip() for each in listed.split(",") if each.strip()]


def whole_number(option: str, value: str) -> int | None:
    """Read a whole number; None where the config's own is meant."""
    if value == AS_CONFIGURED:
        return None
    try:
        return int(value)
    except ValueError:
        raise click.BadParameter(
            f"'{value}' is no whole number; rule: a whole number, or '{AS_CONFIGURED}' for the config's own", param_hint=option
        ) from None
