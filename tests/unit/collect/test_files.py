"""Feeds and pages that are local files, and the drop folder."""

import asyncio
import json
import os
import random

import msgspec
import pytest
import structlog

from pipeline.collect import files
from pipeline.collect.drop_folder import DropFolder
from pipeline.collect.fetch import Clock, FetchError
from pipeline.collect.poll import Poller
from pipeline.collect.seen_urls import SeenUrls
from pipeline.records import Feed, FeedState
from pipeline.settings import Collector, Settings

TEXT = "A headline of some length\n\nThe two presidents met in the capital on Tuesday and signed an agreement.\n"


class RecordingSink:
    def __init__(self):
        self.batches = []

    async def put(self, batch):
        self.batches.append(batch)

    @property
    def articles(self):
        return [article for batch in self.batches for article in batch.articles]


def make_poller(directory, states=(), **options):
    settings = Settings(directory=str(directory), collector=Collector(**options))
    return Poller(settings, None, RecordingSink(), SeenUrls(states), Clock.real(), random.Random(1))


def write_feed(folder, *links):
    items = "".join(
        f"<item><title>T {n}</title><link>{link}</link><guid>{n}</guid></item>" for n, link in enumerate(links)
    )
    folder.mkdir(exist_ok=True)
    (folder / "feed.xml").write_text(f"<rss version='2.0'><channel><title>F</title>{items}</channel></rss>")


async def test_a_feed_of_files_brings_its_pages_under_addresses_that_any_machine_has(tmp_path):
    write_feed(tmp_path / "sample", "pages/a%20b.html")
    (tmp_path / "sample/pages").mkdir()
    (tmp_path / "sample/pages/a b.html").write_text("<html><body><p>Hello</p></body></html>")
    poller = make_poller(tmp_path)
    feed = Feed(id="sample", url="file:sample/feed.xml")
    state = await poller.poll(feed, FeedState(id="sample", url=feed.url))
    (article,) = poller.sink.articles
    assert article.url == "file:sample/pages/a%20b.html"
    assert "Hello" in article.html
    again = await poller.poll(feed, state)
    assert len(poller.sink.articles) == 1
    assert again.failures == 0


@pytest.mark.parametrize(
    "link", ["../secret.html", "/etc/passwd", "file:///etc/passwd", "%2e%2e/secret.html", "link.html"]
)
async def test_a_link_out_of_the_feeds_folder_is_not_followed(tmp_path, link):
    (tmp_path / "secret.html").write_text("<p>secret</p>")
    write_feed(tmp_path / "sample", link)
    (tmp_path / "sample/link.html").symlink_to(tmp_path / "secret.html")
    poller = make_poller(tmp_path)
    await poller.poll(Feed(id="sample", url="file:sample/feed.xml"), FeedState(id="sample", url="file:sample/feed.xml"))
    assert poller.sink.articles == []


async def test_a_missing_feed_file_is_an_error_that_names_it(tmp_path):
    state = await make_poller(tmp_path).poll(Feed(id="f", url="file:none.xml"), FeedState(id="f", url="file:none.xml"))
    assert "none.xml: no such file" in state.error


def test_a_file_that_is_too_long_is_not_read(tmp_path):
    (tmp_path / "x.html").write_text("x" * 100)
    with pytest.raises(FetchError) as caught:
        files.read(tmp_path / "x.html", 99)
    assert caught.value.kind == "oversized"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:a/b.xml", "/conf/a/b.xml"),
        ("file:///abs/b%20c.xml", "/abs/b c.xml"),
        ("file://localhost/abs/b.xml", "/abs/b.xml"),
        ("file:/abs/b.xml", "/abs/b.xml"),
    ],
)
def test_a_file_url_leads_to_a_path(tmp_path, url, path):
    assert str(files.path_of(url, tmp_path.__class__("/conf"))) == path


# --- the drop folder ---


class Folder:
    """A drop folder and its watcher."""

    def __init__(self, tmp_path, state=None):
        self.path = tmp_path / "drop"
        self.path.mkdir(exist_ok=True)
        states = {state.id: state} if state else {}
        self.poller = make_poller(tmp_path, drop_folder="drop", states=states.values())
        self.lost = []
        self.dropped = DropFolder(self.poller.settings, self.poller, lambda _: 3, self.lost.append)
        self.dropped.assign(frozenset({3}), states)

    async def scan(self, times=1):
        for _ in range(times):
            await self.dropped.scan()

    @property
    def articles(self):
        return self.poller.sink.articles


async def test_a_file_becomes_an_article_once_it_has_stopped_growing(tmp_path):
    folder = Folder(tmp_path)
    (folder.path / "story.txt").write_text(TEXT[:30])
    await folder.scan()
    (folder.path / "story.txt").write_text(TEXT)
    await folder.scan()
    assert folder.articles == []
    await folder.scan()
    (article,) = folder.articles
    assert (article.html, article.content_type, article.url) == (TEXT, "text/plain", "file:drop/story.txt")
    await folder.scan(3)
    assert len(folder.articles) == 1


async def test_hidden_foreign_and_linked_files_are_left_alone_and_folders_looked_into(tmp_path):
    folder = Folder(tmp_path)
    (tmp_path / "outside.txt").write_text(TEXT)
    (folder.path / "link.txt").symlink_to(tmp_path / "outside.txt")
    for name in (".hidden.txt", "half.txt.part", "picture.png", "empty.txt"):
        (folder.path / name).write_text("" if name == "empty.txt" else TEXT)
    (folder.path / "inner").mkdir()
    (folder.path / "inner/page.html").write_text(f"<p>{TEXT}</p>")
    await folder.scan(3)
    assert [article.url for article in folder.articles] == ["file:drop/inner/page.html"]


