"""A `Market` from what a store answers."""

import dataclasses
import datetime
from collections.abc import Sequence

import numpy as np
import pandas as pd
import polars as pl

from features.asof import first_usable
from features.errors import DataError
from features.market import Market, Panel
from features.quarantine import BAD_SHARE, QUARANTINE
from features.schemas import SCHEMAS
from sources.calendar import sessions as sessions_between
from sources.store.derived import COLUMNS, derived
from sources.store.kinds import KINDS
from sources.store.read import AsOf

ONE_DAY = pd.Timedelta(days=1)

LATE_CLOSE = "known only after others of its date were used"


def to_market(
    answer: AsOf,
    aside: pl.DataFrame,
    *,
    name: str,
    note: str,
    simulated: bool,
    start: datetime.date | None,
    end: datetime.date | None,
    quoted: Sequence[str] | None,
    panel: Sequence[str],
) -> Market:
    """Build a market; prices, funds and closes of other days than the market's sessions stay out of it.

    Parameters
    ----------
    answer : with every kind
    aside : quarantined records: frame, series, date, rule
    start, end : first and last session; None for the first and last date of `prices` (or else of the panel)
    quoted, panel : series and securities whose rows come from quotes, see `Store.to_market`

    Raises
    ------
    DataError
        Where there is neither, where stored and derived rows are of the same series, or by the rules of `Market.from_frames`.
    """
    answer, late = _with_derived(answer, quoted, panel)
    sessions = _sessions(answer, start, end)
    closes, after = _in_time(answer.frames["panel"], sessions)
    aside = pl.concat([aside.select(*QUARANTINE), late, after])
    held = [each for each in SCHEMAS if len(answer.frames[each])]
    frames = {each: _within(_pandas(answer.frames[each], each), each, sessions) for each in held}
    market = Market.from_frames(name=name, simulated=simulated, note=note, sessions=sessions, frames=frames, panel=_panel(closes))
    if aside.is_empty():
        return market
    stored = aside.select(*QUARANTINE).with_columns(pl.col("date").cast(pl.Datetime("us"))).to_pandas()
    parts = [part for part in (stored, market.quarantine) if len(part)]
    return dataclasses.replace(market, quarantine=pd.concat(parts, ignore_index=True))


def _with_derived(answer: AsOf, quoted: Sequence[str] | None, panel: Sequence[str]) -> tuple[AsOf, pl.DataFrame]:
    """Put derived rows among the stored ones; and list what was late."""
    prices, closes, quotes = (answer.frames[name] for name in ("prices", "panel", "quotes"))
    stored, have = set(prices["series"].unique()), set(quotes["series"].unique())
    both = sorted(have.intersection(panel, closes["security"].unique()))
    if both:
        raise DataError(f"store: security '{both[0]}' has stored closes and quotes; rule: one or the other; leave it out of `panel`")
    if quoted is None:
        quoted = sorted(have.difference(panel))
        both = sorted(stored.intersection(quoted))
        if both:
            raise DataError(
                f"store: series '{both[0]}' has stored prices and quotes; rule: one or the other; name in `quoted` the series whose prices "
                "come from quotes (none: `quoted=[]`)"
            )
    rows, late = derived(answer, quoted)
    rows = rows.select(COLUMNS)
    kept = prices.filter(~pl.col("series").is_in(pl.Series(quoted, dtype=pl.String).implode()))
    frames = {**answer.frames, "prices": pl.concat([kept.select(rows.columns), rows])}
    if panel:
        rows, later = derived(answer, panel, together=True)
        late = pl.concat([late, later])
        rows = rows.select("id", pl.col("series").alias("security"), "date", pl.col("adj_close").alias("close"), "known_at")
        frames["panel"] = pl.concat([closes.select(rows.columns), rows])
    return dataclasses.replace(answer, frames=frames), late.select(*QUARANTINE)


