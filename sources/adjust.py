"""Adjusted closes from closes as traded and corporate actions, forward in time: no later action rewrites an earlier value."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from features.errors import DataError

KEY = ["series", "date"]


def forward_adjusted(quotes: pd.DataFrame, actions: pd.DataFrame) -> pd.DataFrame:
    """Adjust closes for the splits, and for the splits and dividends, that have gone ex up to each date.

    Between two quotes of a series at u < t, with splits s_1 ... s_k and dividends D_1 ... D_k on the ex-dates in (u, t],

        close_t / close_u         = c_k raw_t / raw_u                           c_j = s_1 ... s_j
        adj_close_t / adj_close_u = c_k raw_t / (raw_u - sum_j c_j D_j)

    and both are `raw` at the first quote. That is, a dividend buys shares at the last close less the dividend, which is how vendors adjust
    backwards (Yahoo's factor 1 - D / close of the day before): returns equal theirs, and levels do up to one constant a series. Bought at
    the ex-date's own close, the return (raw_t + D) / raw_u of an ex-date would differ by the yield D / raw_u times that return.

    Parameters
    ----------
    quotes : series, date, close: USD a share as traded, above 0; one row a series and date, in any order; other columns are ignored
    actions : series, date (ex-date), split (new shares per old, 1 for none), dividend (USD a share on the shares of that day, those after
        the split; 0 for none); one row a series and ex-date. One on a date without a quote acts on the next quote; those up to the first
        quote of the series, after the last, or of series without quotes have no effect.

    Returns
    -------
    DataFrame series, date, close (split-adjusted), adj_close (total return), sorted by series and date; rows up to any date have the same
    bits whatever follows

    Raises
    ------
    DataError
        Where a value breaks its rule, a key is there twice, or dividends reach the close before them.
    """
    frame = forward_factors(quotes, actions)
    adjusted = frame[["split_factor", "gross_factor"]].mul(frame["close"], axis=0)
    return frame[KEY].assign(close=adjusted["split_factor"], adj_close=adjusted["gross_factor"])


def forward_factors(quotes: pd.DataFrame, actions: pd.DataFrame, start: Mapping[str, tuple[float, float]] | None = None) -> pd.DataFrame:
    """Give what `forward_adjusted` multiplies closes as traded by.

    Parameters
    ----------
    quotes, actions : as of `forward_adjusted`
    start : split and gross factor of the first quote of a series, where the quotes go on from earlier ones: the factors are then, to the
        bit, those of all quotes together; 1 for series without

    Returns
    -------
    DataFrame series, date, close (as traded), split_factor, gross_factor, sorted by series and date
    """
    frame, placed = _placed(quotes, actions)
    split, paid, before = _on_quotes(frame, placed)
    spent = paid >= before  # NaN before the first quote is no fault
    if spent.any():
        row = frame.iloc[int(spent.argmax())]
        raise DataError(
            f"actions: series '{row['series']}': dividends of {paid[spent.argmax()]:g} USD up to {row['date']:%Y-%m-%d} on a close of "
            f"{before[spent.argmax()]:g}; rule: dividends are below the close before them; correct the dividend or leave it out"
        )
    gross = np.where(paid > 0, split * (before / np.where(paid > 0, before - paid, 1.0)), split)
    if start:
        first = np.flatnonzero(~frame.duplicated("series").to_numpy())
        at = [start.get(str(name), (1.0, 1.0)) for name in frame["series"].to_numpy()[first]]
        split[first], gross[first] = np.array(at).T
    return frame.assign(split_factor=_compounded(frame, split), gross_factor=_compounded(frame, gross))


def overpaid(quotes: pd.DataFrame, actions: pd.DataFrame) -> pd.Series:
    """Tell which dividends `forward_adjusted` refuses: those that reach, alone or with others since the last quote, the close before them.

    Parameters
    ----------
    quotes, actions : as of `forward_adjusted`

    Returns
    -------
    Series of bool on the index of `actions`
    """
    frame, placed = _placed(quotes, actions)
    _, paid, before = _on_quotes(frame, placed)
    wrong = np.zeros(len(actions), dtype=bool)
    wrong[placed.loc[(paid >= before)[placed["row"]] & (placed["dividend"] > 0).to_numpy(), "place"]] = True
    return pd.Series(wrong, index=actions.index)


def _placed(quotes: pd.DataFrame, actions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Check both, sort the quotes, and put each action that has an effect on the `row` of the quote from which it acts.

    Returns
    -------
    quotes, sorted; actions by row and ex-date, `place` being theirs in `actions`
    """
    _check("quotes", quotes, {"close": ("is above 0", 0.0, False)})
    _check("actions", actions, {"split": ("is above 0", 0.0, False), "dividend": ("is not negative", 0.0, True)})
    frame = quotes[[*KEY, "close"]].sort_values(KEY, ignore_index=True)
    first = ~frame.duplicated("series").to_numpy()
    rows = frame[KEY].assign(row=np.arange(len(frame))).sort_values("date", kind="stable")
    acting = actions[[*KEY, "split", "dividend"]].astype({"date": frame["date"].dtype, "series": frame["series"].dtype})
    acting = acting.assign(place=np.arange(len(acting))).sort_values("date", kind="stable")
    placed = pd.merge_asof(acting, rows, on="date", by="series", direction="forward").dropna(subset=["row"]).astype({"row": np.int64})
    return frame, placed[~first[placed["row"]]].sort_values(["row", "date"], kind="stable", ignore_index=True)


def _on_quotes(frame: pd.DataFrame, placed: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gather on each quote what happened since the one before.

    Returns
    -------
    split, dividends a share held at the quote before, close of the quote before; arrays as long as `frame`: 1 and 0 where nothing happened,
        NaN before the first quote of a series
    """
    split, paid = np.ones(len(frame)), np.zeros(len(frame))
    so_far = placed.groupby("row")["split"].cumprod()
    dividends = (placed["dividend"] * so_far).groupby(placed["row"]).sum()
    last = so_far.groupby(placed["row"]).last()
    split[last.index] = last
    paid[dividends.index] = dividends
    return split, paid, frame.groupby("series", sort=False)["close"].shift().to_numpy(dtype=np.float64)


def _compounded(frame: pd.DataFrame, factor: np.ndarray) -> np.ndarray:
    return pd.Series(factor, index=frame.index).groupby(frame["series"], sort=False).cumprod().to_numpy(dtype=np.float64)


def _check(name: str, frame: pd.DataFrame, rules: dict[str, tuple[str, float, bool]]) -> None:
    for column in (*KEY, *rules):
        if column not in frame:
            raise DataError(f"{name}: column '{column}' is missing; it needs {', '.join((*KEY, *rules))}")
    for column, (rule, least, equal) in rules.items():
        value = frame[column].to_numpy(dtype=np.float64)
        bad = ~(np.isfinite(value) & ((value >= least) if equal else (value > least)))
        if bad.any():
            raise DataError(f"{name}: {_row(frame, bad)}, column '{column}': {value[bad.argmax()]:g} breaks the rule '{rule}'")
    repeated = frame.duplicated(KEY).to_numpy()
    if repeated.any():
        raise DataError(f"{name}: {_row(frame, repeated)}: this record is there twice; rule: one row per (series, date)")


def _row(frame: pd.DataFrame, bad: np.ndarray) -> str:
    row = frame.iloc[int(bad.argmax())]
    return f"row series={row['series']}, date={row['date']:%Y-%m-%d}"
