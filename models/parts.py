"""A scorer taken apart into plain values and arrays, and put together again: nothing in it needs pickle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.classifier import RegimeClassifier
from models.ensemble import FIELDS, Ensemble
from models.errors import ScoringError
from models.forecast import Ladder
from models.identity import Identity
from models.inference import Array, HMMParams
from models.regime import RegimeHMM
from models.scoring import Cell, Scorer

SCHEMA_VERSION = 2
PARAMS = FIELDS


@dataclass(frozen=True)
class Parts:
    """What a scorer is stored as.

    Attributes
    ----------
    values : JSON-able tree
    arrays : float64 arrays by name
    published : table of what training published
    estimator : scikit-learn part of a classifier; None for an HMM
    """

    values: dict[str, Any]
    arrays: dict[str, Array]
    published: pd.DataFrame
    estimator: Any = None


def take_apart(scorer: Scorer) -> Parts:
    """Give the parts of a scorer."""
    regime = scorer.regime
    arrays = {"center": regime.center, "last_probs": scorer.last_probs}
    values: dict[str, Any] = {"columns": list(regime.columns)}
    if isinstance(regime, RegimeHMM):
        arrays |= {"scale": regime.scale, **{k: getattr(regime.params, k) for k in PARAMS}}
        values |= {"kind": "hmm", "identity": regime.identity.to_dict()}
    else:
        values |= {"kind": "classifier", "base_rate": regime.base_rate}
    if scorer.ensemble is not None and scorer.last_ensemble is not None:
        arrays |= {f"ensemble_{k}": values for k, values in scorer.ensemble.arrays().items()} | {"last_ensemble": scorer.last_ensemble}
    if scorer.marks is not None:
        arrays["marks"] = scorer.marks
    cells = [
        {
            "asset": c.asset,
            "horizon": c.horizon,
            "ladder": c.ladder.to_dict(),
            "rung": c.rung,
            "served_by": c.served_by,
            "vol": c.vol,
            "momentum": list(c.momentum),
            "features": list(c.features),
        }
        for c in scorer.cells
    ]
    tree = {
        "schema_version": SCHEMA_VERSION,
        "regime": values,
        "names": list(scorer.names),
        "identified": scorer.identified,
        "enter": scorer.enter,
        "leave": scorer.leave,
        "held": scorer.held,
        "cells": cells,
        "calendar": [f"{day:%Y-%m-%d}" for day in scorer.calendar],
    }
    return Parts(tree, arrays, scorer.published, getattr(regime, "model", None))


def put_together(parts: Parts) -> Scorer:
    """Inverse of `take_apart`.

    Raises
    ------
    ScoringError
        If the parts were written by another schema version.
    """
    values = parts.values
    if values.get("schema_version") != SCHEMA_VERSION:
        raise ScoringError(
            f"model: schema version {values.get('schema_version')}; rule: this code reads version {SCHEMA_VERSION}. Retrain the model"
        )
    return Scorer(
        regime=_regime(values["regime"], parts.arrays, parts.estimator),
        names=tuple(values["names"]),
        identified=values["identified"],
        enter=values["enter"],
        leave=values["leave"],
        cells=tuple(_cell(each) for each in values["cells"]),
        published=parts.published,
        last_probs=parts.arrays["last_probs"],
        held=values["held"],
        calendar=pd.DatetimeIndex(np.array(values["calendar"], dtype="datetime64[us]")),
        ensemble=Ensemble.from_arrays({k: parts.arrays[f"ensemble_{k}"] for k in FIELDS}) if "last_ensemble" in parts.arrays else None,
        last_ensemble=parts.arrays.get("last_ensemble"),
        marks=parts.arrays.get("marks"),
    )


def _regime(values: Mapping[str, Any], arrays: Mapping[str, Array], estimator: Any) -> RegimeHMM | RegimeClassifier:
    columns = tuple(values["columns"])
    if values["kind"] == "classifier":
        return RegimeClassifier(columns, arrays["center"], estimator, values["base_rate"])
    return RegimeHMM(
        columns, arrays["center"], arrays["scale"], HMMParams(*(arrays[k] for k in PARAMS)), Identity.from_dict(values["identity"])
    )


def _cell(values: Mapping[str, Any]) -> Cell:
    plain = {key: values[key] for key in ("asset", "horizon", "rung", "served_by", "vol")}
    return Cell(**plain, ladder=Ladder.from_dict(values["ladder"]), momentum=tuple(values["momentum"]), features=tuple(values["features"]))
