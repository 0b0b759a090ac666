import datetime as dt
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from pipeline import bus, metrics
from pipeline.bus import Lag, Message
from pipeline.index import sizes
from pipeline.operate import probe, status
from pipeline.records import FeedState, SeenEntry, encode
from pipeline.settings import Http, Kafka, Settings
from tests.make import NOW, make_alert


def feed_message(state, *, key=None, offset=0):
    return Message(bus.FEEDS, 0, offset, key or state.id.encode(), encode(state), 0)


def test_lag_is_summed_over_the_partitions_of_a_topic():
    lags = [
        Lag("dateline-worker", bus.ARTICLES, 0, 5, 7, 2),
        Lag("dateline-worker", bus.ARTICLES, 1, None, 3, 3),
        Lag("dateline-indexer", bus.EVENTS, 0, 1, 1, 0),
    ]
    assert status.by_topic(lags) == (
        status.GroupLag("dateline-indexer", bus.EVENTS, 0),
        status.GroupLag("dateline-worker", bus.ARTICLES, 5),
    )


def test_the_last_state_of_each_feed_counts_and_those_that_fail_longest_come_first():
    seen = {"e": SeenEntry(article_id="a", first_seen_at=NOW, content_hash="h")}
    messages = [
        feed_message(FeedState(id="well", url="https://w.example", failures=2, error="timeout")),
        feed_message(FeedState(id="bad", url="https://b.example", failures=1, error="404", seen=seen)),
        feed_message(FeedState(id="worse", url="https://c.example", failures=9, error="403")),
        feed_message(FeedState(id="well", url="https://w.example", failures=0)),
        Message(bus.FEEDS, 0, 9, b"garbage", b"{", 0),
    ]
    states = status.feed_states(messages)
    assert [(s.id, s.failures) for s in states] == [("worse", 9), ("bad", 1), ("well", 0)]
    journal = Message(bus.FEEDS, 0, 11, b"backfill-1.000001", messages[0].value, 0)
    assert len(status.feed_states([*messages, journal])) == 3, "the journal of a backfill is no feed"
    gone = Message(bus.FEEDS, 0, 10, b"worse", None, 0)
    assert [s.id for s in status.feed_states([*messages, gone])] == ["bad", "well"]


def test_alerts_of_the_last_day_are_counted_once_each():
    def written(alert, hours):
        at = (NOW - dt.timedelta(hours=hours)).timestamp() * 1000
        return Message(bus.ALERTS, 0, 0, alert.id.encode(), encode(alert), int(at))

    old, new = make_alert(id="1"), make_alert(id="2")
    garbage = Message(bus.ALERTS, 0, 0, b"x", b"?", int(NOW.timestamp() * 1000))
    messages = [written(old, 30), written(new, 3), written(new, 1), garbage]
    assert status.recent(messages, since=NOW - dt.timedelta(hours=24)) == (new,)
    held = make_alert(id="3", held="throttled", channels=())
    assert status.recent([*messages, written(held, 1)], since=NOW - dt.timedelta(hours=24)) == (new,)


def test_a_process_that_is_ready_and_does_not_take_the_new_rules_is_a_problem():
    wrong = {
        "ok": True,
        "rules_problem": "alerts.toml: rule[0] a: kinds: unknown kind 'metting', did you mean 'meeting'?",
    }
    found = status.Status(
        processes=(
            probe.ProcessState("worker", "h:1", up=True, ready=True, detail=wrong),
            probe.ProcessState("indexer", "h:2", up=True, ready=True, detail={"ok": True}),
        ),
        index={"reachable": True, "status": "green"},
    )
    assert found.problems == (f"worker: the old rules go on: {wrong['rules_problem']}",)


def test_what_is_wrong_is_named_and_the_rest_is_told_all_the_same():
    found = status.Status(
        processes=(
            probe.ProcessState("worker", "h:1", up=True, ready=True, detail={}),
            probe.ProcessState("indexer", "h:2", up=True, detail={"ok": False, "problem": "Elasticsearch: 503"}),
            probe.ProcessState("collector", "h:3"),
        ),
        index={"reachable": True, "status": "red", "indices": {}},
        kafka_problem="no answer at h:9",
    )
    assert found.problems == (
        "indexer: Elasticsearch: 503",
        "collector: no answer at h:3",
        "kafka: no answer at h:9",
        "index: the cluster's status is red: a part of the data cannot be reached",
    )
    table = msgspec.json.decode(msgspec.json.encode(found.table()))
    assert table["ok"] is False
    assert [p["ready"] for p in table["processes"]] == [True, False, False]


@pytest.fixture
def closed_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_gathering_with_everything_away_is_quick_and_raises_nothing(monkeypatch, closed_port):
    monkeypatch.setattr(sizes, "health", lambda _: {"reachable": False, "error": "away", "indices": {}})
    http = Http(
        collector_port=closed_port,
        worker_port=closed_port,
        indexer_port=closed_port,
        notifier_port=closed_port,
        console_port=closed_port,
    )
    settings = Settings(http=http, kafka=Kafka(bootstrap_servers=f"127.0.0.1:{closed_port}"))
    found = status.gather(settings, now=NOW)
    assert [answer.up for answer in found.processes] == [False] * 5
    assert found.kafka_problem == f"no answer at 127.0.0.1:{closed_port}"
    assert "index: away" in found.problems


# --- asking one process ----------------------------------------------------------------------------------------------


def test_a_process_is_asked_for_readiness_and_metrics():
    server = metrics.serve(
        "127.0.0.1", 0, healthy=lambda: (True, {}), readiness=lambda: (False, {"problem": "no partition assigned"})
    )
    metrics.published_total.labels(topic="test.ask").inc(3)
    at = f"127.0.0.1:{server.server_address[1]}"
    try:
        answer = probe.process("worker", at, samples=True)
    finally:
        server.shutdown()
        server.server_close()
    assert (answer.up, answer.ready, answer.problem) == (True, False, "no partition assigned")
    [sample] = [s for s in answer.samples if s.labels.get("topic") == "test.ask" and s.name.endswith("_total")]
    assert sample.value == 3
    assert not [s.name for s in answer.samples if not s.name.startswith("dateline_")]


def test_a_stranger_on_the_port_counts_as_nobody():
    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    answer = probe.process("worker", f"127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()
    assert not answer.up


@pytest.mark.parametrize(
    ("host", "expected"), [("0.0.0.0", "127.0.0.1:7"), ("", "127.0.0.1:7"), ("10.1.2.3", "10.1.2.3:7")]
)
def test_a_process_that_listens_everywhere_is_asked_here(host, expected):
    assert probe.address(Http(host=host, worker_port=7), "worker") == expected


def test_somebody_listens_when_one_of_the_servers_does(closed_port):
    with socket.socket() as open_one:
        open_one.bind(("127.0.0.1", 0))
        open_one.listen(1)
        port = open_one.getsockname()[1]
        assert probe.listens(f"127.0.0.1:{closed_port}, 127.0.0.1:{port}")
    assert not probe.listens(f"127.0.0.1:{closed_port},nonsense")


def test_of_a_feed_that_moved_to_another_partition_the_newer_state_is_told():
    old = FeedState(id="a", url="https://a.example/", failures=3)
    new = FeedState(id="a", url="https://b.example/", silence="nothing new since Tuesday")
    messages = [
        bus.Message(bus.FEEDS, 0, 0, b"a", encode(new), 20),
        bus.Message(bus.FEEDS, 1, 0, b"a", encode(old), 10),
    ]
    (feed,) = status.feed_states(messages)
    assert (feed.failures, feed.silence) == (0, "nothing new since Tuesday")
