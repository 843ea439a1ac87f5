import datetime
import gzip
import io
import json
import socket
import threading
import time
import tracemalloc
import zipfile

import pytest

from features.errors import DataError
from sources.errors import WebError
from sources.retry import retry_after
from sources.throttle import Throttle
from sources.web import WebClient
from tests.sources.local_server import Answer, Clock

AGENT = "Jane Doe jane@example.org"
CSV = b"observation_date,X\n2024-01-02,1.5\n"
PAGE = b"<!DOCTYPE html><html><head><title>Access  Denied</title></head><body>No</body></html>"


def waits(clock: Clock) -> list[float]:
    """Sleeps between attempts; those of the rate limit are shorter than a millisecond here."""
    return [seconds for seconds in clock.slept if seconds > 0.01]


@pytest.mark.parametrize("agent", ["", "python-requests", "Jane Doe", "Jane jane@example", "Jané jane@example.org", "J j@e.org\r\nX: 1"])
def test_client_without_a_contact_is_refused(agent):
    with pytest.raises(DataError, match=r"User-Agent is .*; rule: a name and an e-mail address"):
        WebClient(agent)


def test_get_says_who_asks_and_gives_the_body(server, client):
    url = server.on("/x.csv", Answer(CSV, headers={"Content-Type": "text/csv"}))
    assert client.get(url, "csv", params={"id": "A B"}) == CSV
    path, headers = server.seen[0]
    assert path == "/x.csv?id=A+B"
    assert headers["User-Agent"] == AGENT


def test_get_keeps_no_cookie(server, client):
    url = server.on("/x.csv", Answer(CSV, headers={"Set-Cookie": "a=b"}))
    client.get(url, "csv")
    client.get(url, "csv")
    assert "Cookie" not in server.seen[1][1]


def test_gzip_is_inflated(server, client):
    url = server.on("/x.csv", Answer(gzip.compress(CSV, mtime=0), headers={"Content-Encoding": "gzip"}))
    assert client.get(url, "csv") == CSV


def test_server_errors_are_tried_again_with_growing_waits(server, client, clock):
    url = server.on("/x.csv", Answer(status=500), Answer(status=502), Answer(status=503), Answer(CSV))
    assert client.get(url, "csv") == CSV
    assert [low <= wait <= low + 1 for low, wait in zip((1, 2, 4), waits(clock), strict=True)] == [True] * 3


def test_attempts_end_with_one_line(server, client):
    url = server.on("/x.csv", Answer(status=500))
    with pytest.raises(WebError, match=r"^127\.0\.0\.1:\d+: answers 500 .*\(5 attempts in \d+ s\); try again later$") as caught:
        client.get(url, "csv")
    assert caught.value.status == 500
    assert len(server.seen) == 5


def test_throttled_client_waits_as_long_as_it_is_told(server, client, clock):
    url = server.on("/x.csv", Answer(status=429, headers={"Retry-After": "17"}), Answer(CSV))
    assert client.get(url, "csv") == CSV
    assert 17 <= max(waits(clock)) < 17.5


def test_wait_beyond_the_time_limit_is_not_begun(server, client, clock):
    url = server.on("/x.csv", Answer(status=429, headers={"Retry-After": "3600"}), Answer(CSV))
    with pytest.raises(WebError, match=r"answers 429.*asks to wait 3600 s"):
        client.get(url, "csv", seconds=60)
    assert not waits(clock)


def test_throttling_holds_the_other_callers_of_the_host(server, client, clock):
    url = server.on("/x.csv", Answer(status=429, headers={"Retry-After": "30"}))
    with pytest.raises(WebError):
        client.get(url, "csv", seconds=5)
    with pytest.raises(WebError, match="no place came free within its rate limit"):
        client.get(server.on("/y.csv", Answer(CSV)), "csv", seconds=5)
    assert len(server.seen) == 1


def test_retry_after_reads_seconds_and_dates():
    now = datetime.datetime(2024, 1, 2, 12, 0, tzinfo=datetime.UTC)
    cases = {
        "120": 120,
        " 5 ": 5,
        "Tue, 02 Jan 2024 12:01:30 GMT": 90,
        "Tue, 02 Jan 2024 11:00:00 GMT": 0,
        "soon": 0,
        "": 0,
        "-5": 0,
        "²": 0,
    }
    assert {text: retry_after(text, now) for text in cases} == cases
    assert retry_after(None, now) == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_refusals_are_not_repeated(server, client, status):
    url = server.on("/x.csv", Answer(PAGE, status))
    with pytest.raises(WebError, match=f"answers {status}") as caught:
        client.get(url, "csv")
    assert caught.value.status == status
    assert len(server.seen) == 1


def test_half_body_is_tried_again(server, client):
    url = server.on("/x.csv", Answer(CSV * 100, cut=1000), Answer(CSV * 100))
    assert client.get(url, "csv") == CSV * 100
    assert len(server.seen) == 2


def test_half_body_for_ever_is_an_error(server, client):
    url = server.on("/x.csv", Answer(CSV * 100, cut=1000))
    with pytest.raises(WebError, match="the body broke off"):
        client.get(url, "csv")


