"""Scoring a whole market with a logged model, in a process that has loaded nothing else of the project."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from serving.errors import ServingError
from serving.label_rules import label_columns  # names columns and brings no model
from serving.output import as_records, check_out, write_whole

BAD_INPUT = 2


def score_in_fresh_process(model: str, market: str, out: Path | None, *, called: str | None = None) -> dict[str, Any]:
    """Score every session of a market with the code that was logged with the model.

    Parameters
    ----------
    model : MLflow model URI
    market : market file
    out : where all rows go; None for nowhere
    called : what the card calls the model; None for its URI

    Returns
    -------
    dict with the card, the number of rows, the last of them, and `labels`, what `serving.label_rows.publish_answer` takes

    Raises
    ------
    ServingError
        With the message of the process that failed.
    """
    if out is not None:
        check_out(out)
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        table = Path(folder) / f"scores{out.suffix if out else '.parquet'}"
        command = [sys.executable, "-W", "ignore", "-m", "serving.batch", model, market, str(table), str(answer), called or model]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == BAD_INPUT:
            raise ServingError(done.stderr.strip().splitlines()[-1])
        if done.returncode:
            raise ServingError(f"scoring failed: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
        if out is not None:
            write_whole(table, out)
        return dict(json.loads(answer.read_text(encoding="utf-8")))


def score_market(model: str, market_file: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Answer for every session of the market; in this process, whose first act must be to load the model.

    The logged code comes first on the path, so features are made by the code that the model was trained with.
    """
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException

    try:
        loaded = mlflow.pyfunc.load_model(model)
    except (MlflowException, OSError) as error:
        raise ServingError(f"model '{model}' cannot be loaded: {_first_line(error)}") from None
    from serving.today import gather_today, revised_columns  # after the model: what they share with the logged code must come from there
    from sources import load_market

    inner = loaded.unwrap_python_model()
    market = load_market(market_file)
    _same_market(inner.facts, market)
    made = inner.features_of(market)
    revised = revised_columns(inner.facts["today"], made.values)
    if market.simulated:
        _same_draw(inner.facts, market, revised)
    facts = inner.facts | {
        "today": gather_today(market, made.values, made.quality),
        "revised": revised,
        "given": {"name": market.name, "simulated": market.simulated, "note": market.note},
    }
    try:
        return loaded.predict(inner.rows_of(made.values)), facts
    except MlflowException as error:
        raise ServingError(_first_line(error).removeprefix("INVALID_PARAMETER_VALUE: ")) from None


RULE = "rule: score the market a model was trained on. Train on this one first"


def _same_market(facts: Mapping[str, Any], market: Any) -> None:
    trained = facts["market"]
    if trained["simulated"] != market.simulated:
        words = {True: "a simulated market", False: "a real market"}
        raise ServingError(
            f"the model was trained on {words[trained['simulated']]} ('{trained['name']}'), the market given is "
            f"{words[market.simulated]} ('{market.name}'); {RULE}"
        )
    # what follows says what was read (instants, funds): that may grow
    if market.simulated and trained["note"].split(";")[0] != market.note.split(";")[0]:
        words_of = f"the model was trained on another simulated market ({trained['note']}) than the one given ({market.note})"
        raise ServingError(f"{words_of}; {RULE}")


def _same_draw(facts: Mapping[str, Any], market: Any, revised: list[str]) -> None:
    """Real data are revised; a simulated market with the same note that reads otherwise is another one."""
    last = f"{market.sessions[-1]:%Y-%m-%d}"
    if revised or last < facts["trained_to"]:
        raise ServingError(
            "the model was trained on another draw of the simulated market, with other years, end or stocks "
            f"(it ended {facts['trained_to']}, the one given ends {last}); {RULE}"
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def main(words: list[str]) -> int:
    """Score in this process: model, market file, table to write, answer to write, name of the model."""
    model, market, table, answer, called = words
    try:
        rows, facts = score_market(model, market)
    except ValueError as error:  # all our own faults are ValueErrors with a message for the user
        sys.stderr.write(" ".join(str(error).split()) + "\n")  # the parent process reads it
        return BAD_INPUT
    from serving.card import build_card

    rows.to_parquet(table) if table.endswith(".parquet") else rows.to_csv(table, index=False)
    said = {
        "card": build_card(facts, rows, called),
        "rows": len(rows),
        "last": as_records(rows.iloc[[-1]])[0],
        "labels": {"trained": facts["market"], "given": facts["given"], "rows": as_records(rows[label_columns(rows)])},
    }
    Path(answer).write_text(json.dumps(said), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
