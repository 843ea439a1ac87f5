from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serving.label_place import SeriesOf
from serving.label_series import LabelSeries
from tests.store import store_in
from training.errors import JobError
from training.labels import LabelNote
from training.promotion.candidate import Candidate, load_candidate
from training.promotion.checks import soundness, unsound
from training.promotion.decision import decide
from training.promotion.promote import promote_version
from training.promotion.registry import champion_behind, champion_version
from training.promotion.rules import load_promote_config

ROOT = Path(__file__).resolve().parents[3]
RULES = load_promote_config(ROOT / "conf" / "promote.yaml")


def losses(crps=1.0, *, n=300, start="2020-01-01", cells=(("BTC", 5), ("ALT", 21)), y=0.01, outer=True) -> pd.DataFrame:
    days = pd.bdate_range(start, periods=n, name="session")
    parts = [
        pd.DataFrame({"session": days, "asset": a, "horizon": h, "rung": "served", "y": y, "crps": crps, "outer": outer}) for a, h in cells
    ]
    return pd.concat(parts, ignore_index=True)


def skill(*, n=300, coverage=0.8, crps_skill=0.0, horizons=(5, 21, 126)) -> pd.DataFrame:
    row = {"rung": "served", "n": n, "coverage_80": coverage, "crps_skill": crps_skill}
    return pd.DataFrame([row | {"asset": "BTC", "horizon": h} for h in horizons])


def candidate(
    *, simulated=False, market="files", degenerate=0.0, churn=0.0, refits=9, book=None, table=None, label_gain=None, cells=(("BTC", 5),)
) -> Candidate:
    book, table = losses() if book is None else book, skill() if table is None else table
    return Candidate(book, table, cells, simulated, market, degenerate, churn, refits, label_gain)


def test_first_sound_model_becomes_champion():
    decision = decide(candidate(), None, RULES)
    assert decision.promoted
    assert decision.reason == "the first sound model"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"table": skill(n=249)}, ["out-of-sample rows: 249 of BTC over 5 sessions", "at least 250"]),
        ({"table": skill(coverage=0.69)}, ["69.0%", "70% to 90%"]),
        ({"table": skill(coverage=0.95)}, ["95.0%", "70% to 90%"]),
        ({"table": skill(crps_skill=-0.06)}, ["-0.060", "-0.050"]),
        ({"degenerate": 0.26}, ["26% of regime refits are degenerate", "25%"]),
        ({"churn": 0.11}, ["relabels 11.0% of days", "10%"]),
        ({"label_gain": 0.0}, ["saves +0.0% of the base rate's Brier score", "more than +0.0%"]),
        ({"label_gain": -0.031}, ["saves -3.1%"]),
        ({"label_gain": float("nan")}, ["is untested"]),
        ({"cells": (("BTC", 5), ("ETH", 21))}, ["out-of-sample rows: 0 of ETH over 21 sessions", "at least 250"]),
        ({"degenerate": float("nan")}, ["degenerate share is not known"]),
        ({"churn": float("nan")}, ["churn is not known"]),
        ({"table": skill(coverage=float("nan"))}, ["coverage of 80% intervals is not known"]),
        ({"table": skill(crps_skill=float("nan"))}, ["mean CRPS skill is not known"]),
        ({"table": skill(crps_skill=float("inf"))}, ["mean CRPS skill is not known"]),
        ({"table": pd.DataFrame()}, ["no out-of-sample rows"]),
        ({"table": skill(horizons=(126,))}, ["no out-of-sample rows"]),
    ],
)
def test_unsound_model_is_refused_with_value_and_rule(given, words):
    decision = decide(candidate(**given), None, RULES)
    assert not decision.promoted
    assert decision.reason.startswith("not sound: ")
    for word in words:
        assert word in decision.reason


@pytest.mark.parametrize(
    "given",
    [
        {"table": skill(n=250)},
        {"table": skill(coverage=0.70)},
        {"table": skill(coverage=0.90)},
        {"table": skill(crps_skill=-0.05)},
        {"degenerate": 0.25},
        {"churn": 0.10},
        {"label_gain": 0.001},
    ],
)
def test_threshold_itself_is_met(given):
    assert unsound(candidate(**given), RULES.sound) == []


