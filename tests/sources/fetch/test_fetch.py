"""Fetching into a store from services of this machine: what arrives, what is asked again, and what a fault leaves."""

import dataclasses
import datetime
import json
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from features.errors import DataError
from sources.fetch import fetch_into, list_sources, read_plan
from sources.fetch.words import as_rows, describe, fault_of, render
from sources.store import Store
from sources.web import WebClient
from tests.sources.fund_files import as_xml, sheets
from tests.sources.local_server import Answer, Clock, Server

NOW = pd.Timestamp("2024-01-10 12:00", tz="UTC")
CSV = "observation_date,{0}\n2024-01-02,1.5\n2024-01-03,1.75\n"
AGENT = "Jane Doe jane@example.org"


def patient() -> WebClient:
    clock = Clock()
    return WebClient(AGENT, per_second=1e6, attempts=2, clock=clock.now, sleep=clock.sleep)


def plan_file(folder: Path, text: str) -> Path:
    path = folder / "fetch.yaml"
    path.write_text(f"kind: fetch\nstore: {folder / 'store'}\nuser_agent: {AGENT}\n{text}", encoding="utf-8")
    return path


def fetched(folder: Path, text: str, **more):
    path = plan_file(folder, text)
    return fetch_into(read_plan(path), folder, **{"now": NOW, "inject": {"client": patient()}, **more})


def fred(server: Server, *answers: Answer) -> str:
    server.on("/graph/fredgraph.csv", *answers)
    return f"fred: {{series: [VIXCLS], address: '{server.url}'}}\n"


def test_a_series_is_written_and_fetched_again_adds_nothing(server, tmp_path):
    text = fred(server, Answer(CSV.format("VIXCLS").encode()))
    (first,), (again,) = fetched(tmp_path, text), fetched(tmp_path, text)
    assert (first.new, first.batches, again.new, again.identical, again.batches) == (2, (1,), 0, 2, ())
    frame = Store.open(tmp_path / "store").as_of(NOW).frames["macro"]
    assert frame.select("series", "value", "source").rows() == [("VIX", 1.5, "FRED VIXCLS"), ("VIX", 1.75, "FRED VIXCLS")]


def test_a_value_that_changed_is_a_further_vintage(server, tmp_path):
    text = fred(server, Answer(CSV.format("VIXCLS").encode()), Answer(CSV.format("VIXCLS").replace("1.75", "1.8").encode()))
    fetched(tmp_path, text)
    (again,) = fetched(tmp_path, text)
    assert (again.new, again.revised, again.identical) == (0, 1, 1)


def test_a_revision_is_known_from_when_it_was_seen_and_rows_of_the_past_keep_the_first_print(server, tmp_path):
    changed = CSV.format("VIXCLS").replace("1.75", "1.8").encode()
    text = fred(server, Answer(CSV.format("VIXCLS").encode()), Answer(changed))
    fetched(tmp_path, text)
    later = NOW + pd.Timedelta(days=1)
    for _ in range(2):  # the second time it is what the store has
        (again,) = fetched(tmp_path, text, now=later)
    assert (again.new, again.revised, again.identical) == (0, 0, 2)
    store = Store.open(tmp_path / "store")

    def values(known: pd.Timestamp, prints: str) -> list[float]:
        return store.as_of(known, kinds=["macro"], prints=prints).frames["macro"]["value"].to_list()

    assert values(NOW, "newest") == values(NOW, "first") == values(later, "first") == [1.5, 1.75]
    assert values(later, "newest") == [1.5, 1.8]


def test_of_two_sources_of_one_record_the_first_counts_and_they_do_not_take_turns(server, tmp_path):
    server.on("/graph/fredgraph.csv", *(Answer(CSV.format(f"ID{n % 2}").replace("1.75", f"1.{n % 2}").encode()) for n in range(4)))
    other = "ID0: {name: X, known_at: end_of_utc_day}, ID1: {name: X, known_at: end_of_utc_day}"
    text = f"fred: {{series: [], other: {{{other}}}, address: '{server.url}'}}\n"
    (first,), (again,) = fetched(tmp_path, text), fetched(tmp_path, text, now=NOW + pd.Timedelta(days=1))
    assert (first.new, first.revised, first.identical) == (2, 0, 2)
    assert (again.new, again.revised, again.identical) == (0, 0, 4)
    frame = Store.open(tmp_path / "store").as_of(NOW).frames["macro"]
    assert frame.select("value", "source").rows() == [(1.5, "FRED ID0"), (1.0, "FRED ID0")]


