"""The command line: one word a job. A package is imported when its word is called, not before."""

from collections import UserDict
from importlib import import_module
from typing import Any

import click


class Words(UserDict[str, Any]):
    """Commands by name; each is held as the module of `training.commands` that defines it until it is asked for."""

    def __getitem__(self, word: str) -> click.Command:
        command: click.Command = getattr(import_module(f"training.commands.{self.data[word]}"), word)
        return command


WORDS = Words(
    backtest="study",
    claims="claims",
    compare="compare",
    data="data",
    events="events",
    fetch="fetch",
    labels="labels",
    ledger="ledger",
    now="now",
    promote="promote",
    reproduce="reproduce",
    score="score",
    search="search",
    serve="serve",
    states="states",
    token="token",
    train="study",
)


def _say_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"appetite {version('appetite')}")
    except PackageNotFoundError:  # run from a checkout, as `mlflow run` does
        click.echo("appetite, from a checkout that is not installed")
    context.exit()


@click.group(commands=WORDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_say_version, help="Print the version.")
def main() -> None:
    """Small caps as a gauge of risk appetite, and what that means for crypto."""


if __name__ == "__main__":
    main()
