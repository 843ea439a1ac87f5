"""The answer for a market: the champion's, another model's, or the base rates where there is no champion yet."""

from pathlib import Path
from typing import Any

from training.promotion.registry import champion_behind, champion_version
from training.tracking import CHAMPION, REGISTERED

CHAMPION_MODEL = f"models:/{REGISTERED}@{CHAMPION}"


def answer_for(model: str, market: str, out: Path | None) -> tuple[dict[str, Any], str | None]:
    """Answer for every session of a market.

    Parameters
    ----------
    model : MLflow model URI
    market : market file
    out : where all rows go; None for nowhere

    Returns
    -------
    answer : as of `serving.batch.score_in_fresh_process`
    version : of the champion that answered; None for any other model, and where there is none
    """
    version = champion_behind(model)
    if model == CHAMPION_MODEL and champion_version() is None:
        from serving.baseline import score_baseline

        return score_baseline(market, out), None
    from serving.batch import score_in_fresh_process

    loaded = f"models:/{REGISTERED}/{version}" if version else model  # the alias may move while this works
    return score_in_fresh_process(loaded, market, out, called=model), version
