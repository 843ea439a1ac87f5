"""A run made again: the same market, config and seed, and every difference in what went in and what came out."""

import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from features.market import Market
from training.errors import JobError
from training.evaluated import evaluate
from training.record import TOLD, headline, write_evaluation
from training.reproduction.inputs import INPUTS_FILE, gather_inputs, input_differences
from training.reproduction.logged import Logged, note_reproduction
from training.reproduction.outputs import DIFFERS, IDENTICAL, Match, match_folders, match_values
from training.study import make_table

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Reproduction:
    """What came of making a run again.

    Attributes
    ----------
    run_id, name : of the run
    inputs : a line for each difference of what went in
    matches : of what came out; empty where only the inputs were asked for
    """

    run_id: str
    name: str
    inputs: tuple[str, ...]
    matches: tuple[Match, ...]

    @property
    def verdict(self) -> str:
        """`identical`, `equal` within rounding or `differs`: of the numbers, or of the inputs where no numbers were made."""
        if not self.matches:
            return DIFFERS if self.inputs else IDENTICAL
        return max((each.verdict for each in self.matches), key=("identical", "equal", "differs").index)


def market_file(logged: Logged, named: str | None) -> str:
    """Give the market file to load.

    Parameters
    ----------
    named : by the user; None for the one that the run was given

    Raises
    ------
    JobError
        If that one is not there any more.
    """
    if named is not None:
        return named
    recorded = logged.inputs["market"]["file"]
    if recorded is None or not Path(recorded).exists():
        raise JobError(
            f"reproduce: the market file of '{logged.name}', {recorded!r}, is not here; run from the folder it was trained in, "
            "or name the file with --market (its text is in the run's evaluation/inputs.json)"
        )
    return str(recorded)


def reproduce(logged: Logged, market: Market, file: str, progress: Progress, *, inputs_only: bool = False) -> Reproduction:
    """Make a run again and compare; nothing is registered, and it is no new trial.

    Parameters
    ----------
    market : loaded from `file`
    inputs_only : compare what goes in, and compute nothing
    """
    changed = input_differences(logged.inputs, gather_inputs(market, file))
    if inputs_only:
        return Reproduction(logged.run_id, logged.name, tuple(changed), ())
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        for category in TOLD:
            warnings.simplefilter("ignore", category)  # they are in the run's own warnings.txt
        table = make_table(market, logged.config, progress)
        found = evaluate(market, table, logged.config, logged.run_id, progress)
        made = write_evaluation(Path(folder) / "evaluation", found, logged.config)
        metrics = headline(found.study, logged.config, found.facts)
        own = {name: value for name, value in logged.metrics.items() if name in metrics or not name.startswith(("refit_", "p_"))}
        files = [each for each in match_folders(logged.evaluation, made) if each.name != INPUTS_FILE]
        progress("record", 4, 4)
    return Reproduction(logged.run_id, logged.name, tuple(changed), (match_values("metrics", own, metrics), *files))


def write_verdict(done: Reproduction) -> None:
    """Leave the outcome on the run as a tag, with the day."""
    note_reproduction(done.run_id, f"{datetime.now(UTC):%Y-%m-%d}: {done.verdict}")


def render_reproduction(done: Reproduction) -> str:
    """Lay the outcome out for a terminal."""
    lines = [f"run {done.run_id[:8]} '{done.name}'", "", "went in"]
    lines += [f"  {each}" for each in done.inputs] or ["  the same data, code, versions and machine"]
    if done.matches:
        width = max(len(each.name) for each in done.matches)
        lines += ["", "came out"]
        lines += [f"  {each.name:<{width}}  {each.verdict:<9}  {each.detail}" for each in done.matches]
    return "\n".join([*lines, "", _sentence(done)])


def _sentence(done: Reproduction) -> str:
    if not done.matches:
        return "the inputs differ" if done.inputs else "the inputs are the same"
    said = {"identical": "every number is the same to the bit", "equal": "every number is the same within 1e-10"}
    if done.verdict in said:
        return said[done.verdict]
    why = "the inputs differ" if done.inputs else "though all inputs are the same: that is a fault worth reporting"
    return f"the numbers differ, {'and ' if done.inputs else ''}{why}"
