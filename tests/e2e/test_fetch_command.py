"""`appetite fetch` and the words that look after a store, where things go wrong: one line, the right exit code, nothing half there."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

import appetite
from sources import load_market, simulate_market
from sources.fetch.run import _now
from sources.store import Store
from tests.e2e.command import ROOT
from tests.sources.local_server import Answer, local_server
from tests.sources.store.batches import macro

CSV = "observation_date,{0}\n2024-01-02,1.5\n2024-01-03,1.75\n"
SERIES = {"R2000": {"path": "r2000.csv", "date": "date", "close": "close", "known_at": "session_close"}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files, a plan and a store of two batches."""
    folder = tmp_path_factory.mktemp("made")
    market = simulate_market(years=2, n_stocks=5)
    rows = market.prices[market.prices["series"] == "R2000"][["date", "close"]]
    spec = {"kind": "files", "root": ".", "calendar": {"start": f"{market.sessions[0]:%Y-%m-%d}"}, "prices": SERIES}
    (folder / "files.yaml").write_text(yaml.safe_dump(spec))
    for end in (-1, None):
        rows[:end].to_csv(folder / "r2000.csv", index=False)
        assert appetite_says(folder, "fetch", "--plan", plan(folder)).exit_code == 0
    return folder


@pytest.fixture
def desk(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to spoil."""
    monkeypatch.delenv("APPETITE_STORE", raising=False)
    shutil.copytree(made, tmp_path / "desk")
    plan(tmp_path / "desk")
    return tmp_path / "desk"


def plan(folder: Path, **keys: object) -> Path:
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({"kind": "fetch", "store": "store", "files": {"market": "files.yaml"}, **keys}))
    return path


def appetite_says(folder: Path, *words: object) -> Result:
    return CliRunner().invoke(appetite.main, [str(word) for word in words], env={"APPETITE_STORE": str(folder / "store")})


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def start(folder: Path, *words: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "appetite", *words]
    return subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]


def is_told(result: Result, code: int, words: str) -> None:
    """One line on standard error, no traceback."""
    assert result.exit_code == code, result.output
    line = result.stderr.strip().splitlines()[-1]
    assert line.startswith("appetite: "), result.stderr
    assert words in line
    assert "unexpected" not in line
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"bogus": 1}, "unknown key 'bogus'; the keys here are kind, store"),
        ({"kind": "files"}, "rule: a plan of fetching says 'kind: fetch'"),
        ({"store": "${NOT_THERE}/x"}, "the environment variable NOT_THERE is not set"),
        ({"files": None}, "names no source; rule: at least one of files"),
        ({"store": "r2000.csv"}, "this is a file; rule: the root of a store is a folder"),
        ({"store": "r2000.csv/below"}, "cannot be made"),
        ({"store": "."}, "the folder is no store and holds"),
        ({"store": None}, "store: "),
    ],
)
def test_wrong_plan_is_told_and_leaves_nothing(desk: Path, keys: dict[str, object], words: str) -> None:
    before = sorted(desk.rglob("*"))
    is_told(appetite_says(desk, "fetch", "--plan", plan(desk, **keys)), 2, words)
    assert sorted(desk.rglob("*")) == before


@pytest.mark.parametrize("text", [None, b"", b"[1, 2]", b"\xff\xfe"])
def test_plan_that_is_none_is_told(desk: Path, text: bytes | None) -> None:
    path = desk if text is None else desk / "other.yaml"
    if text is not None:
        path.write_bytes(text)
    is_told(appetite_says(desk, "fetch", "--plan", path), 2, str(path))


@pytest.mark.parametrize("words", [("fetch", "--dry-run"), ("fetch",)])
def test_sources_that_the_plan_does_not_have_are_refused_dry_or_not(desk: Path, words: tuple[str, ...]) -> None:
    is_told(appetite_says(desk, *words, "--plan", plan(desk), "--only", "fred"), 2, "source 'fred' is not in the plan; it has files")


def change(path: Path, **keys: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


SPOILT: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "of the future": (lambda store: change(store / "store.json", schema=99), 2, "is newer than this program"),
    "root file cut": (lambda store: cut(store / "store.json"), 2, "'store.json' cannot be read"),
    "last manifest cut": (lambda store: cut(store / "manifests/00000002.json"), 1, "was altered or is damaged"),
    "manifest lost": (lambda store: (store / "manifests/00000001.json").unlink(), 1, "is missing though a later one is there"),
    "manifest of the far future": (lambda store: (store / "manifests/99999999.json").write_text("{}"), 1, "is missing though"),
    "all manifests lost": (lambda store: shutil.rmtree(store / "manifests"), 1, "no manifest lists"),
    "records cut": (lambda store: cut(store / "prices/00000001.parquet"), 1, "has 60 bytes"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_store_is_told_by_every_word_and_nothing_is_removed(desk: Path, name: str) -> None:
    spoil, code, words = SPOILT[name]
    spoil(desk / "store")
    before = {path: path.read_bytes() for path in (desk / "store").rglob("*") if path.is_file() and path.name != "lock"}
    is_told(appetite_says(desk, "fetch", "--plan", plan(desk)), code, words)
    found = appetite_says(desk, "data", "verify")
    assert found.exit_code == code, found.output
    assert len(found.output.splitlines()) < 10
    assert "Traceback" not in found.output
    assert "the next write removes it" not in found.output
    for word in ("status", "compact", "migrate"):
        told = appetite_says(desk, "data", word, "--store", desk / "store")
        assert told.exit_code in (0, 2), told.output
        assert "unexpected" not in told.stderr
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("word", ["status", "verify", "compact", "migrate"])
def test_folder_that_is_no_store_is_told(desk: Path, word: str) -> None:
    for folder in (desk, desk / "nowhere"):
        is_told(appetite_says(desk, "data", word, "--store", folder), 2, "there is none, 'store.json' is missing")
    assert not (desk / "lock").exists()


@pytest.mark.parametrize("word", ["compact", "migrate"])
def test_disk_that_refuses_is_told(desk: Path, word: str) -> None:
    (desk / "store/lock").unlink()
    (desk / "store/lock").mkdir()
    is_told(appetite_says(desk, "data", word), 2, "cannot be written")


@pytest.mark.slow
@pytest.mark.parametrize("most", [10, 300, 2000])
def test_full_disk_leaves_a_store_that_takes_the_same_again(desk: Path, most: int) -> None:
    plan(desk, store="full")
    child = start(desk, "fetch", "--plan", "plan.yaml", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
    _, told = child.communicate(timeout=60)
    assert child.returncode in (1, 2), told
    assert "File too large" in told
    assert "Traceback" not in told
    assert appetite_says(desk, "fetch", "--plan", plan(desk, store="full")).exit_code == 0
    assert Store.open(desk / "full").verify() == []


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_fetch_that_is_stopped_keeps_what_had_arrived(desk: Path, number: signal.Signals) -> None:
    with local_server() as server:
        stalling = Answer(CSV.format("VXVCLS").encode() + b" " * 10000, slow=2.0, piece=5)
        server.on("/graph/fredgraph.csv", Answer(CSV.format("VIXCLS").encode()), stalling)
        plan(desk, store="new", user_agent="Jane Doe jane@example.org", fred={"series": ["VIXCLS", "VXVCLS"], "address": server.url})
        child = start(desk, "fetch", "--plan", "plan.yaml", "--json")
        deadline = time.monotonic() + 60
        while len(server.seen) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        child.send_signal(number)
        out, told = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    assert told.strip() == f"appetite: stopped by {number.name}; what had arrived is in the store, run it again to go on"
    store = Store.open(desk / "new")
    assert [each for each in store.verify() if not each.harmless] == []
    assert store.series("macro") == ["VIX"]


def test_two_fetches_at_once_write_each_record_once(desk: Path) -> None:
    plan(desk, store="both")
    children = [start(desk, "fetch", "--plan", "plan.yaml", "--json") for _ in range(2)]
    told = [child.communicate(timeout=90) for child in children]
    assert [child.returncode for child in children] == [0, 0], told
    counts = [json.loads(out)["sources"][0] for out, _ in told]
    assert sorted(each["new"] for each in counts)[0] == 0
    assert {each["new"] + each["identical"] for each in counts} == {counts[0]["new"] + counts[0]["identical"]}
    assert Store.open(desk / "both").verify() == []


def test_clock_that_was_set_back_dates_no_revision_before_its_first_print(tmp_path: Path) -> None:
    ahead = pd.Timestamp.now("UTC") + pd.Timedelta(days=1)
    store = Store.create(tmp_path / "store", clock=ahead.to_pydatetime)
    store.write({"macro": macro(("X", "2024-01-02", 1.0, "2024-01-03"))}, source="x", seen=ahead)
    again = Store.open(store.root)
    again.write({"macro": macro(("X", "2024-01-02", 2.0, "2024-01-03"))}, source="x", seen=_now(again))
    later = ahead + pd.Timedelta(days=1)
    assert again.as_of(ahead, kinds=["macro"]).frames["macro"]["value"].to_list() == [1.0]
    assert again.as_of(later, kinds=["macro"]).frames["macro"]["value"].to_list() == [2.0]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"recorded": "2100-01-01T00:00:00Z"}, "is still to come"),
        ({"known": "1990-01-01T00:00:00Z"}, "no price was known at 1990-01-01"),
        ({"known": "2020-01-01T00:00:00"}, "known: "),
        ({"known": "0001-01-01T00:00:00+14:00"}, "beyond the years 1 to 9999"),
        ({"recorded": "9999-12-31T23:59:59-12:00"}, "beyond the years 1 to 9999"),
        ({"start": "2030-01-01"}, "no session from 2030-01-01"),
        ({"end": "1999-01-01"}, "no session from "),
        ({"start": "2024-01-06", "end": "2024-01-07", "counted": True}, "no session from 2024-01-06 to 2024-01-07"),
        ({"panel": "quotes"}, "panel is 'quotes' and 'quoted' is missing"),
        ({"counted": True, "prints": "newest"}, "counts are of first prints"),
    ],
)
def test_market_file_of_a_store_that_cannot_be_is_told(desk: Path, keys: dict[str, object], words: str) -> None:
    path = desk / "market.yaml"
    path.write_text(yaml.safe_dump({"kind": "store", "root": "store", **keys}))
    is_told(appetite_says(desk, "data", "status", "--market", path), 2, words)


def spoil_npz(path: Path, **arrays: np.ndarray | None) -> None:
    with np.load(path) as file:
        kept = dict(file)
    kept |= {name: array for name, array in arrays.items() if array is not None}
    np.savez(path, **{name: array for name, array in kept.items() if name not in arrays or arrays[name] is not None})


def in_the_way(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_text("a file where the folder should be")


COUNTS: dict[str, Callable[[Path], object]] = {
    "of another version": lambda path: spoil_npz(path, version=np.array(9)),
    "of a strange version": lambda path: spoil_npz(path, version=np.array([1, 2])),
    "without ids": lambda path: spoil_npz(path, ids=None),
    "without days": lambda path: spoil_npz(path, days=np.array([], dtype=np.int64)),
    "of nothing": lambda path: spoil_npz(path, of=np.array("null")),
    "of a list": lambda path: spoil_npz(path, of=np.array("[]")),
    "cut": cut,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "in no folder": in_the_way,
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_that_cannot_be_used_are_made_anew(desk: Path, name: str) -> None:
    path = desk / "market.yaml"
    path.write_text(yaml.safe_dump({"kind": "store", "root": "store", "name": "../mine", "counted": True}))
    before = load_market(path).fingerprint()
    (kept,) = desk.glob("store-counts/*.npz")
    assert kept.name == "..%2Fmine.npz"
    COUNTS[name](kept)
    assert load_market(path).fingerprint() == before
    assert load_market(path).fingerprint() == before
