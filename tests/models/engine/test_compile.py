"""Where the machine code is kept: never stale, nothing written by importing, and no need of a place at all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.engine.maximise import slope_of_dof

ROOT = Path(__file__).resolve().parents[3]


def run(code: str, tree: Path, cache: Path | None, home: Path) -> str:
    """Run code in a process of its own against a copy of the package."""
    env = {"PYTHONPATH": str(tree), "HOME": str(home), "PATH": os.environ.get("PATH", ""), "OMP_NUM_THREADS": "1"}
    if cache is not None:
        env["NUMBA_CACHE_DIR"] = str(cache)
    done = subprocess.run([sys.executable, "-B", "-W", "error", "-c", code], env=env, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the package whose files may be altered."""
    shutil.copytree(ROOT / "models", tmp_path / "tree" / "models", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "home").mkdir()
    return tmp_path / "tree"


def altered(tree: Path, name: str, before: str, after: str) -> None:
    path = tree / "models" / "engine" / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


TWICE = """
import numpy as np
from models.engine.maximise import slope_of_dof
print(slope_of_dof(4.0, 10.0, -12.0, 2.0, 0.1))
"""

HITS = "print(sum(slope_of_dof.stats.cache_hits.values()), sum(slope_of_dof.stats.cache_misses.values()))"


def test_a_kernel_changed_in_another_file_is_not_served_stale(tree, tmp_path):
    """`slope_of_dof` of maximise.py calls `digamma` of special.py; numba looks at the file of the caller alone."""
    cache, home = tmp_path / "cache", tmp_path / "home"
    first = run(TWICE, tree, cache, home)
    assert float(first) == pytest.approx(slope_of_dof(4.0, 10.0, -12.0, 2.0, 0.1))
    shutil.copytree(tree, tmp_path / "second")  # another copy of the same files takes what was compiled
    assert run(TWICE + HITS, tmp_path / "second", cache, home).split("\n") == [first, "1 0"]
    assert len(list(cache.iterdir())) == 1  # one folder for these contents
    altered(tree, "special.py", "return shift +", "return 1.0 + shift +")
    changed = float(run(TWICE, tree, cache, home))
    assert changed == pytest.approx(float(first) - 0.5 * 10.0, rel=1e-12)
    assert len(list(cache.iterdir())) == 2


def test_importing_writes_nothing(tree, tmp_path):
    cache, home = tmp_path / "cache", tmp_path / "home"
    names = [f"models.engine.{path.stem}" for path in (tree / "models" / "engine").glob("*.py") if path.stem != "__init__"]
    assert len(names) > 8
    code = f"import importlib\nfor name in {names}:\n    importlib.import_module(name)"
    before = {path for path in tree.rglob("*")}
    run(code, tree, cache, home)
    assert not cache.exists()
    assert list(home.iterdir()) == []
    assert {path for path in tree.rglob("*")} == before


def test_without_a_place_to_write_kernels_are_compiled_anew(tree, tmp_path):
    """A cache folder below a file can be made by nobody, the administrator included."""
    (tmp_path / "file").write_text("")
    home = tmp_path / "home"
    assert float(run(TWICE, tree, tmp_path / "file" / "cache", home)) == pytest.approx(slope_of_dof(4.0, 10.0, -12.0, 2.0, 0.1))
    assert (tmp_path / "file").read_text() == ""
