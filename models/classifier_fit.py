"""A supervised way to label: logistic regression, calibrated on later rows than it was fitted on."""

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.classifier import RegimeClassifier
from models.errors import FitError
from models.inference import Array

N_FOLDS = 4
STRENGTH = 0.05
"""Inverse penalty of the logistic regression, for standardised columns."""


def purged_folds(n_obs: int, n_folds: int, purge: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Expanding folds in time: train on the rows before a block, less `purge`, then calibrate on the block."""
    edges = np.linspace(0, n_obs, n_folds + 2).astype(np.int64)
    folds = []
    for begin, end in pairwise(edges[1:]):
        folds.append((np.arange(max(begin - purge, 0)), np.arange(begin, end)))
    return folds


def fit_classifier(frame: pd.DataFrame, columns: tuple[str, ...], label: Array, purge: int) -> RegimeClassifier:
    """Fit on complete, labelled rows; isotonic calibration on purged later blocks, averaged over folds.

    Parameters
    ----------
    frame : training rows
    label : (n_obs,) 1, 0, or NaN where it is not known on the day of the fit
    purge : rows between a fold's training and calibration: the label's horizon

    Raises
    ------
    FitError
        If a fold holds one class only.
    """
    X = frame[list(columns)].to_numpy(dtype=np.float64)
    use = ~np.isnan(X).any(axis=1) & ~np.isnan(label)
    X, y = X[use], label[use].astype(np.int64)
    folds = purged_folds(len(y), N_FOLDS, purge)
    for train, test in folds:
        if len(set(y[train])) < 2 or len(set(y[test])) < 2:
            raise FitError(f"classifier: a fold of {len(train)} rows holds one class only; use more history or another label")
    logistic = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH))
    model = CalibratedClassifierCV(logistic, method="isotonic", cv=folds, ensemble=True).fit(X, y)
    return RegimeClassifier(columns, X.mean(axis=0), model, float(y.mean()))
