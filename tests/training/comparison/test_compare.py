from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from models.forecast import BASELINES
from tests.training.comparison.family import enter, family
from tests.training.ledger.trials import FAMILY, trial, walk
from training.comparison.aligned import align
from training.comparison.choose import choose
from training.comparison.compare import Comparison, compare
from training.comparison.composite import Composite, compose
from training.comparison.multiple import judge_family
from training.comparison.page import page, run_tables
from training.comparison.plots import stretches
from training.comparison.record import write_files
from training.comparison.screen import plain_values, render
from training.errors import JobError, LedgerError
from training.evaluation.deflation import deflated_sharpe, effective_trials, sharpe
from training.evaluation.forecast_tests import smaller_loss
from training.ledger.agreement import Missing
from training.ledger.ledger import Ledger
from training.ledger.trial import MANUAL, Family

OTHER = Family(("BTC",), (5,), "b" * 64, "2017-01-02", "2020-12-31")
GAINS = {"aaaaaaaa-none": 0.0, "bbbbbbbb-much": 0.06, "cccccccc-worse": -0.02}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory) -> Ledger:
    """Give a ledger with a family of five trials, three of them with numbers."""
    made = Ledger(tmp_path_factory.mktemp("compare") / "mlflow.ledger")
    family(made, GAINS)
    enter(made, "dddddddd-failed", None, status="FAILED")
    made.add_manual(trial("", kind=MANUAL, note="a look at the plot"))
    return made


def compared(ledger: Ledger, *, missing=(), common=False, **chosen) -> Comparison:
    return compare(choose(ledger.read(), "appetite", **chosen), ledger.mirror, missing, common=common)


@pytest.fixture(scope="module")
def comparison(ledger) -> Comparison:
    return compared(ledger)


def test_runs_and_baselines_are_ranked_and_the_reference_is_one(comparison):
    runs = comparison.runs.set_index("name")["crps_ratio"]
    assert runs.index[0] == "run bbbbbbbb-much"
    assert runs.is_monotonic_increasing
    assert runs["baseline M0"] == pytest.approx(1.0, rel=1e-12)


def test_ratio_is_the_mean_over_cells_of_the_ratio_in_each(comparison):
    losses = walk(1, gain=0.06)
    means = losses.groupby(["asset", "horizon", "rung"])["crps"].mean()
    by_hand = np.mean([means[asset, horizon, "served"] / means[asset, horizon, "M0"] for asset, horizon in (("BTC", 5), ("ALT", 21))])
    found = comparison.runs.set_index("name")["crps_ratio"]["run bbbbbbbb-much"]
    assert found == pytest.approx(by_hand, rel=1e-10)  # sums in another order


def test_coverage_is_the_share_between_the_tenth_and_the_ninetieth_percentile(comparison):
    losses = walk(0, gain=0.0)
    pit = losses.loc[losses["rung"] == "served", "pit"]
    assert comparison.runs.set_index("name")["coverage_80"]["run aaaaaaaa-none"] == pit.between(0.1, 0.9).mean()


def test_cell_beyond_the_confirmed_horizons_is_shown_and_does_not_decide(tmp_path):
    ledger = Ledger(tmp_path)
    cells = (("BTC", 5), ("BTC", 63))
    family(ledger, {"one-of-two": 0.0, "other-of-two": 0.02}, cells=cells)
    found = compared(ledger)
    assert found.composite.cells == (("BTC", 5),)
    assert set(found.cells["horizon"]) == {5, 63}
    assert found.cells.loc[found.cells["horizon"] == 63, "p"].isna().all()  # 11 rows apart


def test_raw_p_is_the_largest_over_the_baselines(comparison):
    losses = comparison.composite.losses
    by_hand = max(smaller_loss(losses[base].to_numpy(), losses["1"].to_numpy(), 21).p for base in comparison.composite.baselines)
    assert comparison.verdicts.trials.loc["1", "p"] == pytest.approx(by_hand, rel=1e-10)


