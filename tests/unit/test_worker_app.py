"""The worker's agents: where they write, and when rules are evaluated."""

import asyncio
import threading
import types

import pytest

from pipeline import bus
from pipeline.alert import feedback
from pipeline.alert.rules import Rule, RuleSet
from pipeline.alert.throttle import AlertState
from pipeline.records import Alert, decode, encode
from pipeline.settings import Settings
from pipeline.stage import Rejected
from pipeline.track.stories import PARTITION
from pipeline.worker import app, faust_app, recovery
from pipeline.worker.app import WorkerApp
from pipeline.worker.pool import ArticleResult
from pipeline.worker.watchdog import Heartbeat
from tests.make import NOW, make_alert, make_story
from tests.waiting import until


async def test_all_events_and_briefs_go_to_one_partition_whatever_their_keys():
    """Reports of one happening meet there, however many partitions and workers there are."""
    sent = []

    async def publish(topic, key, value, *, partition=None):
        sent.append((topic, key, partition))

    worker = object.__new__(WorkerApp)  # no Faust app is needed to see where it writes
    worker._publish = publish
    result = ArticleResult("ok", "detect", article_id="a", events=((b"e1", b"{}"), (b"e2", b"{}")), brief=b"{}")
    await worker._publish_result(result)
    assert sent == [
        (bus.DOCUMENTS, b"a", None),
        (bus.EVENTS, b"e1", PARTITION),
        (bus.EVENTS, b"e2", PARTITION),
        (bus.BRIEFS, b"a", PARTITION),
    ]


# --- alerts ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def worker():
    """A worker without Faust and Kafka: what it writes is kept."""
    made = WorkerApp.__new__(WorkerApp)
    rule = Rule(name="hourly", about="By the hour", digest_minutes=60, channels=("desk",))
    made.rules = types.SimpleNamespace(found=RuleSet(rules=(rule,), channels={}), look=lambda: False)
    made.marks, made.marks_read = feedback.Marks(), threading.Event()
    made._alert_state, made._alert_lock, made._revocations = {0: AlertState()}, asyncio.Lock(), 0
    made.heartbeat = Heartbeat(assigned=frozenset({(bus.STORIES, 0)}))
    made.written = []

    async def publish(topic, key, value, *, partition=None):
        made.written.append((topic, partition, decode(value, Alert)))

    made._publish = publish
    return made


async def test_a_story_is_held_against_the_rules_when_all_marks_are_known_and_not_before(worker):
    ringing = asyncio.create_task(worker._alert(0, make_story()))
    await asyncio.sleep(0.2)
    assert not ringing.done()
    worker.marks_read.set()
    await ringing
    [(topic, partition, alert)] = worker.written
    assert (topic, partition, alert.held) == (bus.ALERTS, 0, "digest")
    with pytest.raises(Rejected, match="no_match"):
        await worker._alert(0, make_story(revision=2))


async def test_a_digest_goes_out_by_the_clock_where_no_further_story_comes(worker):
    worker.marks_read.set()
    await worker._alert(0, make_story())
    await worker._refresh_rules()
    await worker._refresh_rules()
    [_, (topic, partition, digest)] = worker.written
    assert (topic, partition) == (bus.ALERTS, 0)
    assert (digest.channels, digest.gathers) == (("desk",), (worker.written[0][2].id,))


async def test_what_was_read_while_partitions_were_taken_away_is_not_kept(worker, monkeypatch):
    def load(_settings, _partition):
        worker._revocations += 1
        return AlertState()

    monkeypatch.setattr(app, "load_alert_state", load)
    worker.settings = Settings()
    await worker._alert_state_of(1)
    assert 1 not in worker._alert_state
    monkeypatch.setattr(app, "load_alert_state", lambda _settings, _partition: AlertState())
    assert await worker._alert_state_of(1) is await worker._alert_state_of(1)


async def test_an_outage_while_the_state_of_a_partition_is_read_costs_no_record(worker, monkeypatch):
    """Without the state an event cannot be processed, and it is no fault of the event."""
    tries = []

    def load(_settings, partition):
        tries.append(partition)
        if len(tries) < 3:
            raise bus.BusError("Kafka does not answer")
        return AlertState()

    monkeypatch.setattr(app, "load_alert_state", load)
    monkeypatch.setattr(app, "STATE_RETRY_SECONDS", 0.001)
    worker.settings = Settings()
    assert (await worker._alert_state_of(1)).waiting == 0
    assert tries == [1, 1, 1]


async def test_offsets_that_kafka_did_not_take_are_committed_again(monkeypatch):
    """Faust counts them as committed: without a further record the lag of the partition would stay for ever."""
    taken = []

    async def commit(self, offsets, start_new_transaction=True):
        self._committed_offset.update(offsets)
        return taken.pop()

    consumer = object.__new__(faust_app._CommittedConsumer)
    consumer._committed_offset = {"a": 4}
    monkeypatch.setattr(faust_app.driver.Consumer, "_commit_offsets", commit)
    taken += [True, False]
    assert not await consumer._commit_offsets({"a": 7, "b": 1})
    assert consumer._committed_offset == {"a": 4, "b": None}
    assert await consumer._commit_offsets({"a": 7, "b": 1})
    assert consumer._committed_offset == {"a": 7, "b": 1}


