"""docs/VALIDATION.md: what was measured, what was required, and how to measure it again."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.validation.experiment import Experiment, Finding

NAME, FIGURES = "VALIDATION.md", "validation"
HEAD = "| | what | worlds | measured | required | |\n|---|---|---|---|---|---|"
HOLDS, MISSED, BESIDE = "holds", "**missed**", "beside"

ABOUT = """# Validation

What the statistics say in worlds whose truth is known: size, power, coverage, deflation. Written by `make study`; the same to the last
digit when run again. The bounds come from METHODS 6 and were set before anything was measured. ± is one Monte-Carlo standard error.
A miss is a miss: no bound was moved.

"""


def document(results: Mapping[str, tuple[Experiment, Sequence[Finding]]]) -> str:
    """Write the whole document: the required figures first, then a section an experiment."""
    asked = [(each, found) for each, findings in results.values() for found in findings if found.required]
    missed = [f"{each.id}, {found.what}" for each, found in asked if not found.holds()]
    told = f"{len(asked) - len(missed)} of {len(asked)} requirements hold." + (f" Missed: {'; '.join(missed)}." if missed else "")
    table = "\n".join([HEAD, *(line(each, found) for each, found in asked)])
    return ABOUT + "\n\n".join([told, table, *(section(*each) for each in results.values())]) + "\n"


def section(experiment: Experiment, findings: Sequence[Finding]) -> str:
    """Say what was simulated, why the bounds are what they are, every figure, and how to run it alone."""
    parts = [
        f"## {experiment.id} {experiment.title}",
        f"{experiment.simulated} *Bounds*: {experiment.reason}",
        f"![{experiment.title}]({picture(experiment)})",
        "\n".join([HEAD, *(line(experiment, each) for each in findings)]),
        f"Alone: `python -m tests.validation --only {experiment.id}`",
    ]
    return "\n\n".join(parts)


def picture(experiment: Experiment) -> Path:
    """Where the figure lies, seen from the document."""
    return Path(FIGURES) / f"{experiment.id}.png"


def line(experiment: Experiment, finding: Finding) -> str:
    """One row of a table."""
    error = "" if np.isnan(finding.error) or finding.error == 0 else f" ± {number(finding.error)}"
    verdict = (HOLDS if finding.holds() else MISSED) if finding.required else BESIDE
    cells = (experiment.id, finding.what, str(finding.worlds), number(finding.measured) + error, required(finding), verdict)
    return f"| {' | '.join(cells)} |"


def required(finding: Finding) -> str:
    """Say what was required; nothing of what is shown beside."""
    low, high = np.isfinite(finding.low), np.isfinite(finding.high)
    if low and high:
        return f"{number(finding.low)} to {number(finding.high)}"
    return f"≥ {number(finding.low)}" if low else f"≤ {number(finding.high)}" if high else ""


def number(value: float) -> str:
    """Three decimals, four where it is small, without the zero in front; whole numbers as they are."""
    text = f"{value:.4f}" if abs(value) < 0.01 else f"{value:.3f}"
    if float(text) == 0:
        return "0"
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text.rstrip("0").rstrip(".")
