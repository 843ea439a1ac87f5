"""The one scoring function, and its storage: what is published stays, what follows goes on, what is wrong is named."""

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.answers import assemble, name_rows, range_columns
from models.average import RegimeAverage
from models.cell import Cell
from models.classifier_fit import fit_classifier
from models.forecast import RUNGS, Inputs
from models.forecast_fit import fit_ladder
from models.identity import Identity, hysteresis
from models.inference import forward_filter
from models.jump import JumpParams
from models.parts import Parts, put_together, take_apart
from models.regime import RegimeHMM
from models.regime_jump import RegimeJump
from models.regime_tvtp import RegimeTVTP
from models.row_marks import row_marks
from models.scoring import PUBLISHED, REVISED, SCORED, Scorer, ScoringError
from tests.models.driven_worlds import random_driven
from tests.models.worlds import random_params

REGIME_COLUMNS = ("ret", "breadth")
COLUMNS = ("ret", "breadth", "vol", "mom", "extra")
NAMES = ("risk_on", "risk_off")
N_PUBLISHED, N_LATER = 40, 30
DAYS = pd.bdate_range("2020-01-06", periods=N_PUBLISHED + N_LATER, unit="us")
IDENTITY = Identity((0.1, -0.1), (0.001, -0.001), (0.01, 0.02), 2.0, True, 0.99)


def feature_rows(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(len(DAYS), len(COLUMNS))), columns=list(COLUMNS)).assign(session=DAYS)
    frame["vol"] = 0.03 * np.exp(0.2 * frame["vol"])
    return frame


def cells() -> tuple[Cell, ...]:
    rng, n = np.random.default_rng(3), 600
    regime = rng.dirichlet(np.ones(2), size=n)
    inputs = Inputs(np.full(n, 0.03), rng.normal(size=(n, 1)), regime, np.column_stack([rng.normal(size=n), regime[:, 0]]))
    out = []
    for horizon, rung in ((5, "M4"), (21, "M6")):
        ladder = fit_ladder(0.02 * inputs.features[:, 0] + rng.normal(0, 0.08, size=n), inputs, horizon)
        half_width = {"80": 1.4, "90": np.inf if horizon == 21 else 1.9}
        out.append(Cell("BTC", horizon, ladder, rung, f"{rung} ({RUNGS[rung]})", "vol", ("mom",), ("extra", None), half_width))
    return tuple(out)


def hmm_regime() -> RegimeHMM:
    return RegimeHMM(REGIME_COLUMNS, np.array([0.1, -0.2]), np.array([0.9, 1.1]), random_params(np.random.default_rng(1), 2, 2), IDENTITY)


def average_regime() -> RegimeAverage:
    heavy = replace(random_params(np.random.default_rng(5), 2, 2), dof=np.array([4.0, 8.0]))
    return RegimeAverage(("one", "heavy", "clipped"), (hmm_regime(), replace(hmm_regime(), params=heavy), replace(hmm_regime(), clip=1.0)))


def jump_regime(grid: np.ndarray | None = None) -> RegimeJump:
    params = JumpParams(np.array([[0.5, 0.2], [-0.5, -0.3]]), 0.8, np.array([1.0, 0.7]), grid)
    trans = np.array([[0.9, 0.1], [0.2, 0.8]])
    return RegimeJump(REGIME_COLUMNS, np.array([0.1, -0.2]), np.array([0.9, 1.1]), params, trans, IDENTITY)


def driven_regime() -> RegimeTVTP:
    drawn = random_driven(np.random.default_rng(8), 2, 2, 2)
    to_come = np.array([[0.7, 0.3], [0.4, 0.6]]), np.array([0.9, 0.8])
    base = replace(hmm_regime(), params=drawn.hmm)
    return RegimeTVTP(base, ("extra", "breadth"), drawn.coefs, drawn.center, drawn.scale, *to_come)


GRID = np.column_stack([np.linspace(0, 1, 5), 1 - np.linspace(0, 1, 5)])
REGIMES = {
    "hmm": hmm_regime,
    "average": average_regime,
    "driven": driven_regime,
    "jump": jump_regime,
    "continuous jump": lambda: jump_regime(GRID),
    "classifier": lambda: classifier_regime(),
}


def classifier_regime():
    rng = np.random.default_rng(2)
    X = pd.DataFrame(rng.normal(size=(900, 2)), columns=list(REGIME_COLUMNS))
    return fit_classifier(X, REGIME_COLUMNS, (X["ret"] + rng.normal(size=900) > 0).to_numpy(dtype=float), 5)