def test_cell_that_is_descriptive_need_not_be_judged():
    assert unsound(candidate(cells=(("BTC", 5), ("ETH", 126))), RULES.sound) == []


def test_one_cell_without_a_number_is_not_averaged_away():
    table = skill()
    table.loc[table["horizon"] == 5, ["crps_skill", "coverage_80"]] = np.nan
    assert unsound(candidate(table=table), RULES.sound) == ["coverage of 80% intervals is not known", "mean CRPS skill is not known"]


def test_single_refit_has_no_churn_and_passes_with_these_words():
    checks = {each.name: each for each in soundness(candidate(churn=float("nan"), refits=1), RULES.sound)}
    assert str(checks["max_churn"]) == "pass: no churn: one refit (rule: at most 10%)"
    assert all(each.passed for each in checks.values())


def test_gain_without_a_standard_error_is_no_gain():
    rules = RULES.model_copy(update={"better": RULES.better.model_copy(update={"min_common_rows": 1})})
    few = {"cells": (("BTC", 5),), "n": 3}
    decision = decide(candidate(book=losses(0.5, **few)), candidate(book=losses(1.0, **few)), rules)
    assert not decision.promoted
    assert "3 common rows give no standard error" in decision.reason
    assert decision.checks[-1].name == "min_gain"


def test_run_is_asked_for_every_cell_of_its_configuration(registry, tmp_path):
    _, ids = registry
    path = tmp_path / "artifacts" / ids[1] / "artifacts" / "evaluation" / "config.json"
    path.write_text('{"assets": ["BTC", "ETH"], "horizons": [5, 126]}', encoding="utf-8")
    known = load_candidate(ids[1])
    assert known.cells == (("BTC", 5), ("BTC", 126), ("ETH", 5), ("ETH", 126))
    assert unsound(known, RULES.sound) == [
        "out-of-sample rows: 0 of ETH over 5 sessions, the rule is at least 250 of each asset and horizon"
    ]


def test_metric_that_was_not_logged_meets_no_rule(registry):
    client, ids = registry
    bare = client.create_run(client.get_run(ids[1]).info.experiment_id)
    client.log_artifacts(
        bare.info.run_id, str(Path(client.get_run(ids[1]).info.artifact_uri.removeprefix("file://")) / "evaluation"), "evaluation"
    )
    assert unsound(load_candidate(bare.info.run_id), RULES.sound) == ["degenerate share is not known", "churn is not known"]


def test_every_check_is_kept_with_value_and_rule_also_where_it_passes():
    checks = {each.name: str(each) for each in soundness(candidate(churn=0.02, label_gain=0.05), RULES.sound)}
    assert checks == {
        "min_outer_rows": "pass: 300 of BTC over 5 sessions (rule: at least 250 of each asset and horizon)",
        "coverage_80": "pass: 80.0% (rule: 70% to 90%)",
        "min_crps_skill": "pass: +0.000, mean over 2 cells up to 63 sessions, each against its own best baseline (rule: at least -0.050)",
        "max_degenerate_share": "pass: 0% (rule: at most 25%)",
        "max_churn": "pass: 2.0% (rule: at most 10%)",
        "min_label_gain": "pass: +5.0% (rule: more than +0.0%)",
    }
    decision = decide(candidate(book=losses(0.9)), candidate(), RULES)
    assert decision.tags()["promotion.min_gain"] == "pass: +10.00% (rule: more than +0.00%, on the same 600 rows as the champion)"
    assert decision.tags()["promotion"] == decision.reason


def test_every_fault_is_said():
    assert len(unsound(candidate(table=skill(n=1, coverage=0.1, crps_skill=-1), degenerate=1, churn=1), RULES.sound)) == 5


def test_soundness_ignores_horizons_that_are_not_tested():
    table = skill()
    table.loc[table["horizon"] == 126, ["n", "crps_skill", "coverage_80"]] = [1, -9.0, 0.0]
    assert unsound(candidate(table=table), RULES.sound) == []


