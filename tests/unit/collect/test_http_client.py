"""The HTTP client against a real server on 127.0.0.1 that misbehaves."""

import asyncio
import gzip
import zlib
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web

from pipeline.collect.fetch import Clock, FetchError
from pipeline.collect.http_client import HttpClient
from pipeline.settings import Collector

OPTIONS = Collector(
    allow_private_addresses=True, per_host_interval_seconds=0, total_timeout_seconds=3, connect_timeout_seconds=2
)


@asynccontextmanager
async def serving(handler):
    """A server that answers everything with `handler`; its address."""
    server = web.Server(handler)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def get(handler, path="/", *, limit=100_000, options=OPTIONS, **more):
    """One request to such a server."""
    async with serving(handler) as address:
        client = HttpClient(options, Clock.real())
        try:
            return await client.get(address + path, limit=limit, **more)
        finally:
            await client.close()


def answer(body=b"", **more):
    async def handler(request):
        return web.Response(body=body, **more)

    return handler


async def failed(handler, path="/", **more):
    with pytest.raises(FetchError) as caught:
        await get(handler, path, **more)
    return caught.value


async def test_the_validators_are_sent_back_as_they_came_and_a_304_is_told():
    seen = {}

    async def handler(request):
        seen.update(request.headers)
        return web.Response(status=304, headers={"ETag": 'W/"odd "'})

    got = await get(handler, etag='W/"odd "', last_modified="yesterday, about noon")
    assert got.not_modified
    assert seen["If-None-Match"] == 'W/"odd "'
    assert seen["If-Modified-Since"] == "yesterday, about noon"


async def test_no_cookie_is_kept_and_the_reader_introduces_itself():
    seen = []

    async def handler(request):
        seen.append((request.headers.get("Cookie"), request.headers["User-Agent"]))
        return web.Response(headers={"Set-Cookie": "track=1"})

    async with serving(handler) as address:
        client = HttpClient(OPTIONS, Clock.real())
        await client.get(address, limit=10)
        await client.get(address, limit=10)
        await client.close()
    assert seen == [(None, OPTIONS.user_agent)] * 2


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (403, "refused", "answers 403: the server refuses this reader"),
        (404, "not_found", "answers 404"),
        (410, "gone", "answers 410: removed permanently"),
        (429, "busy", "asks for a pause"),
        (500, "broken", "answers 500"),
        (503, "busy", "asks for a pause"),
    ],
)
async def test_a_status_becomes_a_reason_that_an_editor_understands(status, kind, words):
    error = await failed(answer(status=status))
    assert error.kind == kind
    assert words in str(error)


async def test_retry_after_is_told_and_holds_the_whole_host():
    async with serving(answer(status=429, headers={"Retry-After": "3600"})) as address:
        client = HttpClient(OPTIONS, Clock.real())
        with pytest.raises(FetchError) as first:
            await client.get(address, limit=10)
        with pytest.raises(FetchError) as second:
            await client.get(address + "/other", limit=10)
        await client.close()
    assert first.value.retry_after_seconds == 3600
    assert "asked for a pause" in str(second.value)


async def test_a_body_is_given_up_at_its_cap_whether_its_length_is_declared_or_not():
    sent = 0

    async def endless(request):
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 50_000_000:
            await response.write(b"x" * 100_000)
            sent += 100_000
        return response

    error = await failed(endless)
    assert error.kind == "oversized"
    assert "100,000 bytes" in str(error)
    assert sent < 20_000_000
    assert (await failed(answer(b"x" * 200_000))).kind == "oversized"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_decompression_bomb_is_noticed_before_it_unfolds(coding):
    pack = gzip.compress if coding == "gzip" else zlib.compress
    error = await failed(answer(pack(b"\0" * 50_000_000), headers={"Content-Encoding": coding}))
    assert error.kind == "oversized"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"one", mtime=0) + gzip.compress(b"two", mtime=0)),
        ("gzip", gzip.compress(b"onetwo", mtime=0) + b"\0" * 20),
        ("deflate", zlib.compress(b"onetwo")),
        ("deflate", zlib.compress(b"onetwo", wbits=-15)),
        ("identity", b"onetwo"),
    ],
)
async def test_compression_is_undone(coding, body):
    assert (await get(answer(body, headers={"Content-Encoding": coding}))).body == b"onetwo"


@pytest.mark.parametrize(("coding", "body"), [("gzip", b"not gzip at all"), ("br", b"x"), ("deflate", b"\xff\xff\xff")])
async def test_broken_or_unknown_compression_is_an_error_of_the_server(coding, body):
    assert (await failed(answer(body, headers={"Content-Encoding": coding}))).kind == "broken"


