"""`token`: who may ask the service."""

from pathlib import Path

import click

from training.commands.answers import show, show_json
from training.commands.faults import told
from training.commands.options import json_option
from training.commands.serve import SERVE


@click.group()
def token() -> None:
    """Tokens of the service: who may read, who may write."""


def _file(config: Path):  # type: ignore[no-untyped-def]  # its type is imported when a word is called
    from serving.service.config import load_config
    from serving.service.settings import TOKENS
    from serving.service.tokens import TokenFile

    return TokenFile(load_config(config).state / TOKENS)


config_option = click.option("--config", default=SERVE, show_default=True, type=click.Path(path_type=Path), help="File of the service.")


@token.command()
@click.argument("name")
@click.option("--role", default="read", show_default=True, help="read, or write (which reads as well).")
@config_option
def add(name: str, role: str, config: Path) -> None:
    """Make a token and show it, once."""
    with told():
        show(_file(config).add(name, role))


@token.command("list")
@config_option
@json_option
def list_tokens(config: Path, as_json: bool) -> None:
    """List who has one."""
    with told():
        tokens = [{"name": each.name, "role": each.role, "created": each.created} for each in _file(config).read()]
        if as_json:
            show_json(tokens)
            return
        show("\n".join(f"{each['name']:<24} {each['role']:<6} {each['created']}" for each in tokens) or "there is none")


@token.command()
@click.argument("name")
@config_option
def revoke(name: str, config: Path) -> None:
    """Take a token away; the service notices within a second."""
    with told():
        _file(config).revoke(name)
        show(f"revoked: {name}")
