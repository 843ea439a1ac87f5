"""Series of FRED in a market, from the `fredgraph.csv` that its market file names."""

import pandas as pd

from features.errors import DataError
from sources.downloads import FredFile
from sources.fred import SERIES, Published, parse_fred
from sources.known import known_at
from sources.table import Folder

MOST_BYTES = 16 << 20
"""The longest daily series have less than one million."""


def read_fred_file(folder: Folder, name: str, file: FredFile) -> pd.DataFrame:
    """Read one series.

    Parameters
    ----------
    name : of the series in the market

    Returns
    -------
    DataFrame of the schema `macro`, all dates

    Raises
    ------
    DataError
        For what is no such file, a series that is rewritten as a whole, and a rule for known-at earlier than the publication.
    """
    path = folder.file(file.fred)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise DataError(f"{file.fred}: has {size} bytes; rule: a file of one series has at most {MOST_BYTES}")
    published = SERIES.get(file.id)
    rule = file.known_at or (published.known_at if published else "")
    try:
        frame = parse_fred(path.read_bytes(), file.id, Published(name, rule))
    except DataError as error:
        raise DataError(f"{file.fred}: {error}") from None
    if published is not None and (early := frame["known_at"] < known_at(published.known_at, frame["date"])).any():
        raise DataError(
            f"{file.fred}: by the rule '{rule}' the value of {frame['date'][early].iloc[0]:%Y-%m-%d} would be known before it was "
            f"published; rule: not before '{published.known_at}', which is the default"
        )
    return frame
