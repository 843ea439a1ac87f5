"""A Parquet file with a row a date, once its own account of its size is seen to be that of one."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from features.errors import DataError

MOST_ROWS = 100_000
"""Of dates: four hundred years."""

MOST_CELLS = 200_000_000
"""Sessions times securities: 6,500 of 30,000 are 195 million."""

MOST_BYTES = 4 << 30
"""Of all columns, inflated."""


def read_parquet_table(file: Path, name: str) -> pd.DataFrame:
    """Read a file whole.

    Parameters
    ----------
    file : path
    name : for error texts

    Raises
    ------
    DataError
        For what is no Parquet file, one that is damaged or cut off, and beyond the limits: by what the file says, before its columns are
        read. Pages carry no checksums, so a value that was altered within a page may pass.
    """
    try:
        with parquet.ParquetFile(file) as opened:
            _weigh(opened.metadata, name)
        return pd.read_parquet(file)
    except DataError:
        raise
    # the description that pandas left in the file is read by its keys and types
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{name}: this is no Parquet file: {' '.join(str(error).split())}") from None


def _weigh(metadata: parquet.FileMetaData, name: str) -> None:
    rows, columns = metadata.num_rows, metadata.num_columns
    if rows > MOST_ROWS or rows * columns > MOST_CELLS:
        raise DataError(
            f"{name}: {rows} rows of {columns} columns; rule: a row a date, at most {MOST_ROWS}, and at most {MOST_CELLS} cells"
        )
    n_bytes = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if n_bytes > MOST_BYTES:
        raise DataError(f"{name}: would inflate to {n_bytes} bytes; rule: at most {MOST_BYTES}; do not open it")
