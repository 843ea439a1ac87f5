"""The whole trial: on the sample market as a user runs it, and on the real one with dates that anyone can check."""

import dataclasses
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sources import load_market
from tests.e2e.command import make_desk
from training.claims.c6_c7 import flow_finding, lag_words, money, timing_finding
from training.claims.counter_evidence import FlowEvidence, LossEvidence, flow_verdict, joined
from training.claims.document import document
from training.claims.limits import untestable
from training.claims.listing import EVENT_COLUMNS, list_all, write_events
from training.claims.register import CLAIMS
from training.claims.screen import WIDTH, render_trial
from training.claims.sentences import special_words
from training.claims.trial import hold_trial
from training.claims.values import as_values, looks_of
from training.claims.verdicts import CONSISTENT, CONTRADICTED, INCONCLUSIVE, NOT_TESTABLE, VERDICTS
from training.claims.written import write_trial

ROOT = Path(__file__).resolve().parents[3]
NAMES = ["C1", "C2", "C3", "C4", "C5", "C6", "C7"]


def quiet(what: str, done: int, of: int) -> None:
    """Say nothing of progress."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = make_desk(tmp_path_factory.mktemp("claims"))
    (desk.folder / "long.yaml").write_text("kind: simulated\nseed: 0\nyears: 13\nn_stocks: 20\n", encoding="utf-8")
    return desk


@pytest.fixture(scope="module")
def written(desk):
    done = desk.invoke("claims", "--market", "long.yaml", "--out", "claims", "--markdown", "CLAIMS.md", "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout, parse_constant=pytest.fail)


@pytest.fixture(scope="module")
def market(desk):
    return load_market(desk.folder / "long.yaml")


def test_screen_fits_a_hundred_columns_and_says_simulated_first(market):
    lines = render_trial(hold_trial(market, quiet, draws=99)).splitlines()
    assert lines[0] == "SIMULATED market"
    assert max(map(len, lines)) <= WIDTH
    assert [line[:2] for line in lines if re.match(r"C\d  ", line)] == NAMES
    assert "Not testable with this data:" in lines


def test_market_without_a_breakout_is_told_so(desk, tmp_path):
    trial = hold_trial(load_market(desk.market), quiet, draws=19)
    assert "C3  NOT TESTABLE" in render_trial(trial)
    assert [each["n"] for each in as_values(trial)["claims"][:5]] == [0] * 5
    assert write_trial(trial, tmp_path / "none")[0].is_file()


def test_market_with_one_coin_is_written_and_the_claims_on_others_are_not_testable(market, tmp_path):
    alone = dataclasses.replace(market, coins=market.coins[market.coins["asset"] == "BTC"].reset_index(drop=True))
    trial = hold_trial(alone, quiet, draws=19)
    claims = {each["name"]: each for each in as_values(trial)["claims"]}
    assert claims["C4"]["verdict"] == claims["C5"]["verdict"] == NOT_TESTABLE
    assert claims["C4"]["counter_examples"] == []
    assert claims["C3"]["verdict"] != NOT_TESTABLE
    paths = write_trial(trial, tmp_path / "alone")
    assert all(path.is_file() for path in paths)
    assert "C4  NOT TESTABLE" in render_trial(trial)


@pytest.mark.parametrize(("last", "told"), [("2021-06-01", False), ("2022-06-01", True)])
def test_best_close_within_a_year_is_told_once_the_year_is_over(last, told):
    sessions = pd.bdate_range("2018-01-01", last, unit="us")
    ends = pd.DataFrame({"series": ["R2000"], "confirmed": [pd.Timestamp("2020-11-11")], "end": ["failed"], "ended": [pd.NaT]})
    prices = pd.DataFrame({"BTC": np.exp(np.linspace(0.0, 1.0, len(sessions)))}, index=sessions)
    claim = next(each for each in CLAIMS if each.name == "C2")
    said = special_words(SimpleNamespace(claim=claim), SimpleNamespace(ends=ends, simulated=False, prices=prices))
    assert any("was never retested by the rule" in each for each in said)
    assert any("Within a year of the breakout confirmed on" in each for each in said) is told
    assert not any("nan" in each for each in said)


def test_page_is_one_file_that_says_simulated(written, desk):
    page = (desk.folder / "claims.html").read_text(encoding="utf-8")
    assert '<p class="banner"><strong>SIMULATED.</strong>' in page
    assert not re.search(r'(?:src|href)="(?!data:|#)', page), "it needs nothing else"
    for name in NAMES:
        assert f'<section id="{name}"' in page
    assert (desk.folder / "CLAIMS.md").read_text(encoding="utf-8").splitlines()[2].startswith("**SIMULATED market.**")


def test_json_and_csv_have_their_forms(written, desk):
    assert written == json.loads((desk.folder / "claims.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert written["simulated"] is True
    assert [each["name"] for each in written["claims"]] == NAMES
    assert {each["verdict"] for each in written["claims"]} <= {*VERDICTS, NOT_TESTABLE}
    for claim in written["claims"][:5]:
        assert claim["n"] == len(claim["dates"]) == len({*claim["dates"]})
    table = pd.read_csv(desk.folder / "events.csv")
    assert list(table.columns) == list(EVENT_COLUMNS)
    assert set(table["asset"]) == {"BTC", "ETH", "ALT"}
    assert set(table["horizon"]) == {5, 21, 63, 126, 252}


def test_events_write_the_same_form(market, tmp_path):
    table = pd.read_csv(write_events(list_all(market, []), tmp_path / "breaks"))
    assert list(table.columns) == list(EVENT_COLUMNS)
    assert "breakout_confirmed" in set(table["state"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--out", "no/claims"), "the folder 'no' does not exist"),
        (("--markdown", "claims.txt"), "rule: a file that ends in .md"),
        (("--market", "nowhere.yaml"), "'nowhere.yaml' does not exist"),
    ],
)
def test_bad_words_are_told_in_one_line(desk, words, told):
    done = desk.invoke("claims", *(("--market", desk.market) if "--market" not in words else ()), *words)
    assert done.exit_code == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def flow(total: float, without: list[float]) -> FlowEvidence:
    table = pd.DataFrame({"left_out": [f"F{k}" for k in range(len(without))], "usd": without})
    return FlowEvidence(2025, pd.Timestamp("2025-06-30"), ("F0", "F1"), total, table, flow_verdict(total, table["usd"].to_numpy()))


@pytest.mark.parametrize(
    ("total", "without", "verdict"),
    [
        (-2.0, [-1.0, -1.5], CONSISTENT),
        (-2.0, [-1.0, 0.5], INCONCLUSIVE),
        (2.0, [1.0, 1.0], CONTRADICTED),
        (-2.0, [], INCONCLUSIVE),
    ],
)
def test_flows_hang_on_no_single_fund(total, without, verdict):
    assert flow(total, without).verdict == verdict


def test_both_halves_of_the_counter_evidence_make_one_verdict():
    out, unknown = flow(-2.0, [-1.0, -1.0]), LossEvidence(None, float("nan"), 0, NOT_TESTABLE)
    assert joined(out, unknown) == INCONCLUSIVE
    assert joined(out, LossEvidence(pd.Timestamp("2025-06-30"), 0.41, 1800, CONSISTENT)) == CONSISTENT
    assert joined(out, LossEvidence(pd.Timestamp("2025-06-30"), 0.20, 1800, CONTRADICTED)) == CONTRADICTED
    assert money(-5.92e9) == "-$5.9 bn"


@pytest.fixture(scope="module")
def real_trial(real_market):
    return hold_trial(real_market, quiet)


def test_document_is_what_the_command_writes(real_trial):
    """appetite claims --market conf/market-files.yaml --markdown docs/CLAIMS.md"""
    assert document(real_trial) == (ROOT / "docs" / "CLAIMS.md").read_text(encoding="utf-8")


def test_real_claims_have_the_dates_of_the_rules_and_no_verdict_beyond_them(real_trial):
    said = {each.claim.name: (each.verdict, [f"{d:%Y-%m-%d}" for d in each.cell.dates]) for each in real_trial.judged}
    assert said == {
        "C1": (INCONCLUSIVE, ["2013-05-09", "2021-01-08", "2024-11-12"]),
        "C2": (INCONCLUSIVE, ["2016-11-23"]),
        "C3": (INCONCLUSIVE, ["2016-11-14", "2020-11-13"]),
        "C4": (INCONCLUSIVE, ["2016-11-16", "2020-11-17"]),
        "C5": (INCONCLUSIVE, ["2016-11-16", "2020-11-17"]),
    }
    assert flow_finding(real_trial).verdict == INCONCLUSIVE
    assert timing_finding(real_trial).verdict == INCONCLUSIVE
    assert "none found" in lag_words(real_trial.timing[0])


def test_real_data_say_what_they_cannot_test(real_trial):
    told = " ".join(untestable(real_trial))
    for words in ("Russell 2000 Value index itself", "TOTAL3 before 2020", "OTHERS", "Utilities", "2013-01-04 (R2000)", "loss-making"):
        assert words in told


def test_real_breakout_of_late_2020_was_never_retested(real_trial):
    ends = real_trial.ends[(real_trial.ends["series"] == "R2000")].set_index("confirmed")
    assert ends.loc["2020-11-17", "end"] == "ran_away"
    assert ends.loc["2016-11-16", "end"] == "retest_held"
    assert "never retested by the rule" in document(real_trial)


def test_real_outcomes_agree_with_prices_on_file(real_trial, real_market):
    """Bitcoin after 2020-11-17, from the closes of the vendor's file: 63 sessions end on 2021-02-19."""
    bars = real_market.coins[real_market.coins["asset"] == "BTC"].set_index("date")["close"]
    claim = next(each for each in real_trial.judged if each.claim.name == "C4")
    cell = next(c for c in real_trial.cells if (c.series, c.state, c.asset, c.horizon) == ("R2000", claim.claim.state, "BTC", 63))
    want = bars["2021-02-19"] / bars["2020-11-17"]
    assert real_market.sessions.get_loc("2021-02-19") - real_market.sessions.get_loc("2020-11-17") == 63
    assert np.exp(cell.returns[cell.dates.index(pd.Timestamp("2020-11-17"))]) == pytest.approx(want, rel=1e-9)


def test_real_values_are_finite_json(real_trial):
    text = json.dumps(as_values(real_trial), allow_nan=False)
    assert json.loads(text)["family_size"] == looks_of(real_trial)
    assert max(len(line) for line in render_trial(real_trial).splitlines()) <= WIDTH