def test_trials_without_numbers_count(comparison):
    few = judge_family(comparison.composite, 3)
    more = comparison.verdicts
    assert comparison.choice.n == 5
    np.testing.assert_allclose(more.trials["p_adjusted"], np.minimum(few.trials["p_adjusted"] * 5 / 3, 1.0), rtol=1e-12)
    by_hand = false_discovery_control(np.concatenate([more.trials["p"], np.ones(2)]))[:3]
    np.testing.assert_allclose(more.trials["q"], by_hand, rtol=1e-12)


@settings(max_examples=5)
@given(st.integers(0, 10**6), st.integers(0, 30))
def test_adjusted_p_is_never_below_the_raw_one_nor_smaller_with_more_trials(seed, more):
    rng = np.random.default_rng(seed)
    base = 1 + 0.1 * rng.standard_normal((250, 1))
    values = np.hstack([base - 0.01 * rng.random(4) + 0.03 * rng.standard_normal((250, 4)), base])
    losses = pd.DataFrame(values, columns=[*"0123", "M0"], index=pd.bdate_range("2020-01-01", periods=250))
    composite = Composite(losses, (("BTC", 5),), 5, ("M0",), np.empty((250, 4)))
    few, many = judge_family(composite, 4).trials, judge_family(composite, 4 + more).trials
    assert (few["p_adjusted"] >= few["p"]).all()
    assert (many["p_adjusted"] >= few["p_adjusted"]).all()
    assert (many["q"] >= few["q"] - 1e-12).all()


def test_best_is_named_only_where_it_survives_the_family(comparison, tmp_path):
    assert comparison.best == "bbbbbbbb-much"
    assert comparison.verdict().startswith("best: 'run bbbbbbbb-much' (bbbbbbbb), consistent with a smaller loss than every baseline")
    nothing = Ledger(tmp_path)
    family(nothing, {"noise-one": 0.0, "noise-two": -0.01})
    found = compared(nothing)
    assert (found.best, found.verdict()[:44]) == ("", "no run beats the best baseline (B0): least a")


def test_no_best_is_named_while_ledger_and_mlflow_disagree(ledger):
    found = compared(ledger, missing=[Missing("aaaaaaaa-none", "run aaaaaaaa-none", "MLflow")])
    assert found.best == ""
    assert found.verdict() == "no best is named: ledger and MLflow disagree on 1 trial"
    text = render(found, "appetite")
    assert "best: '" not in text
    assert "run bbbbbbbb-much" in text


def test_too_few_rows_are_said_and_not_tested(tmp_path):
    ledger = Ledger(tmp_path)
    family(ledger, {"short-one": 0.1}, n=200)
    found = compared(ledger)
    assert "fewer than 30 rows" in found.verdict()
    assert found.runs["p_adjusted"].isna().all()
    assert found.earned is not None


def test_family_of_one_run_is_compared(tmp_path):
    ledger = Ledger(tmp_path)
    family(ledger, {"only-one-1": 0.06})
    found = compared(ledger)
    assert found.best == "only-one-1"
    assert found.verdicts.n_effective == pytest.approx(1.0)
    assert "N = 1 trials" not in render(found, "appetite").splitlines()[5]


def test_identical_runs_share_a_place_and_are_merged_before_tests(tmp_path):
    ledger = Ledger(tmp_path)
    enter(ledger, "one-of-them", walk(1, gain=0.03))
    enter(ledger, "its-twin-12", walk(1, gain=0.03))
    enter(ledger, "another-one", walk(2))
    found = plain_values(compared(ledger), "appetite")["runs"]
    assert [row["place"] for row in found][:2] == [1, 1]
    assert found[0]["p_adjusted"] == found[1]["p_adjusted"]


def test_p_values_do_not_depend_on_which_runs_are_shown(comparison, ledger):
    alone = compared(ledger, names=["bbbbbbbb"])
    assert [row for row in alone.runs["run_id"] if row] == ["bbbbbbbb-much"]
    columns = ["p", "p_adjusted", "q", "mcs_p"]
    every = comparison.runs.set_index("run_id").loc["bbbbbbbb-much", columns]
    assert alone.runs.set_index("run_id").loc["bbbbbbbb-much", columns].tolist() == every.tolist()


