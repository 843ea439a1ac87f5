"""hmmlearn's own tests of GaussianHMM, with ours in its place: every test that stock passes at the same seed, ours passes."""

import os
import subprocess
import sys
from pathlib import Path

import hmmlearn
import pytest

SOURCE = Path(hmmlearn.__file__).parent / "tests" / "test_gaussian_hmm.py"
ROOT = Path(__file__).resolve().parents[2]

OURS_DOES_NOT_UNDERFLOW = "TestGaussianHMMWithSphericalCovars::test_underflow_from_scaling[scaling]"
"""The one exception: it asserts that `implementation="scaling"` raises on a row 10,000 standard deviations off, where hmmlearn's scaled
recursion underflows. Ours goes on in logarithms for such a row, and fits."""

CONFTEST = """
import random
import numpy as np
import pytest
import hmmlearn.hmm

@pytest.fixture(autouse=True)
def seeded():  # hmmlearn seeds once; so seeded, an outcome does not depend on the order
    np.random.seed({seed})
    random.seed({seed})

def pytest_collection_modifyitems(items):
    if {ours}:
        from types import SimpleNamespace
        from models import GaussianHMM
        for module in {{item.module for item in items}}:
            module.hmm = SimpleNamespace(GaussianHMM=GaussianHMM)
"""


def outcomes(seed: int, ours: bool, folder: Path, *chosen: str) -> dict[str, str]:
    """Names of the tests and how they ended, of a process of its own: the module changes NumPy's error state for all."""
    folder.mkdir()
    plugin = folder / "in_its_place.py"
    plugin.write_text(CONFTEST.format(seed=seed, ours=ours))
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")  # as hmmlearn's own
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-rA", "--tb=no", "-p", "in_its_place", "-p", "no:cacheprovider"]
    command += [
        "-p",
        "no:randomly",
        *chosen,
        "-c",
        str(folder / "pytest.ini"),
        "--rootdir",
        str(folder),
        "--import-mode=importlib",
        str(SOURCE),
    ]
    env = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "HMMLEARN_SEED": str(seed), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    ends = [line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("PASSED ", "FAILED ", "ERROR "))]
    assert ends, done.stdout + done.stderr
    return {name.split("::", 1)[1].split(" - ")[0]: end for end, name in ends}


def test_all_but_the_named_exception_pass_in_our_place(tmp_path):
    """Seed 0, and without the tests of `aic` over many fits, which take most of the time: those are with the other seeds."""
    ours = outcomes(0, True, tmp_path / "ours", "-k", "not criterion")
    assert len(ours) > 80
    assert {name for name, end in ours.items() if end != "PASSED"} == {OURS_DOES_NOT_UNDERFLOW}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_every_test_that_hmmlearn_passes_is_passed(seed, tmp_path):
    theirs, ours = outcomes(seed, False, tmp_path / "theirs"), outcomes(seed, True, tmp_path / "ours")
    assert set(ours) == set(theirs)
    assert len(theirs) > 90
    passed = {name for name, end in theirs.items() if end == "PASSED"}
    assert len(passed) >= len(theirs) - 5  # stock is left by its own scaled recursion or a singular start at some seeds (three tests at 2)
    assert {name for name in passed if ours[name] != "PASSED"} == {OURS_DOES_NOT_UNDERFLOW}
