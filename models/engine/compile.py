"""How the kernels are compiled, and where their machine code is kept."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import config
from numba.core.caching import UserWideCacheLocator

Kernel = Callable[..., Any]
"""What a decorated function is to a type checker: numba finds the types of its arguments."""

FAST = {"reassoc", "contract", "nsz", "arcp"}
"""Sums may be reordered, so that they run in vectors. Not 'nnan' or 'ninf': a fit that ran away must be seen."""

VERSION = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()[:16]


class KernelCache(UserWideCacheLocator):
    """Keep machine code in one folder of the user for all copies of these files, and for these contents of all of them.

    numba's own way compiles again in every copy of the project, and does not see that a kernel it calls in another file has changed.
    `NUMBA_CACHE_DIR` moves the folder.
    """

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        super().__init__(py_func, py_file)
        base = vars(config)["CACHE_DIR"] or Path(self._cache_path).parent
        self._cache_path = str(Path(base) / f"appetite-{VERSION}")

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> "KernelCache | None":
        """Give the place of a kernel, which is made when there is something to keep; None where it cannot be made."""
        made = cls(py_func, py_file)
        nearest = next(each for each in Path(made._cache_path).absolute().parents if each.exists())
        return made if os.access(nearest, os.W_OK | os.X_OK) else None

    def get_source_stamp(self) -> str:
        """Say what the machine code was made of."""
        return VERSION


def _kept(kernel: Kernel, **options: Any) -> Kernel:
    settings = vars(config)
    before = settings["CACHE_LOCATOR_CLASSES"]
    settings["CACHE_LOCATOR_CLASSES"] = f"{__name__}.{KernelCache.__name__}"
    made: Kernel
    try:
        made = njit(cache=True, error_model="numpy", **options)(kernel)
    except RuntimeError:  # nowhere to write: compile anew in every process
        made = njit(error_model="numpy", **options)(kernel)
    finally:
        settings["CACHE_LOCATOR_CLASSES"] = before
    return made


def compiled(kernel: Kernel) -> Kernel:
    """Compile on first use."""
    return _kept(kernel, fastmath=FAST)


def compiled_inside(kernel: Kernel) -> Kernel:
    """Compile into every kernel that calls it, for one that is called by name where it is compiled as usual.

    Such a call finds the kernel's own machine code in a process that has compiled it, and the caller's copy in one that loads the caller
    from the cache. Where the compiler orders their sums in two ways, results differ in their last bits.
    """
    return _kept(kernel, fastmath=FAST, forceinline=True)


def compiled_exactly(kernel: Kernel) -> Kernel:
    """Compile with every operation in the order it is written: a row's bits do not depend on how many rows there are."""
    return _kept(kernel)
