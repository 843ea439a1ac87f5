"""A store on the local disk that keeps every vintage: what was known when, and recorded when."""

from sources.store.lock import StoreBusyError
from sources.store.migrations import migrate
from sources.store.read import AsOf
from sources.store.store import Store
from sources.store.verify import Difference
from sources.store.write import Batch, Count

__all__ = ["AsOf", "Batch", "Count", "Difference", "Store", "StoreBusyError", "migrate"]
