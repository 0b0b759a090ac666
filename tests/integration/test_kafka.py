"""The bus on a real Kafka: topics, transactions, read-then-commit, lag, replay."""

import asyncio
import itertools
import random
import threading
import time
import uuid

import msgspec
import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from pipeline import bus
from pipeline.bus import group as reading
from pipeline.collect.writer import ArticleWriter, Batch
from pipeline.records import Article, FeedState, decode
from tests.make import make_article
from tests.waiting import wait_until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def settings(stack):
    bus.create_topics(stack)
    return stack


@pytest.fixture
def mark():
    """Tells this test's records from those of others."""
    return uuid.uuid4().hex.encode()


def values(settings, topic, mark):
    return [m.value for m in bus.read_all(settings, topic) if m.key == mark]


def consume(settings, group, count, handle=None, topics=(bus.DOCUMENTS,)):
    """Read with a group until `count` records have come; the records."""
    got, stop = [], threading.Event()
    timer = threading.Timer(20, stop.set)
    timer.start()

    def take(messages):
        if handle is not None:
            handle(messages)
        got.extend(messages)
        if len(got) >= count:
            stop.set()

    try:
        bus.consume(settings, topics=topics, group=group, handle=take, stop=stop)
    finally:
        timer.cancel()
    return got


def test_creating_topics_twice_changes_nothing_and_their_partitions_are_as_configured(settings):
    assert bus.create_topics(settings) == ()


@pytest.mark.parametrize("codec", ["zstd", "lz4", "snappy", "gzip"])
def test_records_that_the_cluster_compresses_by_itself_are_read(settings, mark, codec):
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    topic = ConfigResource(ConfigResourceType.TOPIC, bus.FEEDBACK, {"compression.type": codec})
    admin.alter_configs([topic])
    admin.close()
    publisher = bus.Publisher(settings)
    publisher.send(bus.FEEDBACK, mark, codec.encode() * 1000)
    publisher.flush()
    publisher.close()
    assert values(settings, bus.FEEDBACK, mark) == [codec.encode() * 1000]


def test_existing_topics_get_the_retention_of_todays_settings_and_foreign_options_stay(settings):
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    try:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, bus.ARTICLES, {"file.delete.delay.ms": "5000"})])
        kafka = msgspec.structs.replace(
            settings.kafka, retention_days=3, retention_gb=8, partitions=settings.kafka.partitions
        )
        changed = bus.update_topics(msgspec.structs.replace(settings, kafka=kafka))
        each = 8_000_000_000 // settings.kafka.partitions
        assert {f"{bus.ARTICLES} retention.bytes={each}", f"{bus.ARTICLES} retention.ms={3 * 86_400_000}"} <= set(
            changed
        )
        assert f"{bus.EVENTS} retention.bytes=8000000000" in changed, "all of it is in one partition"
        assert not [change for change in changed if change.startswith((bus.FEEDBACK, bus.FEEDS))], (
            "these are kept for ever"
        )
        # a broker tells of a change some time after the controller has made it
        wait_until(lambda: bus.update_topics(msgspec.structs.replace(settings, kafka=kafka)) == ())
        asked = ConfigResource(ConfigResourceType.TOPIC, bus.ARTICLES)
        wait_until(lambda: described(admin, asked)["file.delete.delay.ms"]["value"] == "5000")
    finally:
        admin.close()
        bus.update_topics(settings)


def test_the_oldest_records_of_a_topic_are_removed_beyond_its_size(settings):
    """The real broker does it: its segments and the interval of its cleaner are made small for the test."""
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    publisher = bus.Publisher(settings)
    try:
        small = {"retention.bytes": "3000000", "segment.bytes": "1048576"}
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, bus.QUARANTINE, small)])
        deadline = time.monotonic() + 120
        # A broker applies the new sizes some time after its answer, and ends a segment only when the next record comes:
        # records are sent until the oldest are gone.
        for number in itertools.count(1):
            publisher.send(bus.QUARANTINE, b"%d" % number, random.Random(number).randbytes(1_000_000), partition=0)
            publisher.flush()
            left = kept(settings, bus.QUARANTINE)
            if (number >= 10 and left <= 5) or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        assert 3 <= left <= 5, "the newest stay, and no more than the limit and a segment"
    finally:
        publisher.close()
        admin.close()
        bus.update_topics(settings)


def described(admin, topic):
    return admin.describe_configs([topic])["topic"][topic.name]


def kept(settings, topic):
    return sum(1 for _ in bus.read_all(settings, topic, 0))


