"""New articles are read before those of the past, one by one."""

import asyncio
import types
from functools import partial

import pytest

from pipeline import bus, stage
from pipeline.records import Failure, decode
from pipeline.settings import Settings
from pipeline.stage import Outcome, Source
from pipeline.worker import faust_app, past
from pipeline.worker.acknowledge import OrderedAcks
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


async def taken(inbox, *, past=True):
    """The name of the next article; empty when none is given out any more."""
    arrival = await asyncio.wait_for(inbox.take(past=past), 10)
    return "" if arrival is None else arrival.source.raw.decode()


async def test_new_articles_are_taken_first():
    inbox = await filled(new="ab", old="xy")
    assert [await taken(inbox) for _ in range(4)] == ["a", "b", "x", "y"]


async def test_an_article_that_comes_while_one_of_the_past_is_read_is_next():
    inbox = await filled(old="xyz")
    assert await taken(inbox) == "x"
    await inbox.put(arrival("a"))
    assert [await taken(inbox), await taken(inbox)] == ["a", "y"]


async def test_who_takes_no_article_of_the_past_waits_for_a_new_one():
    inbox = await filled(old="x")
    waiting = asyncio.create_task(taken(inbox, past=False))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    await inbox.put(arrival("a"))
    assert await waiting == "a"
    assert await taken(inbox) == "x"


@pytest.mark.parametrize("is_past", [True, False])
async def test_who_waits_gets_what_arrives(is_past):
    inbox = Inbox(1)
    waiting = [asyncio.create_task(taken(inbox)) for _ in range(2)]
    await asyncio.sleep(0)
    for name in "ab":
        await inbox.put(arrival(name), past=is_past)
        await asyncio.sleep(0)
    assert sorted([await task for task in waiting]) == ["a", "b"]


@pytest.mark.parametrize("is_past", [True, False])
async def test_a_full_inbox_lets_no_more_in(is_past):
    inbox = Inbox(1)
    await inbox.put(arrival("a"), past=is_past)
    late = asyncio.create_task(inbox.put(arrival("late"), past=is_past))
    await asyncio.sleep(0)
    assert not late.done()
    assert await taken(inbox) == "a"
    await asyncio.wait_for(late, 10)


async def test_a_closed_inbox_gives_nothing_out_whether_articles_wait_or_not():
    inbox = await filled(new="ab", old="x")
    inbox.close()
    assert await taken(inbox) == ""
    inbox = Inbox(1)
    waiting = asyncio.create_task(taken(inbox))
    await asyncio.sleep(0)
    inbox.close()
    assert await waiting == ""


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


async def test_an_article_is_on_its_topics_as_soon_as_it_is_read(worker):
    """After an outage a worker reads a hundred that waited: the first is not held back until the last is read."""
    go_on, done = {name: asyncio.Event() for name in "abc"}, []

    async def slowly(raws):
        await go_on[raws[0].decode()].wait()
        return [ArticleResult("ok", "detect", article_id=raw.decode()) for raw in raws]

    worker.pool.read = slowly
    for name in "abc":
        await worker._inbox.put(Arrival(arrival(name).source, lambda name=name: done.append(name)))
    readers = worker.start_readers()
    for name in "abc":
        go_on[name].set()
        await asyncio.wait_for(_until(lambda name=name: name in done), 10)
        assert [key for topic, key in worker.written if topic == bus.BRIEFS] == [one.encode() for one in done]
    for reader in readers:
        reader.cancel()
    assert done == ["a", "b", "c"]


async def test_an_article_whose_partition_was_revoked_is_not_read(worker):
    """After an outage the same articles arrive again: to read them twice would delay what is new."""
    acks, done = OrderedAcks(), []
    events = {name: types.SimpleNamespace(message=types.SimpleNamespace(tp=name)) for name in "ab"}
    for name, event in events.items():
        acks.add(event)
        await worker._inbox.put(
            Arrival(arrival(name).source, lambda name=name: done.append(name), partial(acks.__contains__, event))
        )
    acks.forget(["a"])
    reading = asyncio.create_task(worker.read_forever())
    await asyncio.wait_for(_until(lambda: done), 10)
    reading.cancel()
    assert done == ["b"]
    assert {key for _, key in worker.written} == {b"b"}


async def test_a_failure_that_is_too_large_for_the_cluster_is_kept_without_its_bytes(worker):
    """The worker ended, and again after each start: it could not pass the article."""

    async def publish(topic, key, value, *, partition=None):
        if len(value) > 10_000:
            raise faust_app.TooLargeError
        worker.written.append((topic, value))

    worker._publish = publish
    source = Source(bus.ARTICLES, 1, 7, b"k", b"x" * 50_000)
    await worker._quarantine(Outcome("quarantined", failure=stage.failure("detect", source, ValueError("no"), now=NOW)))
    ((topic, value),) = worker.written
    kept = decode(value, Failure)
    assert (topic, kept.raw, kept.raw_size, kept.offset) == (bus.QUARANTINE, b"", 50_000, 7)


async def test_a_new_article_waits_for_one_of_the_past_at_most(worker):
    reads, go_on = [], asyncio.Event()

    async def slowly(raws):
        reads.append(raws[0])
        await go_on.wait()
        return [ArticleResult("ok", "detect", article_id=raw.decode()) for raw in raws]

    worker.pool.read = slowly
    for name in "xyz":
        await worker._inbox.put(arrival(name), past=True)
    readers = worker.start_readers()
    await asyncio.wait_for(_until(lambda: reads == [b"x"]), 10)
    await worker._inbox.put(arrival("new"))
    await asyncio.wait_for(_until(lambda: reads == [b"x", b"new"]), 10)
    for reader in readers:
        reader.cancel()


async def _until(condition):
    while not condition():  # noqa: ASYNC110 - what is waited for is a list
        await asyncio.sleep(0)


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