FEED = "<rss version='2.0'><channel><title>Wire</title>{}</channel></rss>"


def wire_item(number, text=TEXT):
    words = f"{text} {number}. " * 3
    return f"<item><guid isPermaLink='false'>{number}</guid><title>T{number}</title><description>{words}</description></item>"


async def test_a_feed_in_the_drop_folder_gives_its_entries_once_and_the_changed_and_new_ones_later(tmp_path):
    folder = Folder(tmp_path)
    file = folder.path / "wire.xml"
    file.write_text(FEED.format(wire_item(1) + wire_item(2)))
    await folder.scan(4)
    assert [(article.title, article.publisher) for article in folder.articles] == [("T1", "Wire"), ("T2", "Wire")]
    file.write_text(FEED.format(wire_item(1) + wire_item(2, "Changed words, and quite a lot of them.") + wire_item(3)))
    await folder.scan(4)
    assert [article.title for article in folder.articles] == ["T1", "T2", "T2", "T3"]
    assert folder.articles[1].id == folder.articles[2].id
    again = Folder(tmp_path, folder.dropped._state)
    await again.scan(4)
    assert again.articles == []


async def test_a_dropped_feed_leads_to_files_beside_it_and_to_none_outside(tmp_path):
    folder = Folder(tmp_path)
    (tmp_path / "secret.txt").write_text(TEXT)
    (folder.path / "page.txt").write_text(f"{TEXT} On the page.")
    links = "".join(f"<item><title>T</title><link>{link}</link></item>" for link in ("page.txt", "../secret.txt"))
    (folder.path / "wire.rss").write_text(FEED.format(links))
    await folder.scan(4)
    assert [article.url for article in folder.articles] == ["file:drop/page.txt"]


async def test_a_dropped_file_that_is_no_feed_is_told_once_and_left_alone(tmp_path):
    folder = Folder(tmp_path)
    (folder.path / "data.json").write_text('{"a": 1}')
    with structlog.testing.capture_logs() as logs:
        await folder.scan(5)
    assert folder.articles == []
    assert [line["event"] for line in logs] == ["dropped_file_unreadable"]


async def test_the_same_content_is_taken_once_and_changed_content_is_a_new_version(tmp_path):
    folder = Folder(tmp_path)
    (folder.path / "a.txt").write_text(TEXT)
    await folder.scan(2)
    (folder.path / "b.txt").write_text(TEXT)
    os.utime(folder.path / "a.txt", (1, 1))
    await folder.scan(3)
    assert len(folder.articles) == 1
    (folder.path / "a.txt").write_text(TEXT + "More.")
    await folder.scan(2)
    first, second = folder.articles
    assert first.id == second.id
    assert first.first_seen_at == second.first_seen_at


async def test_a_restart_takes_nothing_twice(tmp_path):
    folder = Folder(tmp_path)
    (folder.path / "a.txt").write_text(TEXT)
    await folder.scan(2)
    again = Folder(tmp_path, folder.poller.sink.batches[-1].state)
    await again.scan(3)
    assert again.articles == []


async def test_files_that_were_forgotten_for_want_of_room_are_not_taken_again(tmp_path):
    folder = Folder(tmp_path)
    folder.dropped._keep = 2
    for n in range(5):
        (folder.path / f"{n}.txt").write_text(f"{TEXT} {n}")
        os.utime(folder.path / f"{n}.txt", (1000 + n, 1000 + n))
    await folder.scan(4)
    assert len(folder.articles) == 5
    assert len(folder.poller.sink.batches[-1].state.seen) == 2
    (folder.path / "new.txt").write_text(TEXT + "new")
    await folder.scan(2)
    assert len(folder.articles) == 6


async def test_the_watch_ends_when_it_is_told_to(tmp_path):
    folder = Folder(tmp_path)
    stop = asyncio.Event()
    watching = asyncio.create_task(folder.dropped.run(stop))
    await asyncio.sleep(0.05)
    stop.set()
    await asyncio.wait_for(watching, timeout=60)


# --- the command ---


def test_a_line_for_each_file(tmp_path):
    write_feed(tmp_path / "s", "https://x.example/1")
    (tmp_path / "no.xml").write_text("hello")
    lines = [
        json.loads(line) for line in files.feed_lines([str(tmp_path / "s/feed.xml"), str(tmp_path / "no.xml"), "/none"])
    ]
    assert [sorted(line) for line in lines] == [["entries", "file", "title"], ["error", "file"], ["error", "file"]]
    assert lines[0]["entries"] == [
        {
            "id": "0",
            "url": "https://x.example/1",
            "title": "T 0",
            "published": None,
            "updated": None,
            "summary": "",
            "content": "",
        }
    ]


def test_a_feed_saved_with_its_headers_is_read_by_them(tmp_path):
    body = b"<!--\nHeader:   Content-type: text/xml; charset=windows-1251\n-->\n<rss version='2.0'><channel><title>"
    (tmp_path / "f.xml").write_bytes(body + "Новости".encode("cp1251") + b"</title></channel></rss>")
    assert msgspec.to_builtins(files.feed_file(tmp_path / "f.xml"))["title"] == "Новости"
