"""A figure of the report with its words and the numbers behind it."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from training.reports.captions import CAPTIONS
from training.reports.style import as_uri, to_bytes
from training.reports.table import Table


@dataclass(frozen=True)
class Plot:
    """A figure with its words.

    Attributes
    ----------
    svg : the picture itself
    alt : what it is, for those who cannot see it
    caption : what to see in it
    tables : the numbers behind it
    """

    svg: bytes
    alt: str
    caption: str
    tables: list[Table]

    @property
    def uri(self) -> str:
        """The picture in a form that a page carries inside itself."""
        return as_uri(self.svg)


def captioned(name: str, figure: Figure, tables: list[Table]) -> Plot:
    """Give a figure the words it has in `training.reports.captions.CAPTIONS`."""
    alt, caption = CAPTIONS[name]
    return Plot(to_bytes(figure), alt, caption, tables)
