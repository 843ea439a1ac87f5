"""Families on the same rows: named beside each other, and their lock-boxes opened once."""

import dataclasses
from dataclasses import replace

import pytest

from sources.simulated.market import simulate_market
from tests.training.ledger.trials import FAMILY, trial
from training.config import load_config
from training.errors import LedgerError
from training.ledger.ledger import Ledger
from training.ledger.overlap import overlapping, sealed_span
from training.ledger.trial import BACKTEST, trial_of
from training.ledger.words import gather_ledger, render_ledger

SHORTER = replace(FAMILY, horizons=(5,))
REVISED = replace(FAMILY, data="b" * 64)
LATER = replace(FAMILY, oos_start="2020-12-31", oos_end="2024-12-31")
AFTER = replace(FAMILY, oos_start="2021-01-01", oos_end="2024-12-31")
ETHER = replace(FAMILY, assets=("ETH",))


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    """Give a ledger with a family and one trial in each of several others."""
    made = Ledger(tmp_path / "mlflow.ledger")
    made.open("1" * 32, "own", "appetite", trial())
    for number, family in enumerate((SHORTER, REVISED, LATER, AFTER, ETHER), start=2):
        made.open(str(number) * 32, f"run {number}", "elsewhere", trial(family=family))
    made.open("9" * 32, "real", "appetite", trial(family=replace(FAMILY, data="c" * 64), simulated=False))
    return made


def test_name_and_note_of_a_market_make_no_other_family(project_root):
    market = simulate_market(years=6, n_stocks=30)
    config = load_config(project_root / "conf" / "train.yaml")
    window = (market.sessions[1000], market.sessions[-1])

    def family(of):
        return trial_of(of, config, window, BACKTEST, ("hash", "commit")).family.id

    renamed = dataclasses.replace(market, name="another", note=market.note + ".")
    assert family(renamed) == family(market)
    assert renamed.fingerprint() != market.fingerprint()
    prices = market.prices.assign(close=market.prices["close"] * (1 + 1e-12))
    assert family(dataclasses.replace(market, prices=prices)) != family(market)
    assert family(dataclasses.replace(market, sessions=market.sessions[1:])) != family(market)


def test_families_with_an_asset_and_sessions_in_common_are_named(ledger):
    ledger.open("a" * 32, "again", "appetite", trial("other", family=SHORTER))
    assert {name: len(each) for name, each in overlapping(ledger.read(), FAMILY.id).items()} == {REVISED.id: 1, LATER.id: 1, SHORTER.id: 2}
    assert set(overlapping(ledger.read(), AFTER.id)) == {LATER.id}
    assert overlapping(ledger.read(), ETHER.id) == {}
    text = render_ledger(gather_ledger(ledger, FAMILY.id))
    told = f"also tried on overlapping rows: 4 trials in 3 other families ({REVISED.id}, {LATER.id}, {SHORTER.id})"
    assert told in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100
    assert "overlapping" not in render_ledger(gather_ledger(ledger, ETHER.id))


@pytest.mark.parametrize("family", [SHORTER, REVISED, replace(FAMILY, assets=("ALT", "ETH"))])
def test_lockbox_is_opened_once_for_all_families_that_share_its_rows(ledger, family):
    opened = ledger.unseal(ledger.read().find("1" * 32))
    entry = ledger.open("d" * 32, "greedy", "appetite", trial(family=family))
    with pytest.raises(LedgerError) as error:
        ledger.unseal(entry)
    for words in (f"lock-box of family {family.id}", f"opened on {opened.at} with run {'1' * 32} of family {FAMILY.id}", "opened once"):
        assert words in str(error.value)
    assert ledger.unseal(ledger.read().find("1" * 32)) == opened
    assert f"the lock-box was opened in family {FAMILY.id}" in render_ledger(gather_ledger(ledger, family.id))


@pytest.mark.parametrize(
    "other",
    [
        trial(family=ETHER),
        trial(family=LATER),
        trial(family=REVISED, simulated=False),
        trial(family=replace(FAMILY, oos_end="2019-12-30"), sealed_from="2019-01-02"),
    ],
    ids=["other asset", "sealed later", "real market", "sealed earlier"],
)
def test_lockbox_on_rows_of_its_own_is_opened(ledger, other):
    first = ledger.open("e" * 32, "first", "appetite", trial("e", sealed_from="2019-12-31"))
    ledger.unseal(first)
    assert ledger.unseal(ledger.open("f" * 32, "own rows", "appetite", other)).family_id == other.family.id


def test_sealed_sessions_are_told_or_the_share_of_the_planned_days():
    family = replace(FAMILY, oos_start="2020-01-01", oos_end="2020-04-10")  # 100 days
    assert sealed_span(trial(family=family)) == ("2020-03-21", "2020-04-10")
    assert sealed_span(trial(family=family, sealed_from="2020-03-02")) == ("2020-03-02", "2020-04-10")
    assert sealed_span(trial(family=family, locked=0.0)) is None
