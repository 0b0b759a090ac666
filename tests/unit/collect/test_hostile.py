"""The hostile web: real servers on 127.0.0.1, one for each way to harm a reader, and the errors of the reader."""

import asyncio
import contextlib
import gzip
import os
import random
import shutil
import ssl
import subprocess
import time

import msgspec
import psutil
import pytest

from pipeline.collect import guard
from pipeline.collect.fetch import Clock, FetchError
from pipeline.collect.http_client import HttpClient
from pipeline.collect.poll import Poller
from pipeline.collect.seen_urls import SeenUrls
from pipeline.records import Feed, FeedState
from pipeline.settings import Collector, Settings

OPTIONS = Collector(
    allow_private_addresses=True, per_host_interval_seconds=0, total_timeout_seconds=2, connect_timeout_seconds=1
)
RSS = b"<rss version='2.0'><channel><title>T</title><item><guid>1</guid><title>One</title></item></channel></rss>"


class Wire:
    """What a misbehaving server writes, and how much of it the reader took."""

    def __init__(self, writer):
        self._writer = writer
        self.sent = 0

    async def send(self, data):
        self._writer.write(data)
        self.sent += len(data)
        await self._writer.drain()

    async def forever(self, data, seconds=0.0, most=400_000_000):
        while self.sent < most:
            await self.send(data)
            await asyncio.sleep(seconds)


@contextlib.asynccontextmanager
async def misbehaving(behave, tls=None):
    """A server that reads a request, then does what `behave(wire, path)` says; its address and what was sent."""
    wires, serving = [], []

    async def serve(reader, writer):
        serving.append(asyncio.current_task())
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    wires.append(Wire(writer))
                    if await behave(wires[-1], head.split()[1].decode()) != "again":
                        break
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}", wires
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def get(behave, path="/", *, limit=100_000, options=OPTIONS, tls=None, **more):
    """One request to such a server: the answer, or the error as a value; and what the server sent."""
    async with misbehaving(behave, tls) as (address, wires):
        client = HttpClient(options, Clock.real())
        began = time.monotonic()
        try:
            return await client.get(address + path, limit=limit, **more), wires
        except FetchError as error:
            return error, wires
        finally:
            assert time.monotonic() - began < 20, "no answer, and it has to be left in time"
            await client.close()


def says(*parts):
    """A server that answers with these bytes and closes."""

    async def behave(wire, path):
        for part in parts:
            await wire.send(part)

    return behave


def ok(body=b"", *headers, length=None):
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % (len(body) if length is None else length), *headers, b"", body]
    return b"\r\n".join(lines)


# --- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"compress", b"gzip, br"])
async def test_a_bomb_in_a_coding_that_was_not_offered_is_left_before_it_is_read(coding):
    async def behave(wire, path):
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        await wire.forever(b"10000\r\n" + b"\0" * 65_536 + b"\r\n")

    error, wires = await get(behave)
    assert "not offered" in str(error)
    assert wires[0].sent < 30_000_000


@pytest.mark.parametrize("coding", [b"gzip, gzip", b"lzma", b"utf-8"])
async def test_an_endless_body_under_a_strange_coding_is_left_soon(coding):
    async def behave(wire, path):
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        await wire.forever(b"10000\r\n" + b"\0" * 65_536 + b"\r\n")

    _, wires = await get(behave)
    assert wires[0].sent < 30_000_000


async def test_a_gzip_bomb_within_gzip_stays_packed():
    packed = gzip.compress(gzip.compress(b"\0" * 500_000_000, 9), 9)
    before = psutil.Process().memory_info().rss
    answer, _ = await get(says(ok(packed, b"Content-Encoding: gzip")))
    assert isinstance(answer, FetchError) or len(answer.body) < 1_000_000
    assert psutil.Process().memory_info().rss - before < 50_000_000


async def test_a_gzip_bomb_of_many_members_is_noticed_before_it_unfolds():
    member = gzip.compress(b"\0" * 20_000_000)
    before = psutil.Process().memory_info().rss
    error, _ = await get(says(ok(member * 50, b"Content-Encoding: gzip")))
    assert error.kind == "oversized"
    assert psutil.Process().memory_info().rss - before < 50_000_000


