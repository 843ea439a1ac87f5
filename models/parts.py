"""A scorer taken apart into plain values and arrays, and put together again: nothing in it needs pickle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.average import RegimeAverage, make_average
from models.cell import Cell
from models.classifier import RegimeClassifier
from models.errors import ScoringError
from models.forecast import Ladder
from models.identity import Identity
from models.inference import Array, HMMParams
from models.jump import JumpParams
from models.params import PARAMS
from models.regime import RegimeHMM
from models.regime_jump import RegimeJump
from models.regime_tvtp import MOVES, RegimeTVTP
from models.scoring import Scorer

SCHEMA_VERSION = 3


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
    values, arrays = _take_apart_regime(scorer.regime)
    arrays["last_state"] = scorer.last_state
    if scorer.ensemble is not None and scorer.last_ensemble is not None:
        arrays |= {f"ensemble_{k}": each for k, each in scorer.ensemble.arrays().items()} | {"last_ensemble": scorer.last_ensemble}
        values["ensemble"] = [each.identity.to_dict() for each in scorer.ensemble.members]
        values["ensemble_names"] = list(scorer.ensemble.names)
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
            "half_width": {name: None if np.isinf(value) else value for name, value in c.half_width.items()},
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
    return Parts(tree, arrays, scorer.published, getattr(scorer.regime, "model", None))


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
        last_state=parts.arrays["last_state"],
        held=values["held"],
        calendar=pd.DatetimeIndex(np.array(values["calendar"], dtype="datetime64[us]")),
        ensemble=_ensemble(values["regime"], parts.arrays),
        last_ensemble=parts.arrays.get("last_ensemble"),
        marks=parts.arrays.get("marks"),
    )


def _take_apart_regime(regime: Any) -> tuple[dict[str, Any], dict[str, Array]]:
    values: dict[str, Any] = {"columns": list(regime.columns)}
    if isinstance(regime, RegimeAverage):
        identities = [each.identity.to_dict() for each in regime.members]
        return values | {"kind": "average", "names": list(regime.names), "identities": identities}, regime.arrays()
    if isinstance(regime, RegimeHMM):
        arrays = {"center": regime.center, "scale": regime.scale, "clip": np.array(regime.clip)}
        return values | {"kind": "hmm", "identity": regime.identity.to_dict()}, arrays | {k: getattr(regime.params, k) for k in PARAMS}
    if isinstance(regime, RegimeTVTP):
        base, arrays = _take_apart_regime(regime.base)
        return base | {"kind": "tvtp", "drivers": list(regime.drivers)}, arrays | regime.arrays()
    if isinstance(regime, RegimeJump):
        params = regime.params
        arrays = {
            "center": regime.center,
            "scale": regime.scale,
            "trans": regime.trans,
            "centers": params.centers,
            "weights": params.weights,
        }
        if params.grid is not None:
            arrays["grid"] = params.grid
        values |= {"kind": "jump", "penalty": params.penalty, "mode_loss": params.mode_loss, "identity": regime.identity.to_dict()}
        return values, arrays
    return values | {"kind": "classifier", "base_rate": regime.base_rate}, {"center": regime.center}


def _regime(values: Mapping[str, Any], arrays: Mapping[str, Array], estimator: Any) -> Any:
    columns = tuple(values["columns"])
    if values["kind"] == "classifier":
        return RegimeClassifier(columns, arrays["center"], estimator, values["base_rate"])
    if values["kind"] == "average":
        identities = tuple(Identity.from_dict(each) for each in values["identities"])
        return make_average(columns, tuple(values["names"]), identities, dict(arrays))
    identity = Identity.from_dict(values["identity"])
    if values["kind"] == "jump":
        jump = JumpParams(arrays["centers"], values["penalty"], arrays["weights"], arrays.get("grid"), values["mode_loss"])
        return RegimeJump(columns, arrays["center"], arrays["scale"], jump, arrays["trans"], identity)
    params = HMMParams(*(arrays[k] for k in PARAMS))
    hmm = RegimeHMM(columns, arrays["center"], arrays["scale"], params, identity, clip=float(arrays["clip"]))
    return RegimeTVTP(hmm, tuple(values["drivers"]), *(arrays[k] for k in MOVES)) if values["kind"] == "tvtp" else hmm


def _ensemble(values: Mapping[str, Any], arrays: Mapping[str, Array]) -> RegimeAverage | None:
    if "last_ensemble" not in arrays:
        return None
    own = {name.removeprefix("ensemble_"): each for name, each in arrays.items() if name.startswith("ensemble_")}
    identities = tuple(Identity.from_dict(each) for each in values["ensemble"])
    return make_average(tuple(values["columns"]), tuple(values["ensemble_names"]), identities, own)


def _cell(values: Mapping[str, Any]) -> Cell:
    plain: dict[str, Any] = {key: values[key] for key in ("asset", "horizon", "rung", "served_by", "vol")}
    plain |= {key: tuple(values[key]) for key in ("momentum", "features")}
    half_width = {name: float("inf") if value is None else value for name, value in values["half_width"].items()}
    return Cell(**plain, ladder=Ladder.from_dict(values["ladder"]), half_width=half_width)
