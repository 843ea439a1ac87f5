"""Whether rows can carry a hidden Markov model: what is refused and what is warned of, by the name of the column."""

import logging
import warnings
from typing import Any

import numpy as np

from models.degenerate import DegenerateFitWarning
from models.em import KINDS, standardisation
from models.errors import FitError
from models.observations import column_name
from models.params import Array

LEAST_RESIDUAL = 1e-4
"""A column whose part that the columns before it do not explain is smaller than this share of its standard deviation repeats them."""

SURELY_APART = 1e-6
"""No column repeats others where the least eigenvalue of the correlations is above: it is at most the square of the least residual."""

MOST_DEVIATIONS = 100.0
"""Robust standard deviations from the median beyond which a value is an outlier: days of crashes reach 25, a shifted decimal point 100."""

SCREEN = 5.0
"""Ordinary standard deviations that such a value reaches in any sample of 30 rows or more: below, the median is not asked for."""

MANY = 200
"""Rows of which a column is looked at for as many distinct values as there are states, before all of them are."""

FLAT = 1e-12
"""Range of a column, as a share of its size, that is rounding alone."""


def check_settings(model: Any, where: str) -> None:
    """Refuse parameters of an estimator that mean nothing.

    Raises
    ------
    FitError
    """
    n_components = model.n_components
    if isinstance(n_components, bool) or not isinstance(n_components, int | np.integer) or n_components < 1:
        raise FitError(f"{where}: n_components is {n_components!r}; rule: a whole number of at least 1")
    if model.covariance_type not in KINDS:
        raise FitError(f"{where}: covariance_type is {model.covariance_type!r}; rule: one of {sorted(KINDS)}")
    if model.prior not in (None, "data"):
        raise FitError(f"{where}: prior is {model.prior!r}; rule: None (hmmlearn's priors) or 'data'")


def check_fit(X: Array, n_components: int, n_params: int, names: list[str] | None, where: str, quiet: bool = False) -> None:
    """Refuse rows that no model can be fitted on, and warn of those whose fit would mean little.

    Parameters
    ----------
    X : (n_obs, n_features) finite, NaN where missing
    n_params : free parameters that are estimated
    names : of the columns, where they have any
    quiet : log what a prior on the unit scale can carry, as hmmlearn logs its warnings, in place of an error or a warning

    Raises
    ------
    FitError
        If a column is missing in every row or constant, or there are fewer (distinct) rows than states.

    Warns
    -----
    DegenerateFitWarning
        If a column repeats others, holds an outlier, or there are fewer rows than parameters.
    """
    impossible = refusals(X, n_components, names)
    if impossible:
        raise FitError(f"{where}: {impossible[0]}")
    ill_posed, doubtful = poor_support(X, n_components, names), doubts(X, n_params, names)
    if quiet:
        for reason in [*ill_posed, *doubtful]:
            logging.getLogger(__name__).warning("%s: %s", where, reason)
        return
    if ill_posed:
        raise FitError(f"{where}: {ill_posed[0]}")
    if doubtful:
        warnings.warn(f"{where}: {'; '.join(doubtful)}", DegenerateFitWarning, stacklevel=3)


def refusals(X: Array, n_components: int, names: list[str] | None) -> list[str]:
    """Say what no prior helps against."""
    seen = ~np.isnan(X)
    reasons = [
        f"{column_name(names, at)} is missing in every row; rule: values that differ. Leave it out"
        for at in np.flatnonzero(~seen.any(axis=0))
    ]
    rows, least = int(seen.any(axis=1).sum()), max(2, n_components)
    if rows < least:
        reasons.append(f"{rows} rows with a value for {n_components} states; rule: at least {least}. Use more rows or fewer states")
    return reasons


def poor_support(X: Array, n_components: int, names: list[str] | None) -> list[str]:
    """Say which columns are constant, and whether there are fewer distinct rows than states."""
    low, high = _range(X)
    flat = high - low <= FLAT * np.maximum(np.abs(low), np.abs(high))
    reasons = [f"{column_name(names, at)} is constant; rule: values that differ. Leave it out" for at in np.flatnonzero(flat)]
    enough = any(len(np.unique(column[~np.isnan(column)])) >= n_components for column in X[:MANY].T)
    distinct = n_components if enough else len(np.unique(X, axis=0))
    if distinct < n_components:
        reasons.append(
            f"{distinct} distinct rows for {n_components} states; rule: at least one each. Use fewer states, or columns with more values"
        )
    return reasons


def doubts(X: Array, n_params: int, names: list[str] | None) -> list[str]:
    """Say what makes a fit mean little: repeated columns, outliers, fewer rows than parameters."""
    reasons = [*_repeated(X, names), *_outliers(X, names)]
    if len(X) < n_params:
        reasons.append(f"{len(X)} rows for {n_params} parameters: use fewer states, fewer columns, another covariance_type or more rows")
    return reasons


def _range(X: Array) -> tuple[Array, Array]:
    columns = np.ascontiguousarray(X.T)  # along memory it is ten times as fast
    return np.fmin.reduce(columns, axis=1), np.fmax.reduce(columns, axis=1)  # which pass over NaN


def _repeated(X: Array, names: list[str] | None) -> list[str]:
    gaps = np.isnan(X)
    whole = X[~gaps.any(axis=1)] if gaps.any() else X
    if X.shape[1] < 2 or len(whole) <= X.shape[1] + 1:
        return []
    centred = whole - whole.mean(axis=0)
    products = centred.T @ centred
    size = np.sqrt(np.diagonal(products))
    unit = np.where(size > 0.0, size, 1.0)
    if np.linalg.eigvalsh(products / np.outer(unit, unit))[0] > SURELY_APART:
        return []
    residual = np.abs(np.diagonal(np.linalg.qr(centred / unit, mode="r")))
    return [
        f"{column_name(names, at)} is a linear combination of the columns before it, whose evidence would count twice: leave it out"
        for at in np.flatnonzero((residual < LEAST_RESIDUAL) & (size > 0.0))
    ]


def _outliers(X: Array, names: list[str] | None) -> list[str]:
    reasons, (low, high), (center, spread) = [], _range(X), standardisation(X)
    for at in np.flatnonzero(np.maximum(high - center, center - low) > SCREEN * spread):
        middle = np.nanmedian(X[:, at])
        deviation = 1.4826 * np.nanmedian(np.abs(X[:, at] - middle))  # equal to the standard deviation of a Gaussian
        far = np.abs(X[:, at] - middle)
        row = int(np.nanargmax(far))
        if deviation > 0.0 and far[row] > MOST_DEVIATIONS * deviation:
            reasons.append(
                f"{column_name(names, at)} is {far[row] / deviation:,.0f} robust standard deviations from its median in row {row}: mend or "
                "blank (NaN) the value if it is wrong, clip it if it is right"
            )
    return reasons
