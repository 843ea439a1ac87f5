"""The word states: the rows a training job would fit, the choice in text, JSON and files, and the plot of it."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import feature_matrix
from models.selection import Candidate, Limits, WalkSettings, select_n_states
from training.config import load_config
from training.errors import JobError
from training.reports.plots_states import LONGEST, states_figure
from training.reports.style import to_bytes
from training.states import candidate_table, choose_states, write_states

TRIED = (Candidate(1, "student"), Candidate(2, "gaussian"), Candidate(4, "student"))
RETURN = "momentum__ret_1"


def config(**overrides):
    return load_config("conf/train.yaml", **{"walk.start": date(2019, 6, 3), "walk.min_history": 400, **overrides})


@pytest.fixture(scope="module")
def choice(sample_market):
    return choose_states(sample_market, config(), TRIED[:2], columns=[RETURN])


def test_rows_are_those_a_training_job_would_fit_and_the_choice_is_that_of_the_models(sample_market, choice):
    rows = feature_matrix(sample_market).loc["2019-06-03":, [RETURN]]
    settings = WalkSettings(min_history=400, n_blocks=8, kappa=100.0, n_init=6, seed=0)
    own = select_n_states(rows, TRIED[:2], settings=settings)
    pd.testing.assert_frame_equal(choice.selection.table, own.table)
    assert choice.sessions.equals(rows.index)
    assert choice.span == (f"{rows.index[0]:%Y-%m-%d}", f"{rows.index[400]:%Y-%m-%d}", f"{rows.index[-1]:%Y-%m-%d}")


def test_text_and_json_say_what_was_chosen_on_what(choice):
    text, plain = choice.text(), json.loads(json.dumps(choice.to_dict(), allow_nan=False))
    assert text.startswith("SIMULATED market\nmarket 'sample', 2019-06-03 to ")
    assert plain["simulated"] is True
    assert plain["columns"] == [RETURN]
    assert plain["configured"] == 2
    assert plain["advice"] in text
    assert [each["reason"] in text for each in plain["candidates"]] == [True, True]
    assert sum(each["chosen"] for each in plain["candidates"]) == 1


@pytest.mark.parametrize(
    ("chosen", "configured", "words"),
    [
        (TRIED[0], 2, "no regimes: one state says as much as 2 on these columns"),
        (TRIED[1], 2, "2 states, as configured"),
        (TRIED[1], 3, "2 states, and 3 are configured (regime.n_components)"),
    ],
)
def test_advice_compares_with_the_config(choice, chosen, configured, words):
    verdict = replace(choice.selection.verdict, chosen=chosen)
    assert replace(choice, selection=replace(choice.selection, verdict=verdict), configured=configured).advice() == words


def test_columns_of_the_config_are_read_unless_others_are_named(sample_market):
    told: list[tuple[str, int, int]] = []
    made = choose_states(sample_market, config(), TRIED[:1], progress=lambda *step: told.append(step))
    assert sorted([*made.columns, *made.left_out]) == sorted(config().regime.columns)
    assert made.left_out == ("breadth__panel_pct_above_200",)  # its first 200 sessions are empty, half of the first window
    assert "left out for coverage: breadth__panel_pct_above_200" in made.text()
    assert ("states", 1, 1) in told
    with pytest.raises(JobError, match="column 'momentum__ret_2' does not exist; of its family there are momentum__"):
        choose_states(sample_market, config(), TRIED[:1], columns=["momentum__ret_2"])
    with pytest.raises(JobError, match=r"states: none of breadth__panel_pct_above_200 has enough values in the first 400 sessions"):
        choose_states(sample_market, config(), TRIED[:1], columns=["breadth__panel_pct_above_200"])


def test_files_hold_table_plot_and_reasons(choice, tmp_path):
    table, plot, page = write_states(choice, tmp_path / "states")
    assert [path.name for path in (table, plot, page)] == ["states.csv", "states.png", "states.html"]
    pd.testing.assert_frame_equal(pd.read_csv(table), choice.selection.table, check_exact=False)
    assert plot.read_bytes().startswith(b"\x89PNG")
    html = page.read_text(encoding="utf-8")
    assert "SIMULATED" in html
    assert choice.advice() in html
    assert all(reason in html for reason in choice.selection.reasons.values())
    assert 'src="data:image/svg+xml;base64,' in html
    assert sorted(each.name for each in Path(tmp_path).iterdir()) == ["states.csv", "states.html", "states.png"]


def selection(failed: bool = False):
    X = np.random.default_rng(0).normal(size=(220, 1))
    settings = WalkSettings(min_history=60 if failed else 90, n_blocks=2, n_init=1, n_iter=20)
    return select_n_states(X, TRIED[:1] + TRIED[2:] if failed else TRIED[:2], settings=settings, limits=Limits(block=30))


def test_plot_shows_every_candidate_at_its_numbers_and_rings_the_choice():
    made = selection()
    figure = states_figure(made, simulated=False)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "log score below best",
        "BIC above the least",
        "ICL above the least",
        "days in rarest state",
        "shortest stay",
        "days relabelled",
    ]
    row = made.table.set_index("emission").loc["student"]
    expected = [-row["behind"], row["bic"] - made.table["bic"].min(), row["icl"] - made.table["icl"].min(), 1.0, LONGEST, 0.0]
    for axes, value in zip(figure.axes, expected, strict=True):
        points = [line.get_ydata() for line in axes.lines if line.get_marker() == "s"]
        np.testing.assert_allclose(points, [[value]], atol=1e-12)
        rings = [line for line in axes.lines if line.get_markersize() == 12 and len(line.get_xdata())]
        assert [round(float(line.get_xdata()[0])) for line in rings] == [made.chosen.n_states]
    assert to_bytes(figure) == to_bytes(states_figure(made, simulated=False))


def test_a_candidate_that_could_not_be_fitted_is_in_the_table_and_leaves_a_gap_in_the_plot(choice):
    made = selection(failed=True)
    rows = candidate_table(replace(choice, selection=made)).rows
    assert rows[1][:2] == ["K=4 Student-t", "not fitted"]
    assert "rows for 24 parameters" in rows[1][-1]
    assert len(rows[0]) == len(rows[1]) == 9
    assert len(to_bytes(states_figure(made, simulated=True), "png")) > 10_000