def test_later_model_must_be_better_on_the_same_dates():
    old = candidate(book=losses(1.0))
    better = decide(candidate(book=losses(0.9)), old, RULES)
    assert better.promoted
    assert "+10.00%" in better.reason
    assert "600 common rows" in better.reason
    for crps in (1.0, 1.1):
        assert not decide(candidate(book=losses(crps)), old, RULES).promoted


def test_same_configuration_on_newer_data_succeeds_itself():
    old = candidate(book=losses(n=300))
    newer = decide(candidate(book=losses(n=340)), old, RULES)
    assert newer.promoted
    assert "forecasts like the champion's on all 600 common rows" in newer.reason
    assert "trained to 2021-04-20 where the champion knows 2021-02-23" in newer.reason
    same = decide(candidate(book=losses(n=300)), old, RULES)
    assert not same.promoted
    assert "no newer" in same.reason


@pytest.mark.parametrize(("gain", "promoted"), [(0.0, False), (0.02, False), (0.2, True)])
def test_gain_must_exceed_its_standard_error(gain, promoted):
    """Losses of white noise: one standard error of the mean of 300 sessions x 2 cells is some .04 of the loss."""
    rng = np.random.default_rng(3)
    old, new = losses(1.0), losses(1.0)
    new["crps"] = 1.0 - gain + rng.normal(0, 1, len(new))
    new["crps"] -= new["crps"].mean() - (1.0 - gain)
    decision = decide(candidate(book=new), candidate(book=old), RULES)
    assert decision.promoted is promoted
    assert "standard error" in decision.reason


def test_better_model_that_is_unsound_is_refused():
    assert not decide(candidate(book=losses(0.1), churn=0.5), candidate(), RULES).promoted


def test_gain_is_a_mean_over_cells_and_not_over_rows():
    old = candidate(book=losses(1.0))
    book = losses(1.0)
    book["crps"] = np.where(book["asset"] == "BTC", 0.5, 1.6)  # +50% and -60%
    decision = decide(candidate(book=book), old, RULES)
    assert not decision.promoted
    assert "-5.00%" in decision.reason


@pytest.mark.parametrize(("shift", "rows"), [(60, 240), (400, 0)])
def test_too_few_common_rows_are_refused(shift, rows):
    later = pd.bdate_range("2020-01-01", periods=shift + 1)[-1]
    decision = decide(candidate(book=losses(0.5, start=f"{later:%Y-%m-%d}")), candidate(), RULES)
    assert not decision.promoted
    assert f"only {rows} rows in common" in decision.reason


def test_rows_that_are_not_judged_are_not_compared():
    inner = losses(0.1, outer=False, start="2018-01-01", n=500)
    long = losses(0.1, cells=(("BTC", 126),))
    decision = decide(candidate(book=pd.concat([losses(1.1), long, inner])), candidate(book=pd.concat([losses(1.0), long, inner])), RULES)
    assert not decision.promoted
    assert "-10.00%" in decision.reason


def test_other_outcomes_are_not_comparable():
    decision = decide(candidate(book=losses(0.5, y=0.02)), candidate(), RULES)
    assert not decision.promoted
    for word in ("outcomes differ", "BTC, 5 sessions, 2020-01-01", "vintage"):
        assert word in decision.reason


def test_real_market_takes_over_from_a_simulated_one_and_never_the_other_way():
    real, simulated = candidate(book=losses(2.0)), candidate(simulated=True, market="sample", book=losses(1.0))
    taken = decide(real, simulated, RULES)
    assert taken.promoted
    assert "'files'" in taken.reason
    kept = decide(simulated, real, RULES)
    assert not kept.promoted
    assert "simulated" in kept.reason


def test_unknown_or_broken_rule_is_named(tmp_path):
    good = (ROOT / "conf" / "promote.yaml").read_text()
    path = tmp_path / "rules.yaml"
    for old, new, words in (
        ("min_gain: 0.0", "min_gain: lots", ["better.min_gain", "'lots'"]),
        ("max_churn: 0.10", "max_churn: 1.5", ["sound.max_churn", "1.5"]),
        ("max_churn", "max_chrun", ["max_chrun", "unknown"]),
    ):
        path.write_text(good.replace(old, new))
        with pytest.raises(JobError) as error:
            load_promote_config(path)
        for word in (str(path), *words):
            assert word in str(error.value)


