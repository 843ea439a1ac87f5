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

    Raises
    ------
    ValueError
        If a row has not a cell under each title.
    """

    caption: str
    head: list[str]
    rows: list[list[str]]
    text: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"table '{self.caption}': a row must have {len(self.head)} cells, one a title, got {len(row)}: {row}")
