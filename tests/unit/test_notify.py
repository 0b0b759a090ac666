"""A channel at work: tries, waits, remembers, gives up into quarantine."""

import datetime as dt
import sys
import threading
import time
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import bus, metrics
from pipeline.alert.rules import Channel, RuleSet
from pipeline.notify import notifier
from pipeline.notify.deliver import AgainError, DeliveryError
from pipeline.notify.notifier import ChannelThread, Switchboard, readiness, sender
from pipeline.records import Alert, Failure, decode, encode
from pipeline.settings import Settings, SettingsError
from tests.make import NOW, make_alert


class Sink:
    """Says no as often as told, then yes."""

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
    """An event that notes how long it was waited for, and may be set by the waiting itself."""

    def __init__(self, *, at=None):
        super().__init__()
        self.waits = []
        self.at = at

    def wait(self, timeout=None):
        self.waits.append(timeout)
        if self.at is not None and len(self.waits) >= self.at:
            self.set()
        return self.is_set()


def make_outlet(sink, *, stop=None, since=None, **channel):
    kept = []
    outlet = ChannelThread(
        Channel(**{"name": "hook", "type": "webhook", "url": "http://a.example/", "tries": 4} | channel),
        sink, lambda key, value: kept.append((key, value)), stop or Stop(),
        draw=lambda _low, high: high, now=lambda: NOW, since=since,
    )  # fmt: skip
    outlet.kept = kept
    return outlet


def message(alert=None, *, value=None, at=NOW, offset=0):
    raw = encode(alert or make_alert(channels=("hook",))) if value is None else value
    return bus.Message(bus.ALERTS, 0, offset, b"key", raw, int(at.timestamp() * 1000))


def count(metric, **labels):
    return metric.labels(**labels)._value.get()


def test_an_alert_is_delivered_and_counted_once():
    sink = Sink()
    before = count(metrics.deliveries_total, channel="hook", outcome="ok")
    make_outlet(sink).handle([message()])
    assert sink.taken == [make_alert().id]
    assert count(metrics.deliveries_total, channel="hook", outcome="ok") == before + 1


def test_an_alert_for_another_channel_is_not_sent():
    sink = Sink()
    make_outlet(sink).handle([message(make_alert(channels=("terminal",)))])
    assert sink.tries == 0


def test_an_alert_that_comes_again_is_not_sent_again():
    sink = Sink()
    outlet = make_outlet(sink)
    outlet.handle([message(), message(offset=1)])
    outlet.handle([message(offset=2)])
    assert sink.tries == 1


def test_a_no_is_tried_again_after_a_longer_wait_each_time():
    stop = Stop()
    sink = Sink(AgainError("busy"), AgainError("busy"), AgainError("busy"))
    outlet = make_outlet(sink, stop=stop, backoff_seconds=1, backoff_max_seconds=3)
    outlet.handle([message()])
    assert stop.waits == [1, 2, 3]
    assert sink.taken
    assert "problem" not in outlet.progress.notes


def test_retry_after_is_obeyed_up_to_a_quarter_of_an_hour():
    stop = Stop()
    make_outlet(Sink(AgainError("busy", 30.0), AgainError("busy", 99999.0)), stop=stop).handle([message()])
    assert stop.waits == [30, 900]


@given(
    st.integers(1, 60),
    st.floats(0.01, 100),
    st.floats(0.01, 1000),
    st.one_of(st.none(), st.floats(0, 1e6)),
    st.floats(0, 1),
)
def test_waits_are_bounded_and_never_shorter_than_asked(attempt, base, most, asked, chance):
    outlet = make_outlet(Sink(), backoff_seconds=base, backoff_max_seconds=most)
    outlet._draw = lambda low, high: low + chance * (high - low)
    wait = outlet.wait_seconds(attempt, asked)
    assert min(asked or 0.0, 900.0) <= wait <= max(most, 900.0)
    assert wait >= min(most, base * 2.0 ** (attempt - 1)) / 2


def test_after_the_last_try_the_alert_goes_to_quarantine_for_this_channel_alone():
    sink = Sink(*[AgainError("the receiver answered 503")] * 4)
    outlet = make_outlet(sink)
    outlet.handle([message(make_alert(channels=("terminal", "hook")))])
    [(key, value)] = outlet.kept
    failure = decode(value, Failure)
    assert key == failure.id.encode()
    assert (failure.stage, failure.topic) == ("notify", bus.ALERTS)
    assert "channel hook: gave up after 4 tries: the receiver answered 503" in failure.error
    assert decode(failure.raw, Alert) == make_alert(channels=("hook",))
    assert sink.tries == 4


