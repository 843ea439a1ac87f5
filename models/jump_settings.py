"""How a jump model is fitted."""

from dataclasses import dataclass

import numpy as np

from models.errors import FitError
from models.jump_space import simplex_size

MAX_GRID = 3000
"""Vectors of the simplex that a continuous model may move on: moves are a square table of them."""


@dataclass(frozen=True)
class JumpSettings:
    """How a jump model is fitted, in the words of `models.jump_model.JumpModel`, which explains them."""

    n_components: int
    jump_penalty: float
    continuous: bool = False
    grid_step: float = 0.05
    mode_loss: bool = True
    max_features: float | None = None
    n_init: int = 10
    max_iter: int = 1000
    tol: float = 1e-8


def check_settings(settings: JumpSettings) -> None:
    """Refuse settings that mean nothing.

    Raises
    ------
    FitError
        If a value breaks its rule.
    """
    for name in ("n_components", "n_init", "max_iter"):
        value = getattr(settings, name)
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        _require(name, value, whole and value >= 1, "a whole number of at least 1")
    _require("jump_penalty", settings.jump_penalty, 0.0 <= settings.jump_penalty < np.inf, "finite and at least 0; 0 is k-means, 50 usual")
    _require("tol", settings.tol, settings.tol >= 0.0, "at least 0; usually 1e-8")
    features = settings.max_features
    _require("max_features", features, features is None or features >= 1.0, "at least 1, or None to use all alike")
    if settings.continuous:
        _require("grid_step", settings.grid_step, _divides_one(settings.grid_step), "a divisor of 1, such as 0.05")
        size = simplex_size(settings.n_components, settings.grid_step)
        way_out = f"at most {MAX_GRID} points for {settings.n_components} states, not {size}; take a larger one or fewer states"
        _require("grid_step", settings.grid_step, size <= MAX_GRID, way_out)


def _require(name: str, value: object, holds: bool, rule: str) -> None:
    if not holds:
        raise FitError(f"jump model: {name} is {value!r}; rule: {rule}")


def _divides_one(step: float) -> bool:
    return 0.0 < step <= 1.0 and abs(1.0 / step - round(1.0 / step)) < 1e-9
