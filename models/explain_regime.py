"""What moved the probability of a regime model, single or averaged."""

import numpy as np
import pandas as pd

from models.average import RegimeAverage
from models.explain import Explanation, View, explain_days, explain_memory, families_by_prefix
from models.inference import Array, predict_next
from models.regime import RegimeHMM
from models.regime_tvtp import RegimeTVTP
from models.transitions import into_rows


def views_of(regime: RegimeHMM | RegimeAverage | RegimeTVTP, frame: pd.DataFrame, last: Array | None = None) -> list[View]:
    """Views of a model's rows, one a member; families are the first parts of `family__name`.

    Driven transitions are no family's: what the drivers said by yesterday is in the base.

    Parameters
    ----------
    frame : contiguous rows
    last : what the filter carried at the row before the first; None at the beginning of history
    """
    if isinstance(regime, RegimeTVTP):
        moves = into_rows(regime.leading(frame))
        prior = None if last is None else last[1]
        return [View(regime.standardise(frame), regime.base.params, families_by_prefix(regime.base.columns), prior, moves)]
    members = regime.members if isinstance(regime, RegimeAverage) else (regime,)
    before: list[Array | None] = [None] * len(members)
    if last is not None:
        before = list(last if isinstance(regime, RegimeAverage) else last[None])
    families = families_by_prefix(regime.columns)
    return [
        View(
            each.standardise(frame),
            each.params,
            families,
            prior=None if state is None else predict_next(state, each.params.trans),
            weight=1.0 / len(members),
        )
        for each, state in zip(members, before, strict=True)
    ]


def explain_regime(
    regime: RegimeHMM | RegimeAverage | RegimeTVTP, frame: pd.DataFrame, last: Array | None = None, *, memory: bool = False
) -> Explanation:
    """Log-odds of the first state in parts, of each row or, with `memory`, of all rows up to it; arguments as of `views_of`."""
    return (explain_memory if memory else explain_days)(views_of(regime, frame, last))


def moved(regime: object, frame: pd.DataFrame, states: Array) -> dict[str, object] | None:
    """What moved the last row's probability, as plain values; None of a model that has no likelihood.

    Parameters
    ----------
    frame : contiguous rows, at least one
    states : (n_obs, ...) what the filter carried at each of them
    """
    if not isinstance(regime, RegimeHMM | RegimeAverage | RegimeTVTP):
        return None
    last = states[-2] if len(states) > 1 else None
    told = explain_regime(regime, frame.iloc[[-1]], last).at(-1)
    return told if np.isfinite([told["base"], told["total"]]).all() else None
