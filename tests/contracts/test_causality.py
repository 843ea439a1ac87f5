"""Every feature sees the past alone; and the contract catches the ways in which features usually see more."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hmmlearn.hmm import GaussianHMM

from features import asset_prices, breakout_events, feature_matrix, features_with_quality, flow_quarantine, index_closes
from features.asof import asof
from features.breadth import breadth
from features.coins import crypto
from features.flows import flows
from features.liquidity import liquidity
from features.market import Market
from features.matrix import MAY_NEVER_FIRE
from features.momentum import LONGEST_WINDOW, momentum
from tests.contracts.harness import (
    ALTERATIONS,
    assert_causal,
    first_difference,
    known_one_session_later,
    shaken_before,
)


def everything(market: Market) -> pd.DataFrame:
    """Values, quality and target prices side by side."""
    found = features_with_quality(market)
    return pd.concat([found.values, found.quality, asset_prices(market)], axis=1)


def events(market: Market) -> pd.DataFrame:
    return breakout_events(index_closes(market, "R2000")).set_index("date")


def settled_flows(market: Market) -> pd.DataFrame:
    found = flow_quarantine(market).episodes
    return found[found["settled"].notna()].set_index("settled")


def some_cuts(market: Market, n: int) -> list[pd.Timestamp]:
    """Sessions spread at random over the rows that can be made, the last but one included."""
    rng = np.random.default_rng(11)
    last = len(market.sessions) - 2
    return [market.sessions[i] for i in sorted({*rng.choice(np.arange(LONGEST_WINDOW, last), n - 1, replace=False).tolist(), last})]


def test_features_quality_and_prices_ignore_what_is_known_later(sample_market: Market) -> None:
    assert_causal(everything, sample_market, some_cuts(sample_market, 3))


def test_breakout_events_ignore_what_is_known_later(sample_market: Market) -> None:
    assert_causal(events, sample_market, some_cuts(sample_market, 6))


def test_settled_flows_are_never_settled_again(sample_market: Market) -> None:
    assert_causal(settled_flows, sample_market, some_cuts(sample_market, 6))


@pytest.mark.slow
def test_features_quality_and_prices_ignore_what_is_known_later_at_25_cuts(sample_market: Market) -> None:
    assert_causal(everything, sample_market, some_cuts(sample_market, 25))


@pytest.mark.slow
@pytest.mark.realdata
def test_features_of_the_real_market_ignore_what_is_known_later(real_market: Market) -> None:
    cuts = [pd.Timestamp(day) for day in ("2011-03-08", "2016-06-30", "2022-01-03")]
    assert_causal(everything, real_market, cuts, {"dropped": ALTERATIONS["dropped"]})


def one_feature(market: Market) -> pd.DataFrame:
    return momentum(market).values[["momentum__mom_252", "momentum__ret_1"]]


def full_sample_scaler(market: Market) -> pd.DataFrame:
    values = one_feature(market)
    return (values - values.mean()) / values.std()


def smoother(market: Market) -> pd.DataFrame:
    """Probability of a fixed two-state model given the whole sequence, as hmmlearn's predict_proba gives it."""
    returns = one_feature(market)["momentum__ret_1"].dropna()
    hmm = GaussianHMM(n_components=2, covariance_type="diag")
    hmm.startprob_, hmm.transmat_ = np.array([0.5, 0.5]), np.array([[0.98, 0.02], [0.02, 0.98]])
    hmm.means_, hmm.covars_ = np.array([[0.0005], [-0.001]]), np.array([[0.01**2], [0.02**2]])
    return pd.DataFrame({"p": hmm.predict_proba(returns.to_numpy()[:, None])[:, 0]}, index=returns.index)


def back_fill(market: Market) -> pd.DataFrame:
    return momentum(market).values[["momentum__rsz"]].bfill()


def next_row(market: Market) -> pd.DataFrame:
    return one_feature(market).shift(-1)


