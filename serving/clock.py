"""How old the newest answer is at the moment of asking, and when the next can be known: weekends, holidays and stale data in words."""

from typing import Any

import pandas as pd

from sources.calendar import sessions

AHEAD = pd.Timedelta(days=15)
"""Longer than any pause of the exchange that is planned."""


def clock_of(session: str, instant: pd.Timestamp) -> dict[str, Any]:
    """Place an answer in time.

    Parameters
    ----------
    session : of the answer, YYYY-MM-DD
    instant : of asking, with a time zone

    Returns
    -------
    dict with asked (UTC), newest: the last session whose row could be known by then, behind: sessions that the answer lacks to it,
    pause: 'weekend' or 'holiday' where the exchange is closed on the UTC day of asking, next: first session whose row is still to come,
    next_known: instant at which it can be known

    Raises
    ------
    ValueError
        Where the instant has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"clock: {instant} has no time zone; rule: instants are UTC")
    utc = instant.tz_convert("UTC")
    today = utc.tz_localize(None).normalize()
    every = sessions(min(pd.Timestamp(session), today - AHEAD), today + AHEAD)
    known = every[every < today]  # the row of a session is known from 00:00 UTC of the next day
    after = every[every >= today][0]
    pause = None if after == today else "weekend" if today.weekday() >= 5 else "holiday"
    return {
        "asked": f"{utc:%Y-%m-%dT%H:%M:%SZ}",
        "newest": f"{known[-1]:%Y-%m-%d}",
        "behind": int((known > pd.Timestamp(session)).sum()),
        "pause": pause,
        "next": f"{after:%Y-%m-%d}",
        "next_known": f"{after + pd.Timedelta(days=1):%Y-%m-%dT00:00:00Z}",
    }


def clock_sentences(clock: dict[str, Any], simulated: bool) -> list[str]:
    """Word it: what stands between the answer and now."""
    asked, after = pd.Timestamp(clock["asked"]), pd.Timestamp(clock["next_known"])
    out = [f"asked {asked:%a %-d %b %Y %H:%M} UTC"]
    if simulated:
        return [*out, "the market is simulated: it has an end, and no today"]
    if clock["behind"]:
        lacking = f"{clock['behind']} session{'s' if clock['behind'] > 1 else ''}"
        out.append(f"the data lack {lacking}, the last of {clock['newest']}: fetch them, or name a newer market")
    else:
        out.append("nothing newer can be known")
    closed = {"weekend": "it is the weekend; ", "holiday": "the exchange has a holiday; "}.get(clock["pause"], "")
    return [*out, f"{closed}the next row can be known {after:%a %-d %b %H:%M} UTC"]