def scorer_of(regime, with_ensemble: bool = True) -> Scorer:
    """A scorer whose published table is what the same parameters say from the first row on."""
    rows = feature_rows()
    made = Scorer(regime, NAMES, True, 0.6, 0.4, cells(), pd.DataFrame(), np.zeros(2), False, DAYS[N_PUBLISHED:])
    if with_ensemble:
        refits = tuple(replace(hmm_regime(), params=random_params(np.random.default_rng(10 + i), 2, 2)) for i in range(7))
        made = replace(made, ensemble=RegimeAverage(("only",) * 7, refits), last_ensemble=None)
    table, states, held, paths = whole_history(made, rows)
    published = table.iloc[:N_PUBLISHED].assign(status=PUBLISHED)
    last_ensemble = None if paths is None else paths[N_PUBLISHED - 1]
    return replace(
        made, published=published, last_state=states[N_PUBLISHED - 1], held=bool(held[N_PUBLISHED - 1]), last_ensemble=last_ensemble
    )


def whole_history(scorer: Scorer, rows: pd.DataFrame):
    """Everything from the first row in one pass: what scoring in pieces must reproduce."""
    states = scorer.regime.filter_states(rows)
    probs = scorer.regime.proba(states)
    held = hysteresis(probs[:, 0], scorer.enter, scorer.leave)
    paths = None if scorer.ensemble is None else scorer.ensemble.filter_states(rows)
    ranges = range_columns("risk_on", paths, states if isinstance(scorer.regime, RegimeAverage) else None, len(rows))
    called = name_rows(probs, held, NAMES)
    return (
        assemble(pd.DatetimeIndex(rows["session"]), SCORED, called, NAMES, probs, ranges, scorer.told(rows, probs)),
        states,
        held,
        paths,
    )


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return scorer_of(hmm_regime())


def stored_and_loaded(scorer: Scorer) -> Scorer:
    parts = take_apart(scorer)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **parts.arrays)
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        loaded = {name: arrays[name] for name in arrays.files}
    return put_together(Parts(json.loads(json.dumps(parts.values, allow_nan=False)), loaded, parts.published, parts.estimator))


@pytest.mark.parametrize("kind", REGIMES)
def test_scoring_later_rows_goes_on_as_one_pass_over_the_whole_would(kind):
    scorer = scorer_of(REGIMES[kind]())
    rows = feature_rows()
    whole = whole_history(scorer, rows)[0]
    pd.testing.assert_frame_equal(scorer.score(rows.iloc[N_PUBLISHED:]), whole.iloc[N_PUBLISHED:].reset_index(drop=True), check_exact=True)


def test_scores_do_not_change_when_more_rows_follow_or_rows_come_in_another_order(scorer):
    rows = feature_rows().iloc[N_PUBLISHED:]
    whole = scorer.score(rows)
    pd.testing.assert_frame_equal(scorer.score(rows.iloc[:7]), whole.iloc[:7], check_exact=True)
    pd.testing.assert_frame_equal(scorer.score(rows.sample(frac=1.0, random_state=1)), whole, check_exact=True)


def test_published_rows_are_answered_as_they_were_published_whatever_they_hold_now(scorer):
    rows = feature_rows(seed=99)  # other values on the same sessions
    pd.testing.assert_frame_equal(scorer.score(rows.iloc[3:9]), scorer.published.iloc[3:9].reset_index(drop=True), check_exact=True)
    mixed = scorer.score(feature_rows())
    assert mixed["status"].tolist() == [PUBLISHED] * N_PUBLISHED + [SCORED] * N_LATER
    pd.testing.assert_frame_equal(mixed.iloc[:N_PUBLISHED], scorer.published, check_exact=True)


def test_answers_published_on_other_values_say_so(scorer):
    rows = feature_rows()
    marked = replace(scorer, marks=row_marks(rows[list(scorer.columns)].iloc[:N_PUBLISHED]))
    assert set(marked.score(rows.iloc[:N_PUBLISHED])["status"]) == {PUBLISHED}
    revised = rows.copy()
    revised.loc[4, "extra"] *= 1.001
    revised.loc[7, "ret"] = np.nan
    revised.loc[N_PUBLISHED, "ret"] = 3.0  # a later row has no published answer
    answers = marked.score(revised)
    assert np.flatnonzero(answers["status"] == REVISED).tolist() == [4, 7]
    assert set(answers["status"].iloc[N_PUBLISHED:]) == {SCORED}
    kept = answers.iloc[:N_PUBLISHED].drop(columns="status")
    pd.testing.assert_frame_equal(kept, scorer.published.drop(columns="status"), check_exact=True)


