"""Adjusted p-values of one family of tests whose rows share sessions, if not all of them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from training.evaluation.resampling import block_length, drawn_counts, overlapping_null, step_down_p

SEED = 0


def family_wise(p: pd.Series, gains: Mapping[int, pd.DataFrame], horizon: int) -> pd.Series:
    """Step-down adjusted p-values (Romano and Wolf 2005) of tests that live on the same calendar, each against several baselines.

    Sessions are drawn in blocks, all tests at once, and a mean is over the rows that a test has among them, so that assets of
    different age are one family. Blocks need all rows, since horizons differ; none gets less than its own p-value from rows apart.
    A claim to be better than every baseline is an intersection-union test: the step-down is done against each baseline, and the
    largest p counts. One step-down against each test's hardest baseline would choose that baseline by the data.

    Parameters
    ----------
    p : raw p-values by row of the table, the largest over the baselines
    gains : what was tested, by row of the table: by session, a column a baseline, the same ones in each: the family
    horizon : longest of the family

    Returns
    -------
    Adjusted p-values by row of the table; NaN outside the family
    """
    adjusted = pd.Series(np.nan, index=p.index)
    if not gains:
        return adjusted
    rows, baselines = list(gains), next(iter(gains.values())).columns
    sessions = pd.concat(gains, axis=1, sort=True)
    counts = drawn_counts(len(sessions), block_length(len(sessions), horizon), SEED)
    against = [sessions.xs(base, axis=1, level=1)[rows].to_numpy(dtype=np.float64) for base in baselines]
    joint = np.max([step_down_p(*overlapping_null(each, counts)) for each in against], axis=0)
    adjusted.loc[rows] = np.maximum(joint, p.loc[rows])
    return adjusted