def test_the_state_of_the_cluster_is_told_with_its_disks_and_topics(settings, mark):
    publisher = bus.Publisher(settings)
    publisher.send(bus.QUARANTINE, mark, b"x" * 100)
    publisher.flush()
    publisher.close()
    deadline = time.monotonic() + 120  # a broker makes the directories of new topics after it has answered
    while set((found := bus.cluster(settings)).topic_bytes) != set(bus.TOPICS):
        assert time.monotonic() < deadline, found
        time.sleep(0.5)
    assert (found.brokers, found.offline_partitions, found.under_replicated_partitions) == (1, 0, 0)
    [disk] = found.disks
    assert 0 < disk.free < disk.size
    assert found.topic_bytes[bus.QUARANTINE] > 0


def test_a_topic_with_another_number_of_partitions_stops_the_start(settings):
    other = msgspec.structs.replace(settings, kafka=msgspec.structs.replace(settings.kafka, partitions=9))
    with pytest.raises(bus.BusError, match=r"has \d+ partitions, kafka.partitions says 9"):
        bus.create_topics(other)


def test_what_a_transaction_sends_is_seen_whole_or_not_at_all(settings, mark):
    publisher = bus.Publisher(settings, transactional_id=f"test-{mark.decode()}")
    with publisher.transaction():
        publisher.send(bus.ARTICLES, mark, b"one")
        publisher.send(bus.FEEDS, mark, b"state")
    with pytest.raises(RuntimeError, match="in the middle"), publisher.transaction():
        publisher.send(bus.ARTICLES, mark, b"never")
        raise RuntimeError("died in the middle")
    with publisher.transaction():
        publisher.send(bus.ARTICLES, mark, b"two")
    publisher.close()
    assert values(settings, bus.ARTICLES, mark) == [b"one", b"two"]
    assert values(settings, bus.FEEDS, mark) == [b"state"]


def test_a_second_publisher_of_the_same_id_shuts_the_first_out(settings, mark):
    """Two collectors of one name cannot both publish: the older one is told."""
    name = f"twin-{mark.decode()}"
    first = bus.Publisher(settings, transactional_id=name)
    with first.transaction():
        first.send(bus.ARTICLES, mark, b"first")
    second = bus.Publisher(settings, transactional_id=name)
    with second.transaction():
        second.send(bus.ARTICLES, mark, b"second")
    with pytest.raises(bus.BusError), first.transaction():
        first.send(bus.ARTICLES, mark, b"ghost")
    first.close()
    second.close()
    assert values(settings, bus.ARTICLES, mark) == [b"first", b"second"]


def test_a_record_that_is_too_large_is_an_error_that_names_its_topic(settings, mark):
    publisher = bus.Publisher(settings)
    with pytest.raises(bus.BusError, match=bus.ARTICLES):
        publisher.send(bus.ARTICLES, mark, random.Random(1).randbytes(9_000_000))
        publisher.flush()
    publisher.close()


def test_a_cluster_that_takes_smaller_records_than_the_topic_asks_for_stops_no_collector(settings, mark):
    set_limit(settings, "60000")
    try:
        patient = bus.PatientPublisher(settings, threading.Event())
        with pytest.raises(bus.RecordSizeError):
            patient.put(bus.ARTICLES, [(mark, random.Random(1).randbytes(200_000))])
        patient.close()
        name = f"size-{mark.decode()}"
        writer = ArticleWriter(lambda: bus.Publisher(settings, name), dict, partition=0)
        writer.open()
        noise = random.Random(2).randbytes(100_000).hex()
        article = make_article(f"<p>{mark.decode()}</p><p>{noise}</p>", id=mark.decode())
        asyncio.run(writer.put(Batch(FeedState(id=name, url="https://a.example/"), [article])))
        writer.close()
    finally:
        set_limit(settings, str(bus.MESSAGE_BYTES))
    (found,) = [decode(value, Article) for value in values(settings, bus.ARTICLES, mark)]
    assert found.truncated
    assert found.html.startswith(f"<p>{mark.decode()}</p>")


def set_limit(settings, size):
    admin = KafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, bus.ARTICLES, {"max.message.bytes": size})])
    admin.close()
    time.sleep(1)  # the broker takes it over on its own


def test_offsets_move_only_after_the_batch_was_handled(settings, mark):
    publisher = bus.Publisher(settings)
    for number in range(20):
        publisher.send(bus.DOCUMENTS, mark, str(number).encode())
    publisher.flush()
    publisher.close()
    group = f"dateline-test-{mark.decode()}"

    class SinkError(Exception):
        pass

    def refuse(messages):
        raise SinkError

    with pytest.raises(SinkError):
        consume(settings, group, 1, refuse)
    total = sum(1 for _ in bus.read_all(settings, bus.DOCUMENTS))
    got = consume(settings, group, total)
    assert [m.value for m in got if m.key == mark] == [str(n).encode() for n in range(20)]
    mine = [lag for lag in bus.lags(settings) if lag.group == group]
    assert mine
    assert sum(lag.records for lag in mine) == 0