class FakeClient:
    """A client of Kafka with three partitions; `asked` and `moved` are what was done with it, in order."""

    def __init__(self, committed):
        self.committed_offsets, self.done = committed, []

    def assignment(self):
        return frozenset(self.committed_offsets)

    async def committed(self, place):
        self.done.append("asked")
        await asyncio.sleep(0)
        return self.committed_offsets[place]

    async def beginning_offsets(self, places):
        return dict.fromkeys(places, 2)

    def seek(self, place, offset):
        self.done.append((place, offset))


async def test_a_client_moves_back_to_what_is_committed_at_once_and_to_the_start_without_a_commit(monkeypatch):
    """Faust moves one partition after the other, and one without a commit not at all: records were left out until a restart."""
    client = FakeClient({"a": 7, "b": None, "c": 1})
    thread = object.__new__(faust_app._CommittedThread)
    monkeypatch.setattr(thread, "_ensure_consumer", lambda: client, raising=False)
    assert await thread._seek_all() == client.committed_offsets
    assert client.done[:3] == ["asked"] * 3
    assert sorted(client.done[3:]) == [("a", 7), ("b", 2), ("c", 1)]
    assert thread.seeks == 1


@pytest.fixture
def consumer(monkeypatch):
    """Faust's consumer, whose next records are in `waiting`."""
    made = object.__new__(faust_app._CommittedConsumer)
    made.waiting, made._thread, made._seeks_before = [], types.SimpleNamespace(seeks=1), 0
    made._read_offset = faust_app._ReadOffsets(made._is_current)

    async def next_records(self, _seconds):
        return self.waiting.pop(0), {"p"}

    async def getmany(self, seconds):
        records, _ = await self._wait_next_records(seconds)
        for place, offsets in records.items():
            for offset in offsets:
                yield place, offset

    monkeypatch.setattr(faust_app.driver.Consumer, "_wait_next_records", next_records)
    monkeypatch.setattr(faust_app.driver.Consumer, "getmany", getmany)
    return made


async def test_records_that_were_read_before_the_client_moved_back_are_dropped_and_do_not_count_as_read(consumer):
    """After an outage of Kafka they did: the same records were dropped when they came again, and nothing was committed."""
    consumer.waiting += [faust_app._Records({"p": [1, 2, 3]}, seeks=0), faust_app._Records({"p": [1, 2, 3]}, seeks=1)]
    assert [one async for one in consumer.getmany(1)] == []
    consumer._read_offset["p"] = 3
    assert consumer._read_offset["p"] is None
    assert [one async for one in consumer.getmany(1)] == [("p", 1), ("p", 2), ("p", 3)]
    consumer._read_offset["p"] = 3
    assert consumer._read_offset["p"] == 3


async def test_the_rest_of_what_was_read_is_dropped_when_the_client_moves_back(consumer):
    consumer.waiting.append(faust_app._Records({"p": [1, 2, 3]}, seeks=1))
    found = []
    async for _, offset in consumer.getmany(1):
        found.append(offset)
        consumer._thread.seeks = 2  # a rebalance
        consumer._read_offset.update({"p": 1})
        consumer._read_offset["p"] = offset  # Faust, once it has handed the record on
    assert found == [1]
    consumer._read_offset["p"] = 9
    assert consumer._read_offset["p"] == 1


def test_the_alert_state_of_a_partition_are_what_its_topic_remembers(monkeypatch):
    raws = [encode(make_alert(id="a", held="digest", held_until=NOW, family="talks")), b"garbage"]
    monkeypatch.setattr(
        bus, "read_all", lambda *_: iter([bus.Message(bus.ALERTS, 0, n, b"", raw, 0) for n, raw in enumerate(raws)])
    )
    assert recovery.load_alert_state(Settings(), 0).waiting == 1


async def test_a_worker_that_starts_slowly_shows_that_its_loop_lives(worker, monkeypatch):
    """Loading models can take minutes on a machine that is busy; the watchdog ends a process whose loop is silent."""
    monkeypatch.setattr(app, "BEAT_SECONDS", 0.01)
    worker.heartbeat.beat_at = 0.0
    starting = asyncio.create_task(worker._beat())
    await until(lambda: worker.heartbeat.beat_at > 0.0)
    first = worker.heartbeat.beat_at
    await until(lambda: worker.heartbeat.beat_at > first)
    starting.cancel()


async def test_the_loop_is_watched_from_the_first_step_of_the_start(worker, monkeypatch):
    beats = []

    async def warm():
        await until(lambda: worker.heartbeat.beat_at > 0.0)
        beats.append(worker.heartbeat.beat_at)

    monkeypatch.setattr(app, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(bus, "wait_for_topics", lambda *_: True)
    worker.heartbeat.beat_at = 0.0
    worker.settings = Settings()
    worker.pool = types.SimpleNamespace(warm=warm, size=1)
    worker.rules.request = lambda: None

    async def work(_stop, _ending, starting):
        starting.cancel()
        return 0

    monkeypatch.setattr(worker, "_work", work)
    assert await worker.run(threading.Event()) == 0
    assert beats[0] > 0.0


def test_a_worker_that_stands_by_for_a_year_is_still_in_its_group():
    assert faust_app.create_app(Settings()).conf.broker_max_poll_interval > 365 * 86_400
