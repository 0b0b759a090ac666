"""Messages finish in any order and are acknowledged in theirs."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from pipeline.worker.acknowledge import OrderedAcks


@dataclass
class Message:
    tp: tuple[str, int]
    offset: int


@dataclass
class Event:
    message: Message
    acked: list[int] = field(default_factory=list)

    def ack(self):
        self.acked.append(self.message.offset)


def events(count, partition=0, log=None):
    log = [] if log is None else log
    return [Event(Message(("t", partition), offset), log) for offset in range(count)], log


@given(st.permutations(range(6)), st.integers(0, 6))
def test_whatever_the_order_of_finishing_acks_are_the_unbroken_head(order, count):
    """After any prefix of finished messages, exactly the run of finished ones from the start is acknowledged."""
    items, log = events(6)
    tracker = OrderedAcks()
    for item in items:
        tracker.add(item)
    finished = set(order[:count])
    for number in order[:count]:
        tracker.done(items[number])
    head = next((n for n in range(7) if n not in finished), 6)
    assert log == list(range(head))
    assert len(tracker) == 6 - head


def test_partitions_do_not_wait_for_each_other():
    slow, slow_log = events(2, partition=0)
    fast, fast_log = events(2, partition=1)
    tracker = OrderedAcks()
    for item in (*slow, *fast):
        tracker.add(item)
    for item in fast:
        tracker.done(item)
    assert (slow_log, fast_log) == ([], [0, 1])


def test_what_was_taken_away_is_never_acknowledged():
    """Its new owner reads it again."""
    items, log = events(2)
    tracker = OrderedAcks()
    for item in items:
        tracker.add(item)
    tracker.forget([("t", 0)])
    for item in items:
        tracker.done(item)
    assert log == []
    assert len(tracker) == 0
