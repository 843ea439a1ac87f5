"""Where each trial saved its losses: in the first regime and out of it, by its own probability."""

import numpy as np
import pandas as pd

from training.comparison.composite import Composite

REGIMES = {"on": "p of the first regime at least .5", "off": "below"}
EVEN = 0.5


def regime_skill(composite: Composite, n_shown: int) -> pd.DataFrame:
    """Loss saved against the best baseline, by regime; descriptive, without a test.

    Returns
    -------
    DataFrame with trial (its number), and for each of `REGIMES` skill_<regime> (1 - loss / loss of the best baseline on the same sessions;
    NaN without any) and n_<regime> (sessions)
    """
    base = composite.losses[composite.best_baseline].to_numpy()
    rows = []
    for number in range(n_shown):
        own, p_on = composite.losses[str(number)].to_numpy(), composite.p_on[:, number]
        row: dict[str, float] = {"trial": number}
        for regime, inside in (("on", p_on >= EVEN), ("off", p_on < EVEN)):
            row[f"skill_{regime}"] = 1.0 - float(own[inside].mean() / base[inside].mean()) if inside.any() else np.nan
            row[f"n_{regime}"] = int(inside.sum())
        rows.append(row)
    return pd.DataFrame(rows)