def test_a_final_no_goes_to_quarantine_at_once_and_holds_up_nothing():
    sink = Sink(DeliveryError("the receiver answered 410, which is final"))
    outlet = make_outlet(sink)
    second = make_alert(id="second", channels=("hook",))
    outlet.handle([message(), message(second, offset=1)])
    assert len(outlet.kept) == 1
    assert sink.taken == ["second"]


def test_what_two_channels_could_not_deliver_are_two_failures():
    ids = set()
    for name in ("hook", "hook-2"):
        outlet = make_outlet(Sink(DeliveryError("no")), name=name)
        outlet.handle([message(make_alert(channels=("hook", "hook-2")))])
        ids.add(outlet.kept[0][0])
    assert len(ids) == 2


def test_a_quarantined_alert_that_is_sent_again_is_delivered():
    sink = Sink(DeliveryError("no"))
    outlet = make_outlet(sink)
    outlet.handle([message()])
    outlet.handle([message(value=decode(outlet.kept[0][1], Failure).raw, offset=9)])
    assert sink.taken == [make_alert().id]


@pytest.mark.parametrize("value", [b"\xff\xfe", b"{}", b"[1, 2]", b'{"record": "story"}'])
def test_garbage_goes_to_quarantine_with_its_bytes(value):
    outlet = make_outlet(Sink())
    outlet.handle([message(value=value), message(offset=1)])
    [(_, raw)] = outlet.kept
    assert decode(raw, Failure).raw == value
    assert outlet._send.taken


def test_a_tombstone_is_passed_over():
    outlet = make_outlet(Sink())
    outlet.handle([bus.Message(bus.ALERTS, 0, 0, b"key", None, 0)])
    assert outlet.kept == []


def test_a_new_channel_passes_over_what_was_raised_before_its_time():
    sink = Sink()
    outlet = make_outlet(sink, since=NOW - dt.timedelta(hours=1))
    outlet.handle(
        [message(make_alert(id="old", channels=("hook",)), at=NOW - dt.timedelta(hours=2)), message(offset=1)]
    )
    assert sink.taken == [make_alert().id]


def test_an_end_in_the_middle_of_the_waiting_settles_nothing():
    sink = Sink(*[AgainError("busy")] * 9)
    outlet = make_outlet(sink, stop=Stop(at=2), tries=9)
    with pytest.raises(notifier._StoppedError):
        outlet.handle([message()])
    assert outlet.kept == []
    assert sink.taken == []


def test_a_waiting_channel_is_ready_and_says_what_it_waits_for():
    outlet = make_outlet(Sink(AgainError("the receiver answered 503")), stop=Stop(at=1))
    outlet.progress.assigned, outlet.progress.polled_at = 4, 10.0**12
    with pytest.raises(notifier._StoppedError):
        outlet.handle([message()])
    good, detail = readiness([outlet])
    assert good
    assert detail["channels"]["hook"]["problem"] == "the receiver answered 503"


def test_a_channel_without_partitions_is_not_ready():
    good, _ = readiness([make_outlet(Sink())])
    assert not good


def test_a_notifier_without_channels_is_ready():
    assert readiness([])[0]


# --- apprise ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def apprise(monkeypatch):
    """A stand-in for the library: its own services, and what they were told."""
    told = []

    class Apprise:
        answer = True

        def add(self, url):
            return url.startswith("mailto://")

        def notify(self, **said):
            told.append(said)
            return Apprise.answer

    module = types.SimpleNamespace(Apprise=Apprise, NotifyFormat=types.SimpleNamespace(TEXT="text"), told=told)
    monkeypatch.setitem(sys.modules, "apprise", module)
    return module


def make_desk(**changes):
    return Channel(**{"name": "desk", "type": "apprise", "url": "mailto://a.example"} | changes)


def test_apprise_gets_the_headline_and_the_message(apprise):
    sender(make_desk(), Settings())(make_alert(), NOW)
    assert apprise.told == [
        {"title": "Putin and Xi meet in Moscow", "body": make_alert().message, "body_format": "text"}
    ]


def test_apprise_gets_just_the_link_in_short(apprise):
    sender(make_desk(text="short"), Settings())(make_alert(), NOW)
    assert apprise.told[0]["body"] == make_alert().url


def test_a_no_of_apprise_is_tried_again(apprise):
    apprise.Apprise.answer = False
    with pytest.raises(AgainError):
        sender(make_desk(), Settings())(make_alert(), NOW)


def test_an_address_that_apprise_does_not_know_stops_the_start_and_is_not_shown(apprise):
    with pytest.raises(SettingsError) as caught:
        sender(make_desk(url="token-123"), Settings())
    assert str(caught.value) == "channel desk: url is none that apprise understands"


# --- channels that come, change and go -------------------------------------------------------------------------------


