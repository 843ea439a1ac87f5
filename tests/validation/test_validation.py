"""The study on few worlds, and the document as the study writes it."""

import re

import pandas as pd
import pytest

from tests.conftest import ROOT
from tests.validation.document import FIGURES, NAME, document, line, number
from tests.validation.experiment import CHUNK, Finding, share
from tests.validation.registry import EXPERIMENTS
from tests.validation.study import figure, judged

SMOKE, ERRORS = 40, 4.0
FEWER = {"A19": 1}
"""A world of it is a whole ledger of 50 trials."""

DOCUMENT = ROOT / "docs" / NAME
LARGEST = 60_000


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.id)
def test_experiment_holds_in_forty_worlds_within_four_errors(experiment):
    measures, findings = judged(experiment, FEWER.get(experiment.id, SMOKE), 1)
    for found in findings:
        assert found.holds(ERRORS), found
    assert len(figure(experiment, measures)) < LARGEST


def rows() -> list[str]:
    return [each for each in DOCUMENT.read_text(encoding="utf-8").splitlines() if re.match(r"\| A\d", each)]


def test_document_names_exactly_the_experiments_of_the_study():
    text = DOCUMENT.read_text(encoding="utf-8")
    ids = [each.id for each in EXPERIMENTS]
    assert re.findall(r"^## (A\d+) ", text, re.MULTILINE) == ids
    assert set(re.findall(r"^\| (A\d+) \|", text.split("\n## ")[0], re.MULTILINE)) == set(ids)
    assert {each.stem for each in (ROOT / "docs" / FIGURES).iterdir()} == set(ids)
    for each in EXPERIMENTS:
        assert each.title in text
        assert each.simulated in text
        assert each.reason in text


def test_document_has_a_row_for_every_finding():
    (first, *_) = EXPERIMENTS
    findings = [
        Finding("held", 0.04, 0.01, 9, high=0.05),
        Finding("not held", -0.5, float("nan"), 9, low=1.0),
        Finding("shown", 10.0, 0.25, 9),
    ]
    text = document({first.id: (first, findings)})
    assert text.count("| A5 | held | 9 | .040 ± .010 | ≤ .050 | holds |") == 2
    assert text.count("| A5 | not held | 9 | -.500 | ≥ 1 | **missed** |") == 2
    assert text.count("| A5 | shown | 9 | 10 ± .250 |  | beside |") == 1
    assert "1 of 2 requirements hold. Missed: A5, not held." in text
    assert [number(each) for each in (0.00001, 0.0004, 0.2, -0.03, 1.5, 20.0)] == ["0", ".0004", ".200", "-.030", "1.5", "20"]


def test_room_for_few_worlds_is_that_of_the_bound():
    never, often = pd.Series([False] * 40), pd.Series([True] * 30 + [False] * 10)
    assert share("power", often, low=0.8).holds(1.0)
    assert not share("power", never, low=0.8).holds(ERRORS)
    assert not share("size", often, high=0.05).holds(ERRORS)
    assert not share("never", often, high=0.0).holds(ERRORS)
    assert share("never", never, high=0.0).holds()


@pytest.mark.slow
@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.id)
def test_full_study_gives_the_document_to_the_last_digit(experiment):
    _, findings = judged(experiment, experiment.worlds, 2)
    said = [row for row in rows() if row.startswith(f"| {experiment.id} |")]
    assert {line(experiment, each) for each in findings} == set(said)


def test_number_of_worlds_does_not_change_the_first_of_them():
    (first, *_) = EXPERIMENTS
    assert first.chunks(45) == [*first.chunks(40), range(40, 45)]
    assert all(len(each) <= CHUNK for each in first.chunks(45))
