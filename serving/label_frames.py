"""Labels as tables, and the numbers of METHODS 2.3: revision, and how many names changed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from serving.card import TOLD_APART
from serving.label_rules import WALK

TOLD = f"p_{TOLD_APART}"
WAS = "published_"
"""Begin of the columns, in a table of revisions, that say what was published."""


def published_frame(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Lay published labels out.

    Returns
    -------
    DataFrame, a row a session, ascending: session, version, regime, p_<name> of every name that ever occurred (NaN where a version does
    not have it), low, high, by, published_at (UTC), model, market, simulated
    """
    rows = [_says(each) | {name: each[name] for name in ("by", "published_at", "model", "market", "simulated")} for each in records]
    out = pd.DataFrame(rows, columns=_columns(rows, ["by", "published_at", "model", "market", "simulated"]))
    return _typed(out).sort_values("session", ignore_index=True)


def revisions_frame(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Lay out what versions said of sessions that were published already.

    Returns
    -------
    DataFrame in the order of writing: session, version, regime, p_<name>, low, high, by, revised_at (UTC), differs (False where the version
    confirms what another one published), and published_version, published_regime, published_p_<name>, published_low, published_high
    """
    rows = []
    for each in records:
        was = {f"{WAS}{name}": value for name, value in _says(each["published"] | {"session": None}).items() if name != "session"}
        rows.append(_says(each) | {name: each[name] for name in ("by", "revised_at", "differs")} | was)
    return _typed(pd.DataFrame(rows, columns=_columns(rows, ["by", "revised_at", "differs"])))


def summarise(published: pd.DataFrame, revisions: pd.DataFrame) -> dict[str, Any]:
    """Count what is published, and compare what later versions say with it.

    Revision is mean |p_new - p_published| of the probability of the first state over the sessions that were compared (METHODS 2.3), each
    with the newest word of that version.

    Returns
    -------
    dict, JSON-able: sessions, first, last; `versions`, a record for each that published (sessions, first, last, walk: how many by the
    walk-forward); `compared`, a record for each that spoke of sessions another one had published (sessions, revised: how many it says
    otherwise of, revision, renamed: share of names that changed); `restated`, the same of the sessions that a version itself had published
    and, on other values, says otherwise of; revised and renamed: shares of the published sessions that any version says otherwise of, or
    calls by another name
    """
    newest = revisions.drop_duplicates(["session", "version"], keep="last")
    own = newest["version"] == newest[f"{WAS}version"]
    renamed = revisions[revisions["regime"] != revisions[f"{WAS}regime"]]
    n = len(published)
    return {
        "sessions": n,
        **_span(published),
        "versions": [
            {"version": str(version), "sessions": len(part), **_span(part), "walk": int((part["by"] == WALK).sum())}
            for version, part in published.groupby("version", sort=False)
        ],
        "compared": _compared(newest[~own]),
        "restated": _compared(newest[own]),
        "revised": revisions.loc[revisions["differs"].astype(bool), "session"].nunique() / n if n else None,
        "renamed": renamed["session"].nunique() / n if n else None,
    }


def _compared(pairs: pd.DataFrame) -> list[dict[str, Any]]:
    out = []
    for version, part in pairs.groupby("version", sort=False):
        apart = float((part[TOLD] - part[f"{WAS}{TOLD}"]).abs().mean())
        out.append(
            {
                "version": str(version),
                "sessions": len(part),
                "revised": int(part["differs"].sum()),
                "revision": apart if np.isfinite(apart) else None,
                "renamed": float((part["regime"] != part[f"{WAS}regime"]).mean()),
            }
        )
    return out


def _span(part: pd.DataFrame) -> dict[str, str | None]:
    if not len(part):
        return {"first": None, "last": None}
    return {"first": f"{part['session'].min():%Y-%m-%d}", "last": f"{part['session'].max():%Y-%m-%d}"}


def _says(record: Mapping[str, Any]) -> dict[str, Any]:
    out = {"session": record["session"], "version": record["version"], "regime": record["regime"]}
    out |= {f"p_{name}": value for name, value in record["probabilities"].items()}
    return out | {"low": record["low"], "high": record["high"]}


def _columns(rows: Sequence[Mapping[str, Any]], more: list[str]) -> list[str]:
    """Name all columns in a fixed order, those of an empty table too."""
    found = dict.fromkeys((TOLD, f"{WAS}{TOLD}"))
    for row in rows:
        found |= dict.fromkeys(row)
    own = ["session", "version", "regime", *(name for name in found if name.startswith("p_")), "low", "high"]
    if "differs" not in more:
        return [*own, *more]
    was = [name for name in found if name.startswith(f"{WAS}p_")]
    return [*own, *more, f"{WAS}version", f"{WAS}regime", *was, f"{WAS}low", f"{WAS}high"]


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = [name for name in map(str, frame) if name.removeprefix(WAS).startswith("p_") or name.removeprefix(WAS) in ("low", "high")]
    instants = [name for name in map(str, frame) if name in ("published_at", "revised_at")]
    words = [name for name in map(str, frame) if name.removeprefix(WAS) in ("version", "regime", "by", "model", "market")]
    flags = [name for name in map(str, frame) if name in ("simulated", "differs")]
    frame = frame.astype(
        {"session": "datetime64[us]"} | dict.fromkeys(numbers, "float64") | dict.fromkeys(words, "str") | dict.fromkeys(flags, "bool")
    )
    return frame.assign(**{name: pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]") for name in instants})
