import datetime
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.chain import Broken
from serving.errors import LabelError
from serving.journal import HEAD
from serving.label_place import PUBLISHED, REVISIONS, SeriesOf
from serving.label_rules import WALK
from serving.label_series import LabelSeries
from serving.lock import locked
from tests.serving.labels import DAYS, OF, said, series_in

ROOT = Path(__file__).resolve().parents[2]
AT = datetime.datetime(2024, 5, 1, 12, 30, tzinfo=datetime.UTC)


@pytest.fixture
def series(tmp_path) -> LabelSeries:
    """Build a series of five sessions by version 1, three more by version 2, which revised two."""
    out = series_in(tmp_path)
    out.publish("1", [said(day, 0.9, by=WALK) for day in range(5)], at=AT)
    out.publish("2", [said(day, 0.4 if day in (1, 3) else 0.9, low=None) for day in range(8)], at=AT + datetime.timedelta(days=1))
    return out


def lines_of(series: LabelSeries, name: str = PUBLISHED) -> list[str]:
    return (series.folder / name).read_text().splitlines(keepends=True)


def test_nothing_published_reads_as_empty_tables_with_their_columns(tmp_path):
    series = series_in(tmp_path)
    assert list(series.published()) == [
        *("session", "version", "regime", "p_risk_on", "low", "high", "by", "published_at", "model", "market", "simulated")
    ]
    assert len(series.published()) == len(series.revisions()) == 0
    assert series.verify() is None
    assert series.summary()["sessions"] == 0
    assert not series.folder.exists()  # reading makes nothing


def test_record_is_a_line_that_a_person_can_read(series):
    line = json.loads(lines_of(series)[0])
    assert len(line.pop("hash")) == 64
    assert line == {
        **{"line": 1, "session": DAYS[0], "regime": "risk_on", "probabilities": {"risk_on": 0.9, "risk_off": 1 - 0.9}},
        **{"low": None, "high": None, "by": "walk", "version": "1", "model": "appetite", "market": "files", "simulated": False},
        "published_at": "2024-05-01T12:30:00+00:00",
    }


def test_new_version_goes_on_and_its_word_on_the_past_is_a_series_of_its_own(series):
    published, revisions = series.published(), series.revisions()
    assert published["session"].dt.strftime("%Y-%m-%d").tolist() == DAYS[:8]
    assert published["version"].tolist() == ["1"] * 5 + ["2"] * 3
    assert published["p_risk_on"].tolist() == [0.9] * 8
    assert revisions["differs"].tolist() == [False, True, False, True, False]
    changed = revisions[revisions["differs"]]
    assert (
        changed[["version", "regime", "p_risk_on", "published_version", "published_regime", "published_p_risk_on"]].to_numpy().tolist()
        == [["2", "risk_off", 0.4, "1", "risk_on", 0.9]] * 2
    )
    assert set(changed["revised_at"]) == {pd.Timestamp("2024-05-02T12:30:00Z")}


def test_publication_counts_what_became_of_every_answer(tmp_path):
    series = series_in(tmp_path)
    first = series.publish("1", [said(day) for day in range(2, 6)])
    assert (first.published, first.first, first.last, first.last_revision) == (4, DAYS[2], DAYS[5], None)
    second = series.publish("2", [said(day, 0.2 if day == 4 else 0.9) for day in range(8)])
    assert (second.published, second.revised, second.confirmed, second.left_out) == (2, 1, 3, 2)
    assert (second.first, second.last, second.last_revision["session"]) == (DAYS[6], DAYS[7], DAYS[4])
    before = {path.name: path.read_bytes() for path in series.folder.iterdir()}
    again = series.publish("2", [said(day, 0.2 if day == 4 else 0.9) for day in range(8)])
    assert (again.published, again.revised, again.confirmed, again.left_out) == (0, 0, 0, 2)
    assert again.last_revision == second.last_revision
    assert {path.name: path.read_bytes() for path in series.folder.iterdir()} == before


