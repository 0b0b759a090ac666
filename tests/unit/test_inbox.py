"""New articles are read before those of the past, and a batch leaves a share for the other processes."""

import asyncio

import pytest

from pipeline import bus
from pipeline.settings import Settings
from pipeline.stage import Source
from pipeline.worker import past
from pipeline.worker.app import WorkerApp
from pipeline.worker.inbox import Arrival, Inbox
from pipeline.worker.pool import ArticleResult
from pipeline.worker.watchdog import Heartbeat
from tests.make import NOW


def arrival(name):
    return Arrival(Source("news.articles", 0, 0, None, name.encode()), lambda: None)


async def filled(new=(), old=(), most=10):
    inbox = Inbox(most)
    for name in old:
        await inbox.put(arrival(name), past=True)
    for name in new:
        await inbox.put(arrival(name))
    return inbox


def names(arrivals):
    return [one.source.raw.decode() for one in arrivals]


async def test_new_articles_are_taken_first_and_those_of_the_past_one_by_one():
    inbox = await filled(new="ab", old="xy")
    taken = [names(await inbox.take(1, 16)) for _ in range(3)]
    assert taken == [["a", "b"], ["x"], ["y"]]


async def test_an_article_that_comes_while_one_of_the_past_is_read_is_next():
    inbox = await filled(old="xyz")
    assert names(await inbox.take(2, 16)) == ["x"]
    await inbox.put(arrival("a"))
    assert names(await inbox.take(2, 16)) == ["a"]
    assert names(await inbox.take(2, 16)) == ["y"]


async def test_a_batch_leaves_a_share_for_the_other_processes():
    assert names(await (await filled(new="abcdefg")).take(2, 16)) == ["a", "b", "c", "d"]
    assert names(await (await filled(new="abcdefg")).take(1, 3)) == ["a", "b", "c"]


@pytest.mark.parametrize("is_past", [True, False])
async def test_who_waits_gets_what_arrives(is_past):
    inbox = Inbox(1)
    waiting = [asyncio.create_task(inbox.take(2, 16)) for _ in range(2)]
    await asyncio.sleep(0)
    for name in "ab":
        await inbox.put(arrival(name), past=is_past)
        await asyncio.sleep(0)
    assert sorted([name for task in waiting for name in names(await task)]) == ["a", "b"]


@pytest.mark.parametrize("is_past", [True, False])
async def test_a_full_inbox_lets_no_more_in(is_past):
    inbox = Inbox(1)
    await inbox.put(arrival("a"), past=is_past)
    late = asyncio.create_task(inbox.put(arrival("late"), past=is_past))
    await asyncio.sleep(0)
    assert not late.done()
    assert names(await inbox.take(1, 16)) == ["a"]
    await asyncio.wait_for(late, 10)


async def test_a_closed_inbox_gives_nothing_out_whether_articles_wait_or_not():
    inbox = await filled(new="ab", old="x")
    inbox.close()
    assert await inbox.take(1, 16) == []
    inbox = Inbox(1)
    waiting = asyncio.create_task(inbox.take(1, 16))
    await asyncio.sleep(0)
    inbox.close()
    assert await asyncio.wait_for(waiting, 10) == []


@pytest.fixture
def worker():
    """A worker without Faust, Kafka and spaCy."""
    made = WorkerApp.__new__(WorkerApp)
    made.settings, made.heartbeat, made._inbox, made._reads = Settings(), Heartbeat(), Inbox(4), {}
    made.written = []

    class Pool:
        size = 1

        async def read(self, raws):
            return [ArticleResult("ok", "detect", article_id=raw.decode()) for raw in raws]

    async def publish(topic, key, value, *, partition=None):
        made.written.append((topic, key))

    made.pool, made._publish = Pool(), publish
    return made


async def test_articles_of_the_past_are_read_and_their_end_is_told(worker):
    reading = asyncio.create_task(worker.read_forever())
    messages = [bus.Message(bus.BACKFILL, 1, n, b"k", name, 0) for n, name in enumerate((b"x", b"y"))]
    await asyncio.wait_for(worker.read_past(messages), 10)
    reading.cancel()
    assert [key for topic, key in worker.written if topic == bus.DOCUMENTS] == [b"x", b"y"]
    assert worker.heartbeat.finished == 2


async def test_a_worker_that_is_told_to_stop_finishes_what_the_pool_reads_and_leaves_what_waits(worker):
    """Sixty-four articles that waited took half a minute; the next worker reads them anyway."""
    reads, go_on = asyncio.Queue(), asyncio.Event()

    async def slowly(raws):
        reads.put_nowait(raws)
        await go_on.wait()
        return [ArticleResult("ok", "detect", article_id=raw.decode()) for raw in raws]

    worker.pool.read, worker._acks, done = slowly, [], []
    readers = [asyncio.create_task(worker.read_forever())]
    for name in "abc":
        await worker._inbox.put(Arrival(arrival(name).source, lambda name=name: done.append(name)))
        if name == "a":
            assert await asyncio.wait_for(reads.get(), 10) == [b"a"]
    draining = asyncio.create_task(worker._drain(readers))
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait_for(draining, 10)
    assert done == ["a"]
    assert worker.heartbeat.draining


async def test_a_worker_that_ends_commits_nothing_that_is_under_way(monkeypatch):
    """`consume` commits when `handle` has returned; here it may not return."""
    ending, asked = past.threading.Event(), []

    def consume(_settings, *, handle, **_):
        asked.append("asked")
        ending.set()
        handle([])
        asked.append("committed")

    monkeypatch.setattr(bus, "consume", consume)

    async def never(_messages):
        await asyncio.Event().wait()

    loop = asyncio.get_running_loop()
    await asyncio.to_thread(past.follow, Settings(), never, loop, ending, at_once=2)
    assert asked == ["asked"]


async def test_the_topic_of_the_past_is_read_again_after_an_error(monkeypatch):
    ending, asked, read = past.threading.Event(), [], []

    def consume(_settings, *, topics, group, handle, **_):
        asked.append((topics, group))
        if len(asked) == 1:
            raise bus.BusError("Kafka is away")
        handle(["message"])
        ending.set()

    async def reader(messages):
        read.extend(messages)

    monkeypatch.setattr(bus, "consume", consume)
    monkeypatch.setattr(past, "RETRY_SECONDS", 0.01)
    await asyncio.to_thread(past.follow, Settings(), reader, asyncio.get_running_loop(), ending, at_once=2)
    assert asked == [((bus.BACKFILL,), bus.BACKFILL_GROUP)] * 2
    assert read == ["message"]


async def test_a_backfill_is_no_delay_of_news(worker, monkeypatch):
    """The age of articles is what operators are paged for."""
    observed = []

    class Age:
        def labels(self, **_):
            return self

        def observe(self, seconds):
            observed.append(seconds)

    monkeypatch.setattr("pipeline.worker.app.metrics.article_age_seconds", Age())
    result = ArticleResult("ok", "detect", article_id="a", fetched_at=NOW.timestamp())
    await worker._settle_article(Source(bus.BACKFILL, 0, 0, None, b"x"), result)
    assert not observed
    await worker._settle_article(Source(bus.ARTICLES, 0, 0, None, b"x"), result)
    assert len(observed) == 1
