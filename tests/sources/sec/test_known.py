"""The instant from which a filing could be read, to the second."""

import pandas as pd
import pytest

from sources.sec.known import filing_known_at


@pytest.mark.parametrize(
    ("filed", "accepted", "known"),
    [
        ("2016-05-02", "2016-05-02 16:05:31", "2016-05-02 20:05:31"),  # summer time
        ("2016-02-02", "2016-02-02 16:05:31", "2016-02-02 21:05:31"),  # winter time
        ("2016-05-02", "2016-05-02 17:30:00", "2016-05-02 21:30:00"),  # just in time
        ("2016-05-03", "2016-05-02 17:30:01", "2016-05-03 10:00:00"),  # the next business day, 06:00
        ("2016-05-02", "2016-05-02 19:00:00", "2016-05-03 10:00:00"),  # whatever the filing date says
        ("2016-05-09", "2016-05-06 21:59:00", "2016-05-09 10:00:00"),  # a Friday evening counts for Monday
        ("2016-07-05", "2016-07-01 18:00:00", "2016-07-05 10:00:00"),  # over Independence Day
        ("2016-05-04", "2016-05-02 16:05:00", "2016-05-04 10:00:00"),  # not before the filing date
        ("2016-05-02", "2016-05-02 05:59:00", "2016-05-02 10:00:00"),  # not before 06:00
        ("2016-05-02", "2016-05-04 12:00:00", "2016-05-04 16:00:00"),  # accepted after the filing date
        ("2016-05-02", None, "2016-05-03 13:00:00"),  # 09:00 of the next session
        ("2016-05-06", None, "2016-05-09 13:00:00"),
        ("2015-12-24", None, "2015-12-28 14:00:00"),
        ("2016-05-02", "2006-05-02 12:00:00", "2016-05-03 13:00:00"),  # an acceptance years away is no acceptance
        ("2016-11-07", "2016-11-06 01:30:00", "2016-11-07 11:00:00"),  # the hour that is there twice
        ("2016-03-14", "2016-03-13 02:30:00", "2016-03-14 10:00:00"),  # and the one that is not
    ],
)
def test_known_at_follows_acceptance_and_filing_date(filed: str, accepted: str | None, known: str) -> None:
    found = filing_known_at(pd.DatetimeIndex([filed]), pd.DatetimeIndex([accepted]))
    assert found.dtype == "datetime64[us, UTC]"
    assert found[0] == pd.Timestamp(known, tz="UTC")


def test_known_at_of_many_is_that_of_each() -> None:
    filed = pd.DatetimeIndex(["2016-05-02", "2016-05-02", "2016-05-06"])
    accepted = pd.DatetimeIndex(["2016-05-02 16:05:31", None, None])
    found = filing_known_at(filed, accepted)
    assert list(found) == [filing_known_at(filed[[at]], accepted[[at]])[0] for at in range(3)]
    assert not len(filing_known_at(filed[:0], accepted[:0]))