def test_a_client_that_gives_nothing_while_records_wait_is_given_up(settings, mark, monkeypatch):
    def publish():
        publisher = bus.Publisher(settings)
        publisher.send(bus.DOCUMENTS, mark, b"one more", partition=0)
        publisher.flush()
        publisher.close()

    publish()
    name = f"dateline-test-{mark.decode()}"
    consume(settings, name, sum(1 for _ in bus.read_all(settings, bus.DOCUMENTS)))
    publish()
    real = reading.poll
    monkeypatch.setattr(reading, "poll", lambda *given, **options: real(*given, **options)[:0])
    monkeypatch.setattr(reading, "STALL_SECONDS", 1.0)
    with pytest.raises(bus.BusError, match=f"records wait on {bus.DOCUMENTS}, partition 0"):
        consume(settings, name, 1)
    monkeypatch.undo()
    assert consume(settings, name, 1)[-1].value == b"one more"


def test_the_markers_of_transactions_are_no_lag(settings, mark):
    """A marker takes an offset and is never delivered: a group at the last record is not behind."""
    publisher = bus.Publisher(settings, transactional_id=f"markers-{mark.decode()}")
    for _ in range(3):
        with publisher.transaction():
            publisher.send(bus.ARTICLES, mark, b"x")
    publisher.close()
    group = f"dateline-test-{mark.decode()}"
    consume(settings, group, sum(1 for _ in bus.read_all(settings, bus.ARTICLES)), topics=(bus.ARTICLES,))
    mine = [lag for lag in bus.lags(settings) if lag.group == group]
    assert sum(lag.records for lag in mine) == 0


def test_the_records_of_an_aborted_transaction_are_no_lag(settings, mark):
    """Kafka keeps them and delivers them to nobody. After a failure there may be any number at the end of a partition."""
    publisher = bus.Publisher(settings, transactional_id=f"aborted-{mark.decode()}")
    with publisher.transaction():
        publisher.send(bus.FEEDBACK, mark, b"x", partition=0)
    group = f"dateline-test-{mark.decode()}"
    consume(settings, group, sum(1 for _ in bus.read_all(settings, bus.FEEDBACK)), topics=(bus.FEEDBACK,))
    for _ in range(3):
        with pytest.raises(RuntimeError), publisher.transaction():
            for number in range(40):
                publisher.send(bus.FEEDBACK, mark, b"%d" % number, partition=0)
            publisher.flush()
            raise RuntimeError("in the middle")
    [nothing] = [lag for lag in bus.lags(settings, [group]) if lag.partition == 0]
    assert nothing.end - (nothing.committed or 0) > 120
    assert nothing.records == 0
    with publisher.transaction():
        publisher.send(bus.FEEDBACK, mark, b"y", partition=0)
    publisher.close()
    [one] = [lag for lag in bus.lags(settings, [group]) if lag.partition == 0]
    assert one.records > 0


def test_a_group_moved_back_reads_everything_again(settings, mark):
    publisher = bus.Publisher(settings)
    publisher.send(bus.ALERTS, mark, b"again")
    publisher.flush()
    publisher.close()
    group = f"dateline-test-{mark.decode()}"
    total = sum(1 for _ in bus.read_all(settings, bus.ALERTS))
    first = consume(settings, group, total, topics=(bus.ALERTS,))
    assert bus.reset(settings, group, (bus.ALERTS,)) == settings.kafka.partitions
    again = consume(settings, group, total, topics=(bus.ALERTS,))
    assert sorted((m.partition, m.offset) for m in again) == sorted((m.partition, m.offset) for m in first)


def test_one_record_can_be_read_at_its_place(settings, mark):
    publisher = bus.Publisher(settings)
    publisher.send(bus.EVENTS, mark, b"here")
    publisher.flush()
    publisher.close()
    [message] = [m for m in bus.read_all(settings, bus.EVENTS) if m.key == mark]
    found = bus.read_one(settings, message.topic, message.partition, message.offset)
    assert found is not None
    assert found.value == b"here"


def test_without_a_broker_the_error_names_the_address(settings):
    nowhere = msgspec.structs.replace(
        settings, kafka=msgspec.structs.replace(settings.kafka, bootstrap_servers="127.0.0.1:1")
    )
    with pytest.raises(bus.BusError, match="127.0.0.1:1"):
        bus.wait_for_topics(nowhere, threading.Event(), seconds=0)
