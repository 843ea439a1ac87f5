"""Days on which a flow is no view: of the index's making, or there and back."""

import numpy as np
import pandas as pd
import pytest

from features.flow_flags import heartbeats, reconstitution_days
from features.flows import flows
from features.fund_prints import fund_prints
from sources.calendar import sessions as exchange_sessions
from tests.features.handmade import funds, market, sessions

DAYS = sessions(700)


def test_reconstitutions_are_the_fourth_friday_of_june_and_from_2026_the_second_of_november() -> None:
    days = exchange_sessions(pd.Timestamp("2023-01-01"), pd.Timestamp("2026-12-31"))
    marked = days[reconstitution_days(days)].strftime("%Y-%m-%d").tolist()
    # dates as FTSE Russell announced them; the session after each follows
    fridays = ["2023-06-23", "2024-06-28", "2025-06-27", "2026-06-26", "2026-11-13"]
    assert marked[::2] == fridays
    assert marked[1::2] == ["2023-06-26", "2024-07-01", "2025-06-30", "2026-06-29", "2026-11-16"]
    assert not reconstitution_days(days[:0]).any()


def with_flows(moves: dict[int, float]) -> pd.DataFrame:
    shares = np.full(700, 1000.0)
    for at, share in moves.items():
        shares[at:] += 1000 * share
    family = flows(market(DAYS, funds=funds(DAYS, shares))).values
    return family.rename(columns=lambda name: name.removeprefix("flows__"))


@pytest.mark.parametrize(
    ("moves", "beats"),
    [
        ({400: 0.05, 401: -0.05}, [402]),
        ({400: 0.05, 403: -0.05}, [404]),
        ({400: 0.05, 404: -0.05}, []),  # four sessions later
        ({400: 0.05, 402: -0.02}, []),  # less than half of it
        ({400: 0.01, 401: -0.01}, []),  # too small
        ({400: -0.05, 401: 0.05}, []),  # out and in again
    ],
)
def test_a_heartbeat_is_money_in_and_out_within_three_sessions(moves: dict[int, float], beats: list[int]) -> None:
    got = with_flows(moves)["heartbeat"]
    assert np.flatnonzero(got == 1.0).tolist() == beats


def test_flags_stand_on_the_row_that_can_know_them() -> None:
    got = with_flows({})
    printed = pd.DatetimeIndex(DAYS[np.flatnonzero(got["reconstitution"] == 1.0) - 1])
    assert printed.strftime("%m-%d").tolist() == ["06-26", "06-29", "06-24", "06-27", "06-23", "06-26"]
    assert got["reconstitution"].isna().sum() == 1  # the first session has no print yet


def test_heartbeats_agree_with_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    shares = 1000 * np.exp(np.cumsum(rng.choice([0.0, 0.03, -0.03, 0.031], 700)))
    prints = fund_prints(market(DAYS, funds=funds(DAYS, shares)), "IWM")
    relative = prints.relative.to_numpy()
    expected = [
        any(t >= k and relative[t - k] >= 0.02 and abs(relative[t - k] + relative[t]) <= 0.1 * relative[t - k] for k in (1, 2, 3))
        for t in range(700)
    ]
    assert heartbeats(prints).tolist() == expected
    assert sum(expected) > 20
