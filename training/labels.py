"""The walk-forward of a new champion is published: as far as nothing was before, the rest goes to the revisions."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from serving.errors import LabelError
from serving.label_place import SeriesOf
from serving.label_rows import said_of
from serving.label_rules import label_columns
from serving.label_series import LabelSeries
from serving.label_words import publication_words
from serving.output import as_records


@dataclass(frozen=True)
class LabelNote:
    """What became of a champion's labels.

    Attributes
    ----------
    words : what was published, or why nothing was and how to repeat it
    failed : whether nothing was
    """

    words: str
    failed: bool


def publish_walk(root: Path, of: SeriesOf, version: str, fetch: Callable[[], pd.DataFrame]) -> LabelNote:
    """Publish a walk; a fault is told and not raised, since the champion is one already.

    Parameters
    ----------
    root : folder of all series
    of : model and market
    version : that became champion
    fetch : gives what its training published (`models.scoring.Scorer.published`)
    """
    try:
        walk = fetch()
        done = LabelSeries(root, of).publish(version, said_of(as_records(walk[label_columns(walk)])))
    except (LabelError, OSError) as error:
        return LabelNote(f"{error}. Its labels are not published; repeat that with `appetite promote --version {version}`", failed=True)
    return LabelNote(publication_words(done), failed=False)