def test_regimes_are_split_by_each_runs_own_probability(comparison):
    losses, p_on = comparison.composite.losses, comparison.composite.p_on[:, 1]
    base = comparison.composite.best_baseline
    row = comparison.runs.set_index("run_id").loc["bbbbbbbb-much"]
    for regime, inside in (("on", p_on >= 0.5), ("off", p_on < 0.5)):
        assert row[f"n_{regime}"] == inside.sum() > 0
        assert row[f"skill_{regime}"] == pytest.approx(1 - losses["1"][inside].mean() / losses[base][inside].mean(), rel=1e-12)


def test_strategies_hold_every_period_and_pay_for_trades(comparison):
    losses = walk(1, gain=0.06)
    part = losses[(losses["rung"] == "served") & (losses["horizon"] == 5)].sort_values("session").iloc[::5]
    weight, net = 0.0, []
    for mean, sd, y in part[["mean", "sd", "y"]].itertuples(index=False):
        wanted = min(max(mean / (3.0 * sd**2), 0.0), 1.0)
        net.append(wanted * np.expm1(y) - 0.0025 * abs(wanted - weight))
        weight = wanted
    expected = np.mean(net) / np.std(net, ddof=1) * np.sqrt(252 / 5)
    assert comparison.runs.set_index("run_id").loc["bbbbbbbb-much", "sharpe"] == pytest.approx(expected, rel=1e-10)


def test_deflated_ratio_is_of_the_gain_over_the_hardest_baseline(comparison):
    runs = comparison.runs.set_index("run_id")
    served = [walk(seed, gain=gain).query("horizon == 5") for seed, gain in enumerate(GAINS.values())]
    nets = {name: np.array([held(each, name) for each in served]) for name in ("served", *BASELINES)}
    least = np.inf
    for name in BASELINES:
        gains = nets["served"] - nets[name]
        counted = max(effective_trials(pd.DataFrame(gains.T)) * 5 / 3, 1.0)
        least = min(least, deflated_sharpe(gains[1], np.array([sharpe(each) for each in gains]), counted))
    assert runs.loc["bbbbbbbb-much", "deflated"] == pytest.approx(least, rel=1e-10)


def held(losses: pd.DataFrame, rung: str) -> np.ndarray:
    """Give net returns of a rung's mean at the served variance."""
    mean, own = (losses[losses["rung"] == each].sort_values("session").iloc[::5] for each in (rung, "served"))
    weight = np.clip(mean["mean"].to_numpy() / (3.0 * own["sd"].to_numpy() ** 2), 0.0, 1.0)
    return weight * np.expm1(own["y"].to_numpy()) - 0.0025 * np.abs(np.diff(weight, prepend=0.0))


def test_a_run_that_trades_as_a_baseline_has_no_deflated_ratio(tmp_path):
    ledger = Ledger(tmp_path)
    losses = walk(1)
    base = losses["rung"] == "M0"
    losses.loc[losses["rung"] == "served", "mean"] = losses.loc[base, "mean"].to_numpy()
    enter(ledger, "same-as-M0", losses)
    assert compared(ledger).runs["deflated"].isna().all()


COLUMNS = ["crps_ratio", "p", "p_adjusted", "q", "mcs_p", "deflated"]


def unequal(tmp_path) -> Ledger:
    """Give a family in which a trial wins in its newest rows alone, which another lacks; others are short, empty, of other outcomes."""
    ledger = Ledger(tmp_path)
    late = walk(1)
    days = late["session"].unique()
    newest = (late["rung"] == "served") & (late["session"] >= days[640])
    enter(ledger, "aaaaaaaa-long", late.assign(crps=late["crps"].where(~newest, late["crps"] * 0.5)))
    enter(ledger, "bbbbbbbb-less", walk(2)[lambda rows: rows["session"] < days[640]])
    enter(ledger, "cccccccc-tiny", walk(3, n=400))
    enter(ledger, "dddddddd-none", walk(4).assign(outer=False))
    enter(ledger, "eeeeeeee-flat", walk(5).assign(y=0.0))
    return ledger


