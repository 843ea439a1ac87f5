"""What import-linter cannot see: the front door, names left out of the contracts, effects at import, smoothed answers."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINTER = PROJECT["tool"]["importlinter"]
OURS = {name.split(".")[0] for name in PROJECT["tool"]["setuptools"]["packages"]}

WHOLE_SEQUENCE = {"predict", "predict_proba", "score_samples", "decode"}
"""Methods that on an hmmlearn model look at the whole sequence, the future included. Nothing of ours calls them ..."""

NOT_OF_A_SEQUENCE = {
    ("models/classifier.py", "self.model.predict_proba"),  # scikit-learn classifier: row by row
    ("models/whole_sequence.py", "super().decode"),  # defines hmmlearn's own method for rows with gaps
    ("models/scoring.py", "cell.ladder.predict"),  # the forecasts of one day from that day's inputs
    ("training/forecasts.py", "ladder.predict"),
    ("serving/batch.py", "loaded.predict"),  # MLflow's name for the scoring function, which filters
}
"""... except these, which belong to something else."""

SMOOTHED = {"smooth_proba", "smooth_labels", "smooth_history", "smooth_densities"}
"""Our own answers that have seen the future: for research, never for a signal."""

SIGNALS = ("training", "serving", "features")


def imports_at_the_top(source: str) -> set[str]:
    """Top-level names that a module imports when it is itself imported, those under TYPE_CHECKING aside."""
    found = set()
    waiting = list(ast.parse(source).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found


def smoothed_uses(source: str) -> set[str]:
    """Where a module names one of SMOOTHED: an attribute, an import, a bare name, or a string that `getattr` may be given."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        names = {
            ast.Attribute: lambda each: [each.attr],
            ast.Name: lambda each: [each.id],
            ast.Constant: lambda each: [each.value],
            ast.ImportFrom: lambda each: [alias.name for alias in each.names],
        }.get(type(node), lambda each: [])(node)
        found |= {name for name in names if isinstance(name, str) and name in SMOOTHED}
    return found


def whole_sequence_uses(source: str) -> set[str]:
    """Where a module reads a method of WHOLE_SEQUENCE off some object; decoding bytes by a named encoding is none."""
    tree = ast.parse(source)
    text = {
        id(call.func)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and all(isinstance(argument, ast.Constant) for argument in [*call.args, *[key.value for key in call.keywords]])
    }
    return {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in WHOLE_SEQUENCE and not (node.attr == "decode" and id(node) in text)
    }


def run_outside(tmp_path: Path, code: str) -> str:
    """Run code in a fresh interpreter, in an empty folder, and return what it printed."""
    command = [sys.executable, "-B", "-c", code]
    env = {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg", "PATH": "", "HOME": str(tmp_path), "MPLCONFIGDIR": str(tmp_path / "matplotlib")}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_package_is_named_in_the_contracts():
    in_layers = {name.strip() for layer in LINTER["contracts"][0]["layers"] for name in layer.split("|")}
    assert set(LINTER["root_packages"]) == OURS
    assert in_layers == OURS


def test_front_door_imports_packages_only_when_a_word_is_called():
    assert imports_at_the_top((ROOT / "appetite.py").read_text()) & (OURS | {"mlflow", "pandas", "numpy", "sklearn", "hmmlearn"}) == set()


def test_help_imports_click_and_the_words_alone(tmp_path):
    code = """
import sys
before = set(sys.modules)
import click.testing, appetite
assert "train" in click.testing.CliRunner().invoke(appetite.main, ["--help"]).output
known = {"click", *sys.stdlib_module_names}
print(sorted(name for name in set(sys.modules) - before if name.partition(".")[0] not in known))
"""
    words = {f"training.commands.{path.stem}" for path in (ROOT / "training" / "commands").glob("[a-z]*.py")}
    assert set(ast.literal_eval(run_outside(tmp_path, code))) == words | {"appetite", "training", "training.commands"}


@pytest.mark.parametrize(
    "source",
    [
        "import training.fit",
        "from training.fit import train",
        "if True:\n    import training",
        "class A:\n    import training",
        "try:\n    import training\nfinally:\n    pass",
    ],
)
def test_import_check_sees_an_import_at_the_top(source):
    assert imports_at_the_top(source) == {"training"}


@pytest.mark.parametrize(
    "source", ["def f():\n    import training", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import training"]
)
def test_import_check_passes_a_late_import(source):
    assert "training" not in imports_at_the_top(source)


def test_nothing_calls_what_looks_at_the_whole_sequence():
    files = {path.relative_to(ROOT).as_posix(): path for package in OURS for path in (ROOT / package).rglob("*.py")}
    used = {(name, method) for name, path in files.items() for method in whole_sequence_uses(path.read_text())}
    assert used == NOT_OF_A_SEQUENCE


@pytest.mark.parametrize(
    "source",
    [
        "model.predict_proba(X)",
        "self.hmm_.decode(X)",
        "states = fit().predict(X, lengths)",
        "f = model.score_samples",
        "super().predict_proba(X)",
    ],
)
def test_sequence_check_sees_a_smoothed_answer(source):
    assert whole_sequence_uses(source)


@pytest.mark.parametrize("source", ["body.decode()", "body.decode('utf-8')", "body.decode(encoding='utf-8')", "filter_proba(X)"])
def test_sequence_check_passes_other_code(source):
    assert not whole_sequence_uses(source)


def test_no_signal_is_made_of_a_smoothed_answer():
    files = [path for package in SIGNALS for path in (ROOT / package).rglob("*.py")]
    assert len(files) > 50
    assert {path.relative_to(ROOT).as_posix(): uses for path in files if (uses := smoothed_uses(path.read_text()))} == {}


@pytest.mark.parametrize("package", SIGNALS)
@pytest.mark.parametrize(
    "mutant",
    [
        "model.smooth_proba(X)",
        "label = JumpModel().fit(X).smooth_labels",
        "from models.engine.posterior import smooth_history",
        "getattr(model, 'smooth_proba')(X)",
        "model.predict_proba(X)",
        "model.decode(X)",
        "model.score_samples(X)",
    ],
)
def test_a_signal_that_is_made_of_one_is_seen(package, mutant):
    path = sorted((ROOT / package).rglob("*.py"))[-1]
    source = path.read_text()
    assert not smoothed_uses(source)
    mutated = f"{source}\n\ndef signal(model, X, JumpModel):\n    {mutant}\n"
    assert smoothed_uses(mutated) | (whole_sequence_uses(mutated) - whole_sequence_uses(source))


@pytest.mark.parametrize("package", ["features", "models", "sources"])
def test_importing_a_lower_package_brings_no_mlflow(package, tmp_path):
    code = f"""
import importlib, pkgutil, sys
import {package}
for found in pkgutil.walk_packages({package}.__path__, "{package}."):
    importlib.import_module(found.name)
print(sorted(name for name in sys.modules if name.partition(".")[0] == "mlflow"))
"""
    assert run_outside(tmp_path, code).strip() == "[]"


def test_importing_everything_writes_nothing_and_sets_up_no_logging(tmp_path):
    code = f"""
import importlib, logging, pathlib, pkgutil
import appetite
for package in {sorted(OURS)}:
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        importlib.import_module(found.name)
of_matplotlib = ("matplotlib", ".config")
print(logging.getLogger().handlers, sorted(str(path) for path in pathlib.Path().iterdir() if path.name not in of_matplotlib))
"""
    assert run_outside(tmp_path, code).strip() == "[] []"