@pytest.fixture
def registry(tmp_path):
    """Build a store whose registry has two versions, the first one champion; gives the client and the runs' ids."""
    with store_in(tmp_path) as uri:
        from mlflow import MlflowClient

        client = MlflowClient(uri, uri)
        yield client, fill(client, tmp_path / "evaluation")


def fill(client, folder: Path) -> list[str]:
    client.create_registered_model("appetite")
    experiment = client.create_experiment("appetite", artifact_location=(folder.parent / "artifacts").as_uri())
    ids = []
    for crps in (1.0, 0.9):
        run = client.create_run(experiment, tags={"simulated": "false", "market": "files"})
        folder.mkdir(exist_ok=True)
        losses(crps).to_parquet(folder / "oos_losses.parquet")
        skill().to_csv(folder / "skill.csv", index=False)
        walk(0.9 if crps == 1.0 else 0.2).to_parquet(folder / "published.parquet")
        (folder / "config.json").write_text('{"assets": ["BTC"], "horizons": [5, 21]}', encoding="utf-8")
        client.log_artifacts(run.info.run_id, str(folder), "evaluation")
        for name, value in {"churn_median": 0.01, "degenerate_share": 0.0, "refits": 9.0}.items():
            client.log_metric(run.info.run_id, name, value)
        client.create_model_version("appetite", "file:///nowhere", run.info.run_id)
        client.set_terminated(run.info.run_id)
        ids.append(run.info.run_id)
    client.set_registered_model_alias("appetite", "champion", "1")
    return ids


def walk(p: float, n: int = 20) -> pd.DataFrame:
    days = pd.bdate_range("2020-01-01", periods=n)
    said = {"session": days, "status": "published", "regime": "risk_on" if p > 0.5 else "risk_off", "p_risk_on": p, "p_risk_off": 1 - p}
    return pd.DataFrame(said | {"p_risk_on_lo": np.nan, "p_risk_on_hi": np.nan, "BTC_5_p_up": 0.5})


def champion(client) -> str:
    return str(client.get_model_version_by_alias("appetite", "champion").version)


def test_dry_run_moves_and_writes_nothing(registry):
    client, _ = registry
    assert promote_version("2", RULES, dry_run=True).promoted
    assert champion(client) == "1"
    assert client.get_model_version("appetite", "2").tags == {}


def test_better_version_takes_the_alias_and_carries_the_reason(registry):
    client, _ = registry
    decision = promote_version("2", RULES)
    assert champion(client) == "2"
    tags = client.get_model_version("appetite", "2").tags
    assert decision.tags().items() <= tags.items()
    assert len(decision.checks) == 6
    assert tags["promotion.champion"] == "1"
    again = promote_version("2", RULES)
    assert not again.promoted
    assert "already" in again.reason


def test_refused_version_leaves_the_alias_and_carries_the_reason(registry):
    client, ids = registry
    client.log_metric(ids[1], "churn_median", 0.9)
    decision = promote_version("2", RULES)
    assert not decision.promoted
    assert champion(client) == "1"
    assert "relabels 90.0%" in client.get_model_version("appetite", "2").tags["promotion"]


def series_in(folder: Path) -> LabelSeries:
    return LabelSeries(folder / "labels", SeriesOf("appetite", "files", simulated=False))


def test_walk_of_a_new_champion_is_published_and_its_successor_rewrites_nothing(registry, tmp_path):
    client, _ = registry
    first = promote_version("1", RULES)  # the champion already: its labels are published all the same
    assert not first.promoted
    assert first.labels.words.startswith("20 sessions published")
    before = series_in(tmp_path).published()
    assert set(before["version"]) == {"1"}
    second = promote_version("2", RULES)
    assert champion(client) == "2"
    assert second.labels == LabelNote(
        "0 sessions published; 20 published labels revised, last that of 2020-01-28: what was published stays", failed=False
    )
    pd.testing.assert_frame_equal(series_in(tmp_path).published(), before)
    assert len(series_in(tmp_path).revisions()) == 20


