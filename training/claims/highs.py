"""Record highs that newspapers speak of: in or out by rule, with the reason."""

import pandas as pd

from training.claims.rules import BASE, cooled, record_ages

LULL = 42
"""Sessions without a record after which the next one is a high worth telling of: two months."""


def judge_highs(close: pd.Series) -> pd.DataFrame:
    """List every first record close after two months without one, and say whether it is an event and why.

    Parameters
    ----------
    close : Series of closes on sessions

    Returns
    -------
    DataFrame with date, close, stood (sessions for which the record had stood), counted, reason
    """
    stood = record_ages(close)
    first = stood[stood >= LULL]
    table = pd.DataFrame(
        {"date": pd.DatetimeIndex(first.index), "close": close[first.index].to_numpy(), "stood": first.to_numpy(dtype=int)}
    )
    late = cooled(table[table["stood"] >= BASE], close.index)
    table["counted"] = table.index.isin(late.index[late["counted"]])
    notes = late["note"].reindex(table.index)
    table["reason"] = [_reason(int(s), n) for s, n in zip(table["stood"], notes, strict=True)]
    return table


def _reason(stood: int, note: object) -> str:
    if stood < BASE:
        return f"out: the record had stood for {stood} sessions, the rule asks for {BASE}"
    return f"out: {note}" if note else f"in: the record had stood for {stood} sessions"