def test_marks_survive_text_of_fifteen_digits_and_the_store():
    rows = feature_rows()[list(COLUMNS)]
    rows.iloc[2, 1] = np.nan
    rows.iloc[3, 0], rows.iloc[4, 0] = 0.0, -0.0
    text = rows.map(lambda value: float(f"{value:.15g}"))
    assert row_marks(text).tolist() == row_marks(rows).tolist()
    assert len(set(row_marks(rows))) == len(rows)
    marks = row_marks(rows)
    assert stored_and_loaded(replace(scorer_of(hmm_regime()), marks=marks)).marks.tolist() == marks.tolist()


@pytest.mark.parametrize("kind", REGIMES)
@pytest.mark.parametrize("with_ensemble", [False, True])
def test_scorer_taken_apart_and_put_together_answers_bit_equal(kind, with_ensemble):
    scorer = scorer_of(REGIMES[kind](), with_ensemble)
    again = stored_and_loaded(scorer)
    pd.testing.assert_frame_equal(again.score(feature_rows()), scorer.score(feature_rows()), check_exact=True)
    assert again.columns == scorer.columns
    assert again.trained_to == scorer.trained_to


def test_scorer_of_states_without_names_is_storable_and_says_so(scorer):
    """Whether states are identified comes out of numpy comparisons, and must still be JSON."""
    identity = replace(IDENTITY, mean_passed=False, sd_ratio=1.0, order_prob=float("nan"))
    nameless = replace(scorer, regime=replace(scorer.regime, identity=identity), identified=identity.identified)
    assert set(stored_and_loaded(nameless).score(feature_rows().iloc[N_PUBLISHED:])["regime"]) == {"unidentified"}


def test_parts_of_another_schema_are_refused(scorer):
    parts = take_apart(scorer)
    with pytest.raises(ValueError, match=r"schema version 99; rule: this code reads version 3. Retrain"):
        put_together(replace(parts, values={**parts.values, "schema_version": 99}))


def test_hmms_range_holds_quantiles_of_the_refits_and_is_absent_without_them(scorer):
    answers = scorer.score(feature_rows().iloc[N_PUBLISHED:])
    assert (answers["p_risk_on_lo"] <= answers["p_risk_on_hi"]).all()
    bare = scorer_of(hmm_regime(), with_ensemble=False).score(feature_rows().iloc[N_PUBLISHED:])
    assert bare["p_risk_on_lo"].isna().all()
    np.testing.assert_array_equal(bare["p_risk_on"], answers["p_risk_on"])


