import pandas as pd
import pytest

from serving.clock import clock_of, clock_sentences


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


@pytest.mark.parametrize(
    ("session", "asked", "expected"),
    [
        # Friday's row is known from Saturday 00:00 UTC; all weekend it is the newest
        ("2024-06-28", "2024-06-29 00:00", {"newest": "2024-06-28", "behind": 0, "pause": "weekend", "next": "2024-07-01"}),
        ("2024-06-28", "2024-06-30 23:59", {"newest": "2024-06-28", "behind": 0, "pause": "weekend", "next": "2024-07-01"}),
        # while the exchange trades, that day's row is to come
        ("2024-06-28", "2024-07-01 18:00", {"newest": "2024-06-28", "behind": 0, "pause": None, "next": "2024-07-01"}),
        ("2024-06-28", "2024-07-02 00:00", {"newest": "2024-07-01", "behind": 1, "pause": None, "next": "2024-07-02"}),
        # Independence Day on a Thursday
        ("2024-07-03", "2024-07-04 12:00", {"newest": "2024-07-03", "behind": 0, "pause": "holiday", "next": "2024-07-05"}),
        # Good Friday, then the weekend: Thursday's row is the newest for three days
        ("2024-03-28", "2024-03-31 12:00", {"newest": "2024-03-28", "behind": 0, "pause": "weekend", "next": "2024-04-01"}),
        ("2024-06-03", "2024-07-02 12:00", {"newest": "2024-07-01", "behind": 19, "pause": None, "next": "2024-07-02"}),
    ],
)
def test_answer_is_placed_in_time(session, asked, expected):
    found = clock_of(session, at(asked))
    assert {key: found[key] for key in expected} == expected
    assert pd.Timestamp(found["next_known"]) == at(expected["next"]) + pd.Timedelta(days=1)


def test_an_instant_elsewhere_is_the_same_instant():
    tokyo = pd.Timestamp("2024-06-29 08:00", tz="Asia/Tokyo")  # 23:00 UTC on Friday: Friday's row is still to come
    assert clock_of("2024-06-27", tokyo) == clock_of("2024-06-27", at("2024-06-28 23:00"))
    assert clock_of("2024-06-27", tokyo)["behind"] == 0


def test_answer_from_tomorrow_lacks_nothing():
    assert clock_of("2024-07-05", at("2024-07-02 12:00"))["behind"] == 0


def test_instant_without_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        clock_of("2024-07-05", pd.Timestamp("2024-07-02"))


@pytest.mark.parametrize(
    ("session", "asked", "words"),
    [
        ("2024-06-28", "2024-06-29 10:00", ["nothing newer can be known", "weekend", "Tue 2 Jul 00:00 UTC"]),
        ("2024-07-03", "2024-07-04 12:00", ["holiday", "Sat 6 Jul 00:00 UTC"]),
        ("2024-06-27", "2024-06-29 10:00", ["lack 1 session, the last of 2024-06-28: fetch"]),
        ("2024-06-26", "2024-06-29 10:00", ["lack 2 sessions"]),
    ],
)
def test_words_say_what_stands_between_answer_and_now(session, asked, words):
    said = " · ".join(clock_sentences(clock_of(session, at(asked)), simulated=False))
    for word in words:
        assert word in said


def test_simulated_market_is_not_called_stale():
    said = " · ".join(clock_sentences(clock_of("2024-12-31", at("2026-06-29 10:00")), simulated=True))
    assert "simulated" in said
    assert "fetch" not in said