@pytest.fixture
def board(monkeypatch, tmp_path):
    """A switchboard whose channels note that they work, instead of reading Kafka."""
    working = []

    def work(_settings, outlet, stop):
        working.append(outlet.channel)
        stop.wait(20)
        working.remove(outlet.channel)

    monkeypatch.setattr(notifier, "work", work)
    board = Switchboard(Settings(directory=str(tmp_path)), lambda _key, _value: None)
    board.working = working
    yield board
    board.close()
    assert working == []


def channels(**urls):
    found = {name: Channel(name=name, type="webhook", url=url) for name, url in urls.items()}
    return RuleSet(rules=(), channels=found)


def urls(board):
    return sorted(channel.url for channel in board.working)


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_channels_come_change_and_go_and_the_others_notice_nothing(board):
    board.connect(channels(a="http://a/", b="http://b/"))
    assert board.working == []
    board.start()
    until(lambda: urls(board) == ["http://a/", "http://b/"])
    kept = next(outlet for outlet in board.outlets if outlet.channel.name == "a")
    board.connect(channels(a="http://a/", b="http://b2/", c="http://c/"))
    until(lambda: urls(board) == ["http://a/", "http://b2/", "http://c/"])
    board.connect(channels(a="http://a/"))
    until(lambda: urls(board) == ["http://a/"])
    assert board.outlets == [kept]


def test_a_channel_that_cannot_be_used_changes_nothing(board):
    board.connect(channels(a="http://a/"))
    board.start()
    bad = RuleSet(rules=(), channels={"b": Channel(name="b", type="webhook", url_file="absent")})
    with pytest.raises(SettingsError, match="absent cannot be read"):
        board.connect(bad)
    assert [outlet.channel.name for outlet in board.outlets] == ["a"]


def test_a_secret_that_changed_is_taken_when_it_is_asked_for(board, tmp_path):
    (tmp_path / "url").write_text("http://one/", "utf-8")
    found = RuleSet(rules=(), channels={"a": Channel(name="a", type="webhook", url_file="url")})
    board.connect(found)
    [first] = board.outlets
    (tmp_path / "url").write_text("http://two/", "utf-8")
    board.connect(found)
    assert board.outlets == [first]
    board.connect(found, anew=True)
    assert board.outlets != [first]
    [second] = board.outlets
    board.connect(found, anew=True)
    assert board.outlets == [second]


def test_the_topic_of_alerts_itself_needs_no_sender_and_another_topic_does(board):
    own = Channel(name="k", type="kafka")
    other = Channel(name="t", type="kafka", topic="desk.alerts")
    board.connect(RuleSet(rules=(), channels={"k": own, "t": other}))
    assert [outlet.channel.name for outlet in board.outlets] == ["t"]


class Publisher:
    def __init__(self, settings, *, fail=False):
        self.sent = []

    def send(self, topic, key, value):
        if topic == "absent":
            raise bus.BusError("absent: unknown topic")
        self.sent.append((topic, key, value))

    def flush(self):
        pass


def test_an_alert_goes_to_another_topic_under_its_id(monkeypatch):
    made = []
    monkeypatch.setattr(bus, "Publisher", lambda settings: made.append(Publisher(settings)) or made[-1])
    send = sender(Channel(name="t", type="kafka", topic="desk.alerts"), Settings())
    send(make_alert(), NOW)
    send(make_alert(id="two"), NOW)
    [publisher] = made
    assert [(topic, key) for topic, key, _ in publisher.sent] == [
        ("desk.alerts", make_alert().id.encode()),
        ("desk.alerts", b"two"),
    ]
    assert decode(publisher.sent[0][2], Alert) == make_alert()


def test_a_topic_that_is_away_is_tried_again(monkeypatch):
    monkeypatch.setattr(bus, "Publisher", Publisher)
    with pytest.raises(AgainError, match="unknown topic"):
        sender(Channel(name="t", type="kafka", topic="absent"), Settings())(make_alert(), NOW)


# --- lag -------------------------------------------------------------------------------------------------------------


class Observer:
    """A broker that knows one group."""

    def lags(self, groups):
        return [bus.Lag(name, bus.ALERTS, 0, None, 5, 5) for name in groups if name == "dateline-notifier-hook"]


def test_the_lag_of_each_channel_is_told_and_one_that_has_not_begun_hides_no_other():
    assert notifier.lag_rows(Observer(), ["new", "hook"]) == [("dateline-notifier-hook", bus.ALERTS, 0, 5)]


def test_what_a_channel_has_never_committed_counts_as_lag():
    assert bus.topics.read_by("dateline-notifier-hook") == (bus.ALERTS,)
    assert bus.topics.read_by("somebody-else") == ()