def _sessions(answer: AsOf, start: datetime.date | None, end: datetime.date | None) -> pd.DatetimeIndex:
    dates = next((frame["date"] for frame in (answer.frames["prices"], answer.frames["panel"]) if len(frame)), pl.Series([], dtype=pl.Date))
    if dates.is_empty() and (start is None or end is None):
        raise DataError(
            f"store: no price was known at {answer.known:%Y-%m-%d %H:%M} UTC; give the market's start and end, or write prices first"
        )
    first, last = pd.Timestamp(str(start or dates.min())), pd.Timestamp(str(end or dates.max()))
    days = sessions_between(first, max(first, last))
    over = (days + ONE_DAY).tz_localize("UTC") <= pd.Timestamp(answer.known)
    if last < first or not over.any():
        raise DataError(
            f"store: no session from {first:%Y-%m-%d} to {last:%Y-%m-%d} was over at {answer.known:%Y-%m-%d %H:%M} UTC; rule: a market has "
            "sessions; correct its start, end or known"
        )
    return days[over]


def _within(frame: pd.DataFrame, name: str, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Keep of what has to be on sessions that on the market's; a day that is not over has no row to be in."""
    return frame[frame["date"].isin(sessions)].reset_index(drop=True) if KINDS[name].on_sessions else frame


def _pandas(frame: pl.DataFrame, name: str) -> pd.DataFrame:
    columns = frame.select(*SCHEMAS[name].columns).with_columns(pl.col(pl.Date).cast(pl.Datetime("us")))
    texts = [column for column, dtype in columns.schema.items() if dtype == pl.String]
    return columns.to_pandas().astype(dict.fromkeys(texts, "str"))


def _in_time(closes: pl.DataFrame, sessions: pd.DatetimeIndex) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the closes of the market's sessions: those known when their row first could be used, and those that came after.

    A row is used once, on the first session that knows any of it: a close that came later would withdraw the row from that session, and
    with it what was computed there.

    Returns
    -------
    closes : of the market's sessions, in time
    late : frame, series, date, rule

    Raises
    ------
    DataError
        Where more than 1% are late.
    """
    days = pl.Series(sessions.to_numpy().astype("datetime64[D]"))
    closes = closes.filter(pl.col("date").is_in(days.implode()))
    opened = pl.Series("opened", first_usable(closes["known_at"].dt.replace_time_zone(None).to_pandas().dt.tz_localize("UTC"), sessions))
    closes = closes.with_columns(opened)
    late = closes.filter(pl.col("opened") > pl.col("opened").min().over("date"))
    if len(late) > BAD_SHARE * len(closes):
        first = late.sort("date", "security").row(0, named=True)
        raise DataError(
            f"panel: {len(late)} of {len(closes)} closes are late, more than {BAD_SHARE:.0%}; the first is '{first['security']}', "
            f"{first['date']}, known {first['known_at']:%Y-%m-%d %H:%M} UTC: {LATE_CLOSE}. Give all closes of a date one rule for known-at"
        )
    rows = late.select(pl.lit("panel").alias("frame"), pl.col("security").alias("series"), "date", pl.lit(LATE_CLOSE).alias("rule"))
    return closes.filter(pl.col("opened") == pl.col("opened").min().over("date")).drop("opened"), rows


def _panel(frame: pl.DataFrame) -> Panel | None:
    """Spread closes over sessions and securities. A row is known when the last of its closes is."""
    if frame.is_empty():
        return None
    dates, row = np.unique(frame["date"].to_numpy(), return_inverse=True)
    ids, column = np.unique(frame["id"].to_numpy(), return_inverse=True)
    close = np.full((len(dates), len(ids)), np.nan)
    close[row, column] = frame["close"].to_numpy()
    known = np.full(len(dates), np.iinfo(np.int64).min)
    np.maximum.at(known, row, frame["known_at"].to_physical().to_numpy())
    securities = dict(zip(*frame.select(pl.col("id", "security")).unique("id").get_columns(), strict=True))
    index = pd.DatetimeIndex(dates.astype("datetime64[us]"), name="date")
    wide = pd.DataFrame(close, index=index, columns=pd.Index([securities[each] for each in ids], dtype="str")).sort_index(axis=1)
    return Panel(wide, pd.Series(pd.DatetimeIndex(known.astype("datetime64[us]")).tz_localize("UTC"), index=index, name="known_at"))
