"""What was fetched, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from sources.fetch.delivery import Source
from sources.fetch.run import Outcome

SHOWN = 10
"""Names listed at most."""


def describe(sources: Mapping[str, Source]) -> list[dict[str, str]]:
    """Say of each source what it needs, what it gives and when that could be known."""
    return [
        {
            "source": name,
            "needs": each.NEEDS,
            "gives": each.GIVES,
            "known": each.KNOWN,
            "words": f"gives {each.GIVES}; known {each.KNOWN}; needs {each.NEEDS}",
        }
        for name, each in sources.items()
    ]


def as_rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Give outcomes as plain values."""
    return [{**vars(each), "batches": list(each.batches), "missing": list(each.missing)} for each in outcomes]


def render(outcomes: Sequence[Outcome], store: str) -> str:
    """Lay outcomes out, one line a source."""
    lines = [f"{'source':<10}{'new':>10}{'revised':>10}{'as before':>12}{'set aside':>11}"]
    for each in outcomes:
        stopped = "  stopped" if each.fault else ""
        lines.append(f"{each.source:<10}{each.new:>10,}{each.revised:>10,}{each.identical:>12,}{each.quarantined:>11,}{stopped}")
        if each.missing:
            shown = ", ".join(each.missing[:SHOWN]) + (", ..." if len(each.missing) > SHOWN else "")
            lines.append(f"{'':<10}nothing came for {len(each.missing)}: {shown}")
    written = sum(len(each.batches) for each in outcomes)
    return "\n".join([*lines, f"store {store}: {written} {'batch' if written == 1 else 'batches'} written"])


def fault_of(outcomes: Sequence[Outcome]) -> str | None:
    """Put what failed into one line; None where nothing did."""
    failed = [each for each in outcomes if each.fault]
    if not failed:
        return None
    told = "; ".join(f"{each.source}: {each.fault}" for each in failed)
    kept = (
        "; what had arrived is in the store, run it again to go on"
        if any(each.batches for each in outcomes)
        else "; the store is as it was"
    )
    return f"{len(failed)} of {len(outcomes)} sources failed: {told}{kept}"
