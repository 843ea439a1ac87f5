"""State and counts of a panel in one file, put in its place in one step."""

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.errors import DataError
from features.panel.counts import FLAGS, SUMS, Totals
from features.panel.recount import PanelBreadth
from features.panel.state import KEPT, PanelState

VERSION = 1
BESIDE = "beside_"


def save_panel(path: Path, breadth: PanelBreadth, state: PanelState, of: str = "", **beside: NDArray[Any]) -> None:
    """Write counts and the state they end with.

    Parameters
    ----------
    path : file; killed at any moment, it is the old one or the new one
    breadth, state : as `recount` gave them, or `update` after it
    of : what was counted, for whoever loads it to compare
    beside : arrays that whoever loads it wants back
    """
    arrays = {
        "version": np.array(VERSION),
        "columns": np.array([*FLAGS, *SUMS]),
        "day": np.array(state.day),
        "of": np.array(of),
        "ids": state.ids,
        "closes": state.closes,
        "age": state.age,
        "days": breadth.days,
        **{f"{BESIDE}{name}": array for name, array in beside.items()},
    }
    for name, totals in (("everyone", breadth.everyone), ("members", breadth.members)):
        arrays |= {f"{name}_counts": totals.counts, f"{name}_sums": totals.sums, f"{name}_expected": totals.expected}
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def load_panel(path: Path) -> tuple[PanelBreadth, PanelState, str, dict[str, NDArray[Any]]]:
    """Read what `save_panel` wrote: counts, state, what they are of, and what was put beside them.

    Raises
    ------
    DataError
        If there is no such file, it is damaged, or of another version.
    """
    again = "Count the panel again"
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as fault:
        raise DataError(f"{path}: {fault}; rule: a file that save_panel wrote. {again}") from fault
    if "version" not in arrays or int(arrays["version"]) != VERSION or arrays["columns"].tolist() != [*FLAGS, *SUMS]:
        raise DataError(f"{path}: version is {arrays.get('version', 'missing')}; rule: {VERSION}, with the counts of today. {again}")
    state = PanelState(int(arrays["day"]), arrays["ids"], arrays["closes"], arrays["age"])
    everyone, members = (
        Totals(arrays[f"{name}_counts"], arrays[f"{name}_sums"], arrays[f"{name}_expected"]) for name in ("everyone", "members")
    )
    breadth = PanelBreadth(arrays["days"], everyone, members)
    if state.closes.shape != (KEPT, len(state.ids)) or int(breadth.days[-1]) != state.day:
        raise DataError(f"{path}: state and counts do not belong together; rule: both end on one session. {again}")
    beside = {name.removeprefix(BESIDE): array for name, array in arrays.items() if name.startswith(BESIDE)}
    return breadth, state, str(arrays["of"]), beside
