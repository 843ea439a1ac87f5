"""All works, in the order of the table."""

from benchmarks import breadth, crps, filtering, main_job, panel, profitability, simulation
from benchmarks.measure import Limits, Versus

WORKS: list[Versus | Limits] = [
    *filtering.WORKS,
    *breadth.WORKS,
    *panel.WORKS,
    *profitability.WORKS,
    *crps.WORKS,
    *simulation.WORKS,
    *main_job.WORKS,
]
