import numpy as np
import pandas as pd
import pytest

from features.asof import asof, first_usable, on_sessions
from tests.features.handmade import sessions


def test_asof_is_midnight_utc_after_the_session() -> None:
    days = pd.DatetimeIndex(["2024-03-08", "2024-07-03"])
    assert asof(days).tolist() == [pd.Timestamp("2024-03-09", tz="UTC"), pd.Timestamp("2024-07-04", tz="UTC")]


def test_a_record_known_at_the_instant_itself_is_usable() -> None:
    days = sessions(3, "2024-01-02")
    instants = asof(days)
    known = pd.DatetimeIndex([instants[1], instants[1] + pd.Timedelta(microseconds=1), instants[2] + pd.Timedelta(days=9)])
    assert first_usable(known, days).tolist() == [1, 2, 3]


def plain_loop(values, known, days, max_age):
    value, age = [], []
    for t, instant in enumerate(asof(days)):
        usable = [i for i in range(len(values)) if known[i] <= instant]
        if not usable:
            value.append(np.nan)
            age.append(np.nan)
            continue
        newest = usable[-1]
        since = t - next(s for s, each in enumerate(asof(days)) if known[newest] <= each)
        age.append(float(since))
        value.append(values[newest] if max_age is None or since <= max_age else np.nan)
    return value, age


@pytest.mark.parametrize("max_age", [None, 0, 3])
@pytest.mark.parametrize("seed", range(5))
def test_on_sessions_agrees_with_a_plain_loop(seed: int, max_age: int | None) -> None:
    rng = np.random.default_rng(seed)
    days = sessions(60)
    known = pd.Series(pd.DatetimeIndex(asof(days)[0] + pd.to_timedelta(np.sort(rng.uniform(-3, 110, 25)), unit="D")).as_unit("us"))
    values = pd.Series(rng.standard_normal(25))
    values.iloc[7] = np.nan
    value, age = on_sessions(values, known, days, max_age)
    expected, expected_age = plain_loop(values.tolist(), known.tolist(), days, max_age)
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_array_equal(age, expected_age)


def test_no_records_give_no_values() -> None:
    days = sessions(5)
    value, age = on_sessions(pd.Series([], dtype=float), pd.Series([], dtype="datetime64[us, UTC]"), days)
    assert value.isna().all()
    assert age.isna().all()
