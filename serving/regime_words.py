"""The card's regime in sentences: what is called, how sure that is, on what its name rests, what was last revised."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.identity import MIN_SD_RATIO
from serving.words import ends, plain, plural, prob, share, signed, stay

DOUBTS = {
    "apart": "they differ neither in mean nor enough in variance",
    "order": "their order is not sure under resampling",
    "gain": "they do not foretell returns surely better than one state",
}
"""By criterion of `models.identity.CRITERIA`: what is wrong where it is not met."""

DRIVERS_TOLD = 3
"""Most drivers that the card names; four of them on four states would be 48 sentences."""


def regime_sentences(regime: Mapping[str, Any]) -> list[str]:
    """Word the regime of the card.

    Parameters
    ----------
    regime : of `serving.card.build_card`; keys that a card of an older model lacks are left unsaid
    """
    if regime["kind"] == "none":
        return ["no model: nothing labels regimes"]
    name = plain(regime["name"]) if isinstance(regime["name"], str) else "not yet fitted"
    out = [f"{name} · P(risk-on) {prob(regime['probability'])}"]
    if regime["low"] is not None:
        out[0] += f", 80% range {prob(regime['low'])} - {prob(regime['high'])} over {regime['range_of']}"
    out += _specifications(regime)
    if regime["moved"] is not None:
        out.append(_moved(regime["moved"]))
    if regime["identified"]:
        out.append(f"for {plural(regime['sessions'], 'session')}, since {regime['since']}")
    if ends(regime["dwell_expected"]):
        out.append(f"the model expects such a state to last {stay(regime['dwell_expected'])} sessions")
    if regime["identified"]:  # moves are told between names
        out += _drivers(regime.get("drivers") or ())
    if regime["kind"] == "jump":
        out.append("label of a jump model: how its cheapest path ends, not a probability")
    return [*out, *_names(regime)]


def revision_sentences(revision: Mapping[str, Any] | None) -> list[str]:
    """Word the last revision of a published label; none where nothing was ever revised.

    Parameters
    ----------
    revision : as of `serving.label_rows.last_revision`
    """
    if not revision:
        return []
    was, now = plain(revision["was"]), plain(revision["is"])
    call = f"stays {now}" if was == now else f"was {was}, would be {now}"
    size = abs(revision["p"] - revision["was_p"])
    moved = f"P(risk-on) moved by {prob(size)} (version {revision['version']})"
    return [f"last revision of a published label: {revision['session']} {call}, {moved}"]


def doubts(failed: Sequence[str], *, inverted: bool = False) -> str:
    """Say why states may not carry their names.

    Parameters
    ----------
    failed : of `models.identity.CRITERIA`
    inverted : whether a name went to another state than at the refit before
    """
    return ", ".join([*(["a name went to another state"] if inverted else []), *(DOUBTS[each] for each in failed)])


def spread_words(spread: Mapping[str, float]) -> str:
    """Say on what the spread of refits rests.

    Parameters
    ----------
    spread : shares of the variance within specifications (their parameters) and between them (`training.specifications.newest_spread`)
    """
    return f"{share(spread['parameters'])} parameters, {share(spread['specification'])} choice of specification"


def _specifications(regime: Mapping[str, Any]) -> list[str]:
    if regime["spec_low"] is None:
        return []
    said = f"average of {regime['specifications']} specifications, from {prob(regime['spec_low'])} to {prob(regime['spec_high'])}"
    if regime["ambiguous"]:
        often = f", as on {share(regime['ambiguous_share'])} of days" if regime["ambiguous_share"] is not None else ""
        said = f"{said}: AMBIGUOUS, they do not agree{often}"
    spread = regime.get("spread")
    return [said, f"variance of the refits: {spread_words(spread)}"] if spread else [said]


def _drivers(driven: Sequence[Mapping[str, Any]]) -> list[str]:
    """Word the strongest, largest first."""
    return [_driver(each) for each in sorted(driven, key=lambda each: -abs(each["log_odds"]))[:DRIVERS_TOLD]]


def _driver(driven: Mapping[str, Any]) -> str:
    way = f"moving from {plain(driven['from'])} to {plain(driven['to'])}"
    return f"{driven['driver']} a standard deviation higher: {driven['log_odds']:+.1f} to the log-odds of {way}"


def _moved(moved: Mapping[str, Any]) -> str:
    parts = ", ".join(f"{plain(name)} {value:+.1f}" for name, value in moved["families"].items())
    return f"{prob(moved['base_prob'])} expected before the session, {prob(moved['total_prob'])} after it: {parts} (log-odds)"


def _names(regime: Mapping[str, Any]) -> list[str]:
    """Say on what the name rests."""
    if regime["kind"] == "classifier":
        gain = regime["label_brier_gain"]
        worth = "not tested" if gain is None else f"{signed(gain)} of the base rate's Brier score saved"
        return [f"label of a classifier: small caps rise over the next month without a deep fall (out of sample: {worth})"]
    if not regime["identified"]:
        why = doubts(regime.get("failed") or (), inverted=bool(regime.get("inverted")))
        before = regime["called_before"]
        until = f"; called {plain(before['name'])} until {before['until']}" if before else ""
        return [f"the states of the newest fit cannot be told apart well enough to be named{f' ({why})' if why else ''}{until}"]
    if not regime["of_newest_fit"]:
        return []  # what names rested on then is not known now
    if regime["mean_test_passed"]:
        ratio = regime["sd_ratio"]
        also = " and in variance" if ratio is not None and max(ratio, 1 / ratio) >= MIN_SD_RATIO else ""
        return [f"the states differ in mean{also}"]
    return ["a calm/turbulent label: the states differ in variance, not surely in mean"]
