"""Walk-forward of the forecasts: every rung out of sample, the served rung chosen on an inner walk."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.conformal import UNBOUNDED
from models.forecast import RUNGS, Inputs, Ladder
from models.forecast_fit import fit_ladder
from models.inference import Array
from training.book import Book
from training.config import TrainConfig
from training.refit import Refit, covered_columns
from training.regimes import Progress, RegimeWalk, names_of
from training.targets import forward_return
from training.window import clear_of, judged_window, lockbox_rows, priced_sessions

REGIME_FEATURE = "regime__p_risk_on"


@dataclass(frozen=True)
class CellFit:
    """The ladder of one asset and horizon at one refit.

    Attributes
    ----------
    ladder : fitted rungs
    features : columns of the ridge rung, in order (`REGIME_FEATURE` last)
    left_out : pre-registered columns below coverage
    rung : the rung the inner walk chose at this refit
    baseline : the best of the baselines on the inner walk
    half_width : of the calibrated intervals after the last row, in sd (`models.conformal.LEVELS`)
    """

    ladder: Ladder
    features: tuple[str, ...]
    left_out: tuple[str, ...]
    rung: str
    baseline: str
    half_width: Mapping[str, float] = field(default_factory=lambda: UNBOUNDED)


@dataclass(frozen=True)
class ForecastWalk:
    """Out-of-sample forecasts of every rung.

    Attributes
    ----------
    losses : one row per session, asset, horizon and rung (`training.book.Book.table`); `y` missing where it is not known yet. Besides:
        lockbox (not judged until opened), p_on (published probability of the first regime) and vol_rank (rank of today's volatility in
        its own past, above 0 to 1)
    last : the newest fit of each asset and horizon
    """

    losses: pd.DataFrame
    last: Mapping[tuple[str, int], CellFit]


def momentum_columns(asset: str) -> tuple[str, ...]:
    """Features of an asset's own momentum."""
    return (f"crypto__{asset.lower()}_mom_28", f"crypto__{asset.lower()}_mom_63")


def volatility_column(asset: str) -> str:
    """Feature that holds an asset's volatility of one session."""
    return f"crypto__{asset.lower()}_vol"


def make_inputs(X: pd.DataFrame, asset: str, regime: Array, average: Array, features: tuple[str, ...]) -> Inputs:
    """Gather what the rungs read.

    Parameters
    ----------
    X : feature rows
    regime : (n_obs, n_states) filtered probabilities of the same rows
    average : (n_obs, n_states) their average over the horizon
    features : columns of the ridge rung
    """
    own = [regime[:, 0] if column == REGIME_FEATURE else X[column].to_numpy(dtype=np.float64) for column in features]
    return Inputs(
        X[volatility_column(asset)].to_numpy(dtype=np.float64),
        X[list(momentum_columns(asset))].to_numpy(dtype=np.float64),
        average,
        np.column_stack(own),
    )


def walk_forecasts(X: pd.DataFrame, prices: pd.DataFrame, walk: RegimeWalk, config: TrainConfig, progress: Progress) -> ForecastWalk:
    """Fit all rungs at each regime refit, on labels known by then, and forecast up to the next refit.

    Parameters
    ----------
    X : feature matrix on all sessions
    prices : price of each asset at `asof(t)` on the same sessions
    walk : the regimes; training rows use the probabilities filtered under the parameters of that refit
    """
    losses: list[pd.DataFrame] = []
    last: dict[tuple[str, int], CellFit] = {}
    lockbox = lockbox_rows(X.index, judged_window(priced_sessions(prices, config), config))
    cells = [(asset, horizon) for asset in config.assets for horizon in config.horizons]
    for number, (asset, horizon) in enumerate(cells):
        book, cell = _walk_cell(X, prices[asset], asset, horizon, walk, lockbox, config)
        table = book.table(X.index, asset, horizon)
        losses.append(table.join(_told_of_rows(X, asset, walk, lockbox), on="session"))
        if cell is not None:
            last[asset, horizon] = replace(cell, half_width={name: float(width[-1]) for name, width in book.half_widths().items()})
        progress("forecasts", number + 1, len(cells))
    return ForecastWalk(pd.concat(losses, ignore_index=True), last)


def _told_of_rows(X: pd.DataFrame, asset: str, walk: RegimeWalk, lockbox: NDArray[np.bool_]) -> pd.DataFrame:
    """What the losses of a session are sorted by, as it was known on that session."""
    on = f"p_{names_of(walk.refits[-1].model)[0]}"
    rank = X[volatility_column(asset)].expanding().rank(pct=True)
    return pd.DataFrame({"lockbox": lockbox, "p_on": walk.published[on].to_numpy(), "vol_rank": rank.to_numpy()}, index=X.index)


def _walk_cell(
    X: pd.DataFrame, price: pd.Series, asset: str, horizon: int, walk: RegimeWalk, lockbox: NDArray[np.bool_], config: TrainConfig
) -> tuple[Book, CellFit | None]:
    read = [volatility_column(asset), *momentum_columns(asset), *config.forecast.features, *config.regime.reads]
    X = X[list(dict.fromkeys(read))]
    book = Book(horizon, forward_return(price, horizon).to_numpy(), forward_return(price, horizon, delay=1).to_numpy())
    judged = ~lockbox & clear_of(lockbox, horizon)
    cell = None
    for number, refit in enumerate(walk.refits):
        rows = np.arange(walk.first, max(refit.position + 1 - horizon, walk.first))  # purge: the last label is known at the refit
        fitted = _fit_cell(X, book.y, asset, horizon, refit, walk.first, rows, config)
        if fitted is None:
            continue
        ladder, features, left_out = fitted
        rung, baseline = book.choose(refit.position - horizon)
        cell = CellFit(ladder, features, left_out, rung, baseline)
        block = np.arange(refit.position, refit.end)
        probs = refit.probs[block - walk.first]
        inputs = make_inputs(X.iloc[block], asset, probs, refit.model.predict_proba_ahead(probs, horizon, X.iloc[block]), features)
        outer = judged[block] & (ladder.n_rows >= config.walk.min_history)
        book.write(block, {each: ladder.predict(each, inputs) for each in RUNGS}, rung, number, outer)
    return book, cell


def _fit_cell(
    X: pd.DataFrame, y: Array, asset: str, horizon: int, refit: Refit, first: int, rows: NDArray[np.int64], config: TrainConfig
) -> tuple[Ladder, tuple[str, ...], tuple[str, ...]] | None:
    known = rows[~np.isnan(y[rows])]
    if len(known) < config.forecast.min_rows:
        return None
    probs = refit.probs[known - first]
    window = X.iloc[known]
    kept, left_out = covered_columns(window, config.forecast.features, config.min_coverage)
    features = (*kept, REGIME_FEATURE)
    inputs = make_inputs(window, asset, probs, refit.model.predict_proba_ahead(probs, horizon, window), features)
    use = inputs.complete()
    if use.sum() < config.forecast.min_rows:
        return None
    return fit_ladder(y[known][use], inputs[use], horizon), features, left_out
