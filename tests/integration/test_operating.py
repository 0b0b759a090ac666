"""What an operator does to a real Kafka: look into quarantine, send records again, let a group read anew, ask how things are."""

import threading
import time

import msgspec
import pytest

from pipeline import bus
from pipeline.operate import quarantine, replay, status
from pipeline.records import encode
from pipeline.settings import Http
from tests.make import NOW, make_event, make_failure

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def kafka(stack):
    bus.create_topics(stack)
    return stack


def publish(settings, topic, key, value, partition=None):
    publisher = bus.Publisher(settings)
    publisher.send(topic, key, value, partition=partition)
    publisher.flush()
    publisher.close()


def consume(settings, group, topics, number, seconds=60):
    """Read so many records as this group, commit them, leave."""
    seen, stop = [], threading.Event()

    def handle(messages):
        seen.extend(messages)
        if len(seen) >= number:
            stop.set()

    timer = threading.Timer(seconds, stop.set)
    timer.start()
    bus.consume(settings, topics=topics, group=group, handle=handle, stop=stop, wait_seconds=0.1)
    timer.cancel()
    assert len(seen) >= number, f"{len(seen)} of {number}"
    return seen


def test_a_failure_is_listed_sent_again_to_its_place_and_gone_from_the_list(kafka):
    raw = encode(make_event(id="e" * 20))
    failure = make_failure(
        id="f" * 20, stage="track", topic=bus.EVENTS, partition=2, offset=0, key=b"family", raw=raw, raw_size=len(raw)
    )
    publish(kafka, bus.QUARANTINE, failure.id.encode(), encode(failure))
    assert failure in quarantine.read(kafka)

    [result] = quarantine.retry(kafka, quarantine.select(quarantine.read(kafka), ["f" * 8]))
    assert result.problem == ""
    sent = [m for m in bus.read_all(kafka, bus.EVENTS, 2) if m.value == raw]
    assert [(m.partition, m.key) for m in sent] == [(2, b"family")]
    assert failure not in quarantine.read(kafka)

    again = msgspec.structs.replace(failure, offset=sent[0].offset)
    publish(kafka, bus.QUARANTINE, again.id.encode(), encode(again))
    assert again in quarantine.read(kafka), "what fails again is there again"


def test_a_record_too_large_for_quarantine_is_found_in_its_own_place(kafka):
    large = b"x" * 7_000_000
    publish(kafka, bus.ARTICLES, b"k", large, partition=1)
    [there] = [m for m in bus.read_all(kafka, bus.ARTICLES, 1) if m.value == large]
    failure = make_failure(
        id="1" * 20, topic=bus.ARTICLES, partition=1, offset=there.offset, key=b"k", raw=b"", raw_size=len(large)
    )
    [result] = quarantine.retry(kafka, [failure])
    assert result.problem == ""
    assert sum(m.value == large for m in bus.read_all(kafka, bus.ARTICLES, 1)) == 2
    [gone] = quarantine.retry(kafka, [msgspec.structs.replace(failure, offset=there.offset + 1000)])
    assert "no longer holds it" in gone.problem


def test_a_group_that_was_moved_back_reads_everything_again_and_one_that_runs_is_refused(kafka):
    for number in range(6):
        publish(kafka, bus.ALERTS, b"%d" % number, b"{}")
    topics = replay.TOPICS[bus.INDEXER_GROUP]
    number = sum(1 for topic in topics for _ in bus.read_all(kafka, topic))
    consume(kafka, bus.INDEXER_GROUP, topics, number)

    stop = threading.Event()
    progress = bus.Progress()
    running = threading.Thread(
        target=bus.consume, args=(kafka,),
        kwargs={"topics": topics, "group": bus.INDEXER_GROUP, "handle": lambda _: None, "stop": stop, "progress": progress},
    )  # fmt: skip
    running.start()
    try:
        deadline = time.monotonic() + 30
        while not progress.assigned and time.monotonic() < deadline:
            time.sleep(0.05)
        with pytest.raises(bus.BusError, match="is it running"):
            replay.replay(kafka, "indexer")
    finally:
        stop.set()
        running.join()

    group, moved, waiting = replay.replay(kafka, "indexer")
    assert (group, moved) == (bus.INDEXER_GROUP, topics)
    assert waiting == number
    consume(kafka, bus.INDEXER_GROUP, topics, number)


def test_status_tells_of_a_real_kafka_and_elasticsearch_also_without_any_process(kafka):
    nowhere = Http(collector_port=1, worker_port=1, indexer_port=1, notifier_port=1, console_port=1)
    found = status.gather(msgspec.structs.replace(kafka, http=nowhere), now=NOW)
    assert found.kafka_problem == ""
    assert found.index["reachable"]
    assert found.index["status"] in ("green", "yellow")
    assert all("no answer" in problem for problem in found.problems)
    assert len(found.problems) == 5
