"""From the outside world, or the simulator, to a `Market` whose every record says when it was known."""

from sources.files import describe_market, load_market
from sources.simulated import Simulation, simulate, simulate_market

__all__ = ["Simulation", "describe_market", "load_market", "simulate", "simulate_market"]
