"""The writer of articles: one transaction for all batches that wait, and what happens when Kafka is away."""

import asyncio
import contextlib
import threading

import pytest

from pipeline import bus
from pipeline.collect import writer
from pipeline.collect.writer import ArticleWriter, Batch, LostError
from pipeline.records import Article, FeedState, decode, encode
from tests.make import make_article


class Topics:
    """A log in memory, and publishers for it that can fail."""

    def __init__(self):
        self.records = []
        self.places = []
        self.transactions = 0
        self.fail = []
        self.assigned = True
        self.limit = 10_000_000
        self.go = threading.Event()
        self.go.set()

    def connect(self):
        return Sender(self)

    def states(self):
        return {key: value for topic, key, value in self.records if topic == bus.FEEDS}


class Sender:
    def __init__(self, topics):
        self.topics = topics
        self.sent = []

    def send(self, topic, key, value, *, partition=None):
        self.topics.places.append((topic, partition))
        self.sent.append((topic, key, value))

    @contextlib.contextmanager
    def transaction(self):
        self.topics.go.wait(5)
        self.sent = []
        yield
        if any(len(value) > self.topics.limit for _, _, value in self.sent):
            raise bus.RecordSizeError("news.articles: [Error 10] MessageSizeTooLargeError")
        fault = self.topics.fail.pop(0) if self.topics.fail else None
        if fault == "before":
            raise bus.BusError("Kafka is away")
        if fault == "fenced":
            raise bus.BusError("the transaction failed: ProducerFencedError")
        self.topics.records += self.sent
        self.topics.transactions += 1
        if fault == "after":
            raise bus.BusError("the answer was lost")

    def close(self, seconds=10.0):
        pass


def batch(name, articles=1):
    state = FeedState(id=name, url=f"https://{name}.example/")
    return Batch(state, [make_article(f"{name} {n}", feed_id=name) for n in range(articles)])


@pytest.fixture
def topics(monkeypatch):
    monkeypatch.setattr(writer, "RETRY_SECONDS", (0.01,))
    return Topics()


@pytest.fixture
async def sink(topics):
    sink = ArticleWriter(topics.connect, topics.states, partition=2, is_assigned=lambda: topics.assigned)
    sink.open()
    yield sink
    topics.go.set()
    await asyncio.to_thread(sink.close)


async def test_articles_stand_before_the_state_that_remembers_them(topics, sink):
    await sink.put(batch("a", 2))
    assert [topic for topic, _, _ in topics.records] == [bus.ARTICLES, bus.ARTICLES, bus.FEEDS]
    assert topics.records[-1][1:] == (b"a", encode(batch("a").state))


async def test_what_waits_goes_into_one_transaction(topics, sink):
    topics.go.clear()
    waiting = [asyncio.create_task(sink.put(batch(name))) for name in "abcdef"]
    await asyncio.sleep(0.1)
    topics.go.set()
    await asyncio.gather(*waiting)
    assert len(topics.records) == 12
    assert topics.transactions <= 2


async def test_when_kafka_is_away_it_is_tried_until_it_is_back_and_the_trouble_shows(topics, sink):
    topics.fail = ["before", "before", "before"]
    waiting = asyncio.create_task(sink.put(batch("a")))
    await waiting
    assert topics.transactions == 1
    assert len(topics.records) == 2
    assert sink.problem == ""


async def test_an_article_that_is_too_large_for_the_cluster_is_cut_and_stops_nothing(topics, sink):
    topics.limit = 60_000
    pages = [make_article(f"<p>{size}</p>" + "<p>word of the page</p>" * size, title=str(size)) for size in (10, 9000)]
    await sink.put(Batch(FeedState(id="a", url="https://a.example/"), pages))
    found = [decode(value, Article) for topic, _, value in topics.records if topic == bus.ARTICLES]
    assert [article.truncated for article in found] == [False, True]
    assert found[1].html.startswith("<p>9000</p><p>word of the page</p>")
    assert 20_000 < len(found[1].html) < 60_000
    assert sink.problem == ""


async def test_a_transaction_whose_answer_was_lost_is_not_written_twice(topics, sink):
    topics.fail = ["after"]
    await sink.put(batch("a"))
    assert topics.transactions == 1
    assert len(topics.records) == 2


async def test_a_collector_that_was_replaced_stops(topics, sink):
    topics.fail = ["fenced"]
    with pytest.raises(LostError, match="another collector"):
        await sink.put(batch("a"))
    assert topics.records == []


async def test_states_go_to_the_partition_of_their_part_and_articles_where_their_id_leads(topics, sink):
    await sink.put(batch("a"))
    assert topics.places == [(bus.ARTICLES, None), (bus.FEEDS, 2)]


async def test_a_collector_that_was_away_while_another_wrote_does_not_write_over_it(topics, sink):
    await sink.put(batch("a"))
    newer = encode(FeedState(id="a", url="https://a.example/", title="written by another collector"))
    topics.records.append((bus.FEEDS, b"a", newer))
    topics.fail = [
        "before"
    ]  # its connection broke: it makes a new one, which shuts the other out, and has to look first
    with pytest.raises(LostError, match="meanwhile"):
        await sink.put(batch("a", 2))
    assert topics.states()[b"a"] == newer
    with pytest.raises(LostError):
        await sink.put(batch("a"))


async def test_a_part_that_is_no_longer_wanted_is_not_taken_back_by_a_new_connection(topics, sink):
    topics.fail = ["before"]
    topics.assigned = False
    with pytest.raises(LostError, match="belongs to another"):
        await sink.put(batch("a"))
    assert topics.records == []


async def test_closing_writes_what_waits(topics):
    sink = ArticleWriter(topics.connect, topics.states)
    sink.open()
    topics.go.clear()
    waiting = [asyncio.create_task(sink.put(batch(name))) for name in "ab"]
    await asyncio.sleep(0.05)
    topics.go.set()
    await asyncio.to_thread(sink.close)
    await asyncio.wait_for(asyncio.gather(*waiting), timeout=60)
    assert len(topics.records) == 4