async def test_one_endless_header_is_given_up():
    async def behave(wire, path):
        await wire.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
        await wire.forever(b"x" * 65_536)

    error, wires = await get(behave)
    assert error.kind == "broken"
    assert wires[0].sent < 30_000_000


async def test_endless_headers_are_given_up():
    async def behave(wire, path):
        await wire.send(b"HTTP/1.1 200 OK\r\n")
        number = 0
        while wire.sent < 400_000_000:
            number += 1
            await wire.send(b"".join(b"X-%d-%d: %s\r\n" % (number, n, b"y" * 200) for n in range(300)))

    before = psutil.Process().memory_info().rss
    error, wires = await get(behave)
    assert error.kind == "broken"
    assert wires[0].sent < 50_000_000
    assert psutil.Process().memory_info().rss - before < 100_000_000


async def test_endless_preliminary_answers_are_given_up_in_time():
    async def behave(wire, path):
        await wire.forever(b"HTTP/1.1 103 Early Hints\r\n\r\n", seconds=0.01)

    error, _ = await get(behave)
    assert error.kind == "broken"


# --- times ------------------------------------------------------------------------------------------------------------


async def test_a_server_that_never_answers_is_left_in_time():
    async def behave(wire, path):
        await asyncio.sleep(5)

    error, _ = await get(behave)
    assert "no complete answer within 2 s" in str(error)


async def test_a_server_that_drips_its_headers_is_left_in_time():
    async def behave(wire, path):
        await wire.send(b"HTTP/1.1 200 OK\r\nX: ")
        await wire.forever(b"x", seconds=0.05)

    error, _ = await get(behave)
    assert "no complete answer within 2 s" in str(error)


