"""What a job would do, before it does it."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from features.market import Market
from models.bootstrap import REFIT_ITERATIONS
from models.forecast import RUNGS
from serving.today import clean
from sources import describe_market
from training.config import TrainConfig
from training.refit_names import EVIDENCE_EVERY
from training.regime_kinds import hmm_settings, specification_settings
from training.regimes import schedule
from training.study import Progress, Table, make_table

LADDER_SECONDS = 0.035
"""CPU seconds of fitting and scoring one ladder at one refit; measured by `make bench`."""

RECORD_SECONDS = 20.0
"""CPU seconds of report, record and check of the model in a fresh process."""


def make_plan(market: Market, config: TrainConfig, progress: Progress = lambda stage, done, total: None) -> dict[str, Any]:
    """Check everything that a job checks, count its work, and time one regime refit for the rest.

    Raises
    ------
    JobError, DataError
        As the job would.
    """
    begun = time.process_time()
    table = make_table(market, config, progress)
    making = time.process_time() - begun
    first, positions = schedule(table.features.index, config)
    families = sorted({str(c).split("__")[0] for c in table.features})
    rows = {family: int(_of(table, family).notna().any(axis=1).sum()) for family in families}
    refit = _time_refit(table, first, positions[-1], config)
    cells = len(config.assets) * len(config.horizons)
    weighed = -(-len(positions) // EVIDENCE_EVERY) * config.regime.evidence if config.regime.kind in ("hmm", "tvtp") else 0
    resampled = weighed + (config.regime.bootstrap if config.regime.kind == "hmm" else 0)
    models = max(len(specification_settings(config)), 1)
    seconds = making + len(positions) * (2.0 * models * refit + cells * LADDER_SECONDS) + 2.0 * resampled * refit + RECORD_SECONDS
    index = table.features.index
    return dict(
        clean(
            {
                "market": {"name": market.name, "simulated": market.simulated, "note": market.note},
                "config": config.resolved(),
                "series": describe_market(market).to_dict("records"),
                "sessions": len(index),
                "first_session": index[0],
                "last_session": index[-1],
                "rows_per_family": rows,
                "refits": len(positions),
                "first_refit": index[positions[0]],
                "last_refit": index[positions[-1]],
                "forecast_cells": cells,
                "rungs": len(RUNGS),
                "resampled_refits": resampled,
                "expected_cpu_seconds": round(seconds, 1),
            }
        )
    )


def _of(table: Table, family: str) -> pd.DataFrame:
    return table.features[[c for c in table.features if str(c).startswith(f"{family}__")]]


def _time_refit(table: Table, first: int, position: int, config: TrainConfig) -> float:
    """CPU seconds of a short EM on the longest window."""
    from models.hmm import fit_hmm
    from models.regime_fit import complete_blocks
    from models.starts import sticky_start

    X, lengths = complete_blocks(table.features.iloc[first : position + 1][config.regime.columns].to_numpy(dtype=np.float64))
    if len(X) < 1000:
        return 0.2
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    settings = hmm_settings(config)
    starts = [sticky_start(settings.n_components, X)]
    took = []
    for _ in range(2):  # the first one loads the compiled kernels, once for all refits
        begun = time.process_time()
        fit_hmm(X, settings.n_components, kappa=settings.kappa, starts=starts, n_iter=REFIT_ITERATIONS, tol=settings.tol, lengths=lengths)
        took.append(time.process_time() - begun)
    return took[-1]


def render_plan(plan: Mapping[str, Any]) -> str:
    """Lay a plan out for a terminal."""
    market = plan["market"]
    lines = [f"dry run · market {market['name']}{' (SIMULATED: ' + market['note'] + ')' if market['simulated'] else ''}", "", "config"]
    lines += [f"  {key:<26} {value}" for key, value in plan["config"].items()]
    lines += ["", f"sessions {plan['sessions']}, {plan['first_session']} to {plan['last_session']}", "rows with values, by family"]
    lines += [f"  {family:<26} {rows}" for family, rows in plan["rows_per_family"].items()]
    lines += [
        "",
        f"regime refits {plan['refits']}, {plan['first_refit']} to {plan['last_refit']}, and {plan['resampled_refits']} "
        "on resampled history",
    ]
    lines += [
        f"forecasts {plan['forecast_cells']} of asset and horizon, {plan['rungs']} rungs each",
        f"expected time {plan['expected_cpu_seconds']:.0f} CPU s",
    ]
    return "\n".join(lines)
