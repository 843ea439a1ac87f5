import numpy as np
import pytest

from training.errors import JobError
from training.search.workers import workers

GIVEN = [(seed, 40) for seed in range(5)]


def least_eigenvalue(seed: int, n: int) -> float:
    X = np.random.default_rng(seed).normal(size=(n, n))
    return float(np.linalg.eigvalsh(X @ X.T)[0])


@pytest.mark.parametrize("backend", ["serial", "loky", "dask", "ray"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::FutureWarning")
def test_every_backend_gives_the_same_numbers_in_order(backend):
    """Processes may round otherwise than a thread does: the numbers agree to 1e-10, and their order is that of what was given."""
    with workers(backend, 2) as spread:
        found = list(spread(least_eigenvalue, GIVEN))
    assert found == pytest.approx([least_eigenvalue(*each) for each in GIVEN], rel=1e-10)


def test_one_job_is_this_process_whatever_the_backend():
    seen = []
    with workers("ray", 1) as spread:
        results = spread(lambda value: seen.append(value), [(1,), (2,)])
        assert seen == []
        assert next(results) is None
        assert seen == [1]  # what is not asked for is not computed yet


def test_fault_of_a_candidate_is_raised():
    with workers("loky", 2) as spread, pytest.raises(ZeroDivisionError):
        list(spread(divmod, [(1, 1), (1, 0)]))


@pytest.mark.parametrize(("backend", "module"), [("dask", "distributed"), ("ray", "ray")])
def test_backend_that_is_not_installed_is_told_with_the_extra(monkeypatch, backend, module):
    import sys

    monkeypatch.setitem(sys.modules, module, None)
    with (
        pytest.raises(JobError, match=rf"backend '{backend}' is not installed; run `pip install 'appetite\[{backend}\]'`"),
        workers(backend, 2),
    ):
        pass
