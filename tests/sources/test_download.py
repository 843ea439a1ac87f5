import json
import random

import pytest

from features.errors import DataError
from sources.content import ZIP
from sources.download import download
from sources.errors import WebError
from tests.sources.local_server import Answer, local_server

BODY = ZIP + random.Random(0).randbytes(300_000)


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def ranges(server) -> list[str | None]:
    return [headers.get("Range") for _, headers in server.seen]


def test_download_gives_the_file_and_nothing_else(server, client, tmp_path):
    url = server.serve_file("/a.zip", BODY, '"1"')
    assert download(client, url, tmp_path / "new" / "a.zip", "zip").read_bytes() == BODY
    assert names(tmp_path / "new") == ["a.zip"]


def test_broken_download_goes_on_where_it_was(server, client, tmp_path):
    url = server.serve_file("/a.zip", BODY, '"1"', cuts=(100_000, 50_000, None))
    assert download(client, url, tmp_path / "a.zip", "zip").read_bytes() == BODY
    assert ranges(server) == [None, "bytes=100000-", "bytes=150000-"]
    assert names(tmp_path) == ["a.zip"]


def test_next_call_goes_on_with_what_was_kept(server, client, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"old")
    url = server.serve_file("/a.zip", BODY, '"1"', cuts=(50_000, 0))
    with pytest.raises(WebError, match=r"50000 bytes are kept in 'a.zip.part', and the next call goes on with them"):
        download(client, url, tmp_path / "a.zip", "zip")
    assert (tmp_path / "a.zip").read_bytes() == b"old"
    server.serve_file("/a.zip", BODY, '"1"')
    assert download(client, url, tmp_path / "a.zip", "zip").read_bytes() == BODY
    assert ranges(server)[-1] == "bytes=50000-"
    assert names(tmp_path) == ["a.zip"]


def test_changed_file_is_fetched_anew(server, client, tmp_path):
    url = server.serve_file("/a.zip", BODY, '"1"', cuts=(50_000, 0))
    with pytest.raises(WebError):
        download(client, url, tmp_path / "a.zip", "zip")
    other = ZIP + bytes(reversed(BODY))
    server.serve_file("/a.zip", other, '"2"')
    assert download(client, url, tmp_path / "a.zip", "zip").read_bytes() == other


@pytest.mark.parametrize("etag", ['W/"1"', "", "1"])
def test_file_without_a_strong_tag_is_never_gone_on_with(server, client, tmp_path, etag):
    url = server.serve_file("/a.zip", BODY, etag, cuts=(50_000, None))
    assert download(client, url, tmp_path / "a.zip", "zip").read_bytes() == BODY
    assert ranges(server) == [None, None]


def test_server_that_answers_another_range_is_not_believed(server, client, tmp_path):
    wrong = Answer(BODY[60_000:], 206, {"ETag": '"1"', "Content-Range": f"bytes 60000-{len(BODY) - 1}/{len(BODY)}"})
    url = server.on("/a.zip", Answer(BODY, headers={"ETag": '"1"'}, cut=50_000), wrong, Answer(BODY, headers={"ETag": '"1"'}))
    assert download(client, url, tmp_path / "a.zip", "zip").read_bytes() == BODY
    assert ranges(server) == [None, "bytes=50000-", None]


def test_whole_part_left_by_a_stop_before_its_renaming_is_fetched_anew(server, client, tmp_path):
    url = server.serve_file("/a.zip", BODY, '"1"')
    (tmp_path / "a.zip.part").write_bytes(BODY)
    (tmp_path / "a.zip.part.json").write_text(json.dumps({"url": url, "etag": '"1"'}))
    assert download(client, url, tmp_path / "a.zip", "zip").read_bytes() == BODY
    assert names(tmp_path) == ["a.zip"]


@pytest.mark.parametrize("note", ["", "[]", '{"url": "http://elsewhere/a.zip", "etag": "\\"1\\""}', '{"url": 1}'])
def test_part_of_unknown_origin_is_thrown_away(server, client, tmp_path, note):
    url = server.serve_file("/a.zip", BODY, '"1"')
    (tmp_path / "a.zip.part").write_bytes(b"something else")
    (tmp_path / "a.zip.part.json").write_text(note)
    assert download(client, url, tmp_path / "a.zip", "zip").read_bytes() == BODY
    assert ranges(server) == [None]


def test_wrong_content_leaves_the_old_file_and_nothing_else(server, client, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"old")
    url = server.on("/a.zip", Answer(b"<html><title>Sign in</title>", headers={"ETag": '"1"'}))
    with pytest.raises(WebError, match="a zip was wanted and the body is a web page, 'Sign in'"):
        download(client, url, tmp_path / "a.zip", "zip")
    assert names(tmp_path) == ["a.zip"]
    assert (tmp_path / "a.zip").read_bytes() == b"old"


@pytest.mark.parametrize("length", [True, False])
def test_file_beyond_the_size_is_cut_and_not_kept(server, client, tmp_path, length):
    url = server.on("/a.zip", Answer(BODY, headers={"ETag": '"1"'}, length=length))
    with pytest.raises(WebError, match="larger than 1000 bytes"):
        download(client, url, tmp_path / "a.zip", "zip", max_bytes=1000)
    assert names(tmp_path) == []


def test_size_counts_what_there_was_before(server, client, tmp_path):
    url = server.serve_file("/a.zip", BODY, '"1"', cuts=(200_000, None))
    with pytest.raises(WebError, match="larger than"):
        download(client, url, tmp_path / "a.zip", "zip", max_bytes=len(BODY) - 1)
    assert names(tmp_path) == []


def test_offline_leaves_nothing(client, tmp_path):
    with local_server() as gone:
        url = gone.url + "/a.zip"
    with pytest.raises(WebError, match="cannot be reached"):
        download(client, url, tmp_path / "a.zip", "zip")
    assert names(tmp_path) == []


def test_folder_that_cannot_be_written_is_named(server, client, tmp_path):
    (tmp_path / "file").write_text("")
    url = server.serve_file("/a.zip", BODY, '"1"')
    with pytest.raises(DataError, match="cannot be written"):
        download(client, url, tmp_path / "file" / "a.zip", "zip")
