"""Names in the walk: held across refits, dropped where a refit gives a name to another state."""

import numpy as np
import pandas as pd
import pytest

from models.identity import Identity
from models.inference import HMMParams
from models.regime import RegimeHMM
from models.scoring import UNIDENTIFIED
from tests.e2e.command import small_config
from training.config import TrainConfig
from training.refit import Refit
from training.refit_names import names_inverted
from training.regimes import publish

IDENTITY = Identity((0.1, -0.1), (0.001, -0.001), (0.01, 0.02), sd_ratio=2.0, mean_passed=True)
SESSIONS = pd.bdate_range("2020-01-01", periods=30, name="session")


def config() -> TrainConfig:
    tree = small_config()
    tree["walk"]["start"] = pd.Timestamp(tree["walk"]["start"]).date()
    return TrainConfig.model_validate(tree)


def model(means: tuple[float, float], sds: tuple[float, float]) -> RegimeHMM:
    params = HMMParams(np.array([0.5, 0.5]), np.full((2, 2), 0.5), np.array(means)[:, None], np.array(sds)[:, None] ** 2)
    return RegimeHMM(("ret",), np.zeros(1), np.ones(1), params, IDENTITY)


def refit(position: int, end: int, p: float, inverted: bool = False) -> Refit:
    """One that sees risk-on with probability `p` on every row."""
    probs = np.tile([p, 1 - p], (end, 1))
    return Refit(position, end, model((0.1, -0.1), (1.0, 2.0)), probs, probs, (), (), 0.0, inverted)


@pytest.mark.parametrize(
    ("means", "sds", "inverted"),
    [
        ((0.1, -0.1), (1.0, 2.0), False),  # the same states
        ((0.12, -0.05), (1.1, 1.9), False),  # a little moved
        ((-0.1, 0.1), (2.0, 1.0), True),  # the calm state is the second now
    ],
)
def test_swap_of_names_is_seen(means, sds, inverted):
    assert names_inverted(model((0.1, -0.1), (1.0, 2.0)), model(means, sds)) is inverted


def test_other_columns_cannot_be_matched():
    other = model((-0.1, 0.1), (2.0, 1.0))
    assert not names_inverted(model((0.1, -0.1), (1.0, 2.0)), RegimeHMM(("vol",), other.center, other.scale, other.params, IDENTITY))


def test_call_is_held_from_one_refit_to_the_next():
    published, held = publish(SESSIONS, 0, [refit(0, 10, 0.9), refit(10, 30, 0.5)], config())
    assert set(published["regime"]) == {"risk_on"}  # .5 is above 'leave'
    assert held


def test_swapped_names_are_not_published_and_nothing_is_held_over_them():
    refits = [refit(0, 10, 0.9), refit(10, 20, 0.5, inverted=True), refit(20, 30, 0.5)]
    published, held = publish(SESSIONS, 0, refits, config())
    assert published["regime"].tolist() == ["risk_on"] * 10 + [UNIDENTIFIED] * 10 + ["risk_off"] * 10
    assert not held
    assert published["p_risk_on"].tolist() == [0.9] * 10 + [0.5] * 20  # the numbers stay
