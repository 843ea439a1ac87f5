"""Writers of labels to be killed (`tests.killing`). The words:

- `on`: publish batch after batch from NUMBER, and append to FOLDER.told the number of each that was acknowledged
- `die`: publish batch 1 after batch 0, and die without a word before the step NUMBER of those that change the disk
"""

from pathlib import Path

from tests.killing import die_at, fork_writers, write_on
from tests.serving.labels import said, series_in

DAYS = 3
"""Sessions that a batch publishes; it besides revises the last one of the batch before, so that both files change."""


def write(folder: Path, number: int) -> None:
    """Publish batch `number`, by a version of its own."""
    first = number * DAYS
    new = [said(day % 400, 0.9) for day in range(first, first + DAYS)]
    old = [said(first - 1, 0.3)] if number else []
    series_in(folder).publish(str(number), [*old, *new])


def work(word: str, number: int, folder: Path) -> None:
    if word == "die":
        die_at(number)
        write(folder, 0)
        write(folder, 1)
        Path(f"{folder}.told").write_text("0\n1\n")
    else:
        write_on(folder, write, range(number, 400 // DAYS))


if __name__ == "__main__":
    fork_writers(work)
