"""Members of a group that share a topic's partitions, on a real Kafka."""

import threading
import time

import pytest

from pipeline import bus
from pipeline.bus import group, read
from tests.waiting import wait_until

pytestmark = pytest.mark.integration


class Member:
    """A member on a thread of its own, and what it was told."""

    def __init__(self, settings, name=""):
        self.parts = frozenset()
        self.released = []
        self.error = None
        self.stop = threading.Event()
        self.alive = threading.Event()
        self.alive.set()
        self._member = bus.Member(
            settings, bus.FEEDS, "dateline-test-members", name=name, changed=self._change, release=self.released.append
        )
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _change(self, parts):
        self.parts = parts

    def _run(self):
        try:
            self._member.run(self.stop, self.alive.is_set)
        except bus.ReplacedError as error:
            self.error = error

    def end(self):
        self.stop.set()
        self.thread.join(30)


@pytest.fixture
def member(stack):
    bus.create_topics(stack)
    made = []

    def make(name=""):
        made.append(Member(stack, name))
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_parts_are_shared_out_released_before_they_move_and_given_back_at_once_by_one_that_leaves(stack, member):
    everything = frozenset(range(stack.kafka.partitions))
    first = member("one")
    wait_until(lambda: first.parts == everything)
    second = member("two")
    wait_until(lambda: first.parts and second.parts and first.parts | second.parts == everything)
    assert not first.parts & second.parts
    assert second.parts in first.released
    began = time.monotonic()
    second.end()
    wait_until(lambda: first.parts == everything)
    assert time.monotonic() - began < stack.worker.session_timeout_seconds


def test_a_member_whose_name_another_takes_is_told(stack, member):
    first = member("same")
    wait_until(lambda: first.parts)
    second = member("same")
    wait_until(lambda: first.error is not None)
    assert "same" in str(first.error)
    wait_until(lambda: len(second.parts) == stack.kafka.partitions)


def test_the_number_of_parts_is_that_of_the_topic(stack, member):
    assert bus.partitions_of(stack, bus.FEEDS) == stack.kafka.partitions
    with pytest.raises(bus.BusError, match="does not exist"):
        bus.partitions_of(stack, "news.nowhere")


def test_a_member_that_is_interrupted_while_it_joins_once_more_comes_back(stack):
    bus.create_topics(stack)
    consumer = read.consumer_of(stack, group_id="dateline-test-hasty", auto_offset_reset="latest")
    consumer.subscribe(topics=[bus.FEEDS])
    try:
        wait_until(lambda: (group.poll(consumer, 0.2), group.joined(consumer))[1])
        for _ in range(20):
            # as if the topic's partitions had become known only now, which is what happens at the start on a busy machine
            consumer._coordinator._assignment_snapshot = {bus.FEEDS: set()}
            for _ in range(3):  # each too short for the whole way to the group and back
                group.poll(consumer, 0.001)
            wait_until(lambda: (group.poll(consumer, 0.2), group.joined(consumer))[1], 5)
        assert len(consumer.assignment()) == stack.kafka.partitions
    finally:
        consumer.close(autocommit=False)
