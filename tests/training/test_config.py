from pathlib import Path

import pytest
import yaml

from training.config import load_config
from training.errors import JobError

CONFIG = Path(__file__).resolve().parents[2] / "conf" / "train.yaml"


def refused(tmp_path, change, *words: str, **overrides) -> None:
    tree = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    path = tmp_path / "train.yaml"
    path.write_text(yaml.safe_dump(change(tree) or tree), encoding="utf-8")
    with pytest.raises(JobError) as error:
        load_config(path, **overrides)
    for word in (str(path), *words):
        assert word in str(error.value), f"'{word}' is not in: {error.value}"
    assert "\n" not in str(error.value)


def setting(dotted: str, value):
    def change(tree):
        *parents, last = dotted.split(".")
        node = tree
        for parent in parents:
            node = node[parent]
        node[last] = value

    return change


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("nonsense", 1, ["'nonsense'", "unknown"]),
        ("regime.n_state", 2, ["'regime.n_state'", "unknown"]),
        ("assets", ["BTC", "DOGE"], ["'assets.1'", "'BTC', 'ETH' or 'ALT'", "'DOGE'"]),
        ("assets", [], ["'assets'", "at least 1"]),
        ("assets", ["BTC", "BTC"], ["assets must not repeat"]),
        ("horizons", [5, 5], ["horizons must not repeat"]),
        ("horizons", [0], ["'horizons.0'", "greater than or equal to 1", "(it is 0)"]),
        ("seed", "zero", ["'seed'", "integer", "'zero'"]),
        ("seed", -1, ["'seed'", "(it is -1)"]),
        ("regime.kind", "tree", ["'regime.kind'", "'hmm', 'tvtp', 'jump' or 'classifier'", "'tree'"]),
        ("regime.n_components", 5, ["'regime.n_components'", "(it is 5)"]),
        ("regime.score_column", "momentum__dd", ["score_column 'momentum__dd' must be one of columns"]),
        ("regime.drivers", ["a", "a"], ["drivers must not repeat: ['a', 'a']"]),
        ("regime.drivers", ["a", "b", "c", "d", "e"], ["'regime.drivers'", "at most 4"]),
        ("regime.jump_continuous", "yes", ["'regime.jump_continuous'", "'yes'"]),
        ("regime.leave", 0.7, ["leave (0.7)", "enter (0.6)"]),
        ("regime", 5, ["'regime'", "(it is 5)"]),
        ("walk.start", "soon", ["'walk.start'", "date", "'soon'"]),
        ("walk.min_history", 100, ["'walk.min_history'", "252", "(it is 100)"]),
        ("forecast.features", [], ["'forecast.features'"]),
    ],
)
def test_fault_is_refused_with_file_key_rule_and_value(tmp_path, key, value, words):
    refused(tmp_path, setting(key, value), *words)


def test_missing_key_is_named(tmp_path):
    refused(tmp_path, lambda tree: tree.pop("walk") and None, "'walk'", "required")


def test_every_fault_is_said_at_once(tmp_path):
    def change(tree):
        tree |= {"seed": -1, "nonsense": 1}

    refused(tmp_path, change, "'seed'", "'nonsense'")


def test_classifier_tells_two_regimes(tmp_path):
    refused(tmp_path, lambda tree: None, "n_components must be 2", **{"regime.kind": "classifier", "regime.n_components": 3})


def test_driven_transitions_need_drivers(tmp_path):
    refused(tmp_path, setting("regime.drivers", []), "kind tvtp needs drivers", **{"regime.kind": "tvtp"})


def test_drivers_are_read_by_the_kind_that_has_them_alone():
    config = load_config(CONFIG, **{"regime.drivers": ["liquidity__vix", "momentum__rs_63"]})
    driven = load_config(CONFIG, **{"regime.drivers": ["liquidity__vix", "momentum__rs_63"], "regime.kind": "tvtp"})
    assert config.regime.reads == config.regime.columns
    assert driven.regime.reads == [*config.regime.columns, "liquidity__vix"]  # a driver that is a column too is read once


def test_override_into_what_is_no_mapping_is_refused(tmp_path):
    refused(tmp_path, setting("regime", 5), "'regime'", "(it is 5)", **{"regime.n_components": 3})


def test_override_takes_the_place_of_the_file_and_none_does_not():
    config = load_config(CONFIG, seed=9, **{"regime.n_components": 3, "regime.kind": None})
    assert (config.seed, config.regime.n_components, config.regime.kind) == (9, 3, "hmm")


def test_config_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load_config(CONFIG).seed = 1


@pytest.mark.parametrize(
    ("content", "words"), [(b"- 1\n", "mapping"), (b"seed: [1\n", "not YAML"), (b"\xff\xfe\x00", "cannot be read"), (None, "No such file")]
)
def test_file_that_is_no_config_is_named(tmp_path, content, words):
    path = tmp_path / "train.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(JobError) as error:
        load_config(path)
    assert str(path) in str(error.value)
    assert words in str(error.value)


def test_resolved_names_every_value_by_its_path():
    config = load_config(CONFIG)
    flat = config.resolved()
    tree = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    assert flat["seed"] == tree["seed"]
    assert flat["regime.kappa"] == tree["regime"]["kappa"]
    assert set(flat) == {"seed", "assets", "horizons", "min_coverage"} | {
        f"{part}.{key}" for part in ("regime", "forecast", "walk") for key in tree[part]
    }
