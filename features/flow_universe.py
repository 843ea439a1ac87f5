"""Whether the sign of a year's flows hangs on the list of funds: the universe, and the universe without one fund."""

import numpy as np
import pandas as pd

WHOLE = ""
"""Name in `left_out` of the whole universe."""

MONEY = ["with_usd", "without_usd"]


def leave_one_out(totals: pd.DataFrame) -> pd.DataFrame:
    """Add the funds of each year up, all of them and all but one.

    Parameters
    ----------
    totals : `features.flow_episodes.FlowQuarantine.totals`

    Returns
    -------
    DataFrame by year, the whole universe first: left_out (fund, '' for none), with_usd, without_usd (NaN where no other fund had prints),
        n_funds (summed), turns: whether leaving the fund out gives `without_usd` another sign than that of the whole
    """
    rows = []
    for year, own in totals.groupby("year"):
        whole = own["without_usd"].sum()
        for left in [WHOLE, *own["fund"]]:
            kept = own[own["fund"] != left]
            both = kept[MONEY].sum() if len(kept) else pd.Series(np.nan, index=MONEY)
            turns = bool(len(kept)) and bool(np.sign(both["without_usd"]) != np.sign(whole))
            rows.append((year, left, both["with_usd"], both["without_usd"], len(kept), turns))
    return pd.DataFrame(rows, columns=["year", "left_out", *MONEY, "n_funds", "turns"])