async def test_redirects_that_go_round_end():
    async def behave(wire, path):
        there = b"/b" if path == "/a" else b"/a"
        await wire.send(b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: " + there + b"\r\n\r\n")
        return "again"

    error, wires = await get(behave, "/a")
    assert "more than 5 redirects" in str(error)
    assert len(wires) == 6


# --- lies -------------------------------------------------------------------------------------------------------------


async def test_an_answer_shorter_than_it_says_is_no_answer():
    error, _ = await get(says(ok(b"half", length=1000)))
    assert "closed the connection too early" in str(error)


async def test_an_answer_longer_than_it_says_is_no_answer():
    error, _ = await get(says(ok(b"four and more", length=4)))
    assert error.kind == "broken"


@pytest.mark.parametrize("length", [b"-5", b"ten", b"99999999999999999999999999", b"4, 5"])
async def test_a_length_that_is_none_is_no_answer(length):
    error, _ = await get(says(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\nbody"))
    assert isinstance(error, FetchError)


async def test_broken_chunks_are_no_answer():
    error, _ = await get(says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody\r\n"))
    assert error.kind == "broken"


async def test_a_304_to_a_question_that_was_not_asked_is_an_error():
    error, _ = await get(says(b"HTTP/1.1 304 Not Modified\r\n\r\n"))
    assert error.kind == "broken"
    assert "304" in str(error)


@pytest.mark.parametrize("seed", range(20))
async def test_any_garbage_is_an_error_or_an_answer_and_never_an_accident(seed):
    chance = random.Random(seed)
    starts = [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
        b"HTTP/9.9 999 \r\n\r\n",
    ]
    found, _ = await get(says(starts[seed % 4] + chance.randbytes(3000)))
    assert isinstance(found, FetchError) or found.status == 200


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.fixture
def first_server_is_public(monkeypatch):
    """Treat 127.0.0.1 as a public address, and every other address as it is."""
    real = guard.is_public
    monkeypatch.setattr(guard, "is_public", lambda address: address == "127.0.0.1" or real(address))


GUARDED = msgspec.structs.replace(OPTIONS, allow_private_addresses=False)


@pytest.mark.parametrize(
    "target",
    [
        "127.0.0.2", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.2]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]",
        "[2002:7f00:2::]", "0.0.0.0", "2130706434", "0x7f.2", "localhost.localdomain@127.0.0.2",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("first_server_is_public")
async def test_a_redirect_into_the_private_network_is_refused_however_it_is_written(target):
    async def behave(wire, path):
        if path == "/":  # the second redirect of two: each is looked at
            await wire.send(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /next\r\n\r\n")
        else:
            place = f"http://{target}:9/latest/meta-data".encode()
            await wire.send(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + place + b"\r\n\r\n")
        return "again"

    error, wires = await get(behave, options=GUARDED)
    assert error.kind == "refused"
    assert len(wires) == 2


@pytest.mark.usefixtures("first_server_is_public")
async def test_a_name_that_changes_its_mind_between_two_requests_is_refused_at_the_second(monkeypatch):
    async with misbehaving(says(ok(b"first"))) as (address, wires):
        port = int(address.rpartition(":")[2])
        answers = ["127.0.0.1", "127.0.0.2"]

        async def rebind(host, *args, **kwargs):
            return [(2, 1, 6, "", (answers.pop(0), port))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebind)
        found = []
        for _ in range(2):
            client = HttpClient(GUARDED, Clock.real())  # a new one: the first keeps what it learnt for five minutes
            try:
                found.append((await client.get(f"http://rebinding.example:{port}/", limit=100)).body)
            except FetchError as error:
                found.append(error.kind)
            finally:
                await client.close()
        assert found == [b"first", "refused"]
    assert len(wires) == 1


# --- TLS --------------------------------------------------------------------------------------------------------------


async def test_a_server_that_does_not_speak_tls_is_told():
    async with misbehaving(says(b"HTTP/1.1 200 OK\r\n\r\n")) as (address, _):
        client = HttpClient(OPTIONS, Clock.real())
        with pytest.raises(FetchError, match="no secure connection|closed the connection|no complete answer"):
            await client.get(address.replace("http:", "https:"), limit=100)
        await client.close()


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """Return the TLS context of a server with a self-signed certificate."""
    openssl = shutil.which("openssl")
    if openssl is None:
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            pytest.fail("openssl is absent")
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=stranger"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_certificate_that_nobody_signed_is_not_trusted(stranger):
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's end of a broken handshake
    error, wires = await get(says(ok(b"secret")), tls=stranger)
    assert "no secure connection" in str(error)
    assert wires == []


# --- feeds that are none ----------------------------------------------------------------------------------------------


class RecordingSink:
    async def put(self, batch):
        self.state = batch.state


async def polled(behave, options=OPTIONS):
    """A feed at such a server, polled once: its state."""
    async with misbehaving(behave) as (address, _):
        settings = Settings(collector=options)
        client = HttpClient(options, Clock.real())
        poller = Poller(settings, client, RecordingSink(), SeenUrls(), Clock.real(), random.Random(1))
        try:
            return await poller.poll(Feed(id="a", url=address), FeedState(id="a", url=address))
        finally:
            await client.close()


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"<html><body><h1>502 Bad Gateway</h1></body></html>", b"application/rss+xml", "an HTML page"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 500, b"application/rss+xml", "a picture"),
        (b"<!DOCTYPE x [<!ENTITY l0 'ha'>" + LAUGHS + b"]><rss version='2.0'><channel><title>&l9;</title></channel></rss>",
         b"text/xml", "XML bomb"),
        (b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><rss version='2.0'><channel><title>&e;</title></channel></rss>",
         b"text/xml", "XML bomb"),
        (b"", b"text/xml", "empty"),
        (b"\0" * 4000, b"text/xml", "not a feed"),
    ],
)  # fmt: skip
async def test_what_is_no_feed_is_told_in_an_editors_words(body, kind, words):
    state = await polled(says(ok(body, b"Content-Type: " + kind)))
    assert words in state.error
    assert state.failures == 1


async def test_a_feed_that_calls_itself_a_picture_is_read_and_nul_bytes_do_no_harm():
    state = await polled(says(ok(RSS.replace(b"One", b"O\0ne\0"), b"Content-Type: image/png")))
    assert (state.error, state.title, state.entries) == (None, "T", 1)


async def test_a_feed_of_a_million_tags_is_refused_before_they_are_read():
    options = msgspec.structs.replace(OPTIONS, total_timeout_seconds=10)
    body = b"<rss version='2.0'><channel><title>T</title><item>" + b"<a>" * 1_000_000 + b"</item></channel></rss>"
    began = time.process_time()
    state = await polled(says(ok(body, b"Content-Type: text/xml")), options)
    assert "tags" in state.error
    assert time.process_time() - began < 3