def test_old_files_are_put_together_now_and_then(server, tmp_path, monkeypatch):
    monkeypatch.setattr("sources.fetch.run.COMPACT_AFTER", 2)
    bodies = [CSV.format("VIXCLS").replace("1.75", f"1.{n}").encode() for n in range(4)]
    text = fred(server, *map(Answer, bodies))
    for day in range(4):
        fetched(tmp_path, text, now=NOW + pd.Timedelta(days=day))
    store = Store.open(tmp_path / "store")
    assert store.n_batches() < 4
    assert store.verify() == []
    assert store.as_of(NOW + pd.Timedelta(days=9), kinds=["macro"]).frames["macro"]["vintage"].to_list() == [0, 3]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([Answer(b"", 500)], "answers 500"),
        ([Answer(b"", 429, {"Retry-After": "3600"})], "answers 429"),
        ([Answer(b"<html><title>Sorry</title></html>", 200, {"Content-Type": "text/html"})], "web page"),
        ([Answer(CSV.format("VIXCLS").encode(), cut=20)], "broke off"),
        ([Answer(CSV.format("OTHER").encode())], "column 'VIXCLS' is missing"),
    ],
)
def test_a_service_that_fails_is_one_line_and_leaves_the_store_as_it_was(server, tmp_path, answers, words):
    outcomes = fetched(tmp_path, fred(server, *answers))
    store = Store.open(tmp_path / "store")
    told = fault_of(outcomes)
    assert words in told
    assert told.startswith("1 of 1 sources failed: fred: ")
    assert told.endswith("; the store is as it was")
    assert "\n" not in told
    assert store.status().is_empty()
    assert store.verify() == []


def test_without_a_network_all_sources_say_so_and_the_store_is_as_it_was(tmp_path):
    text = "fred: {series: [VIXCLS], address: 'http://127.0.0.1:9'}\nfunds: {IWM: {url: 'http://127.0.0.1:9/x.xls'}}\n"
    told = fault_of(fetched(tmp_path, text))
    assert told.startswith("2 of 2 sources failed: fred: 127.0.0.1:9: cannot be reached: Connection refused")
    assert told.endswith("; the store is as it was")


def test_a_source_that_fails_does_not_stop_the_others(server, tmp_path):
    server.on("/fund", Answer(as_xml(sheets())))
    text = fred(server, Answer(b"", 500)) + f"funds: {{IWM: {{url: '{server.url}/fund'}}}}\n"
    failed, funds = fetched(tmp_path, text)
    assert failed.fault is not None
    assert (funds.fault, funds.new) == (None, 4)
    assert "run it again to go on" in fault_of([failed, funds])
    assert "stopped" in render([failed, funds], "s").splitlines()[1]


def book(day: str, *tickers: str) -> bytes:
    """A workbook whose holdings of a day are these tickers."""
    content = sheets()
    rows = content["Holdings"]
    when = pd.Timestamp(day)
    rows[3][1] = f"{when:%b %d, %Y}"
    head = next(at for at, row in enumerate(rows) if row[0] == "Ticker")
    content["Holdings"] = [*rows[: head + 1], *([t, t, "Energy", "Equity", 100, 100 / len(tickers), "NASDAQ"] for t in tickers), [" "]]
    rows[4][1] = f"{len(tickers)}.00"
    content["Historical"] = [content["Historical"][0], [f"{when:%b %d, %Y}", 12.5, "--", 1250000]]
    return as_xml(content)


def test_holdings_change_the_index_from_the_first_session_that_can_know_them(server, tmp_path):
    server.on(
        "/fund",
        Answer(book("2024-01-04", "AAA", "BBB")),
        Answer(book("2024-01-04", "AAA", "BBB")),
        Answer(book("2024-01-08", "BBB", "CCC")),
    )
    text = f"funds: {{IWM: {{url: '{server.url}/fund', members: true}}}}\n"
    first, same, later = (fetched(tmp_path, text)[0] for _ in range(3))
    assert (first.fault, same.fault, later.fault) == (None, None, None)
    assert same.new == same.revised == 0
    members = Store.open(tmp_path / "store").as_of(NOW).frames["members"].sort("security")
    day = datetime.date
    # the list of Thursday 4 January is known on Friday morning, that of Monday on Tuesday
    assert members.select("security", "start", "end").rows() == [
        ("AAA", day(2024, 1, 5), day(2024, 1, 9)),
        ("BBB", day(2024, 1, 5), None),
        ("CCC", day(2024, 1, 9), None),
    ]


