"""`claims`: the thesis on trial."""

from pathlib import Path

import click

from training.commands.answers import bar, load_shown, show, show_json
from training.commands.faults import told
from training.commands.options import json_option, market_option


@click.command()
@click.option("--out", default=None, type=click.Path(path_type=Path), help="Write OUT.html, OUT.json, and events.csv beside them.")
@click.option("--markdown", default=None, type=click.Path(path_type=Path), help="Write the table of claims as a Markdown file.")
@market_option
@json_option
def claims(out: Path | None, markdown: Path | None, market: str, as_json: bool) -> None:
    """Judge the claims about small caps and crypto: what followed, against what chance does."""
    with told():
        from serving.output import check_folder
        from training.errors import JobError

        for path in (out, markdown):
            if path is not None:
                check_folder(path)
        if markdown is not None and (markdown.suffix != ".md" or markdown.is_dir()):
            raise JobError(f"claims: --markdown '{markdown}'; rule: a file that ends in .md")
        with bar(as_json) as progress:
            from training.claims.trial import hold_trial

            loaded = load_shown(market, progress)
            trial = hold_trial(loaded, progress)
        from training.claims.written import write_markdown, write_trial

        written = write_trial(trial, out) if out is not None else []
        written += [write_markdown(trial, markdown)] if markdown is not None else []
        if as_json:
            from training.claims.values import as_values

            show_json(as_values(trial))
            return
        from training.claims.screen import render_trial

        show(render_trial(trial))
        for path in written:
            show(f"written: {path}")