@pytest.mark.parametrize("common", [False, True])
def test_p_values_and_rows_do_not_depend_on_what_is_shown_where_rows_are_unequal(tmp_path, common):
    ledger = unequal(tmp_path)
    every = compared(ledger, common=common)
    assert len(every.composite.losses) == (400 if common else 640)
    for name in ("aaaaaaaa", "bbbbbbbb"):
        alone = compared(ledger, names=[name], common=common)
        assert (alone.choice.n, len(alone.composite.losses)) == (5, len(every.composite.losses))
        wanted = every.runs[every.runs["run_id"].str.startswith(name)][COLUMNS]
        np.testing.assert_array_equal(alone.runs[alone.runs["trial"] >= 0][COLUMNS].to_numpy(), wanted.to_numpy())


def test_finished_trials_without_numbers_count_and_are_named(tmp_path):
    found = compared(unequal(tmp_path))
    assert [each.run_id for each in found.aligned.entries] == ["aaaaaaaa-long", "bbbbbbbb-less"]
    why = {each.entry.run_id: each.why for each in found.aligned.aside}
    assert list(why) == ["cccccccc-tiny", "dddddddd-none", "eeeeeeee-flat"]
    assert why["cccccccc-tiny"] == "800 of the 1400 rows of the longest trial"
    assert why["dddddddd-none"] == "no judged row"
    assert why["eeeeeeee-flat"].startswith("other outcomes (most at ")
    text = " ".join(render(found, "appetite").split())
    assert "N = 5 trials (5 finished), 2 with numbers" in text
    assert "counted without numbers: 'run cccccccc-tiny' (cccccccc, market 'sample'): 800 of the 1400 rows" in text
    assert [each["run_id"] for each in plain_values(found, "appetite")["without_numbers"]] == list(why)
    wide = compared(unequal(tmp_path / "wide"), common=True)
    assert [each.entry.run_id for each in wide.aligned.aside] == ["dddddddd-none", "eeeeeeee-flat"]


@pytest.mark.parametrize(
    ("name", "words"), [("cccccccc", "800 of the 1400 rows"), ("dddddddd", "no judged row"), ("eeeeeeee", "other outcomes")]
)
def test_run_asked_for_that_has_no_numbers_is_refused_with_the_way_out(tmp_path, name, words):
    with pytest.raises(JobError) as error:
        compared(unequal(tmp_path), names=["aaaaaaaa", name])
    for each in (f"({name}, market 'sample')", words, "have 90% of the rows", "Leave it out of --runs", "add --common"):
        assert each in str(error.value)


def test_trial_on_other_dates_joins_where_common_ones_are_asked_for(tmp_path):
    ledger = Ledger(tmp_path)
    enter(ledger, "ffffffff-first", walk(1).assign(y=0.0))
    enter(ledger, "gggggggg-shift", walk(2, start="2016-07-04").assign(y=0.0))  # as long, 130 sessions later
    assert [each.why for each in compared(ledger).aligned.aside] == ["1140 of the 1400 rows of the longest trial"]
    assert len(compared(ledger, common=True).composite.losses) == 570


def test_family_without_a_judged_row_is_refused(tmp_path):
    ledger = Ledger(tmp_path)
    enter(ledger, "empty-one-1", walk(1).assign(outer=False))
    with pytest.raises(JobError, match="has a judged row"):
        compared(ledger)


@pytest.mark.parametrize(("given", "left_out", "sessions"), [({"n": 710}, 20, 700), ({"start": "2016-01-05"}, 2, 699)])
def test_a_tenth_of_the_dates_may_differ_and_is_said(tmp_path, given, left_out, sessions):
    ledger = Ledger(tmp_path)
    enter(ledger, "ffffffff-flat", walk(1).assign(y=0.0))
    enter(ledger, "gggggggg-new", walk(2, **given).assign(y=0.0))
    found = compared(ledger)
    assert (found.aligned.left_out, len(found.composite.losses)) == (left_out, sessions)
    assert f"{left_out} rows not common to all left out" in " ".join(render(found, "appetite").split())