def test_refused_version_and_dry_run_publish_nothing(registry, tmp_path):
    client, ids = registry
    assert promote_version("1", RULES, dry_run=True).labels is None
    assert promote_version("2", RULES, dry_run=True).labels is None
    client.log_metric(ids[1], "churn_median", 0.9)
    assert promote_version("2", RULES).labels is None
    assert not (tmp_path / "labels").exists()


def test_labels_that_cannot_be_published_do_not_undo_a_promotion_and_the_way_to_repeat_is_said(registry, tmp_path):
    client, _ = registry
    (tmp_path / "labels").write_text("a file")
    decision = promote_version("2", RULES)
    assert decision.promoted
    assert champion(client) == "2"
    assert decision.labels.failed
    for word in ("cannot be read or written", "APPETITE_LABELS", "appetite promote --version 2"):
        assert word in decision.labels.words
    (tmp_path / "labels").unlink()
    again = promote_version("2", RULES)
    assert not again.labels.failed
    assert set(series_in(tmp_path).published()["version"]) == {"2"}


def test_walk_that_is_gone_is_told(registry, tmp_path):
    _, ids = registry
    (tmp_path / "artifacts" / ids[0] / "artifacts" / "evaluation" / "published.parquet").unlink()
    decision = promote_version("1", RULES)
    assert decision.labels.failed
    assert f"run '{ids[0]}' has no published walk" in decision.labels.words


def test_champion_is_known_behind_its_alias_and_its_number_alone(registry):
    named = {
        model: champion_behind(model)
        for model in ("models:/appetite@champion", "models:/appetite/1", "models:/appetite/2", "runs:/1/model")
    }
    assert list(named.values()) == ["1", "1", None, None]
    client, _ = registry
    client.delete_registered_model_alias("appetite", "champion")
    assert champion_behind("models:/appetite@champion") is champion_behind("models:/appetite/1") is None


def test_champion_whose_evaluation_is_gone_keeps_the_alias_and_the_way_out_is_said(registry, tmp_path):
    client, ids = registry
    files = sorted(tmp_path.glob(f"artifacts/{ids[0]}/artifacts/evaluation/*"))
    assert len(files) == 4
    for path in files:
        path.unlink()
    decision = promote_version("2", RULES)
    assert not decision.promoted
    assert champion(client) == "1"
    for word in ("version 1", ids[0], "alias"):
        assert word in decision.reason


def test_candidate_without_out_of_sample_rows_is_read_and_unsound(registry, tmp_path):
    _, ids = registry
    pd.DataFrame().to_csv(tmp_path / "artifacts" / ids[1] / "artifacts" / "evaluation" / "skill.csv", index=False)
    assert unsound(load_candidate(ids[1]), RULES.sound) == ["no out-of-sample rows"]


@pytest.mark.parametrize("version", ["7", "newest"])
def test_unknown_version_is_named(registry, version):
    with pytest.raises(JobError, match=f"no version '{version}'"):
        promote_version(version, RULES)


def test_challenger_that_gives_up_a_forecast_of_the_champion_is_refused():
    decision = decide(candidate(book=losses(0.9, cells=(("BTC", 5),))), candidate(), RULES)
    assert not decision.promoted
    assert decision.reason == "it has no judged forecast of ALT over 21 sessions, which the champion has"


def test_registry_that_does_not_answer_is_not_taken_for_one_without_a_champion(monkeypatch, tmp_path):
    """An alias that nothing carries, and a model that is not registered, are; the first promotion rests on that."""
    import mlflow
    from mlflow.exceptions import MlflowException

    with store_in(tmp_path):
        assert champion_version() is None
        mlflow.MlflowClient().create_registered_model("appetite")
        assert champion_version() is None

    def locked(*_args):
        raise MlflowException("database is locked")

    monkeypatch.setattr(mlflow.MlflowClient, "get_model_version_by_alias", locked)
    with pytest.raises(JobError, match=r"registry: it does not say which version is champion .*database is locked.*MLFLOW_TRACKING_URI"):
        champion_version()