def bars_labelled_by_their_end(market: Market) -> pd.DataFrame:
    """Take a coin bar's date for the instant at which it closes: a day too early."""
    day = pd.Timedelta(days=1)
    coins = market.coins.assign(date=market.coins["date"] - day, known_at=market.coins["known_at"] - day)
    return asset_prices(dataclasses.replace(market, coins=coins))


@pytest.mark.parametrize("mutant", [full_sample_scaler, smoother, back_fill, next_row, bars_labelled_by_their_end])
@pytest.mark.parametrize("alteration", list(ALTERATIONS))
def test_a_compute_that_sees_later_records_fails(sample_market: Market, mutant, alteration: str) -> None:
    cuts = [sample_market.sessions[600], sample_market.sessions[1000]]
    with pytest.raises(AssertionError, match=f"later records, {alteration} after"):
        assert_causal(mutant, sample_market, cuts, {alteration: ALTERATIONS[alteration]})


def test_the_parts_the_mutants_are_made_of_pass(sample_market: Market) -> None:
    cuts = [sample_market.sessions[600], sample_market.sessions[1000]]
    assert_causal(one_feature, sample_market, cuts)
    assert_causal(asset_prices, sample_market, cuts)


def test_every_column_hears_earlier_records(sample_market: Market) -> None:
    cut = sample_market.sessions[len(sample_market.sessions) * 3 // 4]
    before = feature_matrix(sample_market)
    after = feature_matrix(shaken_before(sample_market, asof(pd.DatetimeIndex([cut]))[0]))
    # the row of the cut itself is the one that a level without a lag hears
    later = before.index >= cut
    deaf = [name for name in before if first_difference(before.loc[later, [name]], after.loc[later, [name]]) is None]
    # functions of the calendar alone, and states that neither history reached after the cut
    calendar = {"liquidity__months_since_halving", "flows__reconstitution"}
    excused = {*MAY_NEVER_FIRE, "momentum__breakout_none"}
    silent = {name for name in excused if before.loc[later, name].nunique() == 1 == after.loc[later, name].nunique()}
    assert set(deaf) <= silent | calendar


def moved_one_row(before: pd.DataFrame, after: pd.DataFrame) -> str | None:
    return first_difference(before.iloc[:-1], after.iloc[1:].set_axis(before.index[:-1]))


@pytest.mark.parametrize(
    ("family", "frames", "kept"),
    [
        (momentum, ("prices",), ()),
        (breadth, ("panel", "prices"), ("breadth__members",)),
        (flows, ("funds", "prices"), ()),
        (liquidity, ("macro",), ("liquidity__months",)),
        (crypto, ("coins",), ()),
    ],
)
def test_records_known_a_session_later_move_features_one_row(sample_market: Market, family, frames, kept) -> None:
    market = sample_market
    for frame in frames:
        market = known_one_session_later(market, frame)
    before, after = family(sample_market).values, family(market).values
    moved = [name for name in before if not name.startswith(kept)] if kept else list(before)
    assert before[moved].notna().any().all()
    assert moved_one_row(before[moved], after[moved]) is None


@pytest.mark.parametrize(("frame", "column", "family"), [("funds", "shares_outstanding", flows), ("macro", "value", liquidity)])
def test_a_record_of_lag_one_never_changes_its_own_row(sample_market: Market, frame: str, column: str, family) -> None:
    records = getattr(sample_market, frame)
    day = sample_market.sessions[900]
    lagged = records["date"].eq(day) & (records["known_at"] > asof(pd.DatetimeIndex([day]))[0])
    assert lagged.any()
    altered = dataclasses.replace(
        sample_market, **{frame: records.assign(**{column: records[column].where(~lagged, records[column] * 1.03)})}
    )
    before, after = family(sample_market).values, family(altered).values
    assert first_difference(before.loc[:day], after.loc[:day]) is None
    assert first_difference(before.loc[day:], after.loc[day:]) is not None
