"""The report's section on how it was made."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from features.market import Market
from serving.sentences import trials_words
from training.reports.table import Table

PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn", "hmmlearn", "scoringrules", "matplotlib", "mlflow")


def made_terms(run_info: Mapping[str, Any], market: Market, facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give what identifies a run, term by term."""
    regime = facts["regime"]
    named = {
        "Run": run_info.get("run_id"),
        "Experiment": run_info.get("experiment"),
        "Data fingerprint": run_info.get("fingerprint") or market.fingerprint(),
        "Data": f"{market.name}, {facts['first_session']} to {facts['trained_to']}: {market.note}",
        "Commit": run_info.get("commit"),
        "Code hash": run_info.get("code_hash"),
        "Seed": run_info.get("seed"),
        "Trials": f"{trials_words(facts['trials'])}; a variant is an asset, a horizon and a rung that is no baseline",
        "Refits": f"{regime['refits']}, from {regime['first_fit']} to {regime['last_fit']}; {regime['degenerate_refits']} degenerate",
        "Versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }
    return [(term, "not recorded" if value is None else str(value)) for term, value in named.items()]


def commands_of(run_info: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the commands that lead from the report to the record, with what each does."""
    uri = run_info.get("tracking_uri")
    given = dict(run_info.get("commands", {}))
    if uri and "open the record" not in given:
        given["open the record"] = f"mlflow ui --backend-store-uri '{uri}'"
    return list(given.items())


def config_table(config: Mapping[str, Any]) -> Table:
    """List the configuration."""
    return Table("Every value the run was told.", ["key", "value"], [[k, _value(v)] for k, v in config.items()], text=(0, 1))


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
