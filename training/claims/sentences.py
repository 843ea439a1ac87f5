"""What was found, in sentences that need no statistics to be read."""

from dataclasses import dataclass

import pandas as pd

from serving.words import day, p_value, percent, plural, share
from training.claims.assets import ASSETS
from training.claims.family import Cell
from training.claims.gains import best_words, gain_words
from training.claims.outcomes import excursions
from training.claims.rules import HELD, STATES
from training.claims.shifts import LEVEL
from training.claims.trial import SMALL_CAPS, Judged, Trial
from training.claims.verdicts import CONSISTENT, CONTRADICTED, FEW, NOT_TESTABLE
from training.targets import forward_return

OWN, OUT = "own", "out by rule"
KINDS = {OWN: "", "R2000": " (R2000)", "IWM": " (IWM)", "IWN": " (IWN)", OUT: "*"}
"""Kinds of counter-examples by their mark: of the claim's own series, of another one by the same rule, of a high that is no event."""

SPANS = {5: "a week", 21: "a month", 63: "a quarter", 126: "half a year", 252: "a year"}


def rule_words(judged: Judged) -> str:
    """Say by which rule a claim is encoded."""
    claim = judged.claim
    always = "; the claim says always, so one fall contradicts it" if claim.always else ""
    return f"{claim.series}: {STATES[claim.state]}; {claim.asset} over {claim.horizon} sessions ({SPANS[claim.horizon]}){always}"


def capital(words: str) -> str:
    """Begin with a capital, and leave the rest."""
    return words[:1].upper() + words[1:]


