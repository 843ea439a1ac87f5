"""What the two priors of `models.em` gain out of sample, in the benchmark's walk and in worlds drawn like its own."""

import numpy as np
import pytest

from benchmarks.em import draw
from benchmarks.walk import DAYS, N_FEATURES, N_STATES, NO_WORSE, log_scores, refit_ours

WORLDS = (3, 0, 1)
"""Seeds: the benchmark's own world first."""

INSTEAD = {"all sessions of kappa stay": ("STAYING", 1.0), "five rows of variance": ("PRIOR_ROWS", 5.0)}
"""What stands in place of the shipped prior, and the constant that says so."""


def gains(seed: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Log score of the shipped prior above each of `INSTEAD`, a day."""
    X = draw(DAYS, N_FEATURES, N_STATES, seed)
    shipped, out = log_scores(X, refit_ours(X, 0)), {}
    for name, (constant, value) in INSTEAD.items():
        with monkeypatch.context() as patch:
            patch.setattr(f"models.em.{constant}", value)
            out[name] = shipped - log_scores(X, refit_ours(X, 0))
    return out


def test_priors_gain_in_the_benchmarks_world_and_lose_nothing_in_others_like_it(monkeypatch):
    """It takes seconds, so that `make study` leaves it out: `make test ARGS="-rP tests/recovery/test_priors.py"` shows the figures."""
    table = {seed: gains(seed, monkeypatch) for seed in WORLDS}
    for name in INSTEAD:
        told = [f"{table[seed][name].mean():.4f} (worst day {table[seed][name].max():.1f})" for seed in WORLDS]
        print(f"gain on '{name}', nats a day, worlds {WORLDS}: {', '.join(told)}")  # noqa: T201
        assert table[WORLDS[0]][name].mean() > 0.01
        assert min(each[name].mean() for each in table.values()) > -NO_WORSE
