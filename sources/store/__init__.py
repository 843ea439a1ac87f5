"""A store on the local disk that keeps every vintage: what was known when, and recorded when.

    store.json                          version of the files; real or simulated
    lock                                held by the one writer
    manifests/00000001.json             what batch 1 wrote, with hashes, and the hash of the manifest before
    ids/00000001.parquet                names that batch 1 gave ids to
    prices/, ... quotes/, ... panel/    records of batch 1 of each kind, sorted by (id, date), zstd
    quarantine/prices/, ...             records set aside, with the rule each broke
    withdrawn/prices/, ...              keys and vintages that were taken back, and why

No file is ever changed. A batch a day and kind is a file a day and kind, until `Store.compact` puts small files together: the manifest of
a compaction lists every file that counts from then on.
"""

from sources.store.compact import Compaction
from sources.store.lock import StoreBusyError
from sources.store.migrations import migrate
from sources.store.read import AsOf
from sources.store.store import Store
from sources.store.verify import Difference
from sources.store.write import Batch, Count

__all__ = ["AsOf", "Batch", "Compaction", "Count", "Difference", "Store", "StoreBusyError", "migrate"]
