"""The files that describe the project agree with each other and with the code."""

import importlib.util
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import click
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["setuptools"]["packages"]
NOT_SHIPPED = {"benchmarks", "tests"}


def _lock_script():
    spec = importlib.util.spec_from_file_location("lock_script", ROOT / ".ci" / "lock.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lock_script = _lock_script()


def _entry_points():
    return yaml.safe_load((ROOT / "MLproject").read_text())["entry_points"]


def test_packages_of_the_tree_are_all_listed():
    found = {path.parent.relative_to(ROOT) for path in ROOT.glob("*/**/__init__.py") if not path.relative_to(ROOT).parts[0].startswith(".")}
    passed_over = NOT_SHIPPED | {"build", "mlruns", "mlartifacts"}  # logged models carry code of their own
    inside = {".".join(path.parts) for path in found if path.parts[0] not in passed_over}
    assert inside == set(PACKAGES)


@pytest.mark.parametrize("package", sorted({name.split(".")[0] for name in PACKAGES}))
def test_package_says_it_is_typed(package):
    assert (ROOT / package / "py.typed").is_file()


def test_top_level_names_belong_to_no_other_distribution():
    owners = packages_distributions()
    names = {name.split(".")[0] for name in PACKAGES} | set(PROJECT["tool"]["setuptools"]["py-modules"])
    others = {name: set(owners.get(name, ())) - {"appetite"} for name in names}
    assert not {name: taken for name, taken in others.items() if taken}


def test_distribution_is_kept_from_public_indexes():
    assert "Private :: Do Not Upload" in PROJECT["project"]["classifiers"]


def test_locks_hold_what_the_project_asks_for():
    assert lock_script.faults(ROOT) == []


def test_environment_lists_the_lock_and_not_the_project():
    listed = yaml.safe_load((ROOT / "python_env.yaml").read_text())
    assert listed["dependencies"] == (ROOT / "requirements.lock").read_text().splitlines()
    assert listed["python"] == "3.11"
    assert not [line for line in listed["dependencies"] if line.startswith(("-", ".", "/", "appetite"))]


@pytest.mark.parametrize(
    "line", ["numpy", "numpy>=2", "numpy==2.*", "-e .", "--index-url https://example.org/simple", "numpy @ https://example.org/numpy.whl"]
)
def test_lock_check_refuses_a_line_that_is_no_pin(line):
    assert lock_script.pins(f"pandas==3.1.1\n{line}\n")[1] == [line]


@pytest.mark.parametrize(("lock", "named"), [("", "not at all"), ("numpy==1.0\n", "1.0"), ("numpy==2.5\nnumpy==1.0\n", "1.0, 2.5")])
def test_lock_check_names_what_is_missing_or_out_of_range(lock, named):
    versions, _ = lock_script.pins(lock)
    assert lock_script.unmet(["numpy>=2.2"], versions) == [f"numpy>=2.2 (locked: {named})"]


def test_changelog_tells_of_the_version():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert any(heading.startswith(PROJECT["project"]["version"]) for heading in headings)


@pytest.mark.parametrize("name", sorted(_entry_points()))
def test_entry_point_parameters_are_strings_that_the_command_line_takes(name):
    import appetite

    entry = _entry_points()[name]
    word, *rest = re.findall(r"python -m appetite (\S+)(.*)", entry["command"], flags=re.DOTALL)[0]
    options = dict(re.findall(r"(--[a-z-]+) \{(\w+)\}", rest[0]))
    known = {
        option for parameter in appetite.main.commands[word].params if isinstance(parameter, click.Option) for option in parameter.opts
    }
    assert set(options) <= known
    assert set(options.values()) == set(entry["parameters"])
    assert all(parameter["type"] == "string" and isinstance(parameter["default"], str) for parameter in entry["parameters"].values())


def test_files_that_entry_points_default_to_exist():
    defaults = {parameter["default"] for entry in _entry_points().values() for parameter in entry["parameters"].values()}
    named = {default for default in defaults if default.startswith("conf/")}
    assert named
    assert {default for default in named if not (ROOT / default).is_file()} == set()
