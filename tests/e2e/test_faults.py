"""Kill -9 in the middle of the load, garbage on every topic, Elasticsearch gone: nothing lost, nothing doubled."""

import json
import threading
import time
import urllib.request
from collections import Counter

import pytest

from pipeline import bus
from pipeline.records import Alert, Article, Document, Event, Failure, Story, decode
from tests.e2e.house import EXPECTED, House, Receiver, Site

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1200)]

SLUGS = sorted(EXPECTED["articles"])
COPIES = 2


@pytest.fixture
def house(tmp_path, fresh_stack):
    """The processes on a stack of their own, with twice the sample articles to read."""
    site, receiver = Site(SLUGS, copies=COPIES), Receiver()
    house = House(fresh_stack, tmp_path / "house", site, receiver)
    house.site, house.receiver = site, receiver
    bus.create_topics(house.settings)
    yield house
    house.stop()


def indexed_ids(house, index):
    url = house.settings.elasticsearch_url
    with urllib.request.urlopen(f"{url}/{index}/_refresh", data=b"", timeout=10):
        pass
    body = json.dumps({"size": 10_000, "_source": False}).encode()
    request = urllib.request.Request(f"{url}/{index}/_search", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return [hit["_id"] for hit in json.load(answer)["hits"]["hits"]]


def finished(house):
    return house.metric("worker", "dateline_records_total", stage="detect", outcome="ok")


def test_kill_9_of_the_worker_then_of_the_indexer_loses_and_doubles_nothing(house):
    total = len(SLUGS) * COPIES
    house.start()
    house.wait_ready()
    house.wait("a third is read", lambda: finished(house) >= total / 3)
    house.kill("worker")
    house.start_another_worker()
    killed_at = time.monotonic()
    documents = len(house.topic(bus.DOCUMENTS))
    house.wait("another worker takes over", lambda: len(house.topic(bus.DOCUMENTS)) > documents, 60)
    took = time.monotonic() - killed_at
    house.wait("two thirds are read", lambda: len({m.key for m in house.topic(bus.DOCUMENTS)}) >= 2 * total / 3)
    house.kill("indexer")
    house.start("indexer")
    house.wait_idle(total)
    alerts = {decode(m.value, Alert).id for m in house.topic(bus.ALERTS)}
    house.wait("alerts delivered", lambda: set(house.receiver.keys) >= alerts, 30)

    articles = [decode(m.value, Article) for m in house.topic(bus.ARTICLES)]
    assert len(articles) == len({a.id for a in articles}) == total
    for topic, kind, index in (
        (bus.DOCUMENTS, Document, "news-documents"),
        (bus.EVENTS, Event, "news-events"),
        (bus.STORIES, Story, "news-stories"),
        (bus.ALERTS, Alert, "news-alerts"),
    ):
        ids = {decode(m.value, kind).id for m in house.topic(topic)}
        found = indexed_ids(house, index)
        assert len(found) == len(set(found)), f"{index} holds an id twice"
        assert set(found) == ids, index
    assert {decode(m.value, Document).id for m in house.topic(bus.DOCUMENTS)} == {a.id for a in articles}
    events = {decode(m.value, Event).id: decode(m.value, Event) for m in house.topic(bus.EVENTS)}
    latest = {}
    for story in (decode(m.value, Story) for m in house.topic(bus.STORIES)):
        if story.id not in latest or story.revision >= latest[story.id].revision:
            latest[story.id] = story
    in_stories = Counter(event_id for story in latest.values() if not story.merged_into for event_id in story.event_ids)
    assert in_stories, "there are stories"
    assert max(in_stories.values()) == 1, "an event is in one story, once"
    assert set(in_stories) <= set(events)
    rung = Counter(
        (a.rule, a.happening_id or a.story_id) for a in (decode(m.value, Alert) for m in house.topic(bus.ALERTS))
    )
    assert max(rung.values()) == 1
    assert set(house.receiver.keys) == alerts
    assert took < 20 + 25, f"takeover took {took:.1f} s, the start of the second worker included"


def test_garbage_on_each_topic_goes_to_quarantine_and_the_service_stays_up(house):
    house.start()
    house.wait_ready()
    publisher = bus.Publisher(house.settings)
    topics = (bus.ARTICLES, bus.DOCUMENTS, bus.EVENTS, bus.BRIEFS, bus.STORIES, bus.ALERTS)
    for topic in topics:
        for raw in (b"\x00\xff\xfe garbage", b"", b"[]", b'{"record":"story"}', b"{" * 100_000):
            publisher.send(topic, b"bad", raw)
        publisher.send(topic, b"tombstone", None)
    publisher.flush()
    publisher.close()
    house.wait_idle(len(SLUGS) * COPIES)
    failures = [decode(m.value, Failure) for m in house.topic(bus.QUARANTINE)]
    by_topic = Counter((f.topic, f.stage) for f in failures)
    assert by_topic[bus.ARTICLES, "extract"] >= 5
    for topic, stage in (
        (bus.EVENTS, "index"),
        (bus.BRIEFS, "track"),
        (bus.STORIES, "alert"),
        (bus.DOCUMENTS, "index"),
        (bus.ALERTS, "notify"),
    ):
        assert by_topic[topic, stage] >= 5, (topic, stage, by_topic)
    assert all(f.error and f.error_type for f in failures)
    assert {f.raw for f in failures} >= {b"\x00\xff\xfe garbage", b"[]"}
    documents = {decode(m.value, Document).id for m in house.topic(bus.DOCUMENTS) if is_document(m)}
    assert len(documents) == len(SLUGS) * COPIES
    for name, process in house.processes.items():
        assert process.poll() is None, name
        assert house.get(name, "/readyz")[0] == 200, (name, house.get(name, "/readyz"))


def is_document(message):
    return message.key not in (b"bad", b"tombstone")


def test_metrics_answer_within_a_quarter_second_under_full_load(house):
    house.start()
    house.wait_ready()
    house.wait("reading has begun", lambda: finished(house) > 3)
    times, stop = [], threading.Event()
    before = house.logs("worker", 400).count("rebalance")

    def scrape():
        while not stop.wait(0.1):
            began = time.monotonic()
            status, _ = house.get("worker", "/metrics")
            times.append(time.monotonic() - began if status == 200 else 10.0)

    thread = threading.Thread(target=scrape)
    thread.start()
    house.wait_idle(len(SLUGS) * COPIES)
    stop.set()
    thread.join()
    times.sort()
    p99 = times[int(len(times) * 0.99)]
    assert len(times) > 50
    assert p99 < 0.25, f"p99 of {len(times)} scrapes: {p99:.3f} s"
    assert house.logs("worker", 400).count("rebalance") == before


def test_sigterm_drains_and_every_process_ends_well(house):
    house.start()
    house.wait_ready()
    house.wait("reading has begun", lambda: finished(house) > 3)
    statuses = house.stop()
    assert statuses == dict.fromkeys(statuses, 0), {name: house.logs(name) for name, s in statuses.items() if s}
    assert "drained" in house.logs("worker", 50)
