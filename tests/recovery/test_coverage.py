"""What calibrated intervals owe to their feedback, and what a faster step costs (METHODS A15; the level itself: tests/validation)."""

import pytest

from models.conformal import GAMMA
from tests.recovery.coverage import coverage_table

BANDS = {5: 0.02, 21: 0.02, 63: 0.04, 126: 0.06}


@pytest.mark.slow
def test_a_window_that_does_not_adapt_misses_more_often_and_a_faster_step_loses_its_bounds():
    """Without feedback long horizons fall short; a step of .02 leaves over a fifth of 21-session intervals without bounds."""
    adapted, fixed, fast = (coverage_table(60, BANDS, gamma=gamma) for gamma in (GAMMA, 0.0, 0.02))
    print(f"without feedback:\n{fixed}\ngamma .02:\n{fast}")  # noqa: T201
    assert (fixed.loc[[63, 126], "within"] < 0.9).all()
    assert (adapted.loc[[21, 63, 126], "sd"] < fixed.loc[[21, 63, 126], "sd"]).all()
    assert fast.loc[21, "unbounded"] > 0.2 > 4 * adapted.loc[21, "unbounded"]
