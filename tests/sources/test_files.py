import gzip
from pathlib import Path

import pandas as pd
import pytest
import yaml

from sources.calendar import sessions
from sources.files import describe_market, load_market
from sources.simulated import simulate_market
from tests.sources.market_case import DAYS, FILES, Case, csv


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_market_spans_the_sessions_of_its_index(case):
    market = case.load()
    assert list(market.sessions) == list(DAYS)
    assert not market.simulated
    assert market.quarantine.empty


def test_calendar_end_cuts_every_frame(case):
    case.spec["calendar"]["end"] = "2024-01-05"
    market = case.load()
    last = pd.Timestamp("2024-01-05")
    assert market.sessions[-1] == last
    for frame in (market.prices, market.coins, market.funds, market.macro):
        assert frame["date"].max() <= last
    assert market.panel.close.index.max() == last
    assert (market.members["start"] <= last).all()


def test_declared_start_and_end_clip_the_file_before_its_values_are_read(case):
    case.replace("fund.csv", "2024-01-02,190,1000000", "2024-01-02,190,erratic")
    case.spec["funds"]["IWM"].update(start="2024-01-03", end="2024-01-11")
    found = case.load().funds
    assert (found["date"].min(), found["date"].max()) == (pd.Timestamp("2024-01-03"), pd.Timestamp("2024-01-11"))


def test_columns_land_where_the_market_file_says(case):
    prices = case.load().prices.set_index(["series", "date"])
    day = pd.Timestamp("2024-01-04")
    assert prices.loc[("R2000", day), "close"] == 2002
    assert prices.loc[("IWM", day), "adj_close"] == 202.5
    assert pd.isna(prices.loc[("IWM", day), "close"])
    # absence before the first print is no record
    assert prices.loc["HYG"].index.min() == day


def test_known_at_is_set_by_the_rule(case):
    market = case.load()
    index = market.prices[market.prices["series"] == "R2000"]
    assert index["known_at"].iloc[0] == pd.Timestamp("2024-01-02 21:00", tz="UTC")
    assert (market.coins["known_at"] == (market.coins["date"] + pd.Timedelta(days=1)).dt.tz_localize("UTC")).all()
    friday = market.funds.set_index("date").loc["2024-01-05"]
    assert friday["known_at"] == pd.Timestamp("2024-01-08 14:00", tz="UTC")
    assert market.macro["known_at"].iloc[0] == pd.Timestamp("2024-01-04 21:30", tz="UTC")
    assert market.panel.known_at.iloc[-1] == pd.Timestamp("2024-01-12 21:00", tz="UTC")


def test_first_file_and_first_source_of_a_coin_count(case):
    coins = case.load().coins.set_index(["asset", "date"])
    assert coins.loc[("ADA", pd.Timestamp("2024-01-02")), "close"] == 0.41
    assert coins.loc[("ADA", pd.Timestamp("2024-01-03")), "close"] == 0.5
    assert coins.loc[("BTC", pd.Timestamp("2024-01-02")), "close"] == 42000


def test_caps_join_closes_and_zero_is_missing(case):
    coins = case.load().coins.set_index(["asset", "date"])["market_cap"]
    assert coins[("ADA", pd.Timestamp("2024-01-02"))] == 1000
    assert pd.isna(coins[("ADA", pd.Timestamp("2024-01-03"))])
    assert "USDT" not in coins.index.get_level_values(0)


def test_snapshots_hold_from_the_day_they_are_known_until_the_next(case):
    members = case.load().members.set_index(["security", "start"])
    first, second = pd.Timestamp("2024-01-03"), pd.Timestamp("2024-01-09")
    assert set(members.index) == {("AAA", first), ("BBB", first), ("BBB", second)}
    assert members.loc[("AAA", first), "end"] == second
    assert pd.isna(members.loc[("BBB", second), "end"])
    assert members.loc[("BBB", second), "known_at"] == pd.Timestamp("2024-01-09 14:00", tz="UTC")


def test_splits_are_one_but_on_their_day(case):
    split = case.load().funds.set_index("date")["split"]
    assert split[pd.Timestamp("2024-01-05")] == 2.0
    assert (split.drop(pd.Timestamp("2024-01-05")) == 1.0).all()


def test_filings_get_their_period_from_the_form_and_keep_vintages(case):
    filings = case.load().filings.sort_values("known_at").reset_index(drop=True)
    assert list(filings["security"]) == ["NA", "AAA", "AAA"]  # a ticker, no missing value
    assert filings["period_start"][0] == pd.Timestamp("2022-01-01")
    assert list(filings["period_start"][1:]) == [pd.Timestamp("2023-07-01")] * 2
    assert list(filings["net_income"][1:]) == [-5.0, -6.0]
    assert filings["known_at"][1] == pd.Timestamp("2023-11-08 11:00", tz="UTC")


def test_order_of_rows_and_blank_lines_do_not_matter(case):
    expected = case.load().fingerprint()
    for name, text in FILES.items():
        head, *rows = text.splitlines()
        case.write(name, "\n".join([head, *reversed(rows), "", ""]))
    assert case.load().fingerprint() == expected


