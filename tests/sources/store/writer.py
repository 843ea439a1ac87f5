"""Writers of a store to be killed (`tests.killing`). The words:

- `on`: write batch after batch from NUMBER, and append to FOLDER.told the number of each that was acknowledged
- `die`: write batch 0, and die without a word before the step NUMBER of those that change the disk
- `five`: write five batches from NUMBER
- `compact` and `migrate`: put files together, or bring the store up, and die before the step NUMBER
"""

from pathlib import Path

from features.schemas import checked
from sources.calendar import sessions
from sources.store import Store, migrate
from tests.killing import die_at, fork_writers, write_on
from tests.sources.store.batches import macro, prices

DAYS = sessions("2024-01-02", "2024-03-28")


def write(root: Path, number: int) -> None:
    """Write batch `number`: three macro records and four prices, which have to be there together."""
    name = f"batch {number}"
    rows = [(name, f"2024-01-0{day}", float(number), "2024-02-01") for day in (2, 3, 4)]
    Store.open(root).write({"macro": macro(*rows), "prices": prices(name, DAYS[:4])}, source=name)


def work(word: str, number: int, root: Path) -> None:
    if word == "die":
        die_at(number)
        write(root, 0)
        Path(f"{root}.told").write_text("0\n")
    elif word == "five":
        for each in range(number, number + 5):
            write(root, each)
    elif word in ("compact", "migrate"):
        die_at(number)
        Store.open(root).compact() if word == "compact" else migrate(root)
        Path(f"{root}.told").write_text("0\n")
    else:
        write_on(root, write, range(number, number + 1000))


if __name__ == "__main__":
    # what is slow the first time, done once; polars has threads, which a fork would lose, so it is left alone
    checked("macro", macro(("a", "2024-01-02", 1.0, "2024-01-03")), {})
    checked("prices", prices("a", DAYS[:4]), {})
    fork_writers(work)