def test_summary_is_the_mean_difference_over_what_was_compared(series):
    series.publish("2", [said(7, 0.7)])  # its own, on other values
    summary = series.summary()
    assert (summary["sessions"], summary["first"], summary["last"]) == (8, DAYS[0], DAYS[7])
    assert [(v["version"], v["sessions"], v["first"], v["last"], v["walk"]) for v in summary["versions"]] == [
        ("1", 5, DAYS[0], DAYS[4], 5),
        ("2", 3, DAYS[5], DAYS[7], 0),
    ]
    (compared,), (restated,) = summary["compared"], summary["restated"]
    assert compared == {"version": "2", "sessions": 5, "revised": 2, "revision": pytest.approx((0.5 + 0.5) / 5), "renamed": 2 / 5}
    assert restated == {"version": "2", "sessions": 1, "revised": 1, "revision": pytest.approx(0.2), "renamed": 0.0}
    assert (summary["revised"], summary["renamed"]) == (3 / 8, 2 / 8)
    json.dumps(summary, allow_nan=False)


def test_newest_word_of_a_version_is_what_is_compared(series):
    series.publish("2", [said(1, 0.8)])
    assert series.summary()["compared"][0]["revision"] == pytest.approx((0.1 + 0.5) / 5)
    assert series.summary()["renamed"] == 2 / 8  # it was called otherwise once


def test_versions_with_other_states_stand_in_one_table(tmp_path):
    series = series_in(tmp_path)
    series.publish("1", [said(0)])
    three = said(1).__class__(DAYS[1], "neutral", {"risk_on": 0.2, "neutral": 0.5, "risk_off": 0.3}, 0.1, 0.4, WALK)
    series.publish("2", [three])
    published = series.published()
    np.testing.assert_array_equal(published["p_neutral"], [np.nan, 0.5])
    assert published[["low", "high"]].iloc[1].tolist() == [0.1, 0.4]