def test_average_says_how_far_its_specifications_are_apart():
    scorer = scorer_of(average_regime())
    rows = feature_rows()
    answers = scorer.score(rows.iloc[N_PUBLISHED:])
    each = np.stack([model.filter_proba(rows)[N_PUBLISHED:, 0] for model in scorer.regime.members])
    np.testing.assert_allclose(answers["p_risk_on"], each.mean(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(answers["p_risk_on_spec_lo"], each.min(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(answers["p_risk_on_spec_hi"], each.max(axis=0), rtol=0, atol=1e-12)
    assert answers["ambiguous"].tolist() == ((each > 0.5).any(axis=0) & (each < 0.5).any(axis=0)).tolist()
    assert 0 < answers["ambiguous"].sum() < len(answers)


def test_calibrated_intervals_are_the_frozen_half_widths_about_the_mean(scorer):
    rows = feature_rows().iloc[N_PUBLISHED:]
    answers = scorer.score(rows)
    probs = answers[["p_risk_on", "p_risk_off"]].to_numpy()
    for cell, forecast in scorer.forecasts(rows, probs):
        for name, width in cell.half_width.items():
            low, high = answers[f"{cell.prefix}_lo{name}_conformal"], answers[f"{cell.prefix}_hi{name}_conformal"]
            if np.isinf(width):
                assert low.isna().all()
                assert high.isna().all()
                continue
            np.testing.assert_allclose(high, forecast.mean() + width * forecast.sd(), rtol=0, atol=1e-12)
            np.testing.assert_allclose(low, forecast.mean() - width * forecast.sd(), rtol=0, atol=1e-12)


def test_missing_values_are_left_out_of_the_evidence(scorer):
    rows = feature_rows().iloc[N_PUBLISHED:].reset_index(drop=True)
    rows.loc[0, "breadth"] = np.nan
    rows.loc[1, list(REGIME_COLUMNS)] = np.nan
    rows.loc[2, "vol"] = np.nan
    rows.loc[3, "extra"] = np.nan
    answers = scorer.score(rows)
    X = scorer.regime.standardise(rows)
    expected = forward_filter(X, scorer.regime.params, prior=scorer.last_state @ scorer.regime.params.trans).probs
    np.testing.assert_array_equal(answers["p_risk_on"], expected[:, 0])
    assert answers["p_risk_on"].notna().all()
    # without a volatility there is no distribution; without a ridge feature there is
    assert answers["BTC_5_median"].isna().tolist()[:5] == [False, False, True, False, False]
    assert answers["BTC_5_p_up"].isna().sum() == 1


def test_text_that_is_a_number_is_read_as_one(scorer):
    rows = feature_rows().iloc[N_PUBLISHED:]
    text = rows.assign(session=rows["session"].dt.strftime("%Y-%m-%d"), ret=[repr(v) for v in rows["ret"]])
    pd.testing.assert_frame_equal(scorer.score(text), scorer.score(rows), check_exact=True)


def test_sessions_with_a_time_zone_keep_their_date(scorer):
    rows = feature_rows().iloc[N_PUBLISHED:]
    aware = rows.assign(session=rows["session"].dt.tz_localize("UTC"))
    pd.testing.assert_frame_equal(scorer.score(aware), scorer.score(rows), check_exact=True)


def spoilt(rows: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    rows = rows.astype({column: object})
    rows.loc[rows.index[2], column] = value
    return rows


LATE = feature_rows().iloc[N_PUBLISHED:]
BAD = {
    "no session column": (LATE.drop(columns="session"), r"column 'session' is missing"),
    "missing column": (
        LATE.drop(columns=["mom", "extra"]),
        r"column 'mom' is missing \(2 are\); the model reads ret, breadth, vol, mom, extra",
    ),
    "no rows": (LATE.iloc[:0], r"there are no rows; rule: at least one session"),
    "infinite": (spoilt(LATE, "vol", np.inf), r"column 'vol', session 2020-03-04: not a finite number"),
    "text": (spoilt(LATE, "ret", "n.a."), r"column 'ret', session 2020-03-04: not a finite number"),
    "twice": (pd.concat([LATE, LATE.iloc[[4]]]), r"session 2020-03-06 is there twice"),
    "gap": (LATE.drop(index=LATE.index[5]), r"session 2020-03-09 is missing \(the row there is 2020-03-10\)"),
    "start too late": (LATE.iloc[1:], r"session 2020-03-02 is missing \(the row there is 2020-03-03\)"),
    "weekend": (spoilt(LATE, "session", pd.Timestamp("2020-03-07")), r"session 2020-03-04 is missing \(the row there is 2020-03-05\)"),
    "weekend of the past": (
        feature_rows().iloc[:3].assign(session=pd.Timestamp("2020-01-11")).iloc[:1],
        r"row 2020-01-11 was no session in training",
    ),
    "before the first": (
        feature_rows().iloc[:1].assign(session=pd.Timestamp("2019-12-31")),
        r"row 2019-12-31 was no session in training; rule: sessions from 2020-01-06 to 2020-02-28",
    ),
    "time of day": (spoilt(LATE, "session", pd.Timestamp("2020-03-04 16:00")), r"2020-03-04 16:00:00 has a time of day"),
    "no date": (spoilt(LATE, "session", "soon"), r"column 'session': 'soon' is no date; rule: YYYY-MM-DD"),
    "empty date": (spoilt(LATE, "session", None), r"column 'session': .* is no date"),
    "mixed zones": (
        LATE.assign(session=["2020-03-02T00:00:00+01:00", *["2020-03-03T00:00:00-05:00"] * (N_LATER - 1)]),
        r"column 'session': Mixed timezones detected; rule: YYYY-MM-DD",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_rows_are_refused_and_named(scorer, name):
    rows, message = BAD[name]
    with pytest.raises(ScoringError, match=message):
        scorer.score(rows)


def test_rows_beyond_the_stored_calendar_are_refused(scorer):
    beyond = pd.concat([LATE, LATE.iloc[[-1]].assign(session=DAYS[-1] + pd.Timedelta(days=3))])
    with pytest.raises(
        ScoringError, match=rf"rows reach beyond {DAYS[-1]:%Y-%m-%d}, the end of the calendar stored with the model: retrain"
    ):
        scorer.score(beyond)


def test_a_gap_on_the_last_stored_sessions_is_called_a_gap(scorer):
    at_end = LATE.drop(index=LATE.index[-2])
    with pytest.raises(ScoringError, match=r"is missing"):
        scorer.score(at_end)


def test_rows_are_named_by_what_is_held_and_else_by_the_most_probable_other():
    probs = np.array([[0.5, 0.2, 0.3], [0.5, 0.3, 0.2], [0.1, 0.45, 0.45]])
    assert name_rows(probs, [True, False, False], ("on", "mid", "off")) == ["on", "mid", "mid"]
