"""What a user is told when a job does not end well, and the exit code that says it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

NOT_NOW, BAD_INPUT, INTERRUPTED = 1, 2, 130

OWN_ERRORS = ("features.errors", "models.errors", "training.errors", "serving.errors")
"""Modules whose errors are the user's to mend; their messages are written for that."""


@contextmanager
def told(stopped: str = "a run that was open is marked KILLED, no model was registered") -> Iterator[None]:
    """Turn a fault of the input into one line and exit code 2, a stop into 130, anything else into one line and exit code 1."""
    from training.tracking import Interrupted, stop_signals

    try:
        with stop_signals():
            yield
    except click.exceptions.Exit:
        raise
    except click.ClickException as error:
        _close_run(error)
        raise
    except Interrupted as stop:
        _close_run(stop)
        click.echo(f"appetite: stopped by {stop}; {stopped}", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        _close_run(error)
        if os.environ.get("APPETITE_DEBUG"):
            raise
        if any(each.__module__ in OWN_ERRORS for each in type(error).__mro__):
            click.echo(f"appetite: {error}", err=True)
            sys.exit(BAD_INPUT)
        click.echo(f"appetite: unexpected {type(error).__name__}: {error}; set APPETITE_DEBUG=1 to see where", err=True)
        sys.exit(1)


def _close_run(error: BaseException) -> None:
    if os.environ.get("MLFLOW_RUN_ID"):
        from training.tracking import close_taken_run, connect

        connect()
        close_taken_run(error)
