"""Is any rung better than the best baseline, the best being the luckiest of them: Hansen's test on the whole ladder, cell by cell."""

from collections.abc import Iterator

import pandas as pd

from models.forecast import BASELINES, RUNGS
from serving.card import LONGEST_CONFIRMED
from training.book import SERVED
from training.evaluation.many import SuperiorTest, spa

SEED = 0
TRIED = tuple(rung for rung in RUNGS if rung not in BASELINES)


def ladder_tests(losses: pd.DataFrame, skill: pd.DataFrame) -> Iterator[tuple[str, int, str, SuperiorTest]]:
    """Test the CRPS of all rungs that are no baseline against the best baseline, for each cell up to 21 sessions.

    Parameters
    ----------
    losses, skill : of the study; judged rows on which all rungs have spoken

    Yields
    ------
    asset, horizon, baseline (the best on the same rows) and `training.evaluation.many.SuperiorTest`
    """
    served = skill[(skill["rung"] == SERVED) & (skill["horizon"] <= LONGEST_CONFIRMED)] if len(skill) else skill
    judged = losses[losses["outer"].astype(bool)]
    for cell in served.to_dict("records"):
        asset, horizon, baseline = str(cell["asset"]), int(cell["horizon"]), str(cell["best_baseline"])
        own = judged[(judged["asset"] == asset) & (judged["horizon"] == horizon)]
        table = own.pivot(index="session", columns="rung", values="crps").dropna()
        yield asset, horizon, baseline, spa(table[[baseline, *TRIED]], baseline, horizon, SEED)
