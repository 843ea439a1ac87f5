"""All works, in the order of the table."""

from benchmarks import breadth, crps, filtering, main_job, profitability, simulation
from benchmarks.measure import Limits, Versus

WORKS: list[Versus | Limits] = [
    *filtering.WORKS,
    *breadth.WORKS,
    *profitability.WORKS,
    *crps.WORKS,
    *simulation.WORKS,
    *main_job.WORKS,
]
