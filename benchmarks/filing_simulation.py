"""A market of filings alone: more companies than the sample market lists."""

import numpy as np
import pandas as pd

from features.market import Market
from sources import simulate_market
from sources.simulated.filings import draw_filings


def simulate_filings(n_companies: int, years: int) -> Market:
    """Draw the filings of companies that are listed throughout, three years in ten hard on margins."""
    small = simulate_market(n_stocks=5, years=years)
    sessions, rng = small.sessions, np.random.default_rng([5, n_companies])
    names = pd.Index([f"S{number:05d}" for number in range(n_companies)])
    listed = np.zeros(n_companies, dtype=np.int64)
    off = np.repeat(rng.random(len(sessions) // 63 + 1) < 0.3, 63)[: len(sessions)]
    filings = draw_filings(sessions, off, listed, listed + len(sessions) - 1, names, rng)
    return Market.from_frames(name="filings", simulated=True, note="filings alone", sessions=sessions, frames={"filings": filings})
