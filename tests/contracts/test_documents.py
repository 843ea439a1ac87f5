"""What the code and the documents refer to is there: sections, tests, words of the command line; and what a document runs, runs."""

import re
import shlex
from pathlib import Path

import click
import pytest

import appetite
from sources import simulate_market
from sources.fetch import list_sources, read_plan
from sources.store import Store

ROOT = Path(__file__).resolve().parents[2]
METHODS, DATA = ROOT / "docs" / "METHODS.md", ROOT / "docs" / "DATA.md"
SUFFIXES = {".py", ".yaml", ".j2", ".md"}
NOT_OURS = {"mlruns", "mlartifacts", "outputs", "reports", "build", "dist"}
"""Folders that jobs write; hidden ones are left out as well."""

NUMBER = r"A?\d+(?:\.\d+)?"
CITATION = re.compile(rf"\bMETHODS\s+(?:section\s+|§\s*)?({NUMBER}(?:(?:\s*[,-]\s*|\s+(?:to|and)\s+){NUMBER})*)")
SECTION = re.compile(rf"^(?:#+ |- \*\*)({NUMBER})\b", re.MULTILINE)
"""A heading '### 1.0 Time', or an item '- **A1** Prefix invariance'."""

TEST = re.compile(r"\b(?:tests/)?((?:\w+/)+test_\w+\.py)\b")
LINK = re.compile(r"\]\(([^)#:]+)\)")
COMMAND = re.compile(r"^ {4}(?:.*bin/)?appetite (.*)$", re.MULTILINE)
"""A line of a block, or of a crontab."""

BLOCK = r"^```{}\n(.*?)^```$"


def texts_of_the_repository():
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") or part in NOT_OURS for part in inside)
        if path.suffix in SUFFIXES and path != METHODS and not hidden:
            yield path


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(BLOCK.format(language), path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


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


@pytest.mark.parametrize("document", [METHODS, DATA], ids=lambda path: path.name)
def test_every_test_and_file_a_document_names_is_there(document):
    text = document.read_text(encoding="utf-8")
    tests, links = set(TEST.findall(text)), set(LINK.findall(text))
    assert tests, "no test was found: the search is broken"
    assert not {each for each in tests if not (ROOT / "tests" / each).is_file()}
    assert not {each for each in links if not (document.parent / each).exists()}


def test_every_command_of_the_guide_has_the_words_it_uses(monkeypatch):
    monkeypatch.setenv("APPETITE_STORE", "store")
    commands = COMMAND.findall(DATA.read_text(encoding="utf-8"))
    assert len(commands) >= 9, "commands were not found: the search is broken"
    for told in commands:
        command, rest = appetite.main, shlex.split(told.split(" >> ")[0], comments=True)
        while isinstance(command, click.Group):
            command, rest = command.commands[rest[0]], rest[1:]
        command.make_context(command.name, rest)  # stops for an option that is not there


def test_plan_of_the_guide_is_a_plan(tmp_path, monkeypatch):
    monkeypatch.setenv("APPETITE_STORE", str(tmp_path / "store"))
    (text,) = blocks(DATA, "yaml")
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    assert list(list_sources(read_plan(tmp_path / "plan.yaml"))) == ["fred", "yahoo"]


def test_table_of_the_guide_names_every_source_and_what_it_gives(tmp_path, monkeypatch):
    monkeypatch.setenv("APPETITE_STORE", str(tmp_path))
    text = (ROOT / "conf" / "fetch.yaml").read_text(encoding="utf-8").replace("\n# sec:", "\nsec:").replace("\n# files:", "\nfiles:")
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    cells = [[cell.strip() for cell in line.split("|")[1:4]] for line in DATA.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    told = {name.strip("`"): gives for name, _, gives in cells}
    assert told == {name: source.GIVES for name, source in list_sources(read_plan(tmp_path / "plan.yaml")).items()}


def test_python_of_the_guide_runs_on_a_store(tmp_path, monkeypatch, capsys):
    store = Store.create(tmp_path / "store", simulated=True)
    store.write_market(simulate_market(years=3, n_stocks=5), source="simulation")
    monkeypatch.setenv("APPETITE_STORE", str(store.root))
    (code,) = blocks(DATA, "python")
    ran: dict = {}
    exec(compile(code, str(DATA), "exec"), ran)
    assert f"{ran['market'].sessions[-1]:%Y-%m-%d}" == "2024-06-28"
    for kind, frame in ran["answer"].frames.items():
        assert frame.equals(ran["again"].frames[kind])
    assert "known_at" in capsys.readouterr().out