def test_gzip_byte_order_mark_and_parquet_are_read(case):
    expected = case.load()
    (case.folder / "data" / "rut.csv.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + FILES["rut.csv"].encode()))
    panel = pd.read_csv(case.folder / "data" / "panel.csv", parse_dates=["date"], index_col="date").astype("float32")
    panel.to_parquet(case.folder / "data" / "panel.parquet")
    case.spec["prices"]["R2000"]["path"] = "rut.csv.gz"
    case.spec["panel"]["path"] = "panel.parquet"
    market = case.load()
    pd.testing.assert_frame_equal(market.prices, expected.prices)
    assert market.panel.close.to_numpy().dtype == "float32"  # memory: precision stays as stored
    pd.testing.assert_frame_equal(market.panel.close.astype(float), expected.panel.close)


def test_root_is_taken_from_the_environment(case, monkeypatch):
    monkeypatch.setenv("SOME_DATA", str(case.folder / "data"))
    case.spec["root"] = "${SOME_DATA}"
    assert len(case.load().sessions) == 9


def test_description_counts_records_and_quarantine(case):
    # one Sunday among a year of sessions is a bad record, not a fault of the file
    case.spec["calendar"]["start"] = "2023-01-02"
    days = sessions("2023-01-03", "2024-01-12").append(pd.DatetimeIndex(["2023-01-08"]))
    case.write("fund.csv", csv("date,nav,shares_outstanding", ["190,1000000"] * len(days), days))
    market = case.load()
    table = describe_market(market).set_index(["frame", "series"])
    assert table.loc[("funds", "IWM"), "quarantined"] == 1
    assert table.loc[("funds", "IWM"), "n"] == len(days) - 1
    assert table.loc[("coins", "ADA"), "n"] == 2
    assert table.loc[("prices", "R2000"), "last"] == pd.Timestamp("2024-01-12")
    assert table.loc[("filings", "filings"), "n"] == 3
    assert table.loc[("members", "members"), "first"] == pd.Timestamp("2024-01-03")
    assert table.loc[("panel", "2 securities"), "n"] == 9
    assert table["quarantined"].sum() == len(market.quarantine) == 1


def test_rows_without_key_are_counted_and_many_stop(case):
    case.replace("sec.csv", "NA,2023-03-01,2022-12-31,10-K,7,", ",2023-03-01,,,,")
    market = case.load()
    assert list(market.quarantine["rule"]) == ["key is empty"]
    assert describe_market(market).set_index("frame").loc["filings", "quarantined"] == 1
    case.write("sec.csv", FILES["sec.csv"] + ",2023-03-01,,,,\n" * 2)
    case.refused("sec.csv", "line 5", "key is empty", "2 of 5", "1%")


def test_period_end_after_filing_is_set_aside_or_stops(case):
    case.replace("sec.csv", "AAA,2023-11-08,2023-09-30", "AAA,2023-11-08,2024-09-30")
    case.refused("sec.csv", "1 of 3", "period end after known-at", "2024-09-30")


@pytest.mark.parametrize(
    ("name", "old", "new", "parts"),
    [
        ("rut.csv", "2024-01-04,2002", "04.01.2024,2002", ["rut.csv", "line 4", "'Date'", "'04.01.2024'", "date"]),
        ("rut.csv", "2024-01-04,2002", "2024-01-04,20o2", ["rut.csv", "line 4", "'^RUT'", "'20o2'", "number"]),
        ("rut.csv", "2024-01-04,2002", "2024-01-04,inf", ["rut.csv", "line 4", "'inf'", "number"]),
        ("rut.csv", "2024-01-04,2002", "2024-01-04,-2002", ["rut.csv", "line 4", "'-2002'", "positive"]),
        ("rut.csv", "2024-01-04,2002", "2024-01-03,2002", ["rut.csv", "lines 3 and 4", "2024-01-03", "one row per (Date)"]),
        ("rut.csv", "2024-01-04,2002", "2024-01-04,2002,7", ["rut.csv", "no CSV"]),
        ("rut.csv", "Date,^RUT", "Date,RUT", ["rut.csv", "'^RUT' is missing", "Date, RUT"]),
        ("etf.csv", "date,IWM", "Date,IWM", ["etf.csv", "'date' is missing"]),
        ("btc.csv", "2024-01-02,42000", "2024-01-02,0", ["btc.csv", "line 2", "'close'", "positive"]),
        ("alts.csv", "2024-01-02,XRP,0.6,second", "2024-01-02,ADA,0.6,second", ["alts.csv", "lines 3 and 5", "ADA", "2024-01-02"]),
        ("alts.csv", "0.6,second", "0.6,third", ["alts.csv", "line 5", "'third'", "prefer", "first, second"]),
        ("caps.csv", "ADA,0.4,1000", "ADA,0.4,-1", ["caps.csv", "line 2", "'cap'", "positive"]),
        ("caps.csv", "2024-01-02,USDT", "2024-01-02,ADA", ["caps.csv", "lines 2 and 4"]),
        ("panel.csv", "2024-01-03,11,21", "2024-01-03,11,-21", ["panel.csv", "line 3", "'BBB'", "positive"]),
        ("panel.csv", "2024-01-03,11", "2024-01-02,11", ["panel.csv", "2024-01-02", "twice"]),
        ("members.csv", "2024-01,BBB", "Jan 2024,BBB", ["members.csv", "line 4", "'Jan 2024'", "'dates'"]),
        ("members.csv", "2024-01,BBB", "2024-01-02,BBB", ["members.csv", "lines 3 and 4"]),
        ("fund.csv", "190,1000000", "190,many", ["fund.csv", "line 2", "'shares_outstanding'", "'many'"]),
        ("sec.csv", "2023-09-30,10-Q,-5", "2023-09-30,8-K,-5", ["sec.csv", "line 2", "'8-K'", "months", "10-K, 10-Q"]),
        ("sec.csv", "2023-12-08", "2023-11-08", ["sec.csv", "lines 2 and 3", "AAA"]),
        ("walcl.csv", "7700000", "7,7", ["walcl.csv"]),
    ],
)
def test_faulty_file_names_file_line_column_and_rule(case, name, old, new, parts):
    case.replace(name, old, new)
    case.refused(*parts)


def test_web_page_instead_of_a_table_is_named(case):
    case.write("btc.csv", "\n<!DOCTYPE html><html><body>please log in</body></html>")
    case.refused("btc.csv", "web page")


def test_empty_and_damaged_files_are_named(case):
    case.write("btc.csv", "")
    case.refused("btc.csv", "no CSV")
    case.write("btc.csv", FILES["btc.csv"])
    (case.folder / "data" / "cut.csv.gz").write_bytes(gzip.compress(FILES["alts.csv"].encode() * 50)[:40])
    case.spec["coins"][1]["path"] = "cut.csv.gz"
    case.refused("cut.csv.gz")
    (case.folder / "data" / "panel.parquet").write_bytes(b"not parquet")
    case.spec["coins"][1]["path"] = "alts.csv"
    case.spec["panel"]["path"] = "panel.parquet"
    case.refused("panel.parquet", "no Parquet")


def test_parquet_with_bad_closes_is_named(case):
    frame = pd.read_csv(case.folder / "data" / "panel.csv", parse_dates=["date"], index_col="date").astype("float32")
    case.spec["panel"]["path"] = "panel.parquet"
    frame.mask(frame == 13, -1).to_parquet(case.folder / "data" / "panel.parquet")
    case.refused("panel.parquet", "2024-01-05", "'AAA'", "-1", "positive")
    frame.assign(CCC="x").to_parquet(case.folder / "data" / "panel.parquet")
    case.refused("panel.parquet", "'CCC'", "floating-point")
    frame.rename_axis("day").to_parquet(case.folder / "data" / "panel.parquet")
    case.refused("panel.parquet", "'date' is missing")


def test_single_snapshot_is_refused(case):
    case.write("members.csv", "snapshot,ticker\n2024-01-02,AAA\n2024-01-02,BBB\n")
    case.refused("members.csv", "1 snapshot", "two or more", "survivors")


def test_missing_file_is_named(case):
    (case.folder / "data" / "btc.csv").unlink()
    case.refused("btc.csv", "does not exist", "market file")


@pytest.mark.parametrize("path", ["../secret.csv", "sub/../../secret.csv", "/etc/hostname", "C:\\data\\x.csv", "..\\secret.csv"])
def test_path_outside_the_root_is_refused(case, path):
    (case.folder / "secret.csv").write_text(FILES["rut.csv"])
    case.spec["prices"]["R2000"]["path"] = path
    case.refused(path, "leaves the root")


def test_link_that_leaves_the_root_is_refused(case):
    (case.folder / "secret.csv").write_text(FILES["rut.csv"])
    (case.folder / "data" / "link.csv").symlink_to(case.folder / "secret.csv")
    case.spec["prices"]["R2000"]["path"] = "link.csv"
    case.refused("link.csv", "leaves the root")


def test_series_with_too_many_bad_dates_stops_and_names_its_file(case):
    case.replace("etf.csv", "2024-01-08", "2024-01-07")
    case.refused("etf.csv", "1 of 7", "2024-01-07", "date is no session")


def test_index_without_a_close_in_the_span_is_refused(case):
    case.spec["calendar"]["start"] = "2024-02-01"
    case.refused("rut.csv", "R2000", "2024-02-01")


def test_simulated_market_file_gives_the_simulated_market(tmp_path):
    path = tmp_path / "market.yaml"
    path.write_text("kind: simulated\nseed: 5\neffect: 0\nyears: 2\nn_stocks: 10\nend: 2020-06-30\n")
    expected = simulate_market(seed=5, effect=0.0, years=2, n_stocks=10, end="2020-06-30")
    assert load_market(path).fingerprint() == expected.fingerprint()


def test_sample_market_file_spells_out_the_defaults(project_root):
    tree = yaml.safe_load((project_root / "conf" / "market-sample.yaml").read_text())
    market = load_market(project_root / "conf" / "market-sample.yaml")
    assert tree["effect"] > 0
    assert market.fingerprint() == simulate_market().fingerprint()
