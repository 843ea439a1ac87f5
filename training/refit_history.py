"""What each refit of the walk was like: what its names rest on, and how far it takes back what was published before it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from models.average import RegimeAverage
from models.identity import Identity, revision
from training.refit import Refit
from training.regime_kinds import RegimeModel
from training.regimes import RegimeWalk, call_regime, names_of

NOT_RUN = float("nan")


def refit_history(walk: RegimeWalk, enter: float, leave: float) -> pd.DataFrame:
    """Lay the refits out, a row each.

    Parameters
    ----------
    enter, leave : thresholds of the call

    Returns
    -------
    DataFrame indexed by the session of the refit, in order of time:

    - order_prob, gain_z, sd_ratio, mean_passed, failed : of what the names rest on (`models.identity.Identity`); missing of a model
      without states
    - identified, inverted, margin, degenerate, churn : of the refit
    - ambiguous : share of the sessions it published on which the specifications did not agree
    - revision : mean |p_new - p_published| of P(risk-on) over the sessions published before it; missing for the first
    - renamed : share of the sessions published before it under a name that it would call by another; missing where there are none
    """
    rows = [_of_names(each) | _of_refit(each, walk.published) | _of_past(walk, each, enter, leave) for each in walk.refits]
    return pd.DataFrame(rows, index=walk.published.index[[each.position for each in walk.refits]])


def lead_identity(model: RegimeModel) -> Identity | None:
    """Give what the names of a model rest on, of an average those of its first member; None of a model without states."""
    return getattr(model.members[0] if isinstance(model, RegimeAverage) else model, "identity", None)


def _of_names(refit: Refit) -> dict[str, object]:
    known = lead_identity(refit.model)
    if known is None:
        return {"order_prob": NOT_RUN, "gain_z": NOT_RUN, "sd_ratio": NOT_RUN, "mean_passed": None, "failed": ()}
    return {name: getattr(known, name) for name in ("order_prob", "gain_z", "sd_ratio", "mean_passed", "failed")}


def _of_refit(refit: Refit, published: pd.DataFrame) -> dict[str, object]:
    ambiguous = published["ambiguous"].iloc[refit.position : refit.end]
    own = {name: getattr(refit, name) for name in ("identified", "inverted", "margin", "degenerate", "churn")}
    return own | {"ambiguous": float(ambiguous.astype(np.float64).mean()) if isinstance(refit.model, RegimeAverage) else NOT_RUN}


def _of_past(walk: RegimeWalk, refit: Refit, enter: float, leave: float) -> dict[str, float]:
    begun = walk.refits[0].position
    if refit.position == begun:
        return {"revision": NOT_RUN, "renamed": NOT_RUN}
    names = names_of(refit.model)
    said, now = walk.published.iloc[begun : refit.position], refit.probs[begun - walk.first : refit.position - walk.first]
    called, _ = call_regime(now, names, enter, leave, held=False)
    return {
        "revision": revision(said[f"p_{names[0]}"].to_numpy(), now[:, 0]),
        "renamed": renamed_share(said["regime"].tolist(), called, names),
    }


def renamed_share(published: Sequence[object], called: Sequence[str], names: Sequence[str]) -> float:
    """Share of the sessions published under one of `names` that are called by another; missing where there are none."""
    named = [said != now for said, now in zip(published, called, strict=True) if said in names]
    return float(np.mean(named)) if named else NOT_RUN
