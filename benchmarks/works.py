"""All works, in the order of the table."""

from benchmarks import (
    breadth,
    comparing,
    compilation,
    crps,
    em,
    filtering,
    main_job,
    new_observation,
    panel,
    profitability,
    simulation,
    walk,
)
from benchmarks.measure import Limits, Versus

WORKS: list[Versus | Limits] = [
    *filtering.WORKS,
    *em.WORKS,
    *walk.WORKS,
    *new_observation.WORKS,
    *compilation.WORKS,
    *breadth.WORKS,
    *panel.WORKS,
    *profitability.WORKS,
    *crps.WORKS,
    *simulation.WORKS,
    *comparing.WORKS,
    *main_job.WORKS,
]
