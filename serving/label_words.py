"""Labels in words: what became of an answer, and what the word `labels` lists."""

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from serving.errors import LabelError
from serving.label_frames import TOLD, WAS
from serving.label_place import ROOT_VARIABLE, SeriesOf, find_series
from serving.label_series import LabelSeries, Publication
from serving.output import as_records
from serving.screen import WIDTH
from serving.words import UNKNOWN, fixed, plain, plural, prob, share

NONE_YET = "no label is published yet: a champion's are, when it is promoted and when it answers (`appetite score`)"


def publication_words(done: Publication) -> str:
    """Say what became of the answers of a version."""
    if not (done.published or done.revised or done.confirmed or done.left_out):
        return "nothing new: all sessions were published before, and none is revised"
    out = [f"{plural(done.published, 'session')} published{f' ({done.first} to {done.last})' if done.published else ''}"]
    if done.revised:
        newest = done.last_revision or {}
        out.append(f"{plural(done.revised, 'published label')} revised, last that of {newest['session']}: what was published stays")
    else:
        out.append("no published label is revised")
    if done.confirmed:
        out.append(f"{done.confirmed} of earlier versions confirmed")
    if done.left_out:
        out.append(f"{plural(done.left_out, 'session')} before the series begins or passed over by another version: left out")
    return "; ".join(out)


def gather_labels(
    root: Path, model: str, *, newest: int, revisions: bool, market: str = "", taken_back: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Collect every series of a model, as plain values.

    Parameters
    ----------
    root : folder of all series
    newest : how many of the newest rows; 0 for all
    revisions : list those in the place of published labels, what versions say otherwise of before what they confirm
    market : only series of the market of this name; empty for all
    taken_back : when and why each version was that is champion no more by a rollback

    Raises
    ------
    LabelError
        Where a series is not as it was written, or none is of the market.
    """
    out = []
    for series in _chosen(root, model, market):
        rows = _changed_first(series.revisions(), newest) if revisions else series.published().iloc[-newest:]
        listed = "revisions" if revisions else "published"
        summary = series.summary()
        spoke = {each["version"] for word in ("versions", "compared", "restated") for each in summary[word]}
        summary["taken_back"] = {version: why for version, why in (taken_back or {}).items() if version in spoke}
        out.append({"series": series.of.to_dict(), "folder": str(series.folder), "summary": summary, listed: _records(rows)})
    return out


def _changed_first(revisions: pd.DataFrame, newest: int) -> pd.DataFrame:
    """Put what is said otherwise before what is confirmed, each in the order of writing; the newest, of the first as many as there are."""
    kept = revisions.iloc[::-1].sort_values("differs", ascending=False, kind="stable").iloc[: newest or None]
    return kept.sort_index().sort_values("differs", ascending=False, kind="stable")


def verify_labels(root: Path, model: str, market: str = "") -> list[dict[str, Any]]:
    """Check every line of every series; `broken` is None where all are as written, else the first that is not."""
    return [
        {"series": each.of.to_dict(), "folder": str(each.folder), "broken": vars(broken) | {"words": broken.words()} if broken else None}
        for each in _chosen(root, model, market)
        for broken in (each.verify(),)
    ]


def _chosen(root: Path, model: str, market: str) -> list[LabelSeries]:
    there = list(find_series(root, model))
    chosen = [of for of in there if not market or of.market == market]
    if market and not chosen:
        known = ", ".join(dict.fromkeys(f"'{of.market}'" for of in there)) or "none of any other either"
        raise LabelError(
            f"labels: no label was published of a market '{market}'; rule: the name of a market with published labels. There are {known} "
            f"(in '{root.absolute()}')"
        )
    return [LabelSeries(root, of) for of in chosen]


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    instants = {name: rows[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ") for name in rows if name in ("published_at", "revised_at")}
    return as_records(rows.assign(**instants))


def none_words(root: Path) -> str:
    """Say that no label is published, where they were looked for, and how to look elsewhere."""
    return f"{NONE_YET}. Looked in '{root.absolute()}'; MLFLOW_TRACKING_URI names another store, {ROOT_VARIABLE} another folder of labels"


def render_labels(listed: list[dict[str, Any]]) -> str:
    """Lay `gather_labels` out for a terminal."""
    return "\n\n".join(_series(each) for each in listed) if listed else NONE_YET


def render_verified(checked: list[dict[str, Any]]) -> str:
    """Lay `verify_labels` out for a terminal."""
    return (
        "\n".join(
            f"{heading(each['series'])}: "
            + (f"{each['broken']['words']} ({each['folder']})" if each["broken"] else "every line is as it was written")
            for each in checked
        )
        or NONE_YET
    )


def heading(series: Mapping[str, Any]) -> str:
    """Name a series: a simulated market is called so first."""
    of = SeriesOf(**series)
    return f"{'SIMULATED ' if of.simulated else ''}{of.model} on the market {of.market}{f' ({of.draw})' if of.simulated else ''}"


def _series(each: Mapping[str, Any]) -> str:
    summary = each["summary"]
    span = f", {summary['first']} to {summary['last']}" if summary["sessions"] else ""
    lines = [heading(each["series"]), f"{plural(summary['sessions'], 'session')} published{span}"]
    lines += [
        f"  version {v['version']}: {plural(v['sessions'], 'session')}, {v['first']} to {v['last']}, {v['walk']} by the walk-forward"
        for v in summary["versions"]
    ]
    lines += [
        f"  version {v['version']} on {plural(v['sessions'], 'session')} that {who}: mean change of P(risk-on) {fixed(v['revision'], 4)}, "
        f"another name on {share(v['renamed'], 1)}"
        for word, who in (("compared", "others published"), ("restated", "it published itself, now on other values"))
        for v in summary[word]
    ]
    lines += [f"  version {v} was taken back ({why}); what it published stays" for v, why in summary["taken_back"].items()]
    if summary["sessions"]:
        lines.append(f"revised: {share(summary['revised'], 1)} of sessions; called by another name since: {share(summary['renamed'], 1)}")
    lines = [textwrap.fill(line, WIDTH, subsequent_indent="    ", break_on_hyphens=False) for line in lines]
    return "\n".join([*lines, *(_revised(each["revisions"]) if "revisions" in each else _published(each["published"]))])


def _published(rows: list[dict[str, Any]]) -> list[str]:
    head = f"{'session':<12}{'regime':<14}{'P(risk-on)':>10}  {'range':<12}{'version':>7}  {'by':<9}published"
    return [head] + [
        f"{row['session']:<12}{plain(row['regime']):<14}{prob(row[TOLD]):>10}  {_range(row):<12}{row['version']:>7}  {row['by']:<9}"
        f"{row['published_at']}"
        for row in rows
    ]


def _revised(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return ["no later version has spoken of a published session"]
    head = f"{'session':<12}{'published':<21}{'version':>7}  {'says now':<21}{'version':>7}  said"
    return [head] + [
        f"{row['session']:<12}{_call(row, WAS):<21}{row[f'{WAS}version']:>7}  {_call(row) if row['differs'] else 'the same':<21}"
        f"{row['version']:>7}  {row['revised_at']}"
        for row in rows
    ]


def _call(row: Mapping[str, Any], begin: str = "") -> str:
    return f"{plain(row[f'{begin}regime'])} {fixed(row[f'{begin}{TOLD}'], 4)}"


def _range(row: Mapping[str, Any]) -> str:
    return UNKNOWN if row["low"] is None else f"{prob(row['low'])} - {prob(row['high'])}"
