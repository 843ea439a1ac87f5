"""What the code refers to is there: every cited section of docs/METHODS.md exists."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
METHODS = ROOT / "docs" / "METHODS.md"
SUFFIXES = {".py", ".yaml", ".j2", ".md"}
NOT_OURS = {"mlruns", "mlartifacts", "outputs", "reports", "build", "dist"}
"""Folders that jobs write; hidden ones are left out as well."""

NUMBER = r"A?\d+(?:\.\d+)?"
CITATION = re.compile(rf"\bMETHODS\s+(?:section\s+|§\s*)?({NUMBER}(?:(?:\s*[,-]\s*|\s+(?:to|and)\s+){NUMBER})*)")
SECTION = re.compile(rf"^(?:#+ |- \*\*)({NUMBER})\b", re.MULTILINE)
"""A heading '### 1.0 Time', or an item '- **A1** Prefix invariance'."""


def texts_of_the_repository():
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") or part in NOT_OURS for part in inside)
        if path.suffix in SUFFIXES and path != METHODS and not hidden:
            yield path


def test_every_citation_of_methods_has_its_section():
    there = set(SECTION.findall(METHODS.read_text(encoding="utf-8")))
    cited = {
        (number, str(path.relative_to(ROOT)))
        for path in texts_of_the_repository()
        for several in CITATION.findall(path.read_text(encoding="utf-8"))
        for number in re.findall(NUMBER, several)
    }
    assert cited, "no citation was found: the search is broken"
    assert not {each for each in cited if each[0] not in there}
