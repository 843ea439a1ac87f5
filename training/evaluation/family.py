"""Adjusted p-values of one family of tests whose rows share sessions, if not all of them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from training.evaluation.many import all_rows_null
from training.evaluation.resampling import step_down_p

SEED = 0


def family_wise(p: pd.Series, gains: Mapping[int, pd.Series], horizon: int) -> pd.Series:
    """Step-down adjusted p-values (Romano and Wolf 2005) of tests that live on the same calendar.

    Sessions are drawn in blocks, all tests at once, and a mean is over the rows that a test has among them, so that assets of
    different age are one family. Blocks need all rows, since horizons differ; none gets less than its own p-value from rows apart.

    Parameters
    ----------
    p : raw p-values by row of the table
    gains : what was tested, by row of the table and by session: the family
    horizon : longest of the family

    Returns
    -------
    Adjusted p-values by row of the table; NaN outside the family
    """
    adjusted = pd.Series(np.nan, index=p.index)
    if not gains:
        return adjusted
    together = pd.DataFrame(dict(gains)).sort_index()
    joint = step_down_p(*all_rows_null(together.to_numpy(dtype=np.float64), horizon, SEED))
    adjusted.loc[list(together.columns)] = np.maximum(joint, p.loc[list(together.columns)])
    return adjusted
