"""Routes over real HTTP: the numbers of the scoring function, tokens on every route, rules named and nothing echoed."""

import io
from contextlib import suppress

import pandas as pd
import pyarrow as pa
import pytest
import requests

from serving.service.gate import Limits
from serving.service.limits import Rate
from tests.models.test_scoring import DAYS, N_PUBLISHED, feature_rows, hmm_regime, scorer_of
from tests.serving.service.desk import READER, WRITER, engine_of, running
from tests.serving.service.test_keeper import COLUMNS, SESSIONS, known

ROUTES = [
    ("get", "/v1/regime"),
    ("get", "/v1/regime/history"),
    ("get", "/v1/forecast"),
    ("get", "/v1/card"),
    ("get", "/readyz"),
    ("get", "/version"),
    ("get", "/openapi.json"),
    ("get", "/nothing"),
    ("post", "/v1/score"),
    ("post", "/invocations"),
    ("post", "/v1/observations"),
]


@pytest.fixture(scope="module")
def scorer():
    return scorer_of(hmm_regime())


@pytest.fixture(scope="module")
def client(scorer, tmp_path_factory):
    """A service that nothing is written to."""
    with running(engine_of(scorer), tmp_path_factory.mktemp("service") / "service.db") as asked:
        yield asked


@pytest.fixture
def fresh(scorer, tmp_path):
    with running(engine_of(scorer), tmp_path / "service.db") as asked:
        yield asked


def rows(first: int, last: int) -> pd.DataFrame:
    return feature_rows().iloc[first:last][["session", *COLUMNS]].reset_index(drop=True)


def exact(table: pd.DataFrame) -> dict:
    return {"rows": [{**row, "session": f"{row['session']:%Y-%m-%d}"} for row in table.to_dict("records")]}


def frame(answers: list[dict]) -> pd.DataFrame:
    return pd.DataFrame(answers).assign(session=lambda t: pd.to_datetime(t["session"]).astype("datetime64[us]"))


def test_regime_is_that_of_the_newest_published_session_until_one_is_observed(fresh, scorer):
    told = fresh.get("/v1/regime").json()
    last = scorer.published.iloc[-1]
    assert told["session"] == told["data_as_of"] == f"{last['session']:%Y-%m-%d}"
    assert told["probabilities"] == {"risk_on": last["p_risk_on"], "risk_off": last["p_risk_off"]}
    assert (told["model"]["version"], told["simulated"], told["revised"]) == ("3", True, False)
    done = fresh.post("/v1/observations", json={"session": SESSIONS[0], "values": known(0)})
    assert (done.status_code, done.json()["new"]) == (201, True)
    assert fresh.get("/v1/regime").json() == {name: value for name, value in done.json().items() if name != "new"}
    assert fresh.get("/v1/regime").json()["known_at"] == f"{DAYS[N_PUBLISHED] + pd.Timedelta(days=1):%Y-%m-%d}T00:00:00Z"
    assert fresh.get("/v1/regime", params={"session": told["session"]}).json()["probabilities"] == told["probabilities"]


def test_scores_are_those_of_the_scoring_function_in_every_format(client, scorer):
    table = rows(N_PUBLISHED - 3, N_PUBLISHED + 4)
    expected = scorer.score(table)
    answers = frame(client.post("/v1/score", json=exact(table)).json()["rows"])
    pd.testing.assert_frame_equal(answers, expected, check_exact=True, check_dtype=False)
    parquet = io.BytesIO()
    table.to_parquet(parquet)
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, pa.Table.from_pandas(table).schema) as writer:
        writer.write_table(pa.Table.from_pandas(table))
    for kind, body in (("parquet", parquet), ("arrow.stream", stream)):
        given = client.post("/v1/score", data=body.getvalue(), headers={"content-type": f"application/vnd.apache.{kind}"})
        pd.testing.assert_frame_equal(frame(given.json()["rows"]), expected, check_exact=True, check_dtype=False)


def forms(table: pd.DataFrame) -> dict[str, dict]:
    records = exact(table)["rows"]
    split = {"columns": list(records[0]), "data": [list(row.values()) for row in records], "index": list(range(len(records)))}
    inputs = {name: [row[name] for row in records] for name in records[0]}
    return {"dataframe_split": split, "dataframe_records": records, "instances": records, "inputs": inputs}


