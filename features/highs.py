"""How long a series has not been higher."""

import numpy as np
import pandas as pd


def years_since_higher(share: pd.Series) -> pd.Series:
    """Say for how many years a series has not been higher than it is: since it last was, else since its first value.

    Parameters
    ----------
    share : Series by session, possibly with NaN

    Returns
    -------
    Series of years of 365.25 days, NaN where `share` is; a short history cannot give many years
    """
    there = share.dropna()
    days = pd.DatetimeIndex(there.index).to_numpy().astype("datetime64[D]").astype(np.int64)
    years = np.empty(len(there))
    higher: list[int] = []
    for t, value in enumerate(there.to_numpy().tolist()):
        while higher and there.iat[higher[-1]] <= value:
            higher.pop()
        years[t] = (days[t] - days[higher[-1] if higher else 0]) / 365.25
        higher.append(t)
    return pd.Series(years, index=there.index).reindex(share.index)
