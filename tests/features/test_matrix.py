import numpy as np
import pandas as pd
import pytest

import features
from features import constant_columns, feature_matrix, feature_quality, features_with_quality
from features.errors import DataError
from features.market import Market
from features.matrix import FAMILIES, MAY_NEVER_FIRE
from tests.features.handmade import market, prices, sessions


def test_matrix_has_one_row_a_session_and_its_families_in_order(sample_market: Market) -> None:
    values = feature_matrix(sample_market)
    pd.testing.assert_index_equal(values.index, sample_market.sessions.rename("session"), exact="equiv")
    assert values.index.name == "session"
    assert (values.dtypes == np.float64).all()
    assert list(dict.fromkeys(name.partition("__")[0] for name in values)) == list(FAMILIES)
    assert values.columns.is_unique


def test_columns_do_not_depend_on_what_the_market_holds(sample_market: Market) -> None:
    bare = market(sessions())
    assert list(feature_matrix(bare)) == list(feature_matrix(sample_market))
    assert list(feature_quality(bare)) == list(feature_quality(sample_market))


def test_quality_gives_coverage_and_age_of_every_family(sample_market: Market) -> None:
    quality = feature_quality(sample_market)
    parts = {*(f"{family}__" for family in FAMILIES if family != "breadth"), "breadth__panel_", "breadth__members_"}
    assert {f"{part}{word}" for part in parts for word in ("coverage", "age_sessions")} <= set(quality)
    coverage = quality.filter(regex="coverage$")
    assert ((coverage >= 0) & (coverage <= 1) | coverage.isna()).all().all()
    assert (quality.filter(regex="age_sessions$").min() == 0).all()


def test_one_pass_gives_what_two_give(sample_market: Market) -> None:
    both = features_with_quality(sample_market)
    pd.testing.assert_frame_equal(both.values, feature_matrix(sample_market))
    pd.testing.assert_frame_equal(both.quality, feature_quality(sample_market))


def test_no_value_is_infinite(sample_market: Market) -> None:
    assert not np.isinf(feature_matrix(sample_market)).any().any()


def test_no_column_of_the_sample_is_empty_or_constant_but_one_hots(sample_market: Market) -> None:
    values = feature_matrix(sample_market)
    assert values.notna().any().all()
    assert set(constant_columns(values)) <= set(MAY_NEVER_FIRE)


def test_constant_columns_are_those_with_one_value() -> None:
    frame = pd.DataFrame({"a": [1.0, 1.0, np.nan], "b": [1.0, 2.0, 2.0], "c": [np.nan] * 3})
    assert constant_columns(frame) == ["a"]


def test_one_hots_of_the_breakout_sum_to_one(sample_market: Market) -> None:
    values = feature_matrix(sample_market)
    states = [f"momentum__breakout_{name}" for name in features.breakout.STATES]
    assert values[states].sum(axis=1).eq(1).all()


def test_a_market_without_its_index_is_refused() -> None:
    days = sessions()
    with pytest.raises(DataError, match="'R2000' is missing"):
        feature_matrix(market(days, prices=prices("SPY", days, np.full(len(days), 1.0))))


def test_exports_are_sorted_and_there() -> None:
    names = features.__all__
    assert names == sorted(names)
    assert all(hasattr(features, name) for name in names)
