"""One part of the picture of the data: what it says, shows, and warns of."""

from dataclasses import dataclass, field

from training.data.strips import Strip
from training.reports.plot import Plot
from training.reports.table import Table


@dataclass(frozen=True)
class Section:
    """What the page shows under one title.

    Attributes
    ----------
    anchor, title : its place, and its name
    words : paragraphs
    tables, behind : tables in sight, and those to be opened
    plots : figures
    strips : small curves on the axis of time
    findings : sentences for the top of the page, each a reason for care
    """

    anchor: str
    title: str
    words: list[str]
    tables: list[Table] = field(default_factory=list)
    behind: list[Table] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    strips: list[Strip] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
