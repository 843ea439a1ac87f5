"""Series and published numbers that ship in statsmodels' tests: read from the text of those files, which are not imported or run."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels
from numpy.typing import NDArray

TESTS = Path(statsmodels.__file__).parent / "tsa" / "regime_switching" / "tests"


def lists_of(name: str) -> dict[str, NDArray[np.float64]]:
    """Every list of numbers that the module `name` binds to a name."""
    text = (TESTS / f"{name}.py").read_text(encoding="utf-8").replace("np.nan", "None")
    tree = ast.parse(text)
    bound = (node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.List))
    named = [(node.targets[0].id, node.value) for node in bound if isinstance(node.targets[0], ast.Name)]
    return {each: np.array(ast.literal_eval(value), dtype=np.float64) for each, value in named}


def table_of(name: str) -> pd.DataFrame:
    """A table of published results."""
    return pd.read_csv(TESTS / "results" / f"{name}.csv")