def listed(words: list[str]) -> str:
    """Join with commas and 'and'."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""


def followed_words(cell: Cell) -> str:
    """Say what followed each event."""
    if not cell.dates:
        return "No event by this rule has an outcome in the data."
    moves = [f"{percent(value)} after {day(date)}" for date, value in zip(cell.dates, cell.returns, strict=True)]
    waiting = f" Not over: {listed([day(date) for date in cell.open_dates])}." if cell.open_dates else ""
    return f"{capital(ASSETS[cell.asset])} within {cell.horizon} sessions ({SPANS[cell.horizon]}): {listed(moves)}.{waiting}"


def base_words(cell: Cell) -> str:
    """Say what followed any session."""
    base = cell.base
    if not base.n:
        return "It has no base rate: its history is too short."
    return (
        f"From any day on it rose in {share(base.up)} of cases, by {percent(base.median)} at the median "
        f"({base.n:,} sessions, of which {base.n_independent} do not overlap)."
    )


def null_words(cell: Cell, draws: int, family: int) -> str:
    """Say how often chance does as much."""
    if not cell.shift.n:
        return ""
    return (
        f"All dates moved together by a random distance did as well or better in {share(cell.shift.p_above, 1)} of {draws:,} tries; "
        f"allowing for all {family} looks of the grid, p = {p_value(cell.adjusted[0])}."
    )


def why_words(judged: Judged) -> str:
    """Say why the verdict is what it is."""
    cell = judged.cell
    if judged.verdict == NOT_TESTABLE or cell is None:
        return f"{NOT_TESTABLE}: no event of {judged.claim.series} by this rule has an outcome of {judged.claim.asset} in the data"
    n = cell.shift.n
    if judged.verdict == CONTRADICTED:
        falls = listed([day(date) for date, _ in cell.falls])
        always = judged.claim.always and cell.falls
        return f"it did not rise after {falls}, and the claim says always" if always else "less followed than by chance"
    if judged.verdict == CONSISTENT:
        return "the shift test, adjusted, and every leave-one-out agree; that is no proof"
    reasons = []
    if not cell.adjusted[0] <= LEVEL:
        reasons.append(f"the shift test gives p = {p_value(cell.shift.p_above)}, adjusted for the grid {p_value(cell.adjusted[0])}")
    if n == 1:
        reasons.append("one event cannot be left out")
    elif n < FEW and cell.left_out_range[1] > LEVEL:
        reasons.append(f"without one event p goes up to {p_value(cell.left_out_range[1])}")
    return f"n = {n}; {', and '.join(reasons)}"


def halving_words(judged: Judged) -> str:
    """Say how far halvings explain as much."""
    control = judged.halving
    if control is None or not control.n:
        return ""
    words = (
        f"{control.shortly} of {plural(control.n, 'event')} fell within 7 months of a halving of Bitcoin's issue; so did "
        f"{share(control.share)} of all sessions."
    )
    beside = [
        f"{day(e['date'])} {percent(e['log_return'])} against {percent(e['control'])} ({plural(int(e['cycles']), 'cycle')})"
        for e in control.events.to_dict("records")
        if e["n"]
    ]
    if not beside:
        return words + " No halving cycle in the data was without such an event: the two stories cannot be told apart."
    return words + f" The same months (± 3) of cycles without such an event, on average: {listed(beside)}."


@dataclass(frozen=True)
class CounterExample:
    """A fall of the claim's asset over the claim's horizon.

    Attributes
    ----------
    date, log_return : of the event or high, and what followed
    kind : one of `KINDS`
    """

    date: pd.Timestamp
    log_return: float
    kind: str

    def words(self) -> str:
        """Write it with its mark."""
        return f"{day(self.date)} {percent(self.log_return)}{KINDS[self.kind]}"


def counter_examples(judged: Judged, trial: Trial) -> list[CounterExample]:
    """List by date the falls after its events, after those of the other series, and after highs that are no event."""
    claim = judged.claim
    found = []
    for cell in trial.cells:
        if (cell.asset, cell.state, cell.horizon) == (claim.asset, claim.state, claim.horizon):
            kind = OWN if cell.series == claim.series else cell.series
            found += [CounterExample(date, value, kind) for date, value in cell.falls]
    found += [CounterExample(date, value, OUT) for date, value in falls_after_highs(trial, claim.asset, claim.horizon)]
    return sorted(found, key=lambda each: each.date)


def against_words(judged: Judged, trial: Trial) -> str:
    """Write the counter-examples with their marks explained."""
    found = counter_examples(judged, trial)
    if not found:
        return ""
    legend = f" ({KINDS[OUT]}: a record high of R2000 that is no event by the rule)" if any(each.kind == OUT for each in found) else ""
    return f"{judged.claim.asset} fell in {judged.claim.horizon} sessions from {', '.join(each.words() for each in found)}{legend}"


def falls_after_highs(trial: Trial, asset: str, horizon: int) -> list[tuple[pd.Timestamp, float]]:
    """Record highs of the index that are no event by rule, and after which the asset did not rise; none of an asset without prices."""
    if asset not in trial.prices:
        return []
    out = trial.highs[~trial.highs["counted"].astype(bool) & (trial.highs["series"] == SMALL_CAPS)]
    forward = forward_return(trial.prices[asset], horizon).reindex(pd.DatetimeIndex(out["date"]))
    return [(date, float(value)) for date, value in zip(pd.DatetimeIndex(forward.index), forward, strict=True) if value <= 0]


def special_words(judged: Judged, trial: Trial) -> list[str]:
    """Say what the claim's own words need: for a retest, whether there was one; for a gain on the way, how common it is."""
    if judged.claim.state != HELD:
        return []
    own = trial.ends[trial.ends["series"] == judged.claim.series]
    ended = [
        f"{day(row['confirmed'])} {str(row['end']).replace('_', ' ')}" + (f" on {day(row['ended'])}" if pd.notna(row["ended"]) else "")
        for row in own.to_dict("records")
        if row["confirmed"] >= pd.Timestamp("2008-01-01")
    ]
    out = [f"How each confirmed breakout of {judged.claim.series} ended, by rule: {', '.join(ended) or 'none'}."]
    late = own[(own["confirmed"] >= pd.Timestamp("2020-07-01")) & (own["confirmed"] < pd.Timestamp("2021-01-01"))]
    if len(late) and not trial.simulated and HELD not in set(late["end"]):
        words = " and ".join(str(end).replace("_", " ") for end in late["end"])
        out.append(f"The breakout of late 2020 was never retested by the rule (it {words}): what the claim speaks of did not happen.")
        moves = excursions(trial.prices[judged.claim.asset]).reindex(pd.DatetimeIndex(late["confirmed"]))
        out += [best_words(date, row) for date, row in moves.dropna(subset="mfe").iterrows()]  # none where the year is not over
    if judged.claim.asset in trial.prices:
        out.append(gain_words(trial.prices[judged.claim.asset]))
    return out
