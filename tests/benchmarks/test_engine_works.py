"""The works of the engine: both sides do the same, and what cannot be measured is left out with a word."""

import numpy as np
import pytest
from hmmlearn import hmm

from benchmarks import walk
from benchmarks.__main__ import _lacking, main
from benchmarks.em import draw, prepare_hmmlearn, rough_start
from benchmarks.measure import Versus
from benchmarks.new_observation import prepare as prepare_observation
from benchmarks.peers.hmmlearn_em import best_of_random, fit
from models.engine.filtering import filter_history


@pytest.mark.parametrize("implementation", ["scaling", "log"])
def test_em_work_has_equal_results_on_both_sides(implementation):
    duel = prepare_hmmlearn(300, 3, 2, implementation, repeats=1)
    own, theirs = duel.ours(), duel.set_up_peer()()
    assert len(own[1]) == 100  # every iteration, none left out by a tolerance
    duel.check(own, theirs)


def test_check_of_em_work_finds_another_likelihood():
    duel = prepare_hmmlearn(300, 3, 2, "scaling", repeats=1)
    params, log_lik = duel.ours()
    with pytest.raises(AssertionError):
        duel.check((params, log_lik), (params, log_lik * (1 + 1e-8)))


def test_new_observation_work_has_equal_results_on_both_sides():
    for compiled in (True, False):
        duel = prepare_observation(compiled)
        duel.check(duel.ours(), duel.set_up_peer()())


def test_fit_of_the_peer_stops_by_tolerance():
    X = draw(300, 3, 2)
    _, log_lik = fit(hmm.GaussianHMM, X, rough_start(X, 2), 50, 1e-2)
    assert len(log_lik) < 50
    assert log_lik[-1] - log_lik[-2] < 1e-2


def test_best_of_random_is_no_worse_than_its_first():
    X = draw(300, 3, 2)
    best = best_of_random(X, 2, 3, 20, 1e-2)
    first = hmm.GaussianHMM(2, "full", n_iter=20, tol=1e-2, random_state=0).fit(X)
    assert filter_history(X, best).log_lik >= first.score(X) - 1e-9


def test_windows_of_the_walk_see_the_past_alone():
    X = draw(walk.DAYS, 2, 2)
    seen = list(walk.windows(X))
    assert len(seen) == walk.REFITS
    assert seen[-1][0] + walk.EVERY == walk.DAYS
    later = X.copy()
    later[seen[5][0] :] += 100.0
    changed = list(walk.windows(later))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(seen[:6], changed[:6], strict=True))
    assert not np.array_equal(seen[6][1], changed[6][1])


def test_work_without_its_package_is_left_out_with_a_word(monkeypatch, capsys):
    work = Versus("needy work", "nobody", 1.0, lambda: pytest.fail("was measured"), needs="no_such_package")
    assert "no_such_package" in _lacking(work)
    monkeypatch.setattr("benchmarks.__main__.WORKS", [work])
    monkeypatch.setattr("sys.argv", ["benchmarks", "--only", "needy"])
    assert main() == 2
    assert "left out: needy work" in capsys.readouterr().err
    assert not _lacking(Versus("work", "peer", 1.0, lambda: pytest.fail("was measured"), needs="numpy"))