def test_runs_without_a_common_row_are_refused(tmp_path):
    ledger = Ledger(tmp_path)
    enter(ledger, "early-one", walk(1, n=60))
    enter(ledger, "late-one-1", walk(2, n=60, start="2024-01-01"))
    with pytest.raises(JobError, match="no out-of-sample row in common"):
        compared(ledger, common=True)


def test_altered_numbers_are_refused(tmp_path):
    ledger = Ledger(tmp_path)
    family(ledger, {"one-run-12": 0.0})
    path = ledger.root / "losses" / f"{ledger.read().entries[0].losses}.parquet"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(LedgerError, match="were altered"):
        compared(ledger)


@pytest.fixture(scope="module")
def two_families(tmp_path_factory) -> Ledger:
    made = Ledger(tmp_path_factory.mktemp("two") / "mlflow.ledger")
    family(made, {"aaaaaaaa-old": 0.0})
    enter(made, "hhhhhhhh-new", walk(3, cells=(("BTC", 5),)), made=trial("h", family=OTHER, market="files", simulated=False))
    return made


def test_newest_family_is_compared_and_the_others_are_named(two_families):
    choice = choose(two_families.read(), "appetite")
    assert (choice.family_id, [each.run_id for each in choice.shown]) == (OTHER.id, ["hhhhhhhh-new"])
    assert choice.others == (f"{FAMILY.id} (market 'sample', 2016-01-04 to 2020-12-31, N = 1)",)
    assert choose(two_families.read(), "appetite", family=FAMILY.id[:5]).family_id == FAMILY.id
    assert choose(two_families.read(), "appetite", market="sample").family_id == FAMILY.id
    assert choose(two_families.read(), "appetite", names=["run aaaaaaaa-old"]).family_id == FAMILY.id


def test_trials_of_overlapping_families_are_said_and_change_no_p(tmp_path):
    ledger = Ledger(tmp_path)
    family(ledger, GAINS)
    alone = compared(ledger)
    assert "overlapping" not in render(alone, "appetite")
    shorter = replace(FAMILY, horizons=(5,))
    for number in range(3):
        enter(ledger, f"xxxxxxx{number}", walk(number, cells=(("BTC", 5),)), made=trial(f"x{number}", family=shorter))
    beside = compared(ledger, family=FAMILY.id)
    told = f"also tried on overlapping rows: 3 trials in 1 other family ({shorter.id})"
    assert told in " ".join(render(beside, "appetite").split())
    assert told in page(beside, "appetite")
    assert plain_values(beside, "appetite")["overlapping"] == {shorter.id: 3}
    pd.testing.assert_frame_equal(beside.runs, alone.runs)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"names": ["aaaaaaaa", "hhhhhhhh"]},
            ["'run aaaaaaaa-old'", "'run hhhhhhhh-new'", "only runs of one family", "--family", "--runs"],
        ),
        ({"names": ["nobody"]}, ["'nobody'", "'run hhhhhhhh-new'"]),
        ({"names": ["aaaaaaa"]}, ["'aaaaaaa' is no finished run"]),
        ({"market": "nowhere"}, ["market 'nowhere'", "files, sample"]),
        ({"family": "x"}, ["'x' means 0 families"]),
        ({"family": OTHER.id, "market": "sample"}, ["no finished trial"]),
        (
            {"family": OTHER.id, "names": ["aaaaaaaa"]},
            [
                f"'run aaaaaaaa-old' (aaaaaaaa, market 'sample') is of family {FAMILY.id}, not of {OTHER.id}",
                f"`appetite compare --experiment appetite --family {FAMILY.id} --runs aaaaaaaa`",
            ],
        ),
    ],
)
def test_what_does_not_fit_is_named(two_families, given, words):
    with pytest.raises(JobError) as error:
        choose(two_families.read(), "appetite", **given)
    assert [word for word in words if word not in str(error.value)] == []


