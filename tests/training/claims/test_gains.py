import numpy as np
import pandas as pd
import pytest

from training.claims.gains import gain_words
from training.claims.outcomes import EXCURSION


def price(*, sessions: int, raised: int = 0) -> pd.Series:
    """Prices of 1, and of 10 on one day that comes within a year of `raised` whole years."""
    days = pd.bdate_range("2015-01-01", periods=sessions + EXCURSION, unit="us")
    values = np.ones(len(days))
    if raised:
        values[raised] = 10.0
    return pd.Series(values, index=days)


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (0, "within a year of none of 1,000 sessions (greatest 0.0%, median 0.0%): nothing in the data, event or none, gained as much."),
        (3, "within a year of 0.3% of all sessions (n = 1,000; median 0.0%), 3 of them: it is rare from any day on."),
        (49, "within a year of 4.9% of all sessions (n = 1,000; median 0.0%), 49 of them: it is rare from any day on."),
        (50, "within a year of 5% of all sessions (n = 1,000; median 0.0%): it takes no event."),
        (252, "within a year of 25% of all sessions (n = 1,000; median 0.0%): it takes no event."),
    ],
)
def test_gain_is_called_common_only_where_it_is(raised, words):
    assert gain_words(price(sessions=1000, raised=raised)) == f"A best close +380% or more above the start came {words}"


def test_price_without_a_whole_year_says_so():
    assert "no session has a whole year after it" in gain_words(price(sessions=0))
