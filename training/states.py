"""The word states: how many regimes a market's rows support, with the reason against each other number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from features.market import Market
from models.selection import CANDIDATES, Candidate, Selection, WalkSettings, select_n_states
from serving.output import write_table, write_text, write_whole
from serving.words import count, day, share
from training.config import TrainConfig
from training.errors import JobError
from training.refit import covered_columns
from training.regimes import schedule
from training.reports.plots_states import states_figure
from training.reports.style import PAPER, as_uri, to_bytes
from training.reports.table import Table
from training.study import make_table

TEMPLATES = Path(__file__).parent / "templates"
WALK_REFITS = 8

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class StateChoice:
    """What was chosen, on what.

    Attributes
    ----------
    selection : of `models.selection`
    market : its name
    simulated : whether the market is
    columns, left_out : columns that were read, and those of the config below coverage in the first window
    sessions : the rows
    configured : number of states in the config
    """

    selection: Selection
    market: str
    simulated: bool
    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    sessions: pd.DatetimeIndex
    configured: int

    @property
    def span(self) -> tuple[str, str, str]:
        """First session, first one scored, last one."""
        scored = self.sessions[self.selection.settings.min_history]
        return day(self.sessions[0]), day(scored), day(self.sessions[-1])

    def advice(self) -> str:
        """Say what the choice means for the config."""
        n_states = self.selection.chosen.n_states
        if n_states == 1:
            return f"no regimes: one state says as much as {self.configured} on these columns"
        if n_states == self.configured:
            return f"{self.configured} states, as configured"
        return f"{n_states} states, and {self.configured} are configured (regime.n_components)"

    def text(self) -> str:
        """Lay it out for a terminal."""
        first, scored, last = self.span
        lines = ["SIMULATED market"] if self.simulated else []
        lines += [
            f"market '{self.market}', {first} to {last}, scored from {scored} on; columns {', '.join(self.columns)}",
            f"left out for coverage: {', '.join(self.left_out) or 'none'}",
            self.advice(),
            "",
            self.selection.text(),
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        first, scored, last = self.span
        return {
            "market": self.market,
            "simulated": self.simulated,
            "first_session": first,
            "first_scored_session": scored,
            "last_session": last,
            "columns": list(self.columns),
            "left_out": list(self.left_out),
            "configured": self.configured,
            "advice": self.advice(),
            **self.selection.to_dict(),
        }


def choose_states(
    market: Market,
    config: TrainConfig,
    candidates: Sequence[Candidate] = CANDIDATES,
    columns: Sequence[str] = (),
    progress: Progress = lambda stage, done, total: None,
) -> StateChoice:
    """Choose the number of states on the rows and columns that a training job would fit, all candidates on the same ones.

    Parameters
    ----------
    config : of the training job: columns, walk, stickiness and seed are taken; how many states it wants is compared
    columns : of the feature matrix, to choose on; those of the config if empty
    progress : called with a word, the steps done and their number

    Raises
    ------
    JobError, DataError, FitError
        If the market cannot serve the config, or its rows allow no walk.
    """
    table = make_table(market, config, progress)
    first, _ = schedule(table.features.index, config)
    rows = table.features.iloc[first:]
    wanted = _known(list(columns) or config.regime.columns, table.features)
    kept, left_out = covered_columns(rows.iloc[: config.walk.min_history], wanted, config.min_coverage)
    if not kept:
        raise JobError(
            f"states: none of {', '.join(wanted)} has enough values in the first {config.walk.min_history} sessions; rule: "
            f"coverage at least {config.min_coverage}. Move walk.start, or choose other columns"
        )
    settings = WalkSettings(
        min_history=config.walk.min_history, n_blocks=WALK_REFITS, kappa=config.regime.kappa, n_init=config.regime.n_init, seed=config.seed
    )
    selection = select_n_states(
        rows[list(kept)], candidates, settings=settings, progress=lambda done, total: progress("states", done, total)
    )
    sessions = pd.DatetimeIndex(rows.index)
    return StateChoice(selection, market.name, bool(market.simulated), kept, left_out, sessions, config.regime.n_components)


def _known(columns: list[str], features: pd.DataFrame) -> list[str]:
    unknown = [name for name in columns if name not in features]
    if unknown:
        family = unknown[0].split("__")[0]
        near = [str(name) for name in features if str(name).startswith(family + "__")]
        raise JobError(f"states: column '{unknown[0]}' does not exist; of its family there are {', '.join(near) or 'none'}")
    return columns


def write_states(choice: StateChoice, out: Path) -> list[Path]:
    """Write OUT.csv (the table), OUT.png (the plot) and OUT.html (both, with the reasons), each in one step.

    Parameters
    ----------
    out : without an ending; its folder exists
    """
    paths = [out.with_name(f"{out.name}.{kind}") for kind in ("csv", "png", "html")]
    figure = states_figure(choice.selection, choice.simulated)
    figure.set_facecolor(PAPER)
    write_table(choice.selection.table, paths[0])
    with TemporaryDirectory() as folder:
        drawn = Path(folder) / "states.png"
        drawn.write_bytes(to_bytes(figure, "png"))
        write_whole(drawn, paths[1])
    write_text(_page(choice, as_uri(to_bytes(figure))), paths[2])
    return paths


def candidate_table(choice: StateChoice) -> Table:
    """Put the candidates into words."""
    rows = []
    for trial in choice.selection.trials:
        behind, error = choice.selection.behind(trial.candidate)
        ends = trial.dwell <= choice.selection.n_obs
        cells = [
            f"{trial.log_next.mean():.4f}",
            f"{behind:.4f} ± {error:.4f}",
            count(trial.bic),
            count(trial.icl),
            share(trial.occupancy, 1),
        ]
        stay = [f"{trial.dwell:.0f}" if ends else "no end", share(trial.churn, 1)]
        shown = ["not fitted", *["–"] * 6] if trial.failure else [*cells, *stay]
        mark = " (chosen)" if trial.candidate == choice.selection.chosen else ""
        rows.append([f"{trial.candidate}{mark}", *shown, choice.selection.reasons[trial.candidate]])
    head = ["candidate", "log score a day", "behind the best", "BIC", "ICL", "rarest state", "shortest stay, sessions", "relabelled", "why"]
    return Table("Every candidate, and why it was chosen or refused.", head, rows, text=(0, 8))


def _page(choice: StateChoice, uri: str) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("states.html.j2").render(choice=choice, uri=uri, candidates=candidate_table(choice))