def test_experiment_without_a_finished_trial_says_what_to_run(two_families):
    with pytest.raises(JobError, match=r"'empty' has no finished trial.*appetite train"):
        choose(two_families.read(), "empty")


def test_screen_is_a_hundred_columns_wide_and_says_what_counts(comparison):
    text = render(comparison, "appetite")
    assert max(map(len, text.splitlines())) <= 100
    assert text.startswith("SIMULATED market\n")
    words = ("N = 5 trials (3 finished, 1 failed, 1 noted), 3 with numbers", "n = 33 that do not overlap", "null of each p", "baseline M0")
    assert [each for each in words if each not in text] == []


def test_page_carries_everything_inside_and_escapes_names(ledger, tmp_path, comparison):
    html = page(comparison, "<script>")
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert [each for each in ('src="http', 'href="http', "url(http", "@import") if each in html] == []
    assert html.count("data:image/svg+xml;base64,") == 2
    assert html.count("SIMULATED") >= 4
    for row in comparison.runs["name"]:
        assert row in html


def test_page_says_of_baselines_whether_they_are_in_the_set(comparison):
    (shown,) = run_tables(comparison)
    told = {row[1]: row[shown.head.index("in set")] for row in shown.rows}
    assert told == {row.name: "yes" if row.in_mcs else "no" for row in comparison.runs.itertuples()}
    assert sum(name.startswith("baseline") for name in told) == len(BASELINES)


def test_bar_of_the_confidence_set_is_broken_where_one_lies_outside():
    rows = pd.DataFrame({"crps_ratio": [0.97, 0.98, 0.99, 1.0, 1.01, 1.02], "in_mcs": [True, True, False, True, False, False]})
    assert stretches(rows) == [(0.97, 0.98), (1.0, 1.0)]


def test_files_hold_the_tables(comparison, tmp_path):
    runs, cells, html = write_files(comparison, "<!doctype html>", tmp_path / "ranking")
    assert [path.name for path in (runs, cells, html)] == ["ranking.csv", "ranking-cells.csv", "ranking.html"]
    table = pd.read_csv(runs)
    assert table["crps_ratio"].tolist() == comparison.runs["crps_ratio"].tolist()
    assert len(pd.read_csv(cells)) == 2 * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ranking-cells.csv", "ranking.csv", "ranking.html"]


def test_composite_leaves_out_sessions_that_a_cell_lacks(tmp_path):
    ledger = Ledger(tmp_path)
    losses = walk(1)
    gap = (losses["asset"] == "ALT") & (losses["session"] < "2016-02-01")
    enter(ledger, "with-a-gap", losses[~gap])
    composite = compose(align(choose(ledger.read(), "appetite"), ledger.mirror, common=False))
    assert composite.losses.index[0] == pd.Timestamp("2016-02-01")
    assert composite.losses["M0"].mean() == pytest.approx(1.0, rel=1e-12)


def worse_baselines(losses: pd.DataFrame, by: float) -> pd.DataFrame:
    base = losses["rung"].isin(BASELINES)
    return losses.assign(crps=losses["crps"].where(~base, losses["crps"] * (1.0 + by)))


def test_trial_with_worse_baselines_helps_nobody(tmp_path):
    ledger = Ledger(tmp_path)
    family(ledger, {"aaaaaaaa-none": 0.0, "bbbbbbbb-some": 0.01})
    before = compared(ledger)
    enter(ledger, "cccccccc-weak", worse_baselines(walk(2), 0.02))
    after = compared(ledger)
    ratios = ["run aaaaaaaa-none", "run bbbbbbbb-some", *(f"baseline {rung}" for rung in BASELINES)]
    np.testing.assert_allclose(*(each.runs.set_index("name")["crps_ratio"][ratios] for each in (after, before)), rtol=1e-12)
    assert (after.verdicts.trials["p"][:2] >= before.verdicts.trials["p"]).all()
    assert (after.verdicts.trials["p_adjusted"][:2] >= before.verdicts.trials["p_adjusted"]).all()


