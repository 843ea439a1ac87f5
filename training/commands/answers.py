"""What a job shows: its answer on standard output, its progress on standard error."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from features.market import Market

Progress = Callable[[str, int, int], None]


def show(text: str) -> None:
    """Print to standard output."""
    click.echo(text)


def show_json(value: Any) -> None:
    """Print JSON that any reader takes: missing values are null."""
    click.echo(json.dumps(value, indent=1, allow_nan=False))


@contextmanager
def bar(quiet: bool) -> Iterator[Progress]:
    """Progress on standard error; a line a stage where it is no terminal."""
    from serving.progress import shown

    with shown(quiet) as report:
        yield report


def load_shown(market: str, progress: Progress) -> "Market":
    """Load a market, which may take a while, as a stage of its own."""
    progress("market", 0, 1)
    from sources import load_market

    loaded = load_market(market)
    progress("market", 1, 1)
    return loaded
