"""Kill -9 of a worker, of the notifier and of Kafka under load, to a webhook that fails nine times in ten: every alert, once."""

import itertools
import json
import re
import threading
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from pipeline import bus
from pipeline.alert.evaluate import evaluate
from pipeline.alert.rules import load
from pipeline.bus import BusError
from pipeline.local import child
from pipeline.local.stack import Stack
from pipeline.records import Alert, Story, decode
from pipeline.settings import Settings
from tests.e2e.expulsions import expulsions
from tests.e2e.house import REPOSITORY, SECRET, House, Site, _serve
from tests.stack_fixture import make_local

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(400)]

ARTICLES = 30


class Flaky:
    """Says 503 nine times in ten; of what it takes it loses every fifth answer, so that it is sent again. Honours the key."""

    def __init__(self):
        self.requests = Counter()
        self.taken = {}
        self.bodies = {}
        self.bad = []
        self._turn = itertools.count(1)
        self._yes = itertools.count(1)
        self._lock = threading.Lock()
        self.server = _serve(self._answer)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def _answer(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        key = request.headers["Idempotency-Key"]
        with self._lock:
            self.requests[key] += 1
            try:
                Webhook(SECRET.encode()).verify(body, dict(request.headers))
            except WebhookVerificationError:
                self.bad.append(key)
            if next(self._turn) % 10:
                return 503, b"", {}
            self.bodies.setdefault(key, set()).add(json.loads(body)["story_id"])
            self.taken.setdefault(key, time.time())  # a key that was taken before is not taken again
            lost = next(self._yes) % 5 == 0
        return (504 if lost else 204), b"", {}


@pytest.fixture
def stack(tmp_path):
    """A stack whose Kafka can be killed."""
    settings = Settings(local=make_local(tmp_path / "stack"))
    with Stack(settings) as running:
        running.settings = msgspec.structs.replace(settings, directory=str(REPOSITORY / "configs"))
        yield running


def kill_kafka_and_start_it_again(stack):
    """Kill -9, and what a supervisor does then."""
    [dead] = [one for one in stack._children if one.server == "kafka"]
    dead.process.kill()
    dead.process.wait()
    dead.process.stdin.close()
    properties = Path(dead.launch.home) / "server.properties"
    text = properties.read_text("utf-8")
    # A broker that was killed is let in again when its old session is over: a minute on a laptop, which may sleep.
    properties.write_text(re.sub(r"(broker.session.timeout.ms)=\d+", r"\1=6000", text), "utf-8")
    again = child.start(dead.launch, dead.data_dir, dead.ready, lock_fd=stack._locks[-1].fileno())
    stack._children[stack._children.index(dead)] = again
    deadline = time.monotonic() + 60
    while not again.ready():
        assert time.monotonic() < deadline, child.last_lines(again)
        time.sleep(0.2)


def publish_slowly(settings, articles, stop):
    """A load that goes on while everything around it dies; an article that Kafka did not take is sent again."""
    publisher = None
    for _url, key, raw in articles:
        while not stop.is_set():
            try:
                publisher = publisher or bus.Publisher(settings)
                publisher.send(bus.ARTICLES, key, raw)
                publisher.flush()
                break
            except BusError:
                publisher = None
                stop.wait(0.5)
        stop.wait(0.7)
    if publisher is not None:
        publisher.close()


def test_every_alert_is_delivered_and_none_twice_whatever_is_killed(stack, tmp_path):
    receiver = Flaky()
    channel = {"tries": 100_000, "backoff_seconds": 0.01, "backoff_max_seconds": 0.03}
    house = House(stack.settings, tmp_path / "house", Site(()), receiver, channel=channel)
    bus.create_topics(house.settings)
    house.supervised = True
    stop = threading.Event()
    loader = threading.Thread(target=publish_slowly, args=(house.settings, list(expulsions(ARTICLES)), stop))
    try:
        house.start("worker", "notifier")
        house.wait_ready()
        loader.start()
        house.wait("alerts come", lambda: len(receiver.taken) >= 2, 60)
        house.kill("worker")
        house.start("worker")
        house.kill("notifier")
        house.start("notifier")
        kill_kafka_and_start_it_again(stack)
        loader.join()
        house.wait(
            "every article is read",
            lambda: (
                len({m.key for m in house.topic(bus.DOCUMENTS)}) == ARTICLES
                and not any(lag.records for lag in bus.lags(house.settings) if lag.group == bus.WORKER_GROUP)
            ),
            150,
        )
        stories = [decode(m.value, Story) for m in house.topic(bus.STORIES)]
        alerts = {decode(m.value, Alert).id: decode(m.value, Alert) for m in house.topic(bus.ALERTS)}
        house.wait("every alert is delivered", lambda: set(receiver.taken) >= set(alerts), 60)
    finally:
        stop.set()
        loader.join()
        house.stop()
        receiver.server.shutdown()
    rules = load(house.settings).rules
    assert set(alerts) == {one.id for story in stories for one in evaluate(rules, story)}
    rung = Counter((a.rule, a.happening_id or a.story_id, a.occasion) for a in alerts.values())
    assert len(rung) >= 0.9 * ARTICLES, "nearly every article is a happening of its own"
    assert max(rung.values()) == 1
    assert set(receiver.taken) == set(alerts)
    assert all(len(stories) == 1 for stories in receiver.bodies.values()), "one key, one alert"
    assert receiver.bad == []
    assert sum(receiver.requests.values()) > 5 * len(alerts), "the receiver said no most of the time"
