"""Writers of trials to be killed (`tests.killing`). The words:

- `on`: write trial after trial from NUMBER, and append to FOLDER.told the number of each that was acknowledged
- `die`: write trial 1 after trial 0, and die without a word before the step NUMBER of those that change the disk
"""

from pathlib import Path

from tests.killing import die_at, fork_writers, write_on
from tests.training.ledger.trials import trial
from training.ledger.ledger import Ledger

MOST = 10_000


def write(folder: Path, number: int) -> None:
    """Open and end trial `number`."""
    ledger = Ledger(folder / "ledger")
    ledger.open(str(number), f"run {number}", "appetite", trial())
    ledger.end(str(number), "FINISHED")


def work(word: str, number: int, folder: Path) -> None:
    if word == "die":
        die_at(number)
        write(folder, 0)
        write(folder, 1)
        Path(f"{folder}.told").write_text("0\n1\n")
    else:
        write_on(folder, write, range(number, MOST))


if __name__ == "__main__":
    fork_writers(work)
