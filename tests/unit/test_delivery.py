"""The alerts of one channel: tries, waits, duplicates, quarantine."""

import datetime as dt
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import bus, metrics
from pipeline.alert.rules import Channel
from pipeline.notify import DeliveryError, RetryError
from pipeline.notify.delivery import ChannelDelivery, ShutdownError
from pipeline.records import Alert, Failure, decode, encode
from tests.make import NOW, make_alert


class Sink:
    """Raises these errors, one for each try, then accepts."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.taken = []
        self.tries = 0

    def __call__(self, alert, _now):
        self.tries += 1
        if self.errors:
            error = self.errors.pop(0)
            if error is not None:
                raise error
        self.taken.append(alert.id)


class Stop(threading.Event):
    """An event that keeps how long it was waited for, and is set by the wait number `at`."""

    def __init__(self, *, at=None):
        super().__init__()
        self.waits = []
        self.at = at

    def wait(self, timeout=None):
        self.waits.append(timeout)
        if self.at is not None and len(self.waits) >= self.at:
            self.set()
        return self.is_set()


def make_delivery(sink, *, stop=None, since=None, **channel):
    quarantined = []
    delivery = ChannelDelivery(
        Channel(**{"name": "hook", "type": "webhook", "url": "http://a.example/", "tries": 4} | channel),
        sink, lambda key, value: quarantined.append((key, value)), stop or Stop(),
        draw=lambda _low, high: high, now=lambda: NOW, since=since,
    )  # fmt: skip
    delivery.quarantined = quarantined
    return delivery


def message(alert=None, *, value=None, at=NOW, offset=0):
    raw = encode(alert or make_alert(channels=("hook",))) if value is None else value
    return bus.Message(bus.ALERTS, 0, offset, b"key", raw, int(at.timestamp() * 1000))


def count(metric, **labels):
    return metric.labels(**labels)._value.get()


def test_an_alert_is_delivered_and_counted_once():
    sink = Sink()
    before = count(metrics.deliveries_total, channel="hook", outcome="ok")
    make_delivery(sink).handle([message()])
    assert sink.taken == [make_alert().id]
    assert count(metrics.deliveries_total, channel="hook", outcome="ok") == before + 1


def test_an_alert_for_another_channel_is_not_sent():
    sink = Sink()
    make_delivery(sink).handle([message(make_alert(channels=("terminal",)))])
    assert sink.tries == 0


def test_an_alert_that_comes_again_is_not_sent_again():
    sink = Sink()
    delivery = make_delivery(sink)
    delivery.handle([message(), message(offset=1)])
    delivery.handle([message(offset=2)])
    assert sink.tries == 1


def test_a_refusal_is_tried_again_after_a_longer_wait_each_time():
    stop = Stop()
    sink = Sink(RetryError("busy"), RetryError("busy"), RetryError("busy"))
    delivery = make_delivery(sink, stop=stop, backoff_seconds=1, backoff_max_seconds=3)
    delivery.handle([message()])
    assert stop.waits == [1, 2, 3]
    assert sink.taken
    assert "problem" not in delivery.progress.notes


def test_retry_after_is_obeyed_up_to_a_quarter_of_an_hour():
    stop = Stop()
    make_delivery(Sink(RetryError("busy", 30.0), RetryError("busy", 99999.0)), stop=stop).handle([message()])
    assert stop.waits == [30, 900]


@given(
    st.integers(1, 60),
    st.floats(0.01, 100),
    st.floats(0.01, 1000),
    st.one_of(st.none(), st.floats(0, 1e6)),
    st.floats(0, 1),
)
def test_waits_are_bounded_and_never_shorter_than_asked(attempt, base, most, asked, chance):
    delivery = make_delivery(Sink(), backoff_seconds=base, backoff_max_seconds=most)
    delivery._draw = lambda low, high: low + chance * (high - low)
    wait = delivery.wait_seconds(attempt, asked)
    assert min(asked or 0.0, 900.0) <= wait <= max(most, 900.0)
    assert wait >= min(most, base * 2.0 ** (attempt - 1)) / 2


def test_after_the_last_try_the_alert_goes_to_quarantine_for_this_channel_alone():
    sink = Sink(*[RetryError("the receiver answered 503")] * 4)
    delivery = make_delivery(sink)
    delivery.handle([message(make_alert(channels=("terminal", "hook")))])
    [(key, value)] = delivery.quarantined
    failure = decode(value, Failure)
    assert key == failure.id.encode()
    assert (failure.stage, failure.topic) == ("notify", bus.ALERTS)
    assert "channel hook: gave up after 4 tries: the receiver answered 503" in failure.error
    assert decode(failure.raw, Alert) == make_alert(channels=("hook",))
    assert sink.tries == 4


def test_a_final_refusal_goes_to_quarantine_at_once_and_holds_up_nothing():
    sink = Sink(DeliveryError("the receiver answered 410, which is final"))
    delivery = make_delivery(sink)
    second = make_alert(id="second", channels=("hook",))
    delivery.handle([message(), message(second, offset=1)])
    assert len(delivery.quarantined) == 1
    assert sink.taken == ["second"]


def test_what_two_channels_could_not_deliver_are_two_failures():
    ids = set()
    for name in ("hook", "hook-2"):
        delivery = make_delivery(Sink(DeliveryError("no")), name=name)
        delivery.handle([message(make_alert(channels=("hook", "hook-2")))])
        ids.add(delivery.quarantined[0][0])
    assert len(ids) == 2


def test_a_quarantined_alert_that_is_sent_again_is_delivered():
    sink = Sink(DeliveryError("no"))
    delivery = make_delivery(sink)
    delivery.handle([message()])
    delivery.handle([message(value=decode(delivery.quarantined[0][1], Failure).raw, offset=9)])
    assert sink.taken == [make_alert().id]


@pytest.mark.parametrize("value", [b"\xff\xfe", b"{}", b"[1, 2]", b'{"record": "story"}'])
def test_garbage_goes_to_quarantine_with_its_bytes(value):
    delivery = make_delivery(Sink())
    delivery.handle([message(value=value), message(offset=1)])
    [(_, raw)] = delivery.quarantined
    assert decode(raw, Failure).raw == value
    assert delivery._send.taken


def test_a_tombstone_is_passed_over():
    delivery = make_delivery(Sink())
    delivery.handle([bus.Message(bus.ALERTS, 0, 0, b"key", None, 0)])
    assert delivery.quarantined == []


def test_a_new_channel_passes_over_what_was_raised_before_its_time():
    sink = Sink()
    delivery = make_delivery(sink, since=NOW - dt.timedelta(hours=1))
    delivery.handle(
        [message(make_alert(id="old", channels=("hook",)), at=NOW - dt.timedelta(hours=2)), message(offset=1)]
    )
    assert sink.taken == [make_alert().id]


def test_an_end_in_the_middle_of_the_waiting_settles_nothing():
    sink = Sink(*[RetryError("busy")] * 9)
    delivery = make_delivery(sink, stop=Stop(at=2), tries=9)
    with pytest.raises(ShutdownError):
        delivery.handle([message()])
    assert delivery.quarantined == []
    assert sink.taken == []
