"""What the data at hand cannot test, said in words."""

import pandas as pd

from serving.words import day, share
from training.claims.assets import ASSETS
from training.claims.placebos import PLACEBOS
from training.claims.rules import CONFIRMED
from training.claims.sentences import capital
from training.claims.trial import Trial
from training.claims.verdicts import NOT_TESTABLE

SINCE = pd.Timestamp("2010-01-01")
"""Before it there was no coin to speak of."""


def untestable(trial: Trial) -> list[str]:
    """List what cannot be tested on this market, each with the reason."""
    out = [
        "The Russell 2000 Value index itself: it is not in the data. Its fund IWN stands in, by price without dividends."
        if "IWN" in set(trial.events["series"])
        else "The Russell 2000 Value index: neither it nor its fund IWN has an event in the data.",
        "OTHERS (all coins but the ten largest): it is not in the data at all. An equal-weight index of altcoins stands in.",
        _total3(trial),
        *_early(trial),
        f"Whatever came after {day(trial.last)}, the last session of the data.",
    ]
    has = dict.fromkeys(trial.placebos["series"]) if len(trial.placebos) else {}
    if "XLU" not in has:
        at_hand = ", ".join(PLACEBOS[name] for name in has) or "none"
        out.append(f"Utilities as a placebo: no such series is in the data. At hand: {at_hand}.")
    if trial.loss.verdict == NOT_TESTABLE:
        last = trial.loss.last
        known = "there are no filings" if last is None else f"the last known is {share(trial.loss.share)}, of {day(last)}"
        out.append(f"The share of loss-making companies today: {known}.")
    if len(trial.flow.funds) < 2:
        out.append(f"Flows without one fund: in the data is {trial.flow.funds[0] if trial.flow.funds else 'no fund'} alone.")
    return out


def _total3(trial: Trial) -> str:
    if "TOTAL3X" not in trial.prices:
        return "TOTAL3 (all coins but Bitcoin and Ether): it is not in the data."
    own = trial.prices["TOTAL3X"].dropna()
    return (
        f"TOTAL3 before {own.index[0].year}: it begins on {day(own.index[0])} and ends on {day(own.index[-1])}. "
        "Stablecoins are taken out; it is a yardstick whose moves hold new coins besides prices."
    )


def _early(trial: Trial) -> list[str]:
    """Name the confirmed breakouts since 2010 that came before an asset had a price."""
    out = []
    counted = trial.events[trial.events["counted"].astype(bool) & (trial.events["state"] == CONFIRMED)].sort_values("date")
    for asset in trial.prices:
        begun = trial.prices[asset].first_valid_index()
        missed = counted[(counted["date"] < begun) & (counted["date"] >= SINCE)]
        if asset != "TOTAL3X" and len(missed):
            dates = ", ".join(f"{day(date)} ({series})" for date, series in zip(missed["date"], missed["series"], strict=True))
            out.append(f"{capital(ASSETS[str(asset)])} after breakouts before its first price here, {day(begun)}: {dates}.")
    return out
