"""The dictionary of ids: what a record is about, as an int32 that never changes its meaning."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from features.errors import DataError
from sources.store.manifest import Manifest, files_of
from sources.store.tables import collect, scan


@dataclass(frozen=True)
class Names:
    """Ids by name, as far as they were given.

    Attributes
    ----------
    ids : id by name; one dictionary for all kinds, so that a security has one id in the panel, the members and the filings
    """

    ids: Mapping[str, int]

    def missing(self, names: Iterable[str]) -> pl.DataFrame:
        """Give the next ids, in the order of the alphabet, to names that have none; columns `id`, `name`."""
        new = sorted(set(names) - set(self.ids))
        return pl.DataFrame({"id": range(len(self.ids), len(self.ids) + len(new)), "name": new}, schema={"id": pl.Int32, "name": pl.String})

    def with_new(self, new: pl.DataFrame) -> "Names":
        """Add names."""
        return Names({**self.ids, **dict(zip(new["name"], new["id"], strict=True))})

    def frame(self) -> pl.DataFrame:
        """Give columns `id`, `name`."""
        return pl.DataFrame({"id": list(self.ids.values()), "name": list(self.ids)}, schema={"id": pl.Int32, "name": pl.String})


def read_names(root: Path, manifests: Sequence[Manifest]) -> Names:
    """Read the dictionary as these batches left it.

    Raises
    ------
    DataError
        Where an id or a name is there twice.
    """
    frame = collect(root, scan(root, "ids", files_of(manifests, "ids"))).sort("id")
    if frame["id"].to_list() != list(range(len(frame))) or frame["name"].is_duplicated().any():
        raise DataError(f"store '{root}': the dictionary of ids has a hole or a repeated name; restore the folder 'ids' from a copy")
    return Names(dict(zip(frame["name"], frame["id"], strict=True)))
