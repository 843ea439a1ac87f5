"""A sample market with known truth."""

from sources.simulated.market import Simulation, simulate, simulate_market

__all__ = ["Simulation", "simulate", "simulate_market"]
