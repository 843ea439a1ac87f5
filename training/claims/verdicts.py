"""The written rule by which a claim is judged; nothing is ever more than consistent with it."""

import numpy as np

from training.claims.shifts import LEVEL, NullTest

CONSISTENT, INCONCLUSIVE, CONTRADICTED, NOT_TESTABLE = "consistent", "inconclusive", "contradicted", "not testable"
VERDICTS = (CONSISTENT, INCONCLUSIVE, CONTRADICTED)
FEW = 10
"""Under so many events every leave-one-out must agree with the whole."""

RULE = (
    f"consistent: the shift test, adjusted for the whole grid, gives p <= {LEVEL} that more followed than from any dates, and with fewer "
    f"than {FEW} events so does the shift test without each of them in turn; contradicted: the same downwards, or a claim of 'always' "
    "with one fall against it; not testable: no event has an outcome in the data; inconclusive: everything else, a single event included"
)


def judge(whole: NullTest, adjusted: tuple[float, float], without: list[NullTest], *, always: bool = False, falls: int = 0) -> str:
    """Judge a claim by one cell of the grid.

    Parameters
    ----------
    whole : shift test of all events
    adjusted : its two one-sided p-values, above and below, adjusted for the grid
    without : shift tests without each event in turn
    always : the claim says that it never fails
    falls : events after which the asset fell over the horizon of the claim
    """
    if whole.n == 0:
        return NOT_TESTABLE
    if always and falls:
        return CONTRADICTED
    if _agree(whole, adjusted[0], [each.p_above for each in without]):
        return CONSISTENT
    if _agree(whole, adjusted[1], [each.p_below for each in without]):
        return CONTRADICTED
    return INCONCLUSIVE


def _agree(whole: NullTest, adjusted: float, without: list[float]) -> bool:
    if np.isnan(adjusted) or adjusted > LEVEL or whole.n < 2:
        return False
    return whole.n >= FEW or all(p <= LEVEL for p in without)