def facts(cik: int) -> bytes:
    entry = {"start": "2023-01-01", "end": "2023-03-31", "val": 5 * cik, "accn": f"a{cik}", "form": "10-Q", "filed": "2023-05-05"}
    return json.dumps({"cik": cik, "entityName": "X", "facts": {"us-gaap": {"NetIncomeLoss": {"units": {"USD": [entry]}}}}}).encode()


def test_documents_of_the_sec_are_not_fetched_twice_and_those_that_do_not_exist_are_left_out(server, tmp_path):
    for cik in (1, 3):
        server.on(f"/api/xbrl/companyfacts/CIK{cik:010d}.json", Answer(facts(cik)))
    text = f"sec: {{companies: [1, 2, 3], address: '{server.url}'}}\n"
    (first,), (again,) = fetched(tmp_path, text), fetched(tmp_path, text)
    assert (first.fault, first.new, again.identical) == (None, 2, 2)
    # the one that does not exist is asked for again
    assert [path[-7:-5] for path, _ in server.seen] == ["01", "02", "03", "02"]
    frame = Store.open(tmp_path / "store").as_of(NOW).frames["filings"]
    assert frame.select("security", "net_income").rows() == [("0000000001", 5.0), ("0000000003", 15.0)]


def test_a_run_cut_short_goes_on_where_it_was(server, tmp_path):
    for cik in (1, 3):
        server.on(f"/api/xbrl/companyfacts/CIK{cik:010d}.json", Answer(facts(cik)))
    server.on("/api/xbrl/companyfacts/CIK0000000002.json", Answer(b"", 500), Answer(b"", 500), Answer(facts(2)))
    text = f"sec: {{companies: [1, 2, 3], address: '{server.url}'}}\n"
    (first,), (again,) = fetched(tmp_path, text), fetched(tmp_path, text)
    assert first.fault is not None
    assert again.new == 3
    assert sum(path.endswith("01.json") for path, _ in server.seen) == 1


def yahoo_table(tickers: list[str], **_: object) -> pd.DataFrame:
    """Bars as yfinance gives them: a split of 2 on the 4th in each."""
    days = pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"], name="Date")
    names = tickers if isinstance(tickers, list) else str(tickers).split()
    columns = {"Open": 10.0, "High": 10.5, "Low": 9.5, "Close": 10.0, "Adj Close": 9.9, "Volume": 1000.0, "Dividends": 0.0}
    frames = {name: pd.DataFrame(columns, index=days).assign(**{"Stock Splits": [0.0, 0.0, 2.0, 0.0]}) for name in names}
    table = pd.concat(frames, axis=1, names=["Ticker", "Price"])
    return table.swaplevel(axis=1).sort_index(axis=1)


def test_closes_as_traded_and_actions_are_kept_and_adjusted_when_read(tmp_path):
    (tmp_path / "tickers.txt").write_text("ticker\nAAA\nBBB\n", encoding="utf-8")
    text = "yahoo: {start: 2024-01-02, prices: {R2000: ^RUT}, panel: tickers.txt}\n"
    (done,) = fetched(tmp_path, text, inject={"yahoo": yahoo_table})
    assert done.fault is None
    store = Store.open(tmp_path / "store")
    frames = store.as_of(NOW).frames
    quotes = frames["quotes"].filter(pl.col("series") == "R2000")
    assert quotes["close"].to_list() == [20.0, 20.0, 10.0, 10.0]
    assert sorted(frames["actions"].select("series", "split").rows()) == [("AAA", 2.0), ("BBB", 2.0), ("R2000", 2.0)]
    market = store.to_market(NOW, name="test", panel=["AAA", "BBB"])
    assert market.prices["close"].tolist() == [20.0] * 4
    assert market.panel.close.columns.tolist() == ["AAA", "BBB"]


def test_constituents_that_gave_nothing_are_named_and_those_that_ended_are_asked_for_apart(tmp_path):
    (tmp_path / "tickers.txt").write_text("AAA\nT@yf=T\nGONE\n", encoding="utf-8")
    asked = []

    def table(tickers: list[str], **more: object) -> pd.DataFrame:
        asked.append((sorted(tickers), pd.Timestamp(str(more["start"])).date()))
        return yahoo_table([each for each in tickers if each != "GONE"])

    text = "yahoo: {start: 2024-01-02, prices: {}, panel: tickers.txt, since: {T@yf: 2024-01-04}}\n"
    (done,) = fetched(tmp_path, text, inject={"yahoo": table})
    assert (done.fault, done.missing) == (None, ("GONE",))
    assert "nothing came for 1: GONE" in render([done], "s")
    quotes = Store.open(tmp_path / "store").as_of(NOW).frames["quotes"]
    first = dict(quotes.group_by("series").agg(pl.col("date").min()).rows())
    assert first == {"AAA": datetime.date(2024, 1, 2), "T@yf": datetime.date(2024, 1, 4)}
    assert asked[0][0] == ["AAA", "GONE", "T"]