@pytest.mark.parametrize("kind", ["csv", "json", "zip", "workbook"])
@pytest.mark.parametrize("content_type", ["text/html", "text/csv", "application/vnd.ms-excel", "application/json"])
def test_web_page_is_refused_by_name_whatever_it_calls_itself(server, client, kind, content_type):
    url = server.on("/x", Answer(PAGE, headers={"Content-Type": content_type}))
    with pytest.raises(WebError, match=f"a {kind} was wanted and the body is a web page, 'Access Denied'"):
        client.get(url, kind)
    assert len(server.seen) == 1


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.txt", "a")
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "body", "named"),
    [
        ("csv", b'{"error": 1}', "JSON"),
        ("csv", archive(), "a zip archive"),
        ("csv", gzip.compress(CSV, mtime=0), "gzip"),
        ("csv", b"", "empty"),
        ("csv", b"a,b\x00\x01", "a binary file"),
        ("json", CSV, "text"),
        ("json", b"<?xml version='1.0'?><error/>", "an XML file"),
        ("zip", b'{"error": 1}', "JSON"),
        ("zip", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "an OLE file"),
        ("workbook", CSV, "text"),
        ("csv", b"\xef\xbb\xbf\n <html>", "a web page"),
        ("csv", "<html>".encode("utf-16"), "a web page"),
    ],
)
def test_other_content_is_named(server, client, kind, body, named):
    with pytest.raises(WebError, match=f"a {kind} was wanted and the body is {named}"):
        client.get(server.on("/x", Answer(body)), kind)


@pytest.mark.parametrize(("kind", "body"), [("json", b"\xef\xbb\xbf [1]"), ("zip", archive()), ("workbook", archive()), ("csv", CSV)])
def test_content_of_the_kind_passes(server, client, kind, body):
    assert client.get(server.on("/x", Answer(body)), kind) == body


def test_body_that_says_it_is_too_large_is_not_read(server, client):
    with pytest.raises(WebError, match="larger than 1000 bytes"):
        client.get(server.on("/x.csv", Answer(CSV * 100)), "csv", max_bytes=1000)


def test_endless_body_is_cut(server, client):
    url = server.on("/x.csv", Answer(b"1,2\n" * 5_000_000, length=False))
    with pytest.raises(WebError, match="larger than 100000 bytes"):
        client.get(url, "csv", max_bytes=100_000)


def test_compressed_bomb_is_cut_in_bounded_memory(server, client):
    bomb = gzip.compress(b"0" * 200_000_000, mtime=0)
    url = server.on("/x.csv", Answer(bomb, headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    with pytest.raises(WebError, match="larger than 1000000 bytes"):
        client.get(url, "csv", max_bytes=1_000_000)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_slow_body_ends_with_the_time_limit(server, client):
    url = server.on("/x.csv", Answer(b"1," * 5000, slow=0.05, piece=1))
    began = time.monotonic()
    with pytest.raises(WebError, match="did not come to its end in time"):
        client.get(url, "csv", seconds=0.4)
    assert time.monotonic() - began < 3


def test_silence_is_a_fault_that_passes(server, clock):
    client = WebClient(AGENT, per_second=1e6, silence_seconds=0.2, clock=clock.now, sleep=clock.sleep)
    url = server.on("/x.csv", Answer(CSV * 10, slow=1.0, piece=10), Answer(CSV))
    assert client.get(url, "csv") == CSV


def test_offline_is_one_line_with_host_and_way_out(client):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(WebError) as caught:
        client.get(f"http://127.0.0.1:{port}/x.csv", "csv")
    words = str(caught.value)
    assert words.startswith(f"127.0.0.1:{port}: cannot be reached: Connection refused (5 attempts in ")
    assert words.endswith("s); check the network connection (or proxy) and try again")
    assert "\n" not in words
    assert caught.value.status is None


@pytest.mark.parametrize("url", ["x.csv", "ftp://example.org/x", "http://", "file:///etc/passwd", "http://[", "https:///x"])
def test_address_that_is_none_is_refused_at_once(client, clock, url):
    with pytest.raises(WebError):
        client.get(url, "csv")
    assert not waits(clock)


def test_redirect_is_followed_and_a_circle_is_not(server, client):
    server.on("/x.csv", Answer(CSV))
    assert client.get(server.on("/a", Answer(status=302, headers={"Location": "/x.csv"})), "csv") == CSV
    with pytest.raises(WebError, match="from address to address"):
        client.get(server.on("/b", Answer(status=302, headers={"Location": "/b"})), "csv")
    with pytest.raises(WebError, match="sends on to file:"):
        client.get(server.on("/c", Answer(status=302, headers={"Location": "file:///etc/passwd"})), "csv")


def test_rate_limit_spaces_requests_of_many_threads_to_a_host():
    throttle = Throttle(4.0, lambda: 100.0)
    places: list[float] = []
    threads = [threading.Thread(target=lambda: places.extend(throttle.reserve("a") for _ in range(25))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(places) == [pytest.approx(0.25 * i) for i in range(200)]
    assert throttle.reserve("b") == 0.0


def test_rate_limit_is_kept_over_a_run_of_requests(server, clock):
    client = WebClient(AGENT, per_second=2.0, clock=clock.now, sleep=clock.sleep)
    url = server.on("/x.json", Answer(json.dumps([1]).encode()))
    began = clock.now()
    for _ in range(7):
        client.get(url, "json")
    assert clock.now() - began >= 3.0
