"""What servers do to answers: compressions, lengths, redirects, statuses and cookies that browsers put up with."""

import gzip
import zlib

import pytest

from pipeline.records import Feed
from tests.unit.collect.cases import check_stories, collect, collecting
from tests.unit.collect.test_odd_sites import MORE, TEXTS, TITLES, make_feed, page

FEED = make_feed("{base}/s/{n}", text=False)
TOLD = make_feed("{base}/s/{n}")


def told(n):
    """The page of a story as bytes."""
    return page(TITLES[n], TEXTS[TITLES[n]], MORE)["body"].encode()


def each(answer):
    """The pages of the three stories, each as `answer` of its bytes."""
    return {f"/s/{n}": answer(told(n)) for n in range(3)}


def raw(body, *headers, status="200 OK", length=True, version="HTTP/1.1"):
    lines = [f"{version} {status}", "Content-Type: text/html; charset=utf-8", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return {"raw": "\r\n".join(lines).encode() + b"\r\n\r\n" + body}


def chunked(body, *, end=b"0\r\n\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(body[i : i + 99]), body[i : i + 99]) for i in range(0, len(body), 99)) + end


def deflated(body):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


ANSWERS = {
    "gzip twice, told twice": lambda body: raw(gzip.compress(gzip.compress(body)), "Content-Encoding: gzip, gzip"),
    "gzip twice, told once": lambda body: raw(gzip.compress(gzip.compress(body)), "Content-Encoding: gzip"),
    "gzip untold": lambda body: raw(gzip.compress(body)),
    "gzip told and plain": lambda body: raw(body, "Content-Encoding: gzip"),
    "deflate told and plain": lambda body: raw(body, "Content-Encoding: deflate"),
    "deflate told and gzip": lambda body: raw(gzip.compress(body), "Content-Encoding: deflate"),
    "gzip told and deflate": lambda body: raw(zlib.compress(body), "Content-Encoding: gzip"),
    "bare deflate": lambda body: raw(deflated(body), "Content-Encoding: deflate"),
    "a charset for a coding": lambda body: raw(body, "Content-Encoding: utf-8"),
    "no coding by name": lambda body: raw(body, "Content-Encoding: none"),
    "an empty coding": lambda body: raw(body, "Content-Encoding: "),
    "coding in capitals": lambda body: raw(gzip.compress(body), "Content-Encoding: GZIP"),
    "coding and identity": lambda body: raw(gzip.compress(body), "Content-Encoding: gzip, identity"),
    "gzip without its end": lambda body: raw(gzip.compress(body)[:-8], "Content-Encoding: gzip"),
    "gzip with zeros behind": lambda body: raw(gzip.compress(body) + bytes(100), "Content-Encoding: gzip"),
    "a length too long": lambda body: raw(body, f"Content-Length: {len(body) + 500}", length=False),
    "no length": lambda body: raw(body, "Connection: close", length=False),
    "HTTP/1.0": lambda body: raw(body, length=False, version="HTTP/1.0"),
    "chunks": lambda body: raw(chunked(body), "Transfer-Encoding: chunked", length=False),
    "chunks without end": lambda body: raw(chunked(body, end=b""), "Transfer-Encoding: chunked", length=False),
    "chunks with a trailer": lambda body: raw(chunked(body, end=b"0\r\nX-Sum: 1\r\n\r\n"), "Transfer-Encoding: chunked", length=False),
    "no reason": lambda body: raw(body, status="200"),
    "status 206": lambda body: raw(body, status="206 Partial Content"),
    "status 203": lambda body: raw(body, status="203 Non-Authoritative Information"),
    "a header in Latin-1": lambda body: {"raw": raw(body, "X-Author: J?")["raw"].replace(b"J?", b"J\xf6rg")},
    "a folded header": lambda body: raw(body, "X-Policy: a;\r\n b"),
    "two content types": lambda body: raw(body, "Content-Type: text/html"),
    "no content type": lambda body: {"raw": raw(body)["raw"].replace(b"Content-Type: text/html; charset=utf-8\r\n", b"")},
    "content type of a download": lambda body: {"body": body, "type": "application/octet-stream"},
    "content type of XHTML": lambda body: {"body": body, "type": "application/xhtml+xml"},
    "content type of plain text": lambda body: {"body": body, "type": "text/plain"},
    "content type unknown": lambda body: {"body": body, "type": "html"},
    "bare line feeds": lambda body: {"raw": raw(body)["raw"].replace(b"\r\n", b"\n", 3)},
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_browsers_show_is_read(name):
    articles, documents, _ = await collect(FEED | each(ANSWERS[name]), polls=2)
    check_stories(articles, documents)
    assert not any(document.truncated for document in documents)


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_feed_in_such_an_answer_is_read(name):
    async with collecting(each(lambda body: {"body": body})) as (site, setup):
        site.pages["/feed.xml"] = ANSWERS[name](site.filled(FEED["/feed.xml"]["body"], "").encode())
        for _ in range(2):
            state = await setup.poll(Feed(id="harbour", url=f"{site.addresses['base']}/feed.xml"))
        assert state.error is None
        assert len(setup.sink.articles) == 3


@pytest.mark.parametrize(
    "status",
    [202, 204, 400, 405, 409, 412, 418, 420, 421, 422, 429, 444, 498, 499, 500, 502, 503, 508, 520, 525, 530, 999],
)
async def test_a_status_that_says_nothing_of_the_page_leaves_the_feeds_text(status):
    refused = {"raw": f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\nRetry-After: 1\r\n\r\nError".encode()}
    articles, documents, _ = await collect(TOLD | each(lambda _: refused), polls=4)
    check_stories(articles, documents)
    assert all(document.truncated for document in documents)


@pytest.mark.parametrize("status", [404, 500, 503])
@pytest.mark.parametrize("text", [True, False])
async def test_a_page_that_appears_some_minutes_after_its_entry_is_read(status, text):
    """Pages reach all servers of a network later than the feed does."""
    asked = set()

    def late(n):
        def answer(request):
            first = request.path not in asked
            asked.add(request.path)
            return {"status": status, "body": "not yet"} if first else {"body": told(n)}

        return answer

    pages = make_feed("{base}/s/{n}", text=text) | {f"/s/{n}": late(n) for n in range(3)}
    articles, documents, _ = await collect(pages, polls=4)
    check_stories(articles, documents)


@pytest.mark.parametrize("location", ["/s/{n}", "/check?to=/s/{n}", "{other}/set?to=/s/{n}"])
async def test_a_page_that_wants_its_cookie_back_is_read(location):
    pages = dict(FEED)
    for n in range(3):

        def answer(request, n=n):
            if "seen=yes" in request.headers.get("Cookie", ""):
                return {"body": told(n)}
            place = location.replace("{n}", str(n))
            return {"status": 302, "headers": {"Location": place, "Set-Cookie": "seen=yes; Path=/; HttpOnly"}}

        pages[f"/s/{n}"] = answer
    pages["/check?*"] = lambda request: {"status": 302, "headers": {"Location": request.query["to"]}}
    pages["/set?*"] = lambda request: {"status": 307, "headers": {"Location": "{base}" + request.query["to"]}}
    articles, documents, _ = await collect(pages)
    check_stories(articles, documents)


@pytest.mark.parametrize(
    "place", ["s/{n}", "../s/{n}", "/x/s/{n}#top", " /x/s/{n} ", "?real={n}", "/x/ü/{n}", "/x/s {n}", "{other}/x/s/{n}"]
)
@pytest.mark.parametrize("status", [301, 303])
async def test_a_redirect_is_followed_however_its_place_is_written(place, status):
    pages = make_feed("{base}/x/go/{n}", text=False)
    for n in range(3):
        pages[f"/x/go/{n}"] = {"status": status, "headers": {"Location": place.replace("{n}", str(n))}}
        for path in (f"/x/s/{n}", f"/x/go/s/{n}", f"/x/go/{n}?real={n}", f"/x/%C3%BC/{n}", f"/x/s%20{n}"):
            pages[path] = {"body": told(n)}
    articles, documents, _ = await collect(pages)
    check_stories(articles, documents)


@pytest.mark.parametrize("ring", [["/s/0"], ["/a", "/b"], ["{other}/a", "/a"]])
async def test_redirects_in_a_circle_leave_the_feeds_text(ring):
    moved = {"status": 301, "headers": {"Location": ring[0]}}
    pages = TOLD | {f"/s/{n}": moved for n in range(3)}
    pages |= {
        "/a": {"status": 302, "headers": {"Location": ring[-1]}},
        "/b": {"status": 302, "headers": {"Location": "/a"}},
    }
    articles, documents, site = await collect(pages, polls=4)
    check_stories(articles, documents)
    assert sum(site.asked.values()) < 150


async def test_an_answer_without_news_that_has_a_body_disturbs_nothing_after_it():
    body = FEED["/feed.xml"]["body"]

    async with collecting(each(lambda b: {"body": b})) as (site, setup):
        full = site.filled(body, "").encode()

        def feed(request):
            if request.headers.get("If-None-Match"):
                return {
                    "raw": b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: %d\r\n\r\n%s' % (len(full), full)
                }
            return {"body": full, "type": "text/xml", "headers": {"ETag": '"a"'}}

        site.pages["/feed.xml"] = feed
        for _ in range(4):
            state = await setup.poll(Feed(id="harbour", url=f"{site.addresses['base']}/feed.xml"))
        assert state.error is None
        assert len(setup.sink.articles) == 3


async def test_a_server_that_says_not_modified_for_ever_is_asked_anew_each_day():
    old = FEED["/feed.xml"]["body"].partition("</item>")[0] + "</item></channel></rss>"
    async with collecting(each(lambda b: {"body": b})) as (site, setup):
        feed = Feed(id="harbour", url=f"{site.addresses['base']}/feed.xml")
        now = {"body": old}
        site.pages["/feed.xml"] = lambda r: (
            {"status": 304}
            if r.headers.get("If-None-Match")
            else {"body": site.filled(now["body"], ""), "type": "text/xml", "headers": {"ETag": '"a"'}}
        )
        await setup.poll(feed)
        now["body"] = FEED["/feed.xml"]["body"]
        for _ in range(80):
            await setup.poll(feed)
        assert len(setup.sink.articles) == 3
        assert site.asked["/feed.xml"] == 81


@pytest.mark.parametrize("etag", ["{count}", 'W/"{count}"', ""])
async def test_a_tag_that_changes_every_time_publishes_nothing_again(etag):
    feed = {
        "/feed.xml": FEED["/feed.xml"]
        | {"headers": {"ETag": etag, "Last-Modified": "Fri, 27 Nov 2026 10:00:0{count} GMT"}}
    }
    articles, documents, _ = await collect(feed | each(lambda b: {"body": b}), polls=4)
    check_stories(articles, documents)


@pytest.mark.parametrize(
    "after", ["1", "Fri, 27 Nov 2026 18:00:01 GMT", "-5", "1.5", "soon", "1, 1", "Friday, 27-Nov-26 18:00:01 GMT"]
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_asked_again_however_it_says_when(after, status):
    asked = set()

    def busy(n):
        def answer(request):
            first = request.path not in asked
            asked.add(request.path)
            return {"status": status, "headers": {"Retry-After": after}} if first else {"body": told(n)}

        return answer

    articles, documents, _ = await collect(FEED | {f"/s/{n}": busy(n) for n in range(3)}, polls=8)
    check_stories(articles, documents)


@pytest.mark.parametrize(
    "robots",
    [
        {"body": "<!doctype html><html><body>Disallow: /</body></html>"}, {"status": 403}, {"status": 404}, {"status": 410},
        {"body": "\ufeffUser-agent: *\nDisallow: /admin"}, {"body": "User-agent: *\rDisallow: /admin\r"}, {"body": ""},
        {"body": "User-agent: *\nDisallow:\n"}, {"body": b"\xff\xfe" + "User-agent: *\nDisallow: /x".encode("utf-16-le")},
        {"raw": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"User-agent: *\nDisallow: /x\n")},
        {"status": 302, "headers": {"Location": "/"}}, {"status": 302, "headers": {"Location": "/robots.txt"}}, {"body": "User-agent: *\nDisallow: /*?print\nCrawl-delay: x"},
        {"body": "User-agent: GPTBot\nDisallow: /\n\nUser-agent: *\nAllow: /"}, {"body": bytes(range(256)) * 50},
    ],
)  # fmt: skip
async def test_robots_that_forbid_nothing_are_obeyed_so(robots):
    articles, documents, _ = await collect(
        FEED | each(lambda b: {"body": b}) | {"/robots.txt": robots, "/": {"body": "<html>front"}}, polls=3
    )
    check_stories(articles, documents)


@pytest.mark.parametrize(
    "robots",
    [
        "\ufeffUser-agent: *\nDisallow: /s/",
        "User-Agent: *\r\nDISALLOW: /s/\r\n",
        "user-agent:*\ndisallow:/s/",
        "# x\n\nUser-agent: *\n\nDisallow: /s/ # no",
    ],
)
async def test_robots_that_forbid_the_pages_are_obeyed_however_they_are_written(robots):
    articles, documents, site = await collect(
        TOLD | each(lambda b: {"body": b}) | {"/robots.txt": {"body": robots.encode()}}, polls=3
    )
    check_stories(articles, documents)
    assert not any(path.startswith("/s/") for path in site.asked)
