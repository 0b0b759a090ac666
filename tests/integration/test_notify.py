"""The notifier on a real Kafka and a real receiver on 127.0.0.1: one that fails, one that is slow, one that says no."""

import datetime as dt
import itertools
import json
import re
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
from prometheus_client import generate_latest
from standardwebhooks import Webhook

from pipeline import bus, metrics
from pipeline.alert.rules import Channel
from pipeline.notify import RetryError, channels, notifier
from pipeline.records import Alert, Failure, decode, encode
from pipeline.settings import Alerts, Http
from tests.make import make_alert
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

KEY = b"integration secret"


class Receiver:
    """Answers each request with the next status; keeps what it took, as a receiver does that honours the key."""

    def __init__(self, statuses=(204,), *, delay_seconds=0.0, headers=()):
        self.statuses = itertools.cycle(statuses)
        self.requests = []
        self.taken = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(delay_seconds)
                status = next(receiver.statuses)
                receiver.requests.append((dict(self.headers), body))
                if status < 300:
                    receiver.taken.append(self.headers["Idempotency-Key"])
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    """Makes receivers, and closes them."""
    made = []

    def make(*args, **options):
        made.append(Receiver(*args, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Notifier:
    """A notifier in a thread, with channels of names that no other test uses."""

    def __init__(self, settings, directory, channels):
        self.directory = directory
        (directory / "key").write_bytes(KEY)
        self.write(channels)
        self.settings = msgspec.structs.replace(
            settings, directory=str(directory), alerts=Alerts(), http=Http(notifier_port=0)
        )
        self.start()

    def write(self, channels):
        text = [
            f'[[channel]]\nname = "{name}"\ntype = "webhook"\nsecret_file = "key"\nbackoff_seconds = 0.02\n'
            f"backoff_max_seconds = 0.1\n" + "\n".join(f"{k} = {v!r}" for k, v in options.items())
            for name, options in channels.items()
        ]
        new = self.directory / "new"
        new.write_text("\n".join(text).replace("'", '"'), "utf-8")
        new.replace(self.directory / "alerts.toml")

    def start(self):
        self.stop = threading.Event()
        self.thread = threading.Thread(target=notifier.run, args=(self.settings,), kwargs={"stop": self.stop})
        self.thread.start()

    def end(self):
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive(), "the notifier does not end"


@pytest.fixture
def begin(stack, tmp_path):
    """Starts notifiers, and ends them."""
    bus.create_topics(stack)
    started = []

    def start(**channels):
        started.append(Notifier(stack, tmp_path, channels))
        return started[-1]

    yield start
    for one in started:
        one.end()


def publish(settings, *alerts):
    publisher = bus.Publisher(settings)
    for alert in alerts:
        publisher.send(bus.ALERTS, alert.id.encode(), encode(alert))
    publisher.flush()
    publisher.close()


def alerts(count, *channels):
    now = dt.datetime.now(dt.UTC)
    return [make_alert(id=uuid.uuid4().hex, channels=channels, raised_at=now) for _ in range(count)]


def name():
    return f"hook-{uuid.uuid4().hex[:8]}"


def quarantined(settings, ids):
    found = [decode(m.value, Failure) for m in bus.read_all(settings, bus.QUARANTINE) if m.value]
    return [f for f in found if f.stage == "notify" and decode(f.raw, Alert).id in ids]


def test_a_receiver_that_fails_nine_times_in_ten_gets_every_alert_once(stack, begin, receiver):
    hook, sink = name(), receiver([503] * 9 + [204])
    told = alerts(8, hook)
    begin(**{hook: {"url": sink.url, "tries": 15}})
    publish(stack, *told)
    wait_until(lambda: len(sink.taken) >= len(told))
    assert sorted(sink.taken) == sorted(a.id for a in told)
    assert len(sink.requests) == 10 * len(told)


def test_every_delivery_is_signed(stack, begin, receiver):
    hook, sink = name(), receiver()
    begin(**{hook: {"url": sink.url}})
    publish(stack, *alerts(3, hook))
    wait_until(lambda: len(sink.taken) == 3)
    for headers, body in sink.requests:
        Webhook(KEY).verify(body, headers)
        assert decode(body, Alert).id == headers["Idempotency-Key"]


def test_a_channel_that_is_down_or_slow_holds_up_no_other(stack, begin, receiver):
    dead, slow, good = name(), name(), name()
    lazy, quick = receiver(delay_seconds=1.5), receiver()
    told = alerts(5, dead, slow, good)
    begin(
        **{
            dead: {"url": "http://127.0.0.1:9/", "tries": 1000},
            slow: {"url": lazy.url, "timeout_seconds": 0.3, "tries": 1000},
            good: {"url": quick.url},
        }
    )
    publish(stack, *told)
    wait_until(lambda: len(quick.taken) == 5)


def test_what_is_not_taken_goes_to_quarantine_and_from_there_to_its_channel_alone(stack, begin, receiver):
    bad, good = name(), name()
    strict, kind = receiver([422, 204]), receiver()
    [alert] = alerts(1, bad, good)
    begin(**{bad: {"url": strict.url}, good: {"url": kind.url}})
    publish(stack, alert)
    wait_until(lambda: quarantined(stack, {alert.id}))
    [failure] = quarantined(stack, {alert.id})
    assert "422" in failure.error
    publisher = bus.Publisher(stack)
    publisher.send(failure.topic, failure.key, failure.raw)
    publisher.flush()
    publisher.close()
    wait_until(lambda: strict.taken == [alert.id])
    wait_until(lambda: kind.taken)
    time.sleep(0.5)
    assert kind.taken == [alert.id]


def test_a_receiver_that_stays_away_ends_in_quarantine_after_the_last_try(stack, begin):
    hook = name()
    told = alerts(2, hook)
    begin(**{hook: {"url": "http://127.0.0.1:9/", "tries": 3}})
    publish(stack, *told)
    ids = {a.id for a in told}
    wait_until(lambda: len(quarantined(stack, ids)) == 2)
    assert all("gave up after 3 tries" in f.error for f in quarantined(stack, ids))


def test_what_is_raised_while_the_notifier_is_away_is_delivered_when_it_is_back(stack, begin, receiver):
    hook, sink = name(), receiver()
    before, meanwhile = alerts(2, hook), alerts(3, hook)
    running = begin(**{hook: {"url": sink.url}})
    publish(stack, *before)
    wait_until(lambda: len(sink.taken) == 2)
    running.end()
    publish(stack, *meanwhile)
    running.start()
    wait_until(lambda: len(sink.taken) == 5)
    time.sleep(0.5)
    assert sorted(sink.taken) == sorted(a.id for a in before + meanwhile)


def test_an_end_while_an_alert_waits_loses_it_not(stack, begin, receiver):
    hook, sink = name(), receiver([503])
    told = alerts(2, hook)
    running = begin(**{hook: {"url": sink.url, "tries": 100_000}})
    publish(stack, *told)
    wait_until(lambda: len(sink.requests) > 3)
    running.end()
    sink.statuses = itertools.cycle([204])
    running.start()
    wait_until(lambda: len(sink.taken) >= 2)
    assert sorted(sink.taken) == sorted(a.id for a in told)


def test_a_new_channel_starts_with_the_last_hour_and_not_with_all_that_was(stack, begin, receiver, monkeypatch):
    hook, sink = name(), receiver()
    old = alerts(2, hook)
    publish(stack, *old)
    monkeypatch.setattr(notifier, "LOOK_BACK", dt.timedelta(seconds=-2))  # as if those had been raised long ago
    running = begin(**{hook: {"url": sink.url}})
    time.sleep(3.5)
    new = alerts(1, hook)
    publish(stack, *new)
    wait_until(lambda: sink.taken)
    assert sink.taken == [new[0].id]
    assert not notifier.is_new(running.settings, notifier.GROUP + hook)


def test_a_channel_that_is_added_while_all_runs_is_connected_and_the_old_one_goes_on(stack, begin, receiver):
    first, second = name(), name()
    old, new = receiver(), receiver()
    running = begin(**{first: {"url": old.url}})
    publish(stack, *alerts(2, first))
    wait_until(lambda: len(old.taken) == 2)
    running.write({first: {"url": old.url}, second: {"url": new.url}})
    publish(stack, *(told := alerts(2, first, second)))
    wait_until(lambda: sorted(new.taken) == sorted(a.id for a in told))
    wait_until(lambda: len(old.taken) == 4)
    moved = receiver()
    running.write({first: {"url": moved.url}})
    deadline = time.monotonic() + 10
    while not moved.taken and time.monotonic() < deadline:
        publish(stack, *alerts(1, first))
        time.sleep(0.5)
    assert moved.taken
    assert sorted(set(old.taken)) == sorted(old.taken)


def test_a_file_that_is_wrong_leaves_the_channels_as_they_are(stack, begin, receiver):
    hook, sink = name(), receiver()
    running = begin(**{hook: {"url": sink.url}})
    publish(stack, *alerts(1, hook))
    wait_until(lambda: len(sink.taken) == 1)
    running.write({hook: {"url": sink.url, "tries": 0}})
    wait_until(lambda: metrics.rules_last_reload_successful._value.get() == 0)
    publish(stack, *alerts(1, hook))
    wait_until(lambda: len(sink.taken) == 2)


def test_another_topic_gets_each_alert_under_its_id(stack):
    bus.create_topics(stack)
    [alert] = alerts(1, "k")
    send = channels.sender(Channel(name="k", type="kafka", topic=bus.FEEDBACK), stack)
    send(alert, dt.datetime.now(dt.UTC))
    [message] = [m for m in bus.read_all(stack, bus.FEEDBACK) if m.key == alert.id.encode()]
    assert decode(message.value, Alert) == alert


def test_the_lag_of_a_channel_that_cannot_deliver_is_told_from_its_first_alert_on(stack, begin):
    hook = name()
    begin(**{hook: {"url": "http://127.0.0.1:9/", "tries": 100_000}})
    publish(stack, *alerts(2, hook))

    def lag():
        text = generate_latest().decode()
        found = re.findall(rf'dateline_consumer_lag_records{{group="dateline-notifier-{hook}".*}} (.*)', text)
        return sum(map(float, found))

    wait_until(lambda: lag() >= 2)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_apprise_itself_tells_another_server(stack, receiver):
    sink = receiver([200])
    channel = Channel(name="desk", type="apprise", url=sink.url.replace("http:", "json:"))
    channels.sender(channel, stack)(make_alert(), dt.datetime.now(dt.UTC))
    [(_, body)] = sink.requests
    table = json.loads(body)
    assert (table["title"], table["message"]) == (make_alert().headline, make_alert().message)
    gone = Channel(name="desk", type="apprise", url="json://127.0.0.1:9/")
    with pytest.raises(RetryError):
        channels.sender(gone, stack)(make_alert(), dt.datetime.now(dt.UTC))
