"""A figure of the report with its words and the numbers behind it."""

from dataclasses import dataclass

from matplotlib.figure import Figure

from training.reports.captions import CAPTIONS
from training.reports.style import to_uri
from training.reports.table import Table


@dataclass(frozen=True)
class Plot:
    """A figure with its words.

    Attributes
    ----------
    uri : the picture itself
    alt : what it is, for those who cannot see it
    caption : what to see in it
    tables : the numbers behind it
    """

    uri: str
    alt: str
    caption: str
    tables: list[Table]


def captioned(name: str, figure: Figure, tables: list[Table]) -> Plot:
    """Give a figure the words it has in `training.reports.captions.CAPTIONS`."""
    alt, caption = CAPTIONS[name]
    return Plot(to_uri(figure), alt, caption, tables)