@given(
    st.lists(
        st.tuples(st.sampled_from("123"), st.dictionaries(st.integers(0, 20), st.sampled_from([0.2, 0.6, 0.9]), min_size=1, max_size=8)),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=40)
def test_what_was_once_read_as_published_never_changes(calls):
    with tempfile.TemporaryDirectory() as folder:
        series = series_in(Path(folder))
        read, noted = series.published(), series.revisions()
        for version, spoken in calls:
            done = series.publish(version, [said(day, p) for day, p in spoken.items()])
            now, revisions = series.published(), series.revisions()
            assert not now["session"].duplicated().any()
            kept = now[now["session"].isin(read["session"])].reset_index(drop=True)
            pd.testing.assert_frame_equal(kept, read if len(read) else kept.iloc[:0], check_like=True)
            pd.testing.assert_frame_equal(revisions.iloc[: len(noted)], noted if len(noted) else revisions.iloc[:0], check_like=True)
            assert len(now) - len(read) == done.published
            assert len(revisions) - len(noted) == done.revised + done.confirmed
            assert not revisions.duplicated(["session", "version", "p_risk_on"]).any()
            assert len(spoken) >= done.published + done.revised + done.confirmed + done.left_out
            assert series.verify() is None
            read, noted = now, revisions


@pytest.mark.parametrize("torn", [b'{"line": 9, "torn', b"\x00" * 50, b"no json\n" * 3])
def test_torn_tail_was_never_published_and_the_next_writer_cuts_it_off(series, torn):
    for name in (PUBLISHED, REVISIONS):
        with (series.folder / name).open("ab") as stream:
            stream.write(torn)
    (series.folder / f"{HEAD}.part").write_bytes(b'{"for')
    assert series.verify() is None
    assert len(series.published()) == 8
    series.publish("2", [said(8)])
    assert series.verify() is None
    assert len(series.published()) == 9
    assert torn not in (series.folder / PUBLISHED).read_bytes()


def test_whole_lines_that_were_never_acknowledged_are_cut_off_as_well(series):
    """A writer that died between its lines and the head: the session may be published by whoever comes."""
    head = (series.folder / HEAD).read_bytes()
    series.publish("2", [said(8, 0.9), said(3, 0.1)])
    (series.folder / HEAD).write_bytes(head)
    assert (len(series.published()), len(series.revisions())) == (8, 5)
    series.publish("3", [said(8, 0.3)])
    assert series.published().iloc[-1][["version", "p_risk_on"]].tolist() == ["3", 0.3]
    assert series.verify() is None


def alter(text: str) -> str:
    return text.replace('"risk_on": 0.9', '"risk_on": 0.8', 1)


@pytest.mark.parametrize("name", [PUBLISHED, REVISIONS])
@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (lambda lines: [*lines[:2], alter(lines[2]), *lines[3:]], 3, "was altered"),
        (lambda lines: [*lines[:2], lines[2].replace(" ", "  ", 1), *lines[3:]], 3, "was altered"),
        (lambda lines: lines[:2] + lines[3:], 3, "does not follow from the line before it"),
        (lambda lines: [*lines[:1], lines[2], lines[1], *lines[3:]], 2, "does not follow"),
        (lambda lines: [lines[0], *lines], 2, "does not follow"),
        (lambda lines: lines[:4], 5, "is missing"),
        (lambda lines: [], 1, "is missing"),
        (lambda lines: [*lines[:3], lines[3][:40]], 4, "was altered"),
    ],
)
def test_first_line_that_is_not_as_written_is_named_and_nothing_goes_on(series, name, change, line, words):
    path = series.folder / name
    path.write_text("".join(change(lines_of(series, name))))
    after = {each.name: each.read_bytes() for each in series.folder.iterdir()}
    broken = series.verify()
    assert isinstance(broken, Broken)
    assert (broken.file, broken.line) == (name, line)
    assert words in broken.what
    own, other = (series.published, series.revisions) if name == PUBLISHED else (series.revisions, series.published)
    assert len(other()) > 0  # the one that is whole can be read
    for step in (own, series.summary, lambda: series.publish("2", [said(9)])):
        with pytest.raises(LabelError) as error:
            step()
        for word in (f"line {line} of '{name}'", "restore the folder from a copy", str(series.folder)):
            assert word in str(error.value)
    assert {each.name: each.read_bytes() for each in series.folder.iterdir()} == after


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1, "of": 3, "ends": {}}', '{"format": 1, "of": {}, "ends": {"published.jsonl": {"x": 1}}}']
)
def test_damaged_head_is_named(series, text):
    (series.folder / HEAD).write_text(text)
    for step in (series.verify, series.published, lambda: series.publish("2", [said(9)])):
        with pytest.raises(LabelError, match=r"'head.json' was altered or is damaged"):
            step()


def test_missing_file_and_missing_head_are_named(series):
    (series.folder / REVISIONS).unlink()
    assert series.verify() == Broken(REVISIONS, 1, "is missing: 5 lines were written")
    (series.folder / HEAD).unlink()
    assert series.verify().words() == "'head.json' is missing, and 'published.jsonl' is there"
    with pytest.raises(LabelError, match=r"'head.json' is missing"):
        series.publish("2", [said(9)])
    assert len(lines_of(series)) == 8


def test_format_of_another_version_is_refused(series):
    head = json.loads((series.folder / HEAD).read_text())
    (series.folder / HEAD).write_text(json.dumps(head | {"format": 7}))
    with pytest.raises(LabelError, match="format 7; rule: 1"):
        series.published()


def test_series_of_a_simulated_and_of_a_real_market_never_mix(tmp_path):
    real, drawn = OF, SeriesOf.known("appetite", "files", simulated=True, note="simulated, seed 0; until 2024")
    other = SeriesOf.known("appetite", "files", simulated=True, note="simulated, seed 1; until 2024")
    series = [series_in(tmp_path, of) for of in (real, drawn, other)]
    assert len({each.folder for each in series}) == 3
    for number, each in enumerate(series):
        each.publish("1", [said(day) for day in range(number + 1)])
    assert [len(each.published()) for each in series] == [1, 2, 3]
    assert [each.published()["simulated"].tolist() for each in series[:2]] == [[False], [True, True]]
    # a folder put in another's place says so
    series[1].folder.rename(tmp_path / "away")
    series[0].folder.rename(series[1].folder)
    with pytest.raises(LabelError, match=r"they are those of .*simulated False.*, not of .*simulated True"):
        series[1].publish("1", [said(5)])


