"""A table of a page: words in cells, and which columns are text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """What a table shows.

    Attributes
    ----------
    caption : one sentence
    head : column titles
    rows : cells in words; the first one of a row is its header
    text : columns that hold words and not numbers
    """

    caption: str
    head: list[str]
    rows: list[list[str]]
    text: tuple[int, ...] = (0,)
