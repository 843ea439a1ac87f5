import numpy as np
import pandas as pd
import pytest

from tests.store import store_in
from training.comparison.compare import Scored, comparison, refuse_unlike
from training.comparison.comparing import compare_experiment, render_comparison, write_comparison
from training.errors import JobError

RUNGS = {"B0": 1.2, "M0": 1.0, "served": 0.9}


def book(served=0.9, *, n=60, start="2020-01-01", cells=(("BTC", 5), ("ALT", 21)), y=0.01, pit=0.5) -> pd.DataFrame:
    days = pd.bdate_range(start, periods=n, name="session")
    parts = []
    for scale, (asset, horizon) in enumerate(cells, start=1):
        for rung, crps in (RUNGS | {"served": served}).items():
            shared = {
                "session": days,
                "asset": asset,
                "horizon": horizon,
                "rung": rung,
                "y": y,
                "pit": pit,
                "crps": scale * crps,
                "outer": True,
            }
            parts.append(pd.DataFrame(shared))
    return pd.concat(parts, ignore_index=True)


def scored(name, fingerprint="a" * 64, **given) -> Scored:
    return Scored(f"id-{name}", name, fingerprint, book(**given))


def test_best_run_comes_first_and_baselines_are_in_the_table():
    table = comparison([scored("worse", served=1.1), scored("better", served=0.8)])
    assert table["name"].tolist() == ["better", "baseline M0", "worse", "baseline B0"]
    np.testing.assert_allclose(table["crps_ratio"], [0.8, 1.0, 1.1, 1.2], rtol=1e-12)
    assert set(table["rows"]) == {120}


def test_ratio_weighs_cells_alike_whatever_their_scale():
    losses = book(served=1.0)
    losses.loc[(losses["rung"] == "served") & (losses["asset"] == "ALT"), "crps"] = 2 * 0.5  # the cell on twice the scale
    table = comparison([Scored("id", "run", "a", losses)])
    assert table.loc[table["name"] == "run", "crps_ratio"].item() == pytest.approx((1.0 + 0.5) / 2)


def test_coverage_is_the_share_between_the_tenth_and_the_ninetieth_percentile():
    losses = book(n=10, cells=(("BTC", 5),))
    losses.loc[losses["rung"] == "served", "pit"] = [0.05, 0.09, 0.1, 0.5, 0.5, 0.5, 0.5, 0.9, 0.91, 0.99]
    table = comparison([Scored("id", "run", "a", losses)])
    assert table.loc[table["name"] == "run", "coverage_80"].item() == 0.6


def test_run_on_other_data_is_refused_by_name():
    with pytest.raises(JobError) as error:
        refuse_unlike([scored("old", fingerprint="b" * 64), scored("new")])
    for word in ("'old' (id-old, market 'unknown')", "'new'", "other data", "bbbbbbbbbbbb", "--market", "--runs"):
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"start": "2020-01-02"}, ["2020-01-01", "ALT, 21 sessions", "4 rows"]),
        ({"n": 61}, ["2 rows"]),
        ({"cells": (("BTC", 5),)}, ["ALT, 21 sessions", "60 rows"]),
    ],
)
def test_run_on_other_dates_is_refused_by_name_with_the_first_row(given, words):
    with pytest.raises(JobError) as error:
        refuse_unlike([scored("old", **given), scored("new")])
    for word in ("'old' (id-old", "'new' (id-new", "different dates", "--common", *words):
        assert word in str(error.value)


def test_like_runs_are_not_refused():
    refuse_unlike([scored("old"), scored("new", served=0.7)])


def test_common_dates_are_ranked_over_what_all_share():
    table = comparison([scored("early", n=60), scored("late", start="2020-02-03", n=60)])
    shared = len(pd.bdate_range("2020-02-03", pd.bdate_range("2020-01-01", periods=60)[-1]))
    assert set(table["rows"]) == {2 * shared}
    assert set(table["first"]) == {"2020-02-03"}


def test_no_common_row_is_an_error():
    with pytest.raises(JobError, match="no out-of-sample row in common"):
        comparison([scored("early"), scored("late", start="2024-01-01")])


