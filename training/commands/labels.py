"""`labels`: what was published, and how later models see it."""

import sys

import click

from training.commands.answers import show, show_json
from training.commands.faults import NOT_NOW, told
from training.commands.options import json_option


@click.command()
@click.option("--newest", default=20, show_default=True, type=click.IntRange(min=0), metavar="N", help="List the newest N; 0 for all.")
@click.option("--revisions", is_flag=True, help="What later versions say of published sessions: otherwise first, then the same.")
@click.option("--verify", "check", is_flag=True, help="Check every line instead. Ends with 1 where one is not as it was written.")
@click.option("--market", default="", help="Only the series of the market of this name.")
@json_option
def labels(newest: int, revisions: bool, check: bool, market: str, as_json: bool) -> None:
    """List the labels that were published, which never change, and how later models see them."""
    with told():
        from serving.label_place import labels_root
        from serving.label_words import gather_labels, none_words, render_labels, render_verified, verify_labels
        from training.existing_store import has_store
        from training.promotion.rollback import versions_taken_back
        from training.tracking import REGISTERED, connect, tracking_uri

        root = labels_root(tracking_uri())
        if check:
            checked = verify_labels(root, REGISTERED, market)
            show_json(checked) if as_json else show(render_verified(checked) if checked else none_words(root))
            sys.exit(NOT_NOW if any(each["broken"] for each in checked) else 0)
        if has_store():
            connect()
        taken_back = versions_taken_back() if has_store() else {}
        listed = gather_labels(root, REGISTERED, newest=newest, revisions=revisions, market=market, taken_back=taken_back)
        show_json(listed) if as_json else show(render_labels(listed) if listed else none_words(root))
