"""Names in the walk: held across refits, dropped where a refit gives a name to another state."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import training.regimes
from models.average import RegimeAverage
from models.degenerate import DegenerateFitWarning
from models.identity import MIN_MARGIN, Identity, UnsureMatchWarning, match_margin
from models.inference import HMMParams
from models.regime import RegimeHMM
from models.scoring import UNIDENTIFIED
from tests.e2e.command import small_config
from training.config import TrainConfig, WalkConfig
from training.refit import Refit, make_refit
from training.refit_names import EVIDENCE_EVERY, name_margin, names_inverted, states_moved, with_evidence
from training.regimes import publish, walk_regimes

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


def test_margin_is_that_of_the_least_sure_member():
    sure, alike = model((0.1, -0.1), (1.0, 2.0)), model((0.1, 0.1), (1.0, 1.05))
    own = match_margin(alike.natural(), alike.natural())
    assert own < MIN_MARGIN < match_margin(sure.natural(), sure.natural())
    both = RegimeAverage(("sure", "alike"), (sure, alike))
    assert name_margin(both, both) == own
    assert name_margin(both, sure) == np.inf  # nothing to match


def walked(monkeypatch, margins: list[float], identified: bool = True) -> None:
    """Walk with refits that match those before them by these margins."""

    def made(_X, _price, _first, position, end, number, _before, _config):
        own = replace(refit(position, end, 0.9), margin=margins[number])
        return own if identified else replace(own, inverted=True)

    X = pd.DataFrame({"ret": 0.0}, index=SESSIONS)
    tree = config().model_copy(update={"walk": WalkConfig(start=SESSIONS[0].date(), min_history=252, refit_every=5)})
    monkeypatch.setattr(training.regimes, "schedule", lambda _index, _config: (0, [10, 15, 20, 25]))
    monkeypatch.setattr(training.regimes, "make_refit", made)
    walk_regimes(X, X["ret"], tree, lambda *_: None)


def test_unsure_matches_of_named_refits_are_warned_of_once(monkeypatch):
    with pytest.warns(UnsureMatchWarning) as caught:
        walked(monkeypatch, [np.inf, 0.05, 0.5, -0.02])
    (said,) = (str(each.message) for each in caught)
    assert f"2 of 3 matched with a margin as low as -0.020 ({SESSIONS[25]:%Y-%m-%d})" in said


@pytest.mark.parametrize(("margins", "identified"), [([np.inf, 0.5, 0.5, 0.2], True), ([np.inf, 0.05, 0.05, 0.05], False)])
def test_sure_matches_and_those_of_refits_without_names_are_not_warned_of(monkeypatch, margins, identified):
    walked(monkeypatch, margins, identified)  # warnings are errors


def jump_refit(n_rare: int) -> Refit:
    """A jump model on rows of which `n_rare` of 600 are far from the rest."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=600)
    values[100 : 100 + n_rare] += 12.0
    tree = config()
    settings = tree.regime.model_copy(update={"kind": "jump", "columns": ["ret"], "score_column": "ret", "jump_penalty": 10.0})
    X = pd.DataFrame({"ret": values}, index=pd.bdate_range("2020-01-01", periods=600))
    return make_refit(X, X["ret"], 0, 599, 600, 0, None, tree.model_copy(update={"regime": settings}))


def test_jump_model_with_a_state_that_hardly_occurs_has_a_fault():
    with pytest.warns(DegenerateFitWarning, match=r"regime refit of 2022-04-19: state \d holds 2.0% of the rows, under 5%"):
        made = jump_refit(12)
    assert made.degenerate
    (fault,) = made.faults
    held = made.probs.mean(axis=0)
    assert fault.startswith(f"state {held.argmin()} holds 2.0% of the rows")
    assert held.min() == pytest.approx(0.02, abs=0.002)
    assert not jump_refit(150).faults  # and warns of nothing: warnings are errors


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


def named(means: tuple[float, float], sds: tuple[float, float], column: str = "ret") -> RegimeHMM:
    made = model(means, sds)
    trans = np.array([[0.98, 0.02], [0.04, 0.96]])
    return replace(made, columns=(column,), params=replace(made.params, trans=trans))


WINDOW = pd.DataFrame({"ret": np.random.default_rng(0).normal(size=400) * np.repeat([1.0, 2.0, 1.0, 2.0], 100)})


@pytest.mark.parametrize(
    ("means", "sds", "column", "moved"),
    [
        ((0.1, -0.1), (1.01, 2.0), "ret", False),  # the same states, a little on
        ((0.1, -0.1), (1.0, 2.0), "other", True),  # of another column
        ((-0.1, 0.1), (2.0, 1.0), "ret", True),  # under swapped names
        ((0.1, -0.1), (1.9, 2.0), "ret", True),  # of other days
    ],
)
def test_states_of_a_refit_are_others_or_the_same(means, sds, column, moved):
    window = WINDOW.assign(other=0.0)
    assert states_moved(named((0.1, -0.1), (1.0, 2.0)), named(means, sds, column), window) == moved


def test_evidence_of_other_states_is_not_carried(monkeypatch):
    """The names of a refit that moved are weighed at once, those of one that stayed when their turn comes."""
    weighed = []
    monkeypatch.setattr(
        "training.refit_names.weigh_names", lambda made, *_: weighed.append(made) or (None, replace(made.identity, gain_z=9.0))
    )
    before = replace(named((0.1, -0.1), (1.0, 2.0)), identity=replace(IDENTITY, gain_z=3.0))
    stayed, went = named((0.1, -0.1), (1.01, 2.0)), named((0.1, -0.1), (1.9, 2.0))
    settings, rng = config(), np.random.default_rng(0)
    settings = settings.model_copy(update={"regime": settings.regime.model_copy(update={"evidence": 3})})
    assert with_evidence(stayed, before, 1, WINDOW, rng, settings).identity.gain_z == 3.0
    assert with_evidence(went, before, 1, WINDOW, rng, settings).identity.gain_z == 9.0
    assert with_evidence(stayed, before, EVIDENCE_EVERY, WINDOW, rng, settings).identity.gain_z == 9.0
    assert len(weighed) == 2
