"""Results as rows: written to results.json, and shown as the table of README.md."""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
RESULTS, README = FOLDER / "results.json", FOLDER / "README.md"
BEGIN, END = "<!-- results: written by make bench -->\n", "<!-- end of results -->"
SHOWN = ("hmmlearn", "numpy", "pandas", "polars", "scipy")

Row = dict[str, Any]


def row(work: str, against: str, ratio: float, floor: float, cpu_s: float, peak_mb: float) -> Row:
    """Give one line of the table, rounded as it is kept."""
    return {
        "part": 1,
        "work": work,
        "against": against,
        "ratio": rounded(ratio),
        "floor": floor,
        "cpu_s": rounded(cpu_s),
        "peak_mb": round(peak_mb),
    }


def rounded(value: float) -> float:
    """Round to three significant digits."""
    return float(f"{value:.3g}")


def below_floor(rows: list[Row]) -> list[Row]:
    """Pick the rows that miss their floor."""
    return [each for each in rows if each["ratio"] < each["floor"]]


def write(rows: list[Row]) -> None:
    """Write results.json, and the table of README.md."""
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(f"{before}{BEGIN}{surroundings()}\n\n{table(rows)}\n{END}{after}", encoding="utf-8")


def table(rows: list[Row]) -> str:
    """Lay rows out as a Markdown table."""
    lines = ["| work | against | ratio | floor | CPU s | peak MB |", "|---|---|---:|---:|---:|---:|"]
    for each in rows:
        figures = (f"{each['ratio']:g}", f"{each['floor']:g}", f"{each['cpu_s']:g}", f"{each['peak_mb']:g}")
        lines.append(f"| {each['work']} | {each['against']} | {' | '.join(figures)} |")
    return "\n".join(lines)


def surroundings() -> str:
    """Say on what it was measured, without naming the machine."""
    versions = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    return f"Measured on {_cpu_model()}, {os.cpu_count()} CPUs; Python {platform.python_version()}, {versions}."


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