async def test_a_server_that_drips_is_left_when_its_time_is_over():
    async def drip(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(300):
            await response.write(b"x")
            await asyncio.sleep(0.1)
        return response

    began = asyncio.get_running_loop().time()
    error = await failed(drip, options=msgspec.structs.replace(OPTIONS, total_timeout_seconds=1))
    assert "no complete answer within 1 s" in str(error)
    assert asyncio.get_running_loop().time() - began < 15, "the whole takes 30 s"


async def test_permanent_redirects_are_reported_and_temporary_ones_are_not():
    async def handler(request):
        if request.path == "/old":
            return web.Response(status=308, headers={"Location": "/new"})
        if request.path == "/for-now":
            return web.Response(status=302, headers={"Location": "/new#part"})
        return web.Response(body=b"here")

    moved = await get(handler, "/old")
    assert moved.body == b"here"
    assert moved.moved_to is not None
    assert moved.moved_to.endswith("/new")
    passing = await get(handler, "/for-now")
    assert passing.moved_to is None
    assert passing.url.endswith("/new")


async def test_endless_redirects_end():
    async def handler(request):
        return web.Response(status=302, headers={"Location": f"/{request.path.strip('/')}x"})

    assert "more than 5 redirects" in str(await failed(handler))


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://x/", "javascript:alert(1)", "http://[bad/"])
async def test_a_redirect_may_only_lead_to_web_pages(target):
    assert (await failed(answer(status=302, headers={"Location": target}))).kind == "refused"


GUARDED = msgspec.structs.replace(OPTIONS, allow_private_addresses=False)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "10.1.2.3",
        "169.254.169.254",
        "2130706433",
        "127.1",
    ],
)
async def test_private_addresses_are_refused_however_they_are_written(host):
    client = HttpClient(GUARDED, Clock.real())
    try:
        with pytest.raises(FetchError) as caught:
            await client.get(f"http://{host}:9/", limit=10)
    finally:
        await client.close()
    assert caught.value.kind == "refused"


async def test_a_name_that_answers_a_private_address_at_connect_time_is_refused(monkeypatch):
    hits = []

    async def handler(request):
        hits.append(request.path)
        return web.Response()

    async with serving(handler) as address:
        port = int(address.rpartition(":")[2])
        loop = asyncio.get_running_loop()

        async def rebound(host, *args, **kwargs):
            return [(2, 1, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(loop, "getaddrinfo", rebound)
        client = HttpClient(GUARDED, Clock.real())
        with pytest.raises(FetchError) as caught:
            await client.get(f"http://innocent.example:{port}/", limit=10)
        await client.close()
    assert caught.value.kind == "refused"
    assert hits == []


async def test_robots_txt_is_asked_once_per_site_and_obeyed_for_pages_alone():
    hits = []

    async def handler(request):
        hits.append(request.path)
        if request.path == "/robots.txt":
            return web.Response(text="User-agent: dateline\nDisallow: /private\nCrawl-delay: 0.01\n")
        return web.Response(body=b"page")

    async with serving(handler) as address:
        client = HttpClient(OPTIONS, Clock.real())
        await asyncio.gather(*(client.get(f"{address}/open/{n}", limit=10, robots=True) for n in range(3)))
        with pytest.raises(FetchError) as caught:
            await client.get(f"{address}/private/x", limit=10, robots=True)
        await client.get(f"{address}/private/feed", limit=10)
        await client.close()
    assert caught.value.kind == "refused"
    assert "robots.txt" in str(caught.value)
    assert hits.count("/robots.txt") == 1
    assert "/private/x" not in hits
    assert "/private/feed" in hits


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (500, False)])
async def test_without_robots_txt_all_is_allowed_and_with_a_broken_server_nothing(status, allowed):
    async def handler(request):
        return web.Response(status=status if request.path == "/robots.txt" else 200)

    if allowed:
        assert (await get(handler, "/x", robots=True)).status == 200
    else:
        assert (await failed(handler, "/x", robots=True)).transient


async def test_what_is_not_http_and_what_is_not_there_are_told_apart():
    async def babble(reader, writer):
        await reader.read(100)
        writer.write(b"\x00\x01\x02 hello \r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = HttpClient(OPTIONS, Clock.real())
    with pytest.raises(FetchError, match="not HTTP"):
        await client.get(f"http://127.0.0.1:{port}/", limit=10)
    server.close()
    await server.wait_closed()
    with pytest.raises(FetchError, match="connection was refused"):
        await client.get(f"http://127.0.0.1:{port}/", limit=10)
    await client.close()
