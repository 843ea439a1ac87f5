"""Nothing observed is lost, doubled or changed, whoever writes and whenever it is killed; answers are those of the scoring function."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.scoring import Scorer
from serving.errors import ServingError
from serving.service.keeper import Keeper, RevisedError, TurnError
from serving.service.store import Store, StoreError
from tests.models.test_scoring import DAYS, N_PUBLISHED, feature_rows, hmm_regime, scorer_of

SESSIONS = [f"{day:%Y-%m-%d}" for day in DAYS[N_PUBLISHED:]]
COLUMNS = ["ret", "breadth", "vol", "mom", "extra"]
ROOT = Path(__file__).parents[3]


def known(place: int, seed: int = 0) -> dict[str, float | None]:
    row = feature_rows(seed).iloc[N_PUBLISHED + place]
    return {column: None if (place, column) == (4, "ret") else float(row[column]) for column in COLUMNS}


def expected(scorer: Scorer, rows: list[dict[str, float | None]]) -> pd.DataFrame:
    """What the scoring function says of the same rows in one go."""
    table = pd.DataFrame(rows, dtype=float).assign(session=DAYS[N_PUBLISHED : N_PUBLISHED + len(rows)])
    return scorer.score(table)


def told(keeper: Keeper) -> pd.DataFrame:
    table = pd.DataFrame([json.loads(link.answer.told) for link in keeper.links()])
    return table.assign(session=pd.to_datetime(table["session"]).astype("datetime64[us]"))


def assert_equal(keeper: Keeper, rows: list[dict[str, float | None]]) -> None:
    table, scores = told(keeper), expected(keeper.scorer, rows)
    assert list(table) == list(scores)
    pd.testing.assert_frame_equal(table, scores, check_exact=True, check_dtype=False)


@pytest.fixture(scope="module")
def scorer():
    return scorer_of(hmm_regime())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "service.db"


def test_answers_are_the_scores_and_go_on_from_the_disk(path, scorer):
    keeper = Keeper(Store(path), "3", scorer)
    for place in range(6):
        link, new = keeper.observe(SESSIONS[place], known(place), "feed")
        assert (new, link.answer.session) == (True, SESSIONS[place])
        keeper.store.close()
        keeper = Keeper(Store(path), "3", scorer)  # a restart after each
    assert_equal(keeper, [known(place) for place in range(6)])
    assert keeper.faults() == []


def test_same_observation_again_writes_nothing_and_answers_the_same(path, scorer):
    keeper = Keeper(Store(path), "3", scorer)
    first, _ = keeper.observe(SESSIONS[0], known(0), "feed")
    assert keeper.observe(SESSIONS[0], known(0), "feed") == (first, False)
    assert len(keeper.store.revisions(SESSIONS[0])) == 1


def test_other_values_are_refused_unless_a_revision_is_asked_for_and_then_both_are_kept(path, scorer):
    keeper = Keeper(Store(path), "3", scorer)
    for place in range(5):
        keeper.observe(SESSIONS[place], known(place), "feed")
    first = told(keeper)
    with pytest.raises(RevisedError, match=f"session {SESSIONS[2]}: there with other values"):
        keeper.observe(SESSIONS[2], known(2, seed=9), "feed")
    keeper.observe(SESSIONS[2], known(2, seed=9), "feed", revise=True)
    assert_equal(keeper, [known(0), known(1), known(2, seed=9), known(3), known(4)])
    assert [each.known for each in keeper.store.revisions(SESSIONS[2])] == [known(2), known(2, seed=9)]
    said: dict[str, list[dict[str, object]]] = {}
    for session in SESSIONS[:5]:
        said[session] = [json.loads(answer.told) for answer in keeper.store.answers("3", session)]
    assert [len(said[session]) for session in SESSIONS[:5]] == [1, 1, 2, 2, 2]
    assert [said[session][0]["p_risk_on"] for session in SESSIONS[:5]] == first["p_risk_on"].tolist()
    again = Keeper(Store(path), "3", scorer)
    assert_equal(again, [known(0), known(1), known(2, seed=9), known(3), known(4)])


@pytest.mark.parametrize(
    ("session", "said"),
    [
        (SESSIONS[1], f"session {SESSIONS[0]} is missing"),
        (f"{DAYS[3]:%Y-%m-%d}", "version 3 was trained on it; rule: observations follow"),
        ("2020-02-01", "was trained on it"),
    ],
)
def test_sessions_out_of_turn_are_refused_and_nothing_is_written(path, scorer, session, said):
    keeper = Keeper(Store(path), "3", scorer)
    with pytest.raises(RevisedError if "trained" in said else TurnError, match=said):
        keeper.observe(session, known(0), "feed")
    assert keeper.store.newest() == []


def test_two_processes_on_one_store_answer_alike(path, scorer):
    one, other = Keeper(Store(path), "3", scorer), Keeper(Store(path), "3", scorer)
    for place in range(6):
        (one, other)[place % 2].observe(SESSIONS[place], known(place), "feed")
    assert_equal(one, [known(place) for place in range(6)])
    assert_equal(other, [known(place) for place in range(6)])
    one.observe(SESSIONS[1], known(1, seed=9), "feed", revise=True)
    pd.testing.assert_frame_equal(told(other), told(one), check_exact=True)


def test_another_version_answers_all_observations_after_its_own_training(path, scorer):
    keeper = Keeper(Store(path), "3", scorer)
    for place in range(6):
        keeper.observe(SESSIONS[place], known(place), "feed")
    later = later_trained(scorer, 2)
    newer = Keeper(Store(path), "4", later)
    assert [link.answer.session for link in newer.links()] == SESSIONS[2:6]
    assert_equal(keeper, [known(place) for place in range(6)])
    newer.observe(SESSIONS[6], known(6), "feed")
    assert keeper.links()[-1].answer.session == SESSIONS[6]  # the old one goes on while it is there
    older = told(keeper)["p_risk_on"].tolist()[2:]
    np.testing.assert_allclose(told(newer)["p_risk_on"], older, rtol=1e-12)  # same parameters, trained two sessions on


def later_trained(scorer: Scorer, sessions: int) -> Scorer:
    """The same model as if it had been trained some sessions on."""
    rows = feature_rows().iloc[N_PUBLISHED:]
    state = scorer.begin
    for place in range(sessions):
        values = np.array([np.nan if known(place)[c] is None else known(place)[c] for c in scorer.columns], dtype=float)
        _, state = scorer.observe(state, rows["session"].to_numpy()[place], values)
    more = scorer.score(feature_rows().iloc[: N_PUBLISHED + sessions])
    return replace(
        scorer,
        published=more,
        last_state=state.states,
        last_ensemble=state.ensemble,
        held=state.held,
        calendar=scorer.calendar[sessions:],
        marks=None,
    )


def test_version_that_reads_more_says_why_it_is_behind(path, scorer):
    keeper = Keeper(Store(path), "3", scorer)
    keeper.observe(SESSIONS[0], {name: value for name, value in known(0).items() if name != "spare"}, "feed")
    wider = Keeper(Store(path), "4", replace(scorer, cells=tuple(replace(cell, vol="new_vol") for cell in scorer.cells)))
    assert "column 'new_vol' is missing" in wider.faults()[0]
    with pytest.raises(ServingError, match=f"session {SESSIONS[0]}: column 'new_vol' is missing"):
        wider.observe(SESSIONS[1], known(1) | {"new_vol": 0.1}, "feed")
    assert len(wider.store.newest()) == 1
    wider.observe(SESSIONS[0], known(0) | {"new_vol": 0.1}, "feed", revise=True)
    wider.observe(SESSIONS[1], known(1) | {"new_vol": 0.1}, "feed")
    assert [link.answer.session for link in wider.links()] == SESSIONS[:2]
    assert wider.faults() == []


def test_version_trained_to_an_earlier_day_is_given_the_sessions_it_lacks(path, scorer):
    later = later_trained(scorer, 2)
    newer = Keeper(Store(path), "4", later)
    for place in range(2, 5):
        newer.observe(SESSIONS[place], known(place), "feed")
    older = Keeper(Store(path), "3", scorer)  # a rollback
    assert older.links() == ()
    assert f"session {SESSIONS[0]} is missing" in older.faults()[0]
    with pytest.raises(TurnError, match=f"session {SESSIONS[0]} is missing"):
        older.observe(SESSIONS[5], known(5), "feed")
    older.observe(SESSIONS[0], known(0), "feed")
    assert f"session {SESSIONS[1]} is missing" in older.faults()[0]
    older.observe(SESSIONS[1], known(1), "feed")
    assert_equal(older, [known(place) for place in range(5)])
    assert older.faults() == []
    assert_equal(Keeper(Store(path), "3", scorer), [known(place) for place in range(5)])
    assert [link.answer.session for link in newer.links()] == SESSIONS[2:5]  # it was trained on the others


def test_many_at_once_write_each_session_once(path, scorer):
    keeper = Keeper(Store(path), "3", scorer)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: keeper.observe(SESSIONS[0], known(0), "feed"), range(32)))
    assert sum(new for _, new in done) == 1
    assert len({link.answer for link, _ in done}) == 1


class Full(sqlite3.Connection):
    """A connection whose disk is full when the transaction is to be kept."""

    def execute(self, sql, *given):
        if sql == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *given)


def test_full_disk_takes_nothing_and_the_answers_stay(path, scorer):
    keeper = Keeper(Store(path), "3", scorer)
    keeper.observe(SESSIONS[0], known(0), "feed")
    sound = keeper.store._file
    keeper.store._file = sqlite3.connect(path, isolation_level=None, factory=Full)
    with pytest.raises(StoreError, match="disk is full; rule"):
        keeper.observe(SESSIONS[1], known(1), "feed")
    assert_equal(keeper, [known(0)])
    keeper.store._file.close()
    keeper.store._file = sound
    assert_equal(keeper, [known(0)])
    keeper.observe(SESSIONS[1], known(1), "feed")
    assert_equal(Keeper(Store(path), "3", scorer), [known(0), known(1)])


def test_store_that_fails_leaves_the_answers_and_is_told(path, scorer):
    one, other = Keeper(Store(path), "3", scorer), Keeper(Store(path), "3", scorer)
    one.observe(SESSIONS[0], known(0), "feed")
    other.links()
    one.observe(SESSIONS[1], known(1), "feed")
    sound = other.store._file
    other.store._file = sqlite3.connect(path, isolation_level=None, factory=Full)
    assert_equal(other, [known(0)])
    assert "disk is full" in other.faults()[0]
    other.store._file.close()
    other.store._file = sound
    assert_equal(other, [known(0), known(1)])
    assert other.faults() == []


def test_state_that_was_altered_is_refused(path, scorer):
    keeper = Keeper(Store(path), "3", scorer)
    keeper.observe(SESSIONS[0], known(0), "feed")
    keeper.store._file.execute("UPDATE answers SET state = substr(state, 1, 20)")
    with pytest.raises(StoreError, match=f"session {SESSIONS[0]} of version 3: a filter's state"):
        Keeper(Store(path), "3", scorer)


def test_file_of_another_kind_or_schema_is_refused(tmp_path):
    (tmp_path / "text").write_text("no database " * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(tmp_path / "text")
    made = sqlite3.connect(tmp_path / "newer")
    made.execute("PRAGMA user_version = 9")
    made.close()
    with pytest.raises(StoreError, match="schema version 9; rule: this code reads version 1"):
        Store(tmp_path / "newer")


FEED = """
import sys
from pathlib import Path
from serving.service.keeper import Keeper
from serving.service.store import Store
from tests.models.test_scoring import hmm_regime, scorer_of
from tests.serving.service.test_keeper import SESSIONS, known
keeper = Keeper(Store(Path(sys.argv[1])), "3", scorer_of(hmm_regime()))
print("ready", flush=True)
for place in range(len(keeper.links()), len(SESSIONS)):
    keeper.observe(SESSIONS[place], known(place), "feed")
    print(SESSIONS[place], flush=True)
"""


def test_killed_at_any_moment_nothing_told_is_lost_and_nothing_is_doubled(path, scorer):
    rng, kept = random.Random(4), []
    for _ in range(3):
        command = [sys.executable, "-W", "ignore", "-c", FEED, str(path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as feed:
            assert feed.stdout is not None
            assert feed.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0.0, 0.06))
            feed.send_signal(signal.SIGKILL)
            kept += feed.stdout.read().split()
    keeper = Keeper(Store(path), "3", scorer)
    sessions = [each.session for each in keeper.store.newest()]
    assert sessions == SESSIONS[: len(sessions)]
    assert [each for each in kept if each not in sessions] == []
    assert_equal(keeper, [known(place) for place in range(len(sessions))])