@pytest.mark.parametrize("form", ["dataframe_split", "dataframe_records", "instances", "inputs"])
def test_invocations_take_the_forms_of_mlflow_in_any_order(client, scorer, form):
    table = rows(N_PUBLISHED - 2, N_PUBLISHED + 3)
    told = client.post("/invocations", json={form: forms(table.iloc[::-1])[form]}).json()
    assert list(told) == ["predictions"]
    assert told["predictions"][0]["session"] == f"{table['session'].iloc[0].isoformat()}"
    pd.testing.assert_frame_equal(frame(told["predictions"]), scorer.score(table), check_exact=True, check_dtype=False)


def test_invocations_take_csv_and_give_missing_values_as_null(client, scorer):
    table = rows(N_PUBLISHED, N_PUBLISHED + 2)
    table.loc[1, "vol"] = float("nan")
    given = client.post("/invocations", data=table.to_csv(index=False), headers={"content-type": "text/csv"})
    assert "NaN" not in given.text
    assert given.json()["predictions"][1]["BTC_5_median"] is None
    pd.testing.assert_frame_equal(frame(given.json()["predictions"]), scorer.score(table), check_exact=True, check_dtype=False)


INVOKED = {
    "two forms": ({"instances": [], "inputs": {}}, []),
    "params": ({"instances": [], "params": {"a": 1}}, []),
    "none": ({}, []),
    "a list": ([], []),
    "no columns": ({"dataframe_split": {"data": []}}, ["dataframe_split"]),
    "a column twice": ({"dataframe_split": {"columns": ["a", "a"], "data": []}}, ["dataframe_split", "columns"]),
    "a row too short": ({"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}}, ["dataframe_split", "data", 0]),
    "lists of two lengths": ({"inputs": {"session": ["2020-03-02"], "ret": []}}, ["inputs"]),
    "numbers": ({"inputs": [1.0, 2.0]}, ["inputs", 0]),
}


@pytest.mark.parametrize(("body", "where"), INVOKED.values(), ids=INVOKED)
def test_invocations_that_break_a_rule_are_refused(client, body, where):
    assert_refused(client.post("/invocations", json=body), where)


def test_observation_again_is_no_other_and_a_revision_must_be_asked_for(fresh):
    body = {"session": SESSIONS[0], "values": known(0)}
    first = fresh.post("/v1/observations", json=body).json()
    again = fresh.post("/v1/observations", json=body)
    assert (again.status_code, again.json()) == (200, first | {"new": False})
    other = body | {"values": known(0, seed=9)}
    refused = fresh.post("/v1/observations", json=other)
    assert refused.status_code == 409
    assert "there with other values; rule" in refused.json()["detail"]
    revised = fresh.post("/v1/observations", json=other | {"revise": True}).json()
    assert revised["revised"]
    assert revised["first_said"] == {"regime": first["regime"], **first["probabilities"]}


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("token", [None, "", "wrong", READER[:-1]])
def test_without_a_token_there_is_no_answer(client, method, path, token):
    refused = getattr(client, method)(path, token=token)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert set(refused.json()) == {"detail"}


def test_reader_may_not_write(client):
    refused = client.post("/v1/observations", token=READER, json={"session": SESSIONS[0], "values": known(0)})
    assert (refused.status_code, refused.json()["detail"]) == (403, "token 'desk' may read, and this needs one that may write")
    assert client.get("/v1/regime").json()["data_as_of"] < SESSIONS[0]


def test_health_needs_no_token_and_says_nothing(client):
    assert client.get("/healthz", token=None).json() == {"status": "ok"}
    assert client.get("/readyz").json()["ready"]


WRONG = {
    "no json": (b"{", []),
    "not a number": (b'{"rows": [{"session": "2020-03-02", "ret": NaN}]}', []),
    "no object": (b"[]", []),
    "no rows": (b'{"rows": []}', ["rows"]),
    "another field": (b'{"rows": [], "more": 1}', []),
    "a row that is none": (b'{"rows": [1]}', ["rows", 0]),
}
SPOILT = {
    "unknown field": ({"secret-column": 1.0}, ["rows", 0]),
    "text": ({"ret": "secret"}, ["rows", 0, "ret"]),
    "true": ({"ret": True}, ["rows", 0, "ret"]),
    "too large": ({"ret": 1e308}, ["rows", 0, "ret"]),
    "huge whole number": ({"ret": 10**400}, ["rows", 0, "ret"]),
    "a date that is none": ({"session": "2020-02-31"}, ["rows", 0, "session"]),
    "a number for a date": ({"session": 20200302}, ["rows", 0, "session"]),
}


def assert_refused(refused, where):
    assert refused.status_code == 422
    (told,) = refused.json()["detail"]
    assert told["loc"] == ["body", *where]
    assert "secret" not in refused.text


@pytest.mark.parametrize(("body", "where"), WRONG.values(), ids=WRONG)
def test_bodies_that_break_a_rule_are_refused(client, body, where):
    assert_refused(client.post("/v1/score", data=body, headers={"content-type": "application/json"}), where)


@pytest.mark.parametrize(("change", "where"), SPOILT.values(), ids=SPOILT)
def test_values_that_break_a_rule_are_named_and_not_repeated(client, change, where):
    body = exact(rows(N_PUBLISHED, N_PUBLISHED + 1))
    body["rows"][0] |= change
    assert_refused(client.post("/v1/score", json=body), where)


def test_missing_fields_and_dates_out_of_order_are_named(client):
    body = exact(rows(N_PUBLISHED, N_PUBLISHED + 2))
    assert_refused(client.post("/v1/score", json={"rows": body["rows"][::-1]}), ["rows", 1, "session"])
    del body["rows"][1]["vol"]
    assert_refused(client.post("/v1/score", json=body), ["rows", 1, "vol"])


def test_gaps_are_refused_by_the_scoring_function(client):
    refused = client.post("/v1/score", json=exact(rows(N_PUBLISHED + 1, N_PUBLISHED + 2)))
    assert_refused(refused, ["rows"])
    assert f"session {SESSIONS[0]} is missing" in refused.text
    refused = client.post("/v1/observations", json={"session": SESSIONS[1], "values": known(1)})
    assert refused.status_code == 422
    assert f"session {SESSIONS[0]} is missing" in refused.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/regime", "/v1/forecast", "/v1/card"])
def test_sessions_that_are_none_are_refused(client, path):
    assert client.get(path, params={"session": "2020-01-04"}).status_code == 404  # a Saturday
    assert client.get(path, params={"session": "9999-12-31"}).status_code == 404
    for wrong in ("2020-13-01", "today", "20200102", "2020-01-02T00:00"):
        refused = client.get(path, params={"session": wrong})
        assert refused.status_code == 422
        assert wrong not in refused.text


def test_history_is_a_stretch_of_what_was_published(client, scorer):
    told = client.get("/v1/regime/history", params={"start": "2020-01-20", "end": "2020-01-31", "limit": 3}).json()
    inside = scorer.published[scorer.published["session"].between("2020-01-20", "2020-01-31")]
    assert told["total"] == len(inside)
    assert [row["session"] for row in told["rows"]] == inside["session"].dt.strftime("%Y-%m-%d").tolist()[-3:]
    assert [row["p_risk_on"] for row in told["rows"]] == inside["p_risk_on"].tolist()[-3:]
    assert client.get("/v1/regime/history", params={"limit": 0}).status_code == 422


def test_too_much_is_refused_before_it_is_read(scorer, tmp_path):
    with running(engine_of(scorer), tmp_path / "service.db", limits=Limits(body_bytes=4000, rows=2)) as client:
        assert client.post("/v1/score", json=exact(rows(N_PUBLISHED, N_PUBLISHED + 3))).status_code == 422
        for body in (b" " * 5000, (b" " * 1000 for _ in range(5))):  # of the second no length is told
            with suppress(requests.RequestException):  # one that is still sending may find the line cut before it reads the answer
                assert client.post("/v1/score", data=body).status_code == 413
        assert client.get("/v1/regime").status_code == 200


def test_who_asks_too_often_waits_and_others_do_not(scorer, tmp_path):
    with running(engine_of(scorer), tmp_path / "service.db", rate=Rate(60.0, 3.0)) as client:
        codes = [client.get("/v1/regime").status_code for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        assert int(client.get("/v1/regime").headers["retry-after"]) >= 1
        assert client.get("/v1/regime", token=WRITER).status_code == 200


def test_every_answer_guards_a_browser(client):
    for path in ("/v1/regime", "/healthz", "/nothing"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
