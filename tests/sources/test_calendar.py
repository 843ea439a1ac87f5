import pandas as pd
import pytest

from features.errors import DataError
from sources.calendar import closes, next_session_at, sessions
from sources.known import RULES, known_at


def utc(*texts: str) -> list[pd.Timestamp]:
    return [pd.Timestamp(text, tz="UTC") for text in texts]


def days(*texts: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(texts).as_unit("us")


def test_sessions_are_naive_days_without_holidays():
    found = sessions("2023-12-29", "2024-01-03")
    assert list(found) == [pd.Timestamp("2023-12-29"), pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-03")]
    assert str(found.dtype) == "datetime64[us]"
    assert found.name == "session"


def test_sessions_before_2006_are_there():
    # closed for four days after 11 September 2001
    assert list(sessions("2001-09-10", "2001-09-17")) == list(days("2001-09-10", "2001-09-17"))


def test_sessions_with_end_before_start_are_refused():
    with pytest.raises(DataError, match="end 2020-01-01 is before start 2020-01-02"):
        sessions("2020-01-02", "2020-01-01")


def test_closes_know_summer_time_and_early_closes():
    # a winter day, a summer day, the day after Thanksgiving (13:00 New York), and a Saturday counted as a full day
    found = closes(days("2024-01-02", "2024-07-02", "2024-11-29", "2024-11-30"))
    assert list(found) == utc("2024-01-02 21:00", "2024-07-02 20:00", "2024-11-29 18:00", "2024-11-30 21:00")


def test_closes_of_nothing_are_empty_in_utc():
    assert str(closes(days()).dtype) == "datetime64[us, UTC]"


def test_next_session_skips_weekend_and_holiday():
    assert list(next_session_at(days("2024-08-30", "2024-08-31"), 9)) == utc("2024-09-03 13:00", "2024-09-03 13:00")


@pytest.mark.parametrize(
    ("rule", "day", "expected"),
    [
        ("session_close", "2024-01-02", "2024-01-02 21:00"),
        ("quarter_past_close", "2024-01-02", "2024-01-02 21:15"),
        ("end_of_utc_day", "2024-02-28", "2024-02-29 00:00"),
        ("morning_of", "2024-07-02", "2024-07-02 10:00"),
        ("next_morning", "2023-11-30", "2023-12-01 14:00"),
        ("next_session_morning", "2024-01-05", "2024-01-08 14:00"),
        ("next_business_day", "2024-01-12", "2024-01-16 21:30"),  # Friday; Monday is Martin Luther King day
        ("next_monday", "2024-01-02", "2024-01-08 21:30"),
        ("next_monday", "2024-01-08", "2024-01-16 21:30"),  # a Monday belongs to its own week; the next one is the holiday
        ("next_thursday", "2024-01-03", "2024-01-04 21:30"),
        ("next_thursday", "2024-11-27", "2024-11-29 21:30"),  # Thursday is Thanksgiving
        ("next_thursday", "2024-01-04", "2024-01-11 21:30"),  # strictly after
        ("four_weeks_after_month", "2024-01-01", "2024-02-28 21:30"),
    ],
)
def test_known_at_follows_the_publication_calendar(rule, day, expected):
    assert list(known_at(rule, days(day))) == utc(expected)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_is_later_than_the_start_of_its_day_and_keeps_order(rule):
    every = pd.date_range("2019-12-20", "2021-01-10", freq="D").as_unit("us")
    found = known_at(rule, every)
    assert str(found.dtype) == "datetime64[us, UTC]"
    assert (found > every.tz_localize("UTC")).all()
    # an early close comes before none of the days that precede it
    assert found.is_monotonic_increasing


def test_known_at_keeps_the_order_and_repeats_of_its_input():
    mixed = days("2024-01-03", "2024-01-02", "2024-01-03")
    assert list(known_at("end_of_utc_day", mixed)) == utc("2024-01-04", "2024-01-03", "2024-01-04")