@pytest.mark.parametrize("lines", ["AAA\nAAA\n", "A=T\nA=U\n", "# none\n"])
def test_a_list_of_tickers_names_each_once(tmp_path, lines):
    (tmp_path / "tickers.txt").write_text(lines, encoding="utf-8")
    (done,) = fetched(tmp_path, "yahoo: {start: 2024-01-02, panel: tickers.txt}\n", inject={"yahoo": yahoo_table})
    assert "rule: a ticker a line, or name=ticker, each name once" in done.fault


def test_only_named_sources_are_fetched_and_a_name_that_is_not_there_is_refused(server, tmp_path):
    text = fred(server, Answer(CSV.format("VIXCLS").encode())) + f"funds: {{IWM: {{url: '{server.url}/fund'}}}}\n"
    assert [each.source for each in fetched(tmp_path, text, only=("fred",))] == ["fred"]
    with pytest.raises(DataError, match=r"source 'gold' is not in the plan; it has fred, funds"):
        fetched(tmp_path, text, only=("gold",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fred: {series: [NFCI]}", "series 'NFCI' has no rule for known-at"),
        ("fred: {serie: [VIXCLS]}", "unknown key 'serie'; the keys here are series, other, address"),
        ("funds: {IWM: {url: 'ftp://x'}}", "url"),
        ("funds: {A: {url: 'https://x', members: true}, B: {url: 'https://y', members: true}}", "one fund's holdings are the index"),
        ("gold: {}", "unknown key 'gold'"),
        ("yahoo: {start: 2024-01-02, prices: {A: A}, since: {B: 2024-01-03}}", "since names 'B'"),
    ],
)
def test_a_plan_that_breaks_a_rule_is_refused(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        read_plan(plan_file(tmp_path, text + "\n"))


def test_a_plan_without_sources_and_one_of_another_kind_are_refused(tmp_path):
    with pytest.raises(DataError, match="names no source"):
        fetched(tmp_path, "")
    (tmp_path / "other.yaml").write_text("kind: files\n", encoding="utf-8")
    with pytest.raises(DataError, match="'kind' is 'files'; rule: a plan of fetching says 'kind: fetch'"):
        read_plan(tmp_path / "other.yaml")


def test_a_plan_without_a_user_agent_is_refused_when_a_service_is_asked(server, tmp_path):
    path = plan_file(tmp_path, fred(server, Answer(CSV.format("VIXCLS").encode())))
    spec = read_plan(path).model_copy(update={"user_agent": ""})
    (outcome,) = fetch_into(spec, tmp_path, now=NOW)
    assert "rule: a name and an e-mail address" in outcome.fault
    assert server.seen == []


def test_variables_that_are_not_set_are_named(tmp_path, monkeypatch):
    monkeypatch.delenv("SOME_STORE", raising=False)
    path = tmp_path / "fetch.yaml"
    path.write_text("kind: fetch\nstore: ${SOME_STORE}\nfred: {}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"store '\$\{SOME_STORE\}': the environment variable SOME_STORE is not set"):
        read_plan(path)


def test_every_source_says_what_it_needs_and_gives_and_when_it_was_known(tmp_path):
    (tmp_path / "m.yaml").write_text("kind: files\n", encoding="utf-8")
    text = (
        "files: {market: m.yaml}\nfred: {}\nfunds: {IWM: {url: 'https://x'}}\nyahoo: {start: 2024-01-02}\n"
        "coins: [{exchange: kraken, start: 2024-01-01, symbols: {BTC: BTC/USD}}]\nsec: {companies: [1]}\n"
    )
    listed = describe(list_sources(read_plan(plan_file(tmp_path, text))))
    assert [each["source"] for each in listed] == ["files", "fred", "funds", "yahoo", "coins", "sec"]
    assert all(each[key] for each in listed for key in ("needs", "gives", "known"))
    assert "sec: " not in render([], "s")
    assert as_rows([]) == []
    assert dataclasses.is_dataclass(list_sources(read_plan(plan_file(tmp_path, text)))["fred"])
