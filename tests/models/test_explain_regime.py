"""What moved a regime's probability adds up to what is published, for one model and for an average of several."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.average import RegimeAverage
from models.explain_regime import explain_regime, moved
from models.identity import Identity
from models.regime import RegimeHMM
from tests.models.worlds import random_params

COLUMNS = ("momentum__ret", "momentum__vol", "breadth__above")
IDENTITY = Identity((0.1, -0.1), (0.001, -0.001), (0.01, 0.02), 2.0, True, 0.99)


def hmm(seed: int) -> RegimeHMM:
    return RegimeHMM(COLUMNS, np.zeros(3), np.ones(3), random_params(np.random.default_rng(seed), 2, 3), IDENTITY)


MODELS = {
    "one": hmm(0),
    "average": RegimeAverage(("a", "heavy", "clipped"), (hmm(1), replace(hmm(2), clip=1.0), hmm(3))),
}


def rows() -> pd.DataFrame:
    rng = np.random.default_rng(9)
    values = np.where(rng.random((30, 3)) < 0.1, np.nan, rng.normal(size=(30, 3)))
    return pd.DataFrame(values, columns=list(COLUMNS))


def logit(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1.0 - p))


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("memory", [False, True])
def test_parts_add_up_to_the_log_odds_of_what_is_published(kind, memory):
    told = explain_regime(MODELS[kind], rows(), memory=memory)
    assert told.families == ("momentum", "breadth")
    np.testing.assert_allclose(told.base + told.contributions.sum(axis=1), told.total, rtol=0, atol=1e-10)
    np.testing.assert_allclose(told.total, logit(MODELS[kind].filter_proba(rows())[:, 0]), rtol=0, atol=1e-8)


@pytest.mark.parametrize("kind", MODELS)
def test_last_row_is_told_from_where_the_filter_was(kind):
    model, frame = MODELS[kind], rows()
    told = moved(model, frame, model.filter_states(frame))
    whole = explain_regime(model, frame)
    assert told["total"] == pytest.approx(whole.total[-1], abs=1e-9)
    assert told["base"] == pytest.approx(whole.base[-1], abs=1e-9)
    assert moved(object(), frame, np.zeros((30, 2))) is None


def test_row_with_nothing_in_it_moves_nothing():
    frame = rows()
    frame.iloc[-1] = np.nan
    told = moved(MODELS["average"], frame, MODELS["average"].filter_states(frame))
    assert told["families"] == {"momentum": 0.0, "breadth": 0.0}
