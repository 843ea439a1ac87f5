"""Whether coins are labelled by the day they are of: bars labelled by their end are the commonest look-ahead of a day (METHODS 1.0)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.market import Market

INDEX = "R2000"
SHIFTS = (-1, 1)
"""Calendar days by which labels may be wrong: -1 for bars labelled a day early, 1 for those labelled by their end."""

LEAST = 250
"""Returns on common days, at least: a year."""

LIMIT = 4.0
"""Standard errors by which another day must fit better: of a hundred coins none is named by chance."""


@dataclass(frozen=True)
class Misfit:
    """A coin that moves with small caps of another day.

    Attributes
    ----------
    asset : str
    shift : days by which its labels look late (1) or early (-1)
    there, here : correlation of daily log returns with small caps' at the shifted label, and at the label
    n : common days
    """

    asset: str
    shift: int
    there: float
    here: float
    n: int

    def words(self) -> str:
        """Say what it looks like, and what to do."""
        late, where = ("by their end, a day late", "the next label") if self.shift == 1 else ("a day early", "the label before")
        return (
            f"{self.asset}: bars look labelled {late}: correlation with {INDEX} {self.there:.2f} at {where}, {self.here:.2f} at its own "
            f"(n {self.n}); rule: a bar is labelled by the UTC day on which it starts. Shift the dates of its file"
        )


def misfits(market: Market) -> list[Misfit]:
    """Name the coins whose returns fit small caps' of a neighbouring day better than those of their own.

    The correlations r of a coin's daily log return with the index's at labels t and t + k are compared by Fisher's z:
    (artanh r_k - artanh r_0) sqrt((n - 3) / 2) above `LIMIT`. A coin that does not move with small caps cannot be told.

    Parameters
    ----------
    market : Market with the price index of small caps

    Returns
    -------
    list of Misfit, by asset
    """
    prices = market.prices[(market.prices["series"] == INDEX) & market.prices["close"].notna()].set_index("date")["close"]
    index = pd.Series(np.log(prices)).diff().dropna()
    found = []
    for asset, rows in market.coins.groupby("asset", sort=True):
        close = pd.Series(np.log(rows.set_index("date")["close"])).asfreq("D")
        moves = close.diff()
        fits = {shift: moves.shift(-shift).reindex(index.index) for shift in (0, *SHIFTS)}
        common = pd.concat(fits, axis=1).assign(index=index).dropna()
        if len(common) < LEAST or (common.std() == 0).any():
            continue
        r = {shift: float(np.clip(common[shift].corr(common["index"]), -0.999999, 0.999999)) for shift in fits}
        best = max(SHIFTS, key=lambda shift: r[shift])
        if (np.arctanh(r[best]) - np.arctanh(r[0])) * np.sqrt((len(common) - 3) / 2) > LIMIT:
            found.append(Misfit(str(asset), best, r[best], r[0], len(common)))
    return found
