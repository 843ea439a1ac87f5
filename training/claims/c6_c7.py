"""Sentences on the two claims that no event can judge: money and losses, and timing."""

import math
from dataclasses import dataclass

import pandas as pd

from serving.words import day, p_value, percent, plural, share
from training.claims.counter_evidence import FlowEvidence, LossEvidence, joined
from training.claims.lags import LagProfile
from training.claims.register import FLOWS, TIMING
from training.claims.sentences import listed
from training.claims.shifts import LEVEL
from training.claims.timing import PREDICTOR, RULE, Timing, days_of, judge_timing
from training.claims.trial import Trial
from training.claims.verdicts import NOT_TESTABLE


@dataclass(frozen=True)
class Finding:
    """A claim without events, judged.

    Attributes
    ----------
    name, words, rule : of the claim
    verdict, why : and the reason
    sentences : what was found
    n : independent pieces, in words
    """

    name: str
    words: str
    rule: str
    verdict: str
    why: str
    sentences: list[str]
    n: str


def flow_finding(trial: Trial) -> Finding:
    """Judge C6."""
    flow, loss = trial.flow, trial.loss
    rule = (
        "flows since 1 January of the funds at hand are below zero, and stay so without each fund in turn (two funds at least); the share "
        "of companies with a loss over twelve months, known within the last half year, is 35% to 45%. Both: consistent; either refuted: "
        "contradicted"
    )
    why = f"flows {flow.verdict}, losses {loss.verdict}"
    return Finding("C6", FLOWS, rule, joined(flow, loss), why, [flow_words(flow), loss_words(loss)], plural(len(flow.funds), "fund"))


def flow_words(flow: FlowEvidence) -> str:
    """Say what came in or went out."""
    if not flow.funds:
        return f"Flows of {flow.year}: {NOT_TESTABLE}: no fund in the data."
    said = f"Of the funds at hand ({', '.join(flow.funds)}) {money(flow.total)} since 1 January {flow.year}, until {day(flow.until)}."
    if not len(flow.without):
        return said + " With a single fund the sign cannot be put to the test of leaving one out; other lists of funds give other sums."
    rest = [f"{money(row['usd'])} without {row['left_out']}" for row in flow.without.to_dict("records")]
    return f"{said} {listed(rest)}."


def money(usd: float) -> str:
    """Write dollars in billions."""
    return f"{'-' if usd < 0 else '+'}${abs(usd) / 1e9:.1f} bn"


def loss_words(loss: LossEvidence) -> str:
    """Say how many companies lose money."""
    if loss.last is None:
        return f"Share of loss-makers: {NOT_TESTABLE}: no filings in the data."
    stale = " Nothing later is in the data, so today's share cannot be tested." if loss.verdict == NOT_TESTABLE else ""
    return f"Share of companies with a loss over twelve months: {share(loss.share)} (n = {loss.n:,}), known on {day(loss.last)}.{stale}"


def timing_finding(trial: Trial) -> Finding:
    """Judge C7, by Bitcoin; the other coins are shown beside."""
    first = next((each for each in trial.timing if each.asset == "BTC"), None)
    if first is None:
        return Finding("C7", TIMING, RULE, NOT_TESTABLE, "too few sessions of both", [], "0 sessions")
    sentences = [lead_words(first), *(timing_words(each) for each in trial.timing)]
    sentences += [projection_words(each) for each in trial.timing]
    n = max(profile.n for profile in first.profiles.values())
    why = "; ".join([f"{first.asset}: {lag_words(first)}", *_projected(trial.timing)])
    return Finding("C7", TIMING, RULE, judge_timing(trial.timing), why, sentences, f"{n:,} sessions")


def lead_words(timing: Timing) -> str:
    """Say it in one sentence."""
    together = max(abs(profile.at(lag)) for profile in timing.profiles.values() for lag in (0, 1))
    if all(profile.best is None for profile in timing.profiles.values()):
        return (
            f"Bitcoin and small caps move together on the day (correlation {together:.2f} at most), but a day of small caps tells no more "
            "of any of Bitcoin's next 63 sessions, one by one, than chance would."
        )
    return f"Bitcoin and small caps move together on the day (correlation {together:.2f} at most); {lag_words(timing)}."


def lag_words(timing: Timing) -> str:
    """Give the lag in days with its uncertainty, or say that none was found: both labels must show it, and Holm over the coins."""
    if not timing.leads:
        larger = max(profile.p for profile in timing.profiles.values())
        return (
            f"lag in days: none found under both labels of the coin's day (max-|t| over 124 lags, p = {p_value(larger)}, "
            f"after Holm over coins {p_value(timing.p_lead)})"
        )
    return (
        f"lag in days: {'; '.join(_lag(profile) for profile in timing.profiles.values())}; after Holm over coins {p_value(timing.p_lead)}"
    )


def _lag(profile: LagProfile) -> str:
    best, lo, hi = profile.best or 0, profile.lo or 0, profile.hi or 0
    who = "small caps lead" if best > 0 else "the coin leads"
    return f"{days_of(best)} ({who}; 95% of bootstraps {days_of(lo)} to {days_of(hi)}; p = {p_value(profile.p)})"


def timing_words(timing: Timing) -> str:
    """Say what each convention shows."""
    parts = [
        f"{words}: same day {profile.at(0):+.2f}, a day later {profile.at(1):+.2f}, band over all lags ±{profile.band:.2f}, "
        + (f"lag {profile.best}" if profile.best is not None else f"no lag beyond it (p = {p_value(profile.p)})")
        for words, profile in timing.profiles.items()
    ]
    return f"{timing.asset}, its day {'; '.join(parts)}. {rolling_words(timing)}"


def rolling_words(timing: Timing) -> str:
    """Say how the correlation of half a year has moved."""
    known = timing.rolling.dropna()
    if not len(known):
        return ""
    return f"Over rolling half years the two moved together by {known.min():+.2f} to {known.max():+.2f}, last {known.iloc[-1]:+.2f}."


def _projected(timings: list[Timing]) -> list[str]:
    """Name the local projections that are significant after Holm."""
    return [
        f"{of} over {horizon} sessions on the last {PREDICTOR} of {on}: p = {p_value(row['p'])}, after Holm "
        f"{p_value(row['p_adjusted'])} (n = {row['n']:.0f})"
        for timing in timings
        for of, on, table in ((timing.asset, "small caps", timing.forward), ("small caps", timing.asset, timing.backward))
        for horizon, row in table.iterrows()
        if row["p_adjusted"] <= LEVEL
    ]


def projection_words(timing: Timing) -> str:
    """Say what local projections give in both directions."""
    told = [_direction(f"small caps up 10% in {PREDICTOR} sessions foretold of {timing.asset}", timing.forward)]
    return f"Local projections: {'; '.join([*told, _direction('the reverse', timing.backward)])}."


def _direction(words: str, table: pd.DataFrame) -> str:
    known = table[table["p"].notna()]
    if known.empty:
        return f"{words}: not computed, n is under 30"
    moves = ", ".join(f"{percent(math.log(1.1) * slope)} in {horizon}" for horizon, slope in known["slope"].items())
    ps = ", ".join(p_value(p) for p in known["p_adjusted"])
    return f"{words}: {moves} sessions (p after Holm {ps}; n = {', '.join(str(n) for n in known['n'])})"
