"""The section on how sure the regime is: its numbers against independent ones, for every kind of model."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from models.inference import expected_dwell
from serving.card import build_card
from tests.training.reports.test_report import Page
from training.artefact import make_scorer
from training.claims.events import event_study
from training.config import load_config
from training.facts import gather_facts
from training.refit_history import refit_history
from training.reports.plots_regime import moved_figure, range_figure, refits_figure
from training.reports.regime import YEAR, newest_year, refits_table, regime_section, specification_table, sure_sentences
from training.reports.report import make_report
from training.reports.style import to_bytes
from training.strategies import make_strategies
from training.study import make_table, run_study

FEW = {"assets": ["BTC"], "horizons": [5], "regime.n_init": 1, "regime.bootstrap": 10, "regime.evidence": 2}
WALK = {"walk.min_history": 504, "walk.refit_every": 252, "forecast.min_rows": 252}


def study_of(market, root, kind, **regime):
    own = {f"regime.{name}": value for name, value in regime.items()}
    config = load_config(root / "conf" / "train.yaml", **(FEW | WALK | {"regime.kind": kind} | own))
    study = run_study(make_table(market, config, lambda *_: None), config, lambda *_: None)
    return config, study, gather_facts(market, study, config)


@pytest.fixture(scope="module")
def averaged(sample_market, project_root):
    return study_of(sample_market, project_root, "hmm")


@pytest.fixture(scope="module")
def classified(sample_market, project_root):
    return study_of(sample_market, project_root, "classifier")


@pytest.fixture(scope="module")
def driven(sample_market, project_root):
    return study_of(sample_market, project_root, "tvtp", drivers=["liquidity__vix"])


@pytest.fixture(scope="module")
def section(averaged):
    return section_of(*averaged)


def test_specifications_say_what_their_own_filters_say(averaged, section):
    config, study, facts = averaged
    walk, newest = study.regimes, study.regimes.refits[-1]
    frame = study.features.iloc[walk.first :]
    assert [each["name"] for each in facts["regime"]["specifications"]] == [each.name for each in config.regime.specifications]
    for i, (told, member) in enumerate(zip(facts["regime"]["specifications"], newest.model.members, strict=True)):
        assert told["p"] == pytest.approx(member.filter_proba(frame)[-1, 0], abs=1e-9)
        np.testing.assert_allclose(told["dwell"], expected_dwell(member.params.trans))
        apart, published = 0, 0
        for refit in walk.refits:
            own = refit.model.members[i].filter_proba(frame.iloc[: refit.end - walk.first])[refit.position - walk.first :, 0]
            average = walk.published["p_risk_on"].iloc[refit.position : refit.end].to_numpy()
            apart, published = apart + ((own >= 0.5) != (average >= 0.5)).sum(), published + len(own)
        assert told["other_days"] == pytest.approx(apart / published, abs=2 / published)  # compiled and plain may part at .5 itself
    told = facts["regime"]["specifications"]
    assert [row[3] for row in section.specifications.rows] == [f"{each['other_days']:.1%}" for each in told]


def test_stay_without_an_end_and_an_unknown_dof_are_said_to_be(averaged):
    _, _, facts = averaged
    told = facts["regime"]["specifications"][0]
    odd = [told | {"dwell": [None, 4099861653.0], "dof": [None, 6.2]}, told | {"dwell": [25.4, 9.0], "dof": None}]
    assert [row[4:6] for row in specification_table(odd).rows] == [["no end, no end", "n/a, 6"], ["25, 9", "Gaussian"]]


def test_newest_year_adds_up_to_the_odds_of_the_probabilities(averaged):
    _, study, _ = averaged
    year = newest_year(study)
    refit = study.regimes.refits[-1]
    assert year.index.equals(study.features.index[-YEAR:])
    p = refit.probs[-YEAR:, 0]
    np.testing.assert_allclose(year.drop(columns="total").sum(axis="columns"), year["total"], atol=1e-9)
    inside = (p > 1e-6) & (p < 1 - 1e-6)  # beyond, the probability has fewer digits than its odds
    assert inside.sum() > 20
    np.testing.assert_allclose(year["total"][inside], np.log(p / (1 - p))[inside], atol=1e-6)


def test_year_of_a_walk_shorter_than_one_begins_after_its_first_session(averaged):
    _, study, _ = averaged
    refit = study.regimes.refits[-1]
    table = dataclasses.replace(study.table, features=study.features.iloc[: study.regimes.first + 100])
    short = dataclasses.replace(refit, states=refit.states[:100], probs=refit.probs[:100])
    young = dataclasses.replace(study, table=table, regimes=dataclasses.replace(study.regimes, refits=(short,)))
    year = newest_year(young)
    assert year.index.equals(table.features.index[-99:])
    ahead = np.mean([refit.states[0, i] @ each.params.trans for i, each in enumerate(refit.model.members)], axis=0)
    assert year["base"].iloc[0] == pytest.approx(np.log(ahead[0] / ahead[1]))


def test_sentences_are_those_of_the_numbers(averaged, section):
    _, study, facts = averaged
    published = study.regimes.published[study.regimes.published["refit"].notna()]
    below, above = published["p_risk_on_spec_lo"] < 0.5, published["p_risk_on_spec_hi"] >= 0.5
    text = " ".join(section.sentences)
    assert f"on {np.mean(below & above):.0%} of the published sessions the 5 specifications do not agree" in text
    newest = study.ensemble_states[-1, :, 0]
    groups = newest.reshape(5, -1)  # as many refits each, one specification after the other
    assert facts["regime"]["spread"]["sd"] == pytest.approx(newest.std())
    assert facts["regime"]["spread"]["specification"] == pytest.approx(groups.mean(axis=1).var() / newest.var())
    assert f"{groups.var(axis=1).mean() / newest.var():.0%} parameters, " in text
    named = np.mean([each.identified for each in study.regimes.refits])
    assert f"Names: at {named:.0%} of {len(study.regimes.refits)} refits" in text


def test_refit_without_names_says_why(averaged):
    config, study, facts = averaged
    history = refit_history(study.regimes, config.regime.enter, config.regime.leave)
    doubted = history.assign(identified=False, inverted=True)
    doubted["failed"] = [("order",)] * len(history)
    assert "at the newest they cannot: a name went to another state, their order is not sure" in " ".join(
        sure_sentences(facts["regime"], doubted)
    )
    rows = refits_table(doubted).rows
    assert all(row[-1].startswith("no: a name went to another state") for row in rows)
    assert [row[0] for row in rows] == [f"{at:%Y-%m-%d}" for at in history.index[::-1]]


@pytest.mark.parametrize("simulated", [True, False])
def test_figures_say_simulated_only_if_they_are(averaged, simulated):
    config, study, facts = averaged
    history = refit_history(study.regimes, config.regime.enter, config.regime.leave)
    published = study.regimes.published.iloc[study.regimes.refits[0].position :]
    figures = (
        range_figure(published, None, YEAR, simulated),
        moved_figure(facts["regime"]["moved"], newest_year(study), simulated),
        refits_figure(history, simulated),
    )
    assert all((b"SIMULATED" in to_bytes(figure)) is simulated for figure in figures)


def test_bars_run_from_the_odds_before_to_those_after():
    moved = {"base": -1.0, "families": {"momentum": 3.0, "breadth": -0.5}, "total": 1.5}
    year = pd.DataFrame({"base": [0.1, 0.2], "momentum": [1.0, 2.0], "total": [1.1, 2.2]}, index=pd.bdate_range("2024-01-01", periods=2))
    figure = moved_figure(moved, year, simulated=False)
    bars = [(bar.get_x(), bar.get_width()) for bar in figure.axes[0].patches]
    assert bars == [(0.0, -1.0), (-1.0, 3.0), (2.0, -0.5), (0.0, 1.5)]


def section_of(config, study, facts):
    return regime_section(study, facts["regime"], config.regime.enter, config.regime.leave, simulated=True)


def report_of(market, config, study, facts):
    """Make the report, its pictures left empty, and give its text, which is whole."""
    card = build_card(facts, make_scorer(study, config).published, "run abcd1234")
    events = event_study(market, config.assets, config.horizons)
    earned = make_strategies(study.forecasts.losses, study.skill, study.prices, 1)
    info = {"config": config.resolved()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.reports.plot.to_bytes", lambda figure: b"<svg/>")  # drawing them takes seconds
        text = make_report(card, facts, study, market, events, earned, info).html
    assert Page(text).open == []
    return text


@pytest.mark.parametrize("kind", ["jump", "classifier"])
def test_kinds_without_a_likelihood_are_told_what_they_have(kind, sample_market, project_root, request):
    run = request.getfixturevalue("classified") if kind == "classifier" else study_of(sample_market, project_root, kind)
    section = section_of(*run)
    assert section.specifications is None
    assert set(section.plots) == {"refits"}
    assert "Names and revisions" in report_of(sample_market, *run)


def test_label_and_rules_of_thumb_are_judged_before_the_lockbox_alone(classified, sample_market):
    config, study, facts = classified
    since = pd.Timestamp(facts["lockbox"]["since"])
    label = study.calm_rise(21, 0.05)
    assert label.last_valid_index() == study.features.index[study.features.index.get_loc(since) - 23]  # it ends, a session late, before
    noise = np.random.default_rng(0).uniform(1.0, 9.0, len(study.features))
    small = study.table.small_caps.where(study.features.index < since, noise)
    other = dataclasses.replace(study, table=dataclasses.replace(study.table, small_caps=small))
    told = gather_facts(sample_market, other, config)["regime"]["label_brier_gain"]
    assert np.isfinite(told)
    assert told == facts["regime"]["label_brier_gain"]
    texts = [report_of(sample_market, config, each, facts) for each in (study, other)]
    tables = [text.split('<section id="references"')[1].split("</section>")[0] for text in texts]
    assert tables[0] == tables[1]
    assert "better than the constant by" in tables[0]
    opened = study.forecasts.losses.assign(lockbox=False)
    whole = dataclasses.replace(study, forecasts=dataclasses.replace(study.forecasts, losses=opened))
    assert whole.calm_rise(21, 0.05).last_valid_index() == study.features.index[-22]


def test_single_refit_without_states_has_nothing_to_draw(classified, sample_market):
    config, study, facts = classified
    only = dataclasses.replace(study.regimes.refits[0], end=len(study.features))
    young = dataclasses.replace(study, regimes=dataclasses.replace(study.regimes, refits=(only,)))
    assert section_of(config, young, facts).plots == {}
    text = report_of(sample_market, config, young, facts)
    assert "Names and revisions" not in text
    assert "How sure is the regime?" in text


def test_driven_transitions_go_through_facts_section_and_report(driven, sample_market):
    config, study, facts = driven
    told = facts["regime"]
    assert [(each["driver"], each["from"], each["to"]) for each in told["drivers"]] == [
        ("liquidity__vix", "risk_on", "risk_off"),
        ("liquidity__vix", "risk_off", "risk_on"),
    ]
    section = section_of(*driven)
    assert section.specifications is None
    assert set(section.plots) == {"refits", "moved"}
    unnamed = facts | {"regime": told | {"identified": False}}  # told whatever this small market's fit comes to
    text = report_of(sample_market, config, study, unnamed)
    assert "Today's states cannot be told apart" in text
    assert "What moved it" in text
    assert "the model that leads the average" not in text  # there is no average
    assert "once a year, and at once where a refit" in text
    assert "reads that probability as the" in text
    assert [row[-1] for row in Page(text).rows if row[0] == "vix"] == ["regime, ridge"]  # the regime reads it as a driver


def test_newest_year_of_driven_transitions_adds_up_to_the_odds_of_the_probabilities(driven):
    _, study, _ = driven
    year, p = newest_year(study), study.regimes.refits[-1].probs[-YEAR:, 0]
    assert set(year.columns) == {"base", *{column.split("__")[0] for column in study.regimes.refits[-1].model.base.columns}, "total"}
    np.testing.assert_allclose(year.drop(columns="total").sum(axis="columns"), year["total"], atol=1e-9)
    inside = (p > 1e-6) & (p < 1 - 1e-6)  # beyond, the probability has fewer digits than its odds
    assert inside.sum() > 20
    np.testing.assert_allclose(year["total"][inside], np.log(p / (1 - p))[inside], atol=1e-6)
