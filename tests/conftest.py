"""What every test shares: a quiet environment, markers, the sample market and the real one."""

import os

# Before anything imports numpy or mlflow: one thread a worker, no window, nothing sent anywhere.
os.environ.update(
    MLFLOW_DISABLE_TELEMETRY="true",
    MPLBACKEND="Agg",
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
)

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from features.market import Market

ROOT = Path(__file__).resolve().parent.parent
REAL_FIXTURES = {"data_root", "real_market"}

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="run the tests marked slow as well")


def _data_root() -> Path | None:
    """Folder of the real market; None where it was not asked for."""
    named = os.environ.get("APPETITE_DATA")
    if not named:
        return None
    if not Path(named).is_dir():
        raise pytest.UsageError(f"APPETITE_DATA is '{named}', which is no folder: name the folder of the real market, or unset it")
    return Path(named).resolve()


def pytest_configure(config: pytest.Config) -> None:
    root = _data_root()
    if root is not None:  # a relative path would depend on where a test runs its commands
        os.environ["APPETITE_DATA"] = str(root)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests on the real market, which are counted, and leave the slow ones out unless they were asked for."""
    for item in items:
        if REAL_FIXTURES & set(getattr(item, "fixturenames", ())) and not item.get_closest_marker("realdata"):
            item.add_marker("realdata")
        if item.get_closest_marker("realdata"):
            item.user_properties.append(("realdata", "yes"))
            if _data_root() is None:
                item.add_marker(pytest.mark.skip(reason="needs the real market: set APPETITE_DATA to its folder"))
    if not config.getoption("--run-slow"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of the real market; the test is skipped where there is none."""
    root = _data_root()
    if root is None:
        pytest.skip("needs the real market: set APPETITE_DATA to its folder")
    return root


@pytest.fixture(scope="session")
def sample_market() -> "Market":
    """Build a short simulated market with a planted effect; frames are shared, so a test copies what it alters."""
    from sources import simulate_market

    return simulate_market(years=6, n_stocks=60)


@pytest.fixture(scope="session")
def real_market(data_root: Path) -> "Market":
    """Load everything that conf/market-files.yaml maps."""
    from sources import load_market

    return load_market(ROOT / "conf" / "market-files.yaml")