def test_held_folder_is_an_error_that_says_what_to_do(series):
    with (
        locked(series.folder, "labels", LabelError),
        pytest.raises(LabelError, match=r"another process has them open for writing.*repeat this when it has ended"),
    ):
        series.publish("2", [said(9)], wait_s=0.05)
    assert len(series.published()) == 8  # readers do not wait


def test_folder_that_cannot_be_made_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "labels").write_text("a file")
    with pytest.raises(LabelError, match=r"cannot be read or written \(File exists: '.*/labels'\).*APPETITE_LABELS"):
        series_in(tmp_path).publish("1", [said(0)])


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_read_only_folder_is_an_error_and_can_be_read(series):
    series.folder.chmod(0o555)
    (series.folder / PUBLISHED).chmod(0o444)
    try:
        with pytest.raises(LabelError, match="Permission denied"):
            series.publish("2", [said(9)])
        assert len(series.published()) == 8
    finally:
        series.folder.chmod(0o755)


FULL = """
import resource, sys
from pathlib import Path
from serving.errors import LabelError
from tests.serving.labels import said, series_in
series = series_in(Path(sys.argv[1]))
size = (series.folder / "published.jsonl").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 700, size + 700))
try:
    series.publish("2", [said(day) for day in range(8, 100)])
except LabelError as error:
    print(error)
"""


def test_disk_without_room_is_an_error_and_leaves_what_was_there(series, tmp_path):
    """A limit of the kernel on the size of files stands for the full disk: the write is cut short in the middle of a line."""
    before = series.published()
    size = (series.folder / PUBLISHED).stat().st_size
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], env=environment, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "cannot be read or written" in done.stdout
    assert (series.folder / PUBLISHED).stat().st_size > size  # some of it had been written
    assert series.verify() is None
    pd.testing.assert_frame_equal(series.published(), before)
    series.publish("2", [said(day) for day in range(8, 100)])
    assert len(series.published()) == 100
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY  # this process was not limited


def test_failing_sync_is_an_error_and_nothing_counts(series, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(LabelError, match="No space left on device"):
        series.publish("2", [said(8)])
    monkeypatch.undo()
    assert len(series.published()) == 8


def speak(folder: str, version: str, p: float) -> None:
    for day in range(40):
        series_in(Path(folder)).publish(version, [said(each, p) for each in range(day + 1)], wait_s=60)


def test_two_processes_at_once_publish_every_session_once(tmp_path):
    spawn = multiprocessing.get_context("forkserver")
    both = [spawn.Process(target=speak, args=(str(tmp_path), version, p)) for version, p in (("1", 0.9), ("2", 0.2))]
    for each in both:
        each.start()
    for each in both:
        each.join(120)
    assert [each.exitcode for each in both] == [0, 0]
    series = series_in(tmp_path)
    published, revisions = series.published(), series.revisions()
    assert published["session"].dt.strftime("%Y-%m-%d").tolist() == DAYS[:40]
    assert series.verify() is None
    # each has said its own of every session: published, or beside it
    for version, p in (("1", 0.9), ("2", 0.2)):
        own = pd.concat([published[published["version"] == version], revisions[revisions["version"] == version]])
        assert sorted(own["session"].dt.strftime("%Y-%m-%d")) == DAYS[:40]
        assert set(own["p_risk_on"]) == {p}


def test_reader_beside_a_writer_sees_whole_states_that_only_grow(tmp_path):
    series, seen = series_in(tmp_path), []
    writer = threading.Thread(target=lambda: [series.publish("1", [said(day), said(day + 1)]) for day in range(0, 120, 2)])
    writer.start()
    while writer.is_alive():
        seen.append(len(series.published()))
    writer.join()
    assert len(set(seen)) > 2
    assert seen == sorted(seen)
    assert all(n % 2 == 0 for n in seen)
    assert len(series.published()) == 120
