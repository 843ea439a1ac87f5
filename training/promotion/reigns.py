"""When each version was champion, written on the versions themselves: an alias alone keeps no history."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from training.tracking import REGISTERED

if TYPE_CHECKING:
    from mlflow import MlflowClient

REIGNS_TAG = "champion.reigns"
ROLLED_BACK_TAG = "rolled_back"


@dataclass(frozen=True)
class Reign:
    """A time during which a version was champion.

    Attributes
    ----------
    version : registered version
    since, until : UTC instants as text; `until` is None for one that goes on
    """

    version: str
    since: str
    until: str | None


def now() -> str:
    """The present instant, as reigns name it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def reigns(client: "MlflowClient") -> list[Reign]:
    """All reigns, oldest first."""
    out = []
    for each in client.search_model_versions(f"name='{REGISTERED}'"):
        spans = json.loads(each.tags.get(REIGNS_TAG, "[]"))
        out += [Reign(str(each.version), since, until) for since, until in spans]
    return sorted(out, key=lambda reign: (reign.since, reign.until or "~"))


def succeed(client: "MlflowClient", holder: str | None, version: str, instant: str) -> None:
    """End the reign of one version and begin that of another.

    Parameters
    ----------
    holder : champion until now; None where there was none
    """
    if holder is not None:
        spans = _spans(client, holder)
        # a champion from before reigns were written has none: it is known only until when it was
        spans = [*spans[:-1], [spans[-1][0], instant]] if spans and spans[-1][1] is None else [*spans, ["", instant]]
        _write(client, holder, spans)
    _write(client, version, [*_spans(client, version), [instant, None]])


def _spans(client: "MlflowClient", version: str) -> list[list[str | None]]:
    spans: list[list[str | None]] = json.loads(client.get_model_version(REGISTERED, version).tags.get(REIGNS_TAG, "[]"))
    return spans


def _write(client: "MlflowClient", version: str, spans: list[list[str | None]]) -> None:
    client.set_model_version_tag(REGISTERED, version, REIGNS_TAG, json.dumps(spans))