def test_each_baseline_is_the_strongest_version_in_each_cell(tmp_path):
    ledger = Ledger(tmp_path)
    one, other = walk(1), walk(2)
    weak = one["rung"].isin(["B0", "M0"]) & (one["asset"] == "BTC")
    enter(ledger, "one-of-two", one.assign(crps=one["crps"].where(~weak, one["crps"] * 1.1)))
    weak = (other["rung"] == "B1") | (other["rung"].isin(["B2"]) & (other["asset"] == "ALT"))
    enter(ledger, "other-of-two", other.assign(crps=other["crps"].where(~weak, other["crps"] * 1.1)))
    rows = align(choose(ledger.read(), "appetite"), ledger.mirror, common=False).rows.sort_values(["asset", "session"])
    for rung in BASELINES:
        expected = walk(1)[lambda each, rung=rung: each["rung"] == rung].sort_values(["asset", "session"])
        assert rows[f"crps_{rung}"].tolist() == expected["crps"].tolist()
        assert rows[f"mean_{rung}"].tolist() == expected["mean"].tolist()


CELL = (("BTC", 5),)


def test_baseline_that_errs_as_a_trial_does_lowers_no_p(tmp_path):
    ledger = Ledger(tmp_path)
    lucky = walk(1, gain=0.003, cells=CELL)
    enter(ledger, "aaaaaaaa-luck", lucky)
    before = compared(ledger).verdicts.trials
    assert 0.05 < before.loc["0", "p"] < 0.2
    shadow = walk(2, cells=CELL)  # its baselines lose a hair more than the lucky trial on each day, less than the others' on the mean
    served = lucky[lucky["rung"] == "served"].set_index(["asset", "session"])["crps"]
    hair = served * (1 + 1e-6) + 1e-6 * np.random.default_rng(0).random(len(served))
    base = shadow["rung"].isin(BASELINES)
    close = hair.reindex(pd.MultiIndex.from_frame(shadow[["asset", "session"]])).to_numpy()
    enter(ledger, "bbbbbbbb-near", shadow.assign(crps=shadow["crps"].where(~base, close)))
    after = compared(ledger).verdicts.trials
    assert after.loc["0", "p"] >= before.loc["0", "p"] * (1 - 1e-12)
    assert after.loc["0", "p_adjusted"] >= before.loc["0", "p_adjusted"] * (1 - 1e-12)


def test_run_of_a_configuration_that_a_search_had_is_told_with_the_number_of_candidates(tmp_path):
    ledger = Ledger(tmp_path)
    for number in range(7):
        enter(ledger, f"kkkkkkk{number}", None, made=trial(f"c{number}", parent="c38d6e03ffff"))
    enter(ledger, "llllllll-late", walk(1, cells=CELL), made=trial("c3"))
    found = compared(ledger)
    told = "'run llllllll-late' (llllllll): its configuration was chosen among 7 candidates of search c38d6e03 on these rows"
    assert told in " ".join(render(found, "appetite").split())
    assert "chosen among 7 candidates of search c38d6e03" in page(found, "appetite")
    assert plain_values(found, "appetite")["chosen_by_search"] == {"llllllll-late": {"run_id": "c38d6e03ffff", "candidates": 7}}


@pytest.mark.parametrize("horizon", [63, 126])
def test_horizons_beyond_those_that_are_tested_have_no_p_and_no_best(tmp_path, horizon):
    ledger = Ledger(tmp_path)
    family(ledger, {"much-better": 0.3, "not-better-1": 0.0}, n=4200, cells=(("BTC", horizon),))
    found = compared(ledger)
    assert (found.best, found.verdict()) == ("", "descriptive: horizons beyond 21 sessions are not tested")
    assert found.runs[["p", "p_adjusted", "q"]].isna().all(axis=None)
    assert "descriptive: horizons beyond 21" in render(found, "appetite")
    assert found.runs["name"].iloc[0] == "run much-better"
