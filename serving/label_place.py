"""Where the labels of a model lie: a folder a market, a simulated one never beside a real one."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from urllib.parse import quote

from serving.errors import LabelError
from serving.journal import HEAD, Kind, read_head

ROOT_VARIABLE = "APPETITE_LABELS"
FOLDER = "labels"
SQLITE = "sqlite:///"
REAL, SIMULATED = "real", "simulated"
PUBLISHED, REVISIONS = "published.jsonl", "revisions.jsonl"
LABELS = Kind(
    "labels",
    (PUBLISHED, REVISIONS),
    ROOT_VARIABLE,
    "published labels never change: restore the folder from a copy, or move it away, and a new series begins",
    LabelError,
)


@dataclass(frozen=True)
class SeriesOf:
    """What a series of labels is of.

    Attributes
    ----------
    model : name of the registered model
    market : name of the market
    simulated : whether the market is simulated
    draw : of a simulated market, what was simulated: markets of one name but another seed or effect are not the same; empty for a real one
    """

    model: str
    market: str
    simulated: bool
    draw: str = ""

    @classmethod
    def known(cls, model: str, market: str, simulated: bool, note: str) -> "SeriesOf":
        """Make it of what a market says of itself; what follows a semicolon in its note may grow and does not count."""
        return cls(model, market, simulated, note.split(";")[0] if simulated else "")

    def below(self, root: Path) -> Path:
        """Folder of the series."""
        name = _safe(self.market)
        if self.simulated:
            name += f"--{hashlib.sha256(self.draw.encode()).hexdigest()[:8]}"
        return root / _safe(self.model) / (SIMULATED if self.simulated else REAL) / name

    def to_dict(self) -> dict[str, object]:
        """Give it as plain values."""
        return asdict(self)


def labels_root(tracking_uri: str) -> Path:
    """Where labels lie: `APPETITE_LABELS`, else `labels` beside the SQLite database of the tracking URI, else in the current folder."""
    named = os.environ.get(ROOT_VARIABLE)
    if named:
        return Path(named)
    beside = Path(tracking_uri.removeprefix(SQLITE)).parent if tracking_uri.startswith(SQLITE) else Path()
    return beside / FOLDER


def find_series(root: Path, model: str) -> Iterator[SeriesOf]:
    """List the series of a model, the real ones first.

    Raises
    ------
    LabelError
        Where a folder is not the place of what it says it holds.
    """
    for kind in (REAL, SIMULATED):
        for head in sorted((root / _safe(model) / kind).glob(f"*/{HEAD}")):
            told = read_head(head.parent, LABELS)["of"]
            of = SeriesOf(**told) if told.keys() == {each.name for each in fields(SeriesOf)} else None
            if of is None or of.below(root) != head.parent:
                raise LabelError(
                    f"labels '{head.parent}': they say they are of {told}; rule: a folder a series, in the place that its market "
                    "names. Move it back, or away"
                )
            yield of


def _safe(name: str) -> str:
    """Make a name one step of a path, and never one upwards."""
    out = quote(name, safe=" ")
    return f"%2E{out[1:]}" if out.startswith(".") else out or "%"
