"""CRPS of forecasts that are mixtures of normals."""

from collections.abc import Callable

import numpy as np

from benchmarks.measure import Duel, Versus
from models.distribution import NormalMixture
from models.inference import Array
from models.scores import crps

ROWS, PARTS = 200, 4
TOLERANCE = 1e-6


def prepare() -> Duel:
    rng = np.random.default_rng(2)
    weights = rng.dirichlet(np.ones(PARTS), ROWS)
    means, sds = 0.05 * rng.standard_normal((ROWS, PARTS)), rng.uniform(0.03, 0.3, (ROWS, PARTS))
    y = 0.2 * rng.standard_normal(ROWS)
    forecast = NormalMixture(weights, means, sds)

    def set_up_peer() -> Callable[[], Array]:
        from benchmarks.peers.scipy_crps import crps_by_quadrature

        return lambda: crps_by_quadrature(y, weights, means, sds)

    return Duel(lambda: crps(y, forecast), set_up_peer, _same, repeats=5, calls=50)


def _same(ours: Array, peer: Array) -> None:
    np.testing.assert_allclose(ours, peer, rtol=0, atol=TOLERANCE)


WORKS = [
    Versus(f"CRPS of {ROWS} mixtures of {PARTS} normals", "scipy: quad of the definition, row by row", 600.0, prepare),
]
