import datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl

from features.market import Panel
from sources.calendar import sessions
from sources.store import Store
from sources.store.status import SCHEMA
from tests.sources.store.batches import macro, new_store, prices, utc

DAYS = pd.DatetimeIndex(sessions("2023-01-03", "2024-03-28"))


def line(store: Store, kind: str, series: str, now: str = "2024-04-03 12:00") -> dict:
    return store.status(utc(now)).filter(pl.col("kind") == kind, pl.col("series") == series).row(0, named=True)


def test_series_with_gaps_revisions_and_bad_records_is_counted(tmp_path):
    store = new_store(tmp_path / "store")
    kept = DAYS.delete([5, 6, 7, 100])
    store.write({"prices": pd.concat([prices("IWM", kept), prices("SPY", DAYS[10:])])}, source="x")
    store.write({"prices": prices("IWM", kept[:3], first=50)}, source="revised")
    store.write({"prices": prices("IWM", pd.DatetimeIndex(["2023-02-04"]))}, source="a Saturday")
    assert line(store, "prices", "IWM") == {
        "kind": "prices",
        "series": "IWM",
        "first": DAYS[0].date(),
        "last": datetime.date(2024, 3, 28),
        "records": len(DAYS) - 4,
        "age": 2,  # 1 and 2 April; the 3rd is not over at noon, and 29 March was Good Friday
        "gaps": 4,
        "longest_gap": 4,
        "revisions": 3,
        "quarantined": 1,
    }
    spy = line(store, "prices", "SPY", "2024-04-04")
    assert (spy["records"], spy["gaps"], spy["longest_gap"], spy["revisions"], spy["quarantined"]) == (len(DAYS) - 10, 0, 1, 0, 0)
    assert spy["age"] == 3


def test_coins_count_days_and_weekly_series_have_a_longest_gap_alone(tmp_path):
    store = new_store(tmp_path / "store")
    days = pd.date_range("2024-01-01", "2024-01-31").delete([9, 10])
    coins = prices("BTC", days).rename(columns={"series": "asset", "adj_close": "market_cap"})
    weekly = macro(*[("WALCL", f"{day:%Y-%m-%d}", 1.0, f"{day + pd.Timedelta(days=1):%Y-%m-%d}") for day in DAYS[DAYS.day_of_week == 2]])
    store.write({"coins": coins, "macro": weekly}, source="x")
    assert (line(store, "coins", "BTC")["gaps"], line(store, "coins", "BTC")["longest_gap"]) == (2, 3)
    assert line(store, "macro", "WALCL")["gaps"] is None
    # weeks have 4 or 5 sessions, as a loop over the calendar says
    wednesdays = [place for place, day in enumerate(DAYS) if day.day_of_week == 2]
    assert line(store, "macro", "WALCL")["longest_gap"] == max(b - a for a, b in pairwise(wednesdays))


def test_panel_is_one_line_with_the_gaps_of_all_its_securities(tmp_path):
    store, draw = new_store(tmp_path / "store"), np.random.default_rng(0)
    values = draw.uniform(1, 9, (len(DAYS), 7))
    values[draw.uniform(size=values.shape) < 0.1] = np.nan
    values[:40, 2] = np.nan
    close = pd.DataFrame(values, index=DAYS, columns=list("ABCDEFG"))
    store.write({}, panel=Panel(close, pd.Series((DAYS + pd.Timedelta(hours=21)).tz_localize("UTC"), index=DAYS)), source="x")
    gaps, longest = 0, 0
    for name in close:
        places = np.flatnonzero(close[name].notna())
        gaps += places[-1] - places[0] + 1 - len(places)
        longest = max(longest, int(np.diff(places).max()))
    found = line(store, "panel", "7 securities")
    assert (found["gaps"], found["longest_gap"], found["records"]) == (gaps, longest, int(close.notna().sum().sum()))


def test_every_series_of_a_market_has_its_line(sample_market, tmp_path):
    store = Store.create(tmp_path / "store", simulated=True)
    store.write_market(sample_market, source="x")
    found = store.status(pd.Timestamp(sample_market.sessions[-1], tz="UTC"))
    assert dict(found.schema) == SCHEMA
    series = sample_market.prices["series"].nunique() + sample_market.coins["asset"].nunique() + sample_market.macro["series"].nunique()
    assert len(found) == series + sample_market.funds["fund"].nunique() + 3
    assert found["records"].sum() == sum(
        len(getattr(sample_market, name)) for name in ("prices", "coins", "members", "funds", "filings", "macro")
    ) + int(sample_market.panel.close.notna().sum().sum())


def test_empty_store_has_no_lines(tmp_path):
    assert new_store(tmp_path / "store").status().is_empty()
