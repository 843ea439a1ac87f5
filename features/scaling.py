"""Standardisation that ends at the row it describes (METHODS 1.0)."""

import pandas as pd

WINDOW = 1260
MIN_PERIODS = 504
CLIP = 5.0


def rolling_z(values: pd.Series, window: int = WINDOW, min_periods: int = MIN_PERIODS) -> pd.Series:
    """Deviation from the mean of the last `window` sessions, this one included, in their standard deviations.

    Parameters
    ----------
    values : Series on the sessions; NaN is skipped
    window, min_periods : sessions, and how many of them must hold a value

    Returns
    -------
    Series clipped to +-5; NaN before `min_periods` values and where the window does not vary
    """
    history = values.rolling(window, min_periods=min_periods)
    return _standardised(values, history.mean(), history.std())


def expanding_z(values: pd.Series, min_periods: int = MIN_PERIODS) -> pd.Series:
    """As `rolling_z`, over everything up to the row."""
    history = values.expanding(min_periods=min_periods)
    return _standardised(values, history.mean(), history.std())


def _standardised(values: pd.Series, mean: pd.Series, spread: pd.Series) -> pd.Series:
    # rolling variance of a constant is only zero up to rounding
    varies = spread > 1e-12 * mean.abs()
    return ((values - mean) / spread.where(varies)).clip(-CLIP, CLIP)