def test_other_outcomes_on_the_same_dates_are_refused():
    with pytest.raises(JobError, match=r"outcome of ALT, 21 sessions, 2020-01-01 differs between 'old' and 'new'"):
        comparison([scored("old", y=0.02), scored("new")])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Build a store with two like runs, and others that are not like them, each in its own experiment."""
    folder = tmp_path_factory.mktemp("compare")
    with store_in(folder) as uri:
        from mlflow import MlflowClient

        client = MlflowClient(uri, uri)
        experiments = {
            "alike": [("first", "a", {}), ("second", "a", {"served": 1.1})],
            "data": [("first", "a", {}), ("elsewhere", "b", {})],
            "dates": [("first", "a", {}), ("longer", "a", {"n": 70})],
            "empty": [],
        }
        for name, runs in experiments.items():
            experiment = client.create_experiment(name, artifact_location=(folder / "artifacts").as_uri())
            for number, (run_name, letter, given) in enumerate(runs):
                tags = {"data.fingerprint": letter * 64, "market": f"market {letter}", "simulated": str(letter == "b").lower()}
                run = client.create_run(experiment, start_time=number + 1, run_name=run_name, tags=tags)
                book(**given).to_parquet(folder / "oos_losses.parquet")
                client.log_artifact(run.info.run_id, str(folder / "oos_losses.parquet"), "evaluation")
                client.set_terminated(run.info.run_id)
            running = client.create_run(experiment, run_name="running", tags={"data.fingerprint": "c" * 64})
            failed = client.create_run(experiment, run_name="failed", tags={"data.fingerprint": "d" * 64})
            other = client.create_run(experiment, run_name="no study")
            client.set_terminated(failed.info.run_id, "FAILED")
            client.set_terminated(other.info.run_id)
            assert running.info.status == "RUNNING"
        yield folder


def test_experiment_is_ranked_by_its_finished_studies(store):
    table = compare_experiment("alike", [], common=False)
    assert table["name"].tolist() == ["first", "baseline M0", "second", "baseline B0"]


def test_runs_are_chosen_by_name_or_id(store):
    table = compare_experiment("data", ["first"], common=False)
    (run_id,) = [each for each in table["run_id"] if each]
    assert table.equals(compare_experiment("data", [run_id], common=False))
    assert table.equals(compare_experiment("data", [run_id[:8]], common=False))
    with pytest.raises(JobError, match="no finished run"):
        compare_experiment("data", [run_id[:7]], common=False)


def test_runs_are_chosen_by_market_and_the_simulated_one_is_called_so(store, tmp_path):
    real, simulated = (compare_experiment("data", [], market=f"market {letter}") for letter in "ab")
    assert (real["name"].tolist()[0], simulated["name"].tolist()[0]) == ("first", "elsewhere")
    assert "SIMULATED" not in render_comparison(real, "data")
    assert render_comparison(simulated, "data").startswith("SIMULATED market\nexperiment 'data', market 'market b'")
    assert "SIMULATED" in write_comparison(simulated, "data", tmp_path / "b")[1].read_text()
    assert simulated["simulated"].all()
    with pytest.raises(JobError, match="market 'market c'; there are market a, market b"):
        compare_experiment("data", [], market="market c")


def test_equal_runs_share_a_place():
    table = comparison([scored("one"), scored("other"), scored("worse", served=0.95)])
    places = [line.split()[0] for line in render_comparison(table, "e").splitlines()[-5:]]
    assert places == ["1", "1", "3", "4", "5"]


@pytest.mark.parametrize(
    ("experiment", "words"),
    [("data", ["other data", "'first'", "--market (market a or market b)"]), ("dates", ["different dates", "'longer'"])],
)
def test_unlike_runs_of_an_experiment_are_refused(store, experiment, words):
    with pytest.raises(JobError) as error:
        compare_experiment(experiment, [], common=False)
    for word in words:
        assert word in str(error.value)


def test_asked_for_common_dates_unlike_dates_are_ranked(store):
    table = compare_experiment("dates", [], common=True)
    assert set(table["rows"]) == {120}


@pytest.mark.parametrize(
    ("experiment", "names", "words"),
    [
        ("nowhere", [], ["'nowhere'", "alike", "dates"]),
        ("empty", [], ["'empty'", "appetite train"]),
        ("alike", ["third"], ["'third'", "first", "second"]),
        ("alike", ["running"], ["'running'"]),
    ],
)
def test_what_is_not_there_is_named(store, experiment, names, words):
    with pytest.raises(JobError) as error:
        compare_experiment(experiment, names, common=False)
    for word in words:
        assert word in str(error.value)


def test_table_is_printed_and_written_alike(store, tmp_path):
    table = compare_experiment("alike", [], common=False)
    text = render_comparison(table, "alike")
    csv, page = write_comparison(table, "<alike>", tmp_path / "ranking")
    assert [path.name for path in (csv, page)] == ["ranking.csv", "ranking.html"]
    pd.testing.assert_frame_equal(pd.read_csv(csv, keep_default_na=False), table, check_dtype=False)
    html = page.read_text()
    assert "&lt;alike&gt;" in html
    assert "<alike>" not in html
    for row in table.to_dict("records"):
        assert f"{row['crps_ratio']:.4f}" in text
        assert f"<td>{row['crps_ratio']:.4f}</td>" in html
        assert row["name"] in text
    assert "120 common out-of-sample rows, 2020-01-01" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ranking.csv", "ranking.html"]
