from pathlib import Path

import optuna
import pytest

from training.config import load_config
from training.errors import JobError
from training.search.space import Range, check_space, load_search_config, values_now, with_values

ROOT = Path(__file__).resolve().parents[3]
CONFIG = load_config(ROOT / "conf" / "train.yaml")
SEARCH = ROOT / "conf" / "search.yaml"


def written(tmp_path: Path, old: str, new: str) -> Path:
    text = SEARCH.read_text()
    assert old in text
    path = tmp_path / "search.yaml"
    path.write_text(text.replace(old, new))
    return path


def test_shipped_search_fits_the_shipped_config():
    search = load_search_config(SEARCH)
    check_space(CONFIG, search)
    values = values_now(CONFIG, search)
    assert values == {"regime.kappa": 100.0, "regime.emission": "gaussian", "regime.n_components": 2, "walk.refit_every": 63}
    assert with_values(CONFIG, values) == CONFIG


def test_values_go_to_their_keys_and_nowhere_else():
    changed = with_values(CONFIG, {"regime.kappa": 7.0, "walk.refit_every": 21}).resolved()
    before = CONFIG.resolved()
    assert {key for key in before if before[key] != changed[key]} == {"regime.kappa", "walk.refit_every"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("trials: 20", "trials: 1", ["trials", "greater than or equal to 2"]),
        ("sampler: tpe", "sampler: grid", ["sampler", "'grid'"]),
        ("{low: 20, high: 500, log: true}", "{low: 500, high: 20}", ["space.regime.kappa", "low (500) must be below high (20)"]),
        ("{low: 20, high: 500, log: true}", "{low: 0, high: 20, log: true}", ["log needs low above 0"]),
        ("{low: 20, high: 500, log: true}", "{low: 1.5, high: 20, step: 2}", ["step is for ranges of whole numbers"]),
        ("{low: 20, high: 500, log: true}", "{low: 1, choices: [1, 2]}", ["not both and not neither"]),
        ("{low: 20, high: 500, log: true}", "{}", ["not both and not neither"]),
        ("batch: 4", "bach: 4", ["'bach' is unknown"]),
    ],
)
def test_fault_of_a_search_is_told_with_key_and_rule(tmp_path, old, new, words):
    with pytest.raises(JobError) as error:
        load_search_config(written(tmp_path, old, new))
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("regime.kappa:", "regime.kapa:", ["'regime.kapa'", "regime.kappa"]),
        ("choices: [2, 3]", "choices: [2, 7]", ["{'regime.n_components': 7}", "less than or equal to 4"]),
        ("low: 20, high: 500, log: true", "low: -5, high: 500", ["regime.kappa", "-5"]),
        ("walk.refit_every: {choices: [21, 63, 126]}", "horizons: {choices: [5, 21]}", ["horizons"]),
        (
            "walk.refit_every: {choices: [21, 63, 126]}",
            "walk.min_history: {choices: [504, 1008]}",
            ["'walk.min_history' cannot be searched"],
        ),
    ],
)
def test_space_that_the_config_does_not_allow_is_refused_before_anything_runs(tmp_path, old, new, words):
    with pytest.raises(JobError) as error:
        check_space(CONFIG, load_search_config(written(tmp_path, old, new)))
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("given", "kind"),
    [(Range(low=1, high=9), int), (Range(low=1, high=9, step=2), int), (Range(low=1.0, high=9), float), (Range(choices=["a", "b"]), str)],
)
def test_what_is_suggested_lies_in_the_range_and_has_its_kind(given, kind):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    seen = [given.suggest(study.ask(), "key") for _ in range(20)]
    assert all(type(value) is kind and given.holds(value) for value in seen)
    assert len(set(seen)) > 1


def test_config_outside_of_the_space_is_no_candidate(tmp_path):
    assert values_now(CONFIG, load_search_config(written(tmp_path, "choices: [2, 3]", "choices: [3, 4]"))) is None
