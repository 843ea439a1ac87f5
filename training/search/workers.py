"""Where candidates are computed: here, or in processes of joblib, Dask or Ray. The numbers are the same everywhere."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from joblib import Parallel, delayed, parallel_config

from training.errors import JobError

Map = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], Iterator[Any]]


@contextmanager
def workers(backend: str, jobs: int) -> Iterator[Map]:
    """Give a function that maps another over argument tuples, results in order.

    Parameters
    ----------
    backend : serial, loky, dask or ray
    jobs : processes; one is this process, whatever the backend

    Raises
    ------
    JobError
        Where the backend's package is not installed.
    """
    if backend == "serial" or jobs == 1:
        yield lambda function, given: (function(*each) for each in given)
        return
    with _backend(backend, jobs):
        yield lambda function, given: iter(Parallel(n_jobs=jobs)(delayed(function)(*each) for each in given))


@contextmanager
def _backend(name: str, jobs: int) -> Iterator[None]:
    if name == "loky":
        with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
            yield
        return
    with (_dask if name == "dask" else _ray)(jobs), parallel_config(name, n_jobs=jobs):
        yield


@contextmanager
def _dask(jobs: int) -> Iterator[None]:
    distributed = _imported("distributed", "dask")
    own = {"n_workers": jobs, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None, "silence_logs": logging.ERROR}
    with distributed.LocalCluster(**own, scheduler_kwargs={"dashboard": False}) as cluster, distributed.Client(cluster):
        yield


@contextmanager
def _ray(jobs: int) -> Iterator[None]:
    ray = _imported("ray", "ray")
    register_ray = _imported("ray.util.joblib", "ray").register_ray

    ours = not ray.is_initialized()
    if ours:
        ray.init(num_cpus=jobs, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    register_ray()
    try:
        yield
    finally:
        if ours:
            ray.shutdown()


def _imported(module: str, extra: str) -> Any:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError:
        raise JobError(
            f"search: backend '{extra}' is not installed; run `pip install 'appetite[{extra}]'`, or choose serial or loky"
        ) from None
