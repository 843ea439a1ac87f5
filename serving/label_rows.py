"""From rows of the scoring function to labels, and to the series they belong in."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.scoring import BEFORE, SCORED
from serving.card import TOLD_APART
from serving.errors import LabelError
from serving.label_place import SeriesOf
from serving.label_rules import SERVING, WALK, Said
from serving.label_series import LabelSeries
from serving.label_words import publication_words

ENDS = ("_lo", "_hi")


def said_of(records: Iterable[Mapping[str, Any]]) -> list[Said]:
    """Read labels off answers; sessions of which nothing was said are left out.

    Parameters
    ----------
    records : rows of the scoring function, their `serving.label_rules.label_columns`; None for what is missing, dates as YYYY-MM-DD
    """
    return [_said(each) for each in records if each["status"] != BEFORE and each["regime"] is not None]


def _said(record: Mapping[str, Any]) -> Said:
    names = [name for name in record if name.startswith("p_")]
    ranges = {name[-3:]: record[name] for name in names if name.endswith(ENDS)}
    probabilities = {name.removeprefix("p_"): record[name] for name in names if not name.endswith(ENDS)}
    if any(value is None for value in probabilities.values()):
        raise LabelError(f"labels: session {record['session']} is called {record['regime']} without a probability; rule: all or none")
    by = SERVING if record["status"] == SCORED else WALK
    return Said(record["session"], str(record["regime"]), probabilities, ranges.get("_lo"), ranges.get("_hi"), by)


def publish_answer(answer: dict[str, Any], root: Path, model: str, version: str | None) -> LabelError | None:
    """Publish what the champion answered for a market, and put what became of it in the place of the answer's labels.

    Nothing is published of a model that is no champion, nor where the market answered for has another name than that of training: a series
    is of one market.

    Parameters
    ----------
    answer : as of `serving.batch.score_in_fresh_process`, with `labels`: `trained` and `given`, the market of training and the one
        answered for (name, simulated, note), and `rows`; altered in place
    root : folder of all series
    model : registered name
    version : of the champion that answered; None for any other model

    Returns
    -------
    what went wrong, for the answer to be shown before it is raised; None where nothing did
    """
    labels = answer.pop("labels", None)
    if version is None or labels is None:
        answer["labels"] = {"published": 0, "words": "none published: the champion's are, and no other model's"}
        return None
    trained, given = labels["trained"], labels["given"]
    if trained["name"] != given["name"]:
        words = f"none published: the champion's series is of the market '{trained['name']}', and this one is '{given['name']}'"
        answer["labels"] = {"published": 0, "words": words}
        return None
    of = SeriesOf.known(model, given["name"], given["simulated"], given["note"])
    try:
        done = LabelSeries(root, of).publish(version, said_of(labels["rows"]))
    except LabelError as error:
        answer["labels"] = {"published": 0, "words": f"not published: {error}"}
        return error
    answer["labels"] = asdict(done) | {"words": publication_words(done)}
    if done.last_revision and "card" in answer:
        answer["card"] = answer["card"] | {"last_revision": last_revision(done.last_revision)}
    return None


def last_revision(record: Mapping[str, Any]) -> dict[str, Any]:
    """Give the newest revision as the card tells it: session, what it was and is called, P of the first state then and now, version."""
    published = record["published"]
    return {
        "session": record["session"],
        "was": published["regime"],
        "is": record["regime"],
        "was_p": published["probabilities"][TOLD_APART],
        "p": record["probabilities"][TOLD_APART],
        "version": record["version"],
    }
