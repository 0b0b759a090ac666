"""A collector in its group: partitions are assigned, revoked, lost and taken again, without Kafka."""

import asyncio
import contextlib
import threading

import pytest

from pipeline import bus
from pipeline.collect import membership as membership_
from pipeline.collect.membership import Membership
from pipeline.collect.seen_urls import SeenUrls
from pipeline.collect.sharding import OwnedPartitions
from pipeline.collect.writer import LostError
from pipeline.records import FeedState
from pipeline.settings import Settings, Worker
from tests.waiting import until

SETTINGS = Settings(worker=Worker(session_timeout_seconds=0.5))


class Group:
    """The group as this member sees it; the test acts for the other members."""

    def __init__(self, *_, changed, release, **__):
        self.changed, self.release = changed, release
        self.replaced = threading.Event()
        self.joined = True
        Group.last = self

    def run(self, stop, alive):
        while not stop.wait(0.01):
            if self.replaced.is_set():
                raise bus.ReplacedError("another process has joined as this one")


class RecordingListener:
    """Records the partitions that are assigned and revoked."""

    def __init__(self):
        self.parts = set()
        self.left = []

    def assign(self, partitions, states):
        self.parts |= partitions

    async def revoke(self, partitions, seconds):
        self.left.append((sorted(partitions), seconds > 0))
        self.parts -= partitions


class PartitionLog:
    """Opens and closes partitions in memory."""

    def __init__(self):
        self.opened = []
        self.closed = []
        self.fail = 0

    async def open(self, owned, partitions):
        if self.fail:
            self.fail -= 1
            raise bus.BusError("Kafka is away")
        self.opened.append(sorted(partitions))
        owned._writers |= dict.fromkeys(partitions)
        return {"a": FeedState(id="a", url="https://a.example/")}

    async def close(self, owned, partitions):
        for part in partitions:
            if owned._writers.pop(part, "none") != "none":
                self.closed.append(part)


def empty_topic(settings, topics, stop, *, placed):
    """A topic without records."""
    placed.set()
    stop.wait()
    return iter(())


@pytest.fixture
async def setup(monkeypatch):
    log, listener = PartitionLog(), RecordingListener()
    monkeypatch.setattr(bus, "Member", Group)
    monkeypatch.setattr(bus, "tail", empty_topic)
    monkeypatch.setattr(membership_, "RETRY_SECONDS", 0.1)

    async def open_(owned, partitions):
        return await log.open(owned, partitions)

    async def close(owned, partitions):
        await log.close(owned, partitions)

    monkeypatch.setattr(OwnedPartitions, "open", open_)
    monkeypatch.setattr(OwnedPartitions, "close", close)
    membership, stop = Membership(SETTINGS, 4, SeenUrls(), name="me", alive=lambda: True), asyncio.Event()
    running = asyncio.create_task(membership.run(stop, [listener]))
    await asyncio.sleep(0.2)
    yield membership, log, listener, running
    stop.set()
    with contextlib.suppress(LostError):
        await running
    await membership.close()


async def given(*partitions):
    await asyncio.to_thread(Group.last.changed, frozenset(partitions))
    await asyncio.sleep(0.2)


async def test_parts_are_taken_and_given_up_as_the_group_says(setup):
    membership, log, listener, _ = setup
    assert membership.problem
    await given(0, 1)
    assert (log.opened, listener.parts, membership.problem) == ([[0, 1]], {0, 1}, "")
    await given(1, 2)
    assert (log.opened, listener.parts, log.closed) == ([[0, 1], [2]], {1, 2}, [0])


async def test_who_is_to_let_go_ends_its_polls_in_order_before_another_is_given_the_part(setup):
    _, log, listener, _ = setup
    await given(0, 1)
    await asyncio.to_thread(Group.last.release, frozenset({1}))
    assert (listener.parts, listener.left, log.closed) == ({0}, [([1], True)], [1])


async def test_a_part_that_was_lost_is_left_at_once_and_taken_again_if_it_still_is_ours(setup):
    membership, log, listener, _ = setup
    await given(0)
    membership.owned.partition = lambda _: 0
    membership.report_lost("https://a.example/")
    await until(lambda: listener.left)
    assert (listener.parts, listener.left) == (set(), [([0], False)])
    await until(lambda: listener.parts)
    assert (listener.parts, log.opened) == ({0}, [[0], [0]])


async def test_a_part_that_was_lost_and_given_to_another_is_not_taken_again(setup):
    membership, log, listener, _ = setup
    await given(0)
    membership.owned.partition = lambda _: 0
    membership.report_lost("https://a.example/")
    await given()
    await asyncio.sleep(1.2)
    assert (listener.parts, log.opened) == (set(), [[0]])


async def test_while_kafka_is_away_a_part_is_tried_again_and_the_trouble_is_told(setup):
    membership, log, listener, _ = setup
    log.fail = 1
    await given(3)
    assert "Kafka is away" in membership.problem
    await until(lambda: listener.parts and not membership.problem)
    assert listener.parts == {3}


async def test_one_that_has_no_part_yet_is_trouble_until_it_is_known_to_stand_by(setup):
    membership, *_ = setup
    Group.last.joined = False
    await asyncio.sleep(1.2)  # longer than it takes to be sure that there is nothing to do
    assert membership.problem
    Group.last.joined = True
    await until(lambda: not membership.problem)
    Group.last.joined = False  # the group no longer counts it in
    await until(lambda: membership.problem)


async def test_a_process_whose_name_another_took_stops(setup):
    *_, running = setup
    Group.last.replaced.set()
    with pytest.raises(LostError, match="this one stops"):
        await asyncio.wait_for(running, timeout=60)


async def test_at_the_end_everything_is_closed_before_the_member_leaves(setup):
    membership, log, *_ = setup
    await given(0, 2)
    await membership.close()
    assert sorted(log.closed) == [0, 2]
    assert membership.owned.held == frozenset()
