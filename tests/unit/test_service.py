import contextlib
import os
import signal
import socket
import sys
import threading
import time
import types
from pathlib import Path

import msgspec
import pytest

from pipeline import bus
from pipeline.local import LocalError
from pipeline.operate import live, probe, service, service_process
from pipeline.operate.local_servers import DiskWatch, LocalServers
from pipeline.settings import Console, Elasticsearch, Http, Kafka, Local, Settings
from tests.waiting import wait_until


class Screen:
    def __init__(self):
        self.messages, self.drawn = [], 0

    def message(self, text):
        self.messages.append(text)

    def progress(self, what, done, total):
        pass

    def draw(self, _view):
        self.drawn += 1

    def record(self, record):
        pass

    def close(self):
        self.messages.append("(the page is gone)")


# --- parts -----------------------------------------------------------------------------------------------------------


def test_a_process_that_ends_over_and_over_is_started_less_and_less_often():
    assert [service_process.restart_delay_seconds(n) for n in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert service_process.restart_delay_seconds(10**6) == 30


def test_a_log_file_that_has_grown_is_moved_away_while_its_writer_goes_on(tmp_path):
    file = tmp_path / "worker.log"
    service_process.rotate_log(file, limit=10)
    with file.open("ab", buffering=0) as writer:
        writer.write(b"0123456789")
        service_process.rotate_log(file, limit=10)
        assert file.read_bytes() == b"0123456789"
        writer.write(b"a")
        service_process.rotate_log(file, limit=10)
        writer.write(b"b")
    assert (tmp_path / "worker.log.1").read_bytes() == b"0123456789a"
    assert file.read_bytes() == b"b"


def test_a_process_that_takes_any_port_is_given_one_that_the_supervisor_knows():
    settings = Settings(http=Http(collector_port=0, worker_port=7, indexer_port=0, notifier_port=8, console_port=9))
    known = service_process.with_ports(settings, lambda number: list(range(100, 100 + number)))
    assert [probe.port(known.http, name) for name in probe.NAMES] == [100, 7, 101, 8, 9]
    assert service_process.port_variables(known)["DATELINE_HTTP_INDEXER_PORT"] == "101"


def child(tmp_path, code, name="worker"):
    return service_process.ServiceProcess(name, [sys.executable, "-c", code], os.environ, tmp_path / f"{name}.log")


def test_a_child_that_ended_says_how_and_is_due_again_later_each_time(tmp_path):
    one = child(tmp_path, "import sys; print('so long', flush=True); sys.exit(3)")
    pauses = []
    for _ in range(3):
        one.start(100.0)
        status = None
        while status is None:
            status = one.ended(101.0)
        assert status == 3
        pauses.append(one.due_at - 101.0)
    assert pauses == [1, 2, 4]
    assert one.last_line() == "so long"
    one.start(100.0)
    while one.ended(100.0 + service_process.STEADY_SECONDS) is None:
        pass
    assert one.due_at == 100.0 + service_process.STEADY_SECONDS + 1, "after a steady time it is a first end again"


def test_a_child_that_does_not_stop_in_time_is_killed(tmp_path):
    deaf = child(
        tmp_path, "import signal, time; signal.signal(15, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
    )
    deaf.start(0.0)
    wait_until(lambda: deaf.last_line() == "x")
    deaf.stop()
    assert deaf.wait(0.3) is False
    polite = child(tmp_path, "import time; time.sleep(60)", "indexer")
    polite.start(0.0)
    polite.stop()
    assert polite.wait(10) is True


def test_a_child_is_frozen_when_it_has_not_answered_for_a_minute_and_often_enough(tmp_path):
    one = child(tmp_path, "import time; time.sleep(60)")
    assert one.end_if_frozen(False, 0.0) == 0, "it does not even run"
    one.start(100.0)
    silent = [one.end_if_frozen(False, 100.0 + second) for second in range(60)]
    assert not any(silent), "its models may take minutes to load"
    assert one.end_if_frozen(True, 200.0) == 0
    assert one.end_if_frozen(False, 900.0) == 0, "one question after a pause of this process is not enough"
    assert one.end_if_frozen(True, 901.0) == 0
    ended = [one.end_if_frozen(False, 901.0 + second) for second in range(1, 61)]
    assert (not any(ended[:-1]), ended[-1]) == (True, 60.0)
    wait_until(lambda: one.ended(961.0) == -9)
    one.start(1000.0)
    assert not any(one.end_if_frozen(False, 1000.0 + 10 * turn) for turn in range(30)), "it is a new process"
    assert one.end_if_frozen(False, 1000.0 + service_process.FIRST_ANSWER_SECONDS) > 0
    one.wait(10)


# --- the whole, with children that do nothing ------------------------------------------------------------------------

ANY_PORT = Http(collector_port=0, worker_port=0, indexer_port=0, notifier_port=0, console_port=0)
STAY = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); print('up', flush=True); time.sleep(120)"


@pytest.fixture
def make_service(tmp_path, monkeypatch):
    """A service over a Kafka and an Elasticsearch that are somebody else's business."""
    monkeypatch.setattr(bus, "create_topics", lambda _: ())
    monkeypatch.setattr(probe, "listens", lambda _: True)
    monkeypatch.setattr(live.Watcher, "read", lambda _: None)
    monkeypatch.setattr(service, "TICK_SECONDS", 0.02)
    with contextlib.ExitStack() as cleanup:

        def make(codes=None, **changes):
            fields = {
                "kafka": Kafka(bootstrap_servers="127.0.0.1:1"),
                "elasticsearch": Elasticsearch(url="http://127.0.0.1:1"),
                "http": ANY_PORT,
                "console": Console(port=0),
                "local": Local(data_dir=str(tmp_path / "data")),
                "directory": str(tmp_path),
            }
            whole = service.Service(
                Settings(**fields | changes),
                Screen(),
                command=lambda _settings, name: [sys.executable, "-c", (codes or {}).get(name, STAY)],
            )
            whole.screen = whole._screen
            return whole

        def run(whole):
            """Run it on a thread; what came of it is in `result` when it has ended."""
            result = []

            def target():
                try:
                    result.append(whole.run())
                except Exception as error:  # noqa: BLE001 - the test looks at it
                    result.append(error)

            thread = threading.Thread(target=target)
            thread.start()
            cleanup.callback(thread.join, 30)
            cleanup.callback(whole.stop)
            return thread, result

        make.run = run
        yield make


def up(whole):
    return all(one.process is not None and one.last_line() == "up" for one in whole._children.values())


def test_all_processes_run_and_are_stopped_in_the_order_of_the_data(make_service):
    whole = make_service()
    thread, result = make_service.run(whole)
    wait_until(lambda: up(whole) and whole.screen.drawn)
    whole.stop()
    thread.join(20)
    assert result == [0]
    stopped = [line.split()[0] for line in whole.screen.messages if "stopped" in line]
    assert stopped == ["collector", "worker", "indexer", "notifier", "console"]
    assert whole.screen.messages[0] == "(the page is gone)", "what is said while stopping must stay to be read"
    assert {one.process for one in whole._children.values()} == {None}


def test_a_process_that_ends_is_started_again_and_its_last_words_are_told(make_service, monkeypatch, tmp_path):
    monkeypatch.setattr(service_process, "restart_delay_seconds", lambda _: 0.01)
    mark = tmp_path / "died"
    dies_once = (
        f"import pathlib, sys; mark = pathlib.Path({str(mark)!r})\n"
        "if not mark.exists(): mark.touch(); print('no progress', flush=True); sys.exit(70)\n" + STAY
    )
    whole = make_service({"worker": dies_once})
    make_service.run(whole)
    wait_until(lambda: up(whole) and any("ended by its watchdog" in line for line in whole.screen.messages))
    [line] = [line for line in whole.screen.messages if line.startswith("worker")]
    assert "no progress" in line


ANSWERS = (
    "import http.server, os, signal, sys\n"
    "class Yes(http.server.BaseHTTPRequestHandler):\n"
    "    def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b'{}' * (self.path == '/readyz'))\n"
    "signal.signal(15, lambda *_: os._exit(0)); print('up', flush=True)\n"
    "http.server.HTTPServer(('127.0.0.1', int(os.environ['DATELINE_HTTP_WORKER_PORT'])), Yes).serve_forever()"
)


def test_a_process_that_stands_still_is_ended_and_started_again(make_service, monkeypatch):
    monkeypatch.setattr(service_process, "restart_delay_seconds", lambda _: 0.01)
    monkeypatch.setattr(service_process, "FROZEN_SECONDS", 3.0)
    monkeypatch.setattr(service_process, "FROZEN_PROBES", 3)
    monkeypatch.setattr(live, "PROBE_INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr(probe.process, "__kwdefaults__", {"samples": False, "seconds": 1.0})
    whole = make_service({"worker": ANSWERS})
    make_service.run(whole)

    def answers():
        return any(state.name == "worker" and state.up for state in whole._watcher.view.processes)

    wait_until(answers)
    frozen = whole.process("worker")
    os.kill(frozen.pid, signal.SIGSTOP)
    wait_until(lambda: any(line.startswith("worker has not answered for") for line in whole.screen.messages))
    wait_until(lambda: whole.process("worker") not in (None, frozen) and answers())
    assert [line for line in whole.screen.messages if "ended by SIGKILL; it starts again" in line]


def test_a_process_that_cannot_run_as_configured_ends_the_service_with_its_reason(make_service, monkeypatch):
    monkeypatch.setattr(service_process, "restart_delay_seconds", lambda _: 0.01)
    whole = make_service({"notifier": "import sys; print('alerts.toml: rule[3].kinds: no such kind'); sys.exit(2)"})
    thread, result = make_service.run(whole)
    thread.join(20)
    assert isinstance(result[0], service.ServiceError)
    assert "notifier cannot run: alerts.toml: rule[3].kinds" in str(result[0])
    assert {one.process for one in whole._children.values()} == {None}


def test_a_taken_port_is_named_before_anything_is_started(make_service):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        whole = make_service(http=msgspec.structs.replace(ANY_PORT, worker_port=port))
        with pytest.raises(LocalError, match=rf"port {port} \(http.worker_port\) is taken"):
            whole.run()
    assert [one.last_line() for one in whole._children.values()] == [""] * 5


def test_a_kafka_that_does_not_answer_is_named_and_waited_for(make_service, monkeypatch):
    answers = threading.Event()

    def create(settings):
        if not answers.is_set():
            raise bus.BusError("Kafka at 127.0.0.1:1 does not answer")

    monkeypatch.setattr(bus, "create_topics", create)
    monkeypatch.setattr(service, "SAY_FIRST_SECONDS", 0.1)
    monkeypatch.setattr(service, "SAY_SECONDS", 0.1)
    whole = make_service()
    make_service.run(whole)
    wait_until(
        lambda: [line for line in whole.screen.messages if "127.0.0.1:1 does not answer; waiting for it" in line]
    )
    assert whole.process("indexer") is None
    answers.set()
    wait_until(lambda: up(whole))


def test_topics_that_are_not_as_configured_end_the_start(make_service, monkeypatch):
    def other(settings):
        raise bus.TopicError("topic news.events has 9 partitions, kafka.partitions says 4")

    monkeypatch.setattr(bus, "create_topics", other)
    whole = make_service()
    with pytest.raises(service.ServiceError, match="9 partitions"):
        whole.run()
    assert {one.process for one in whole._children.values()} == {None}


def test_a_process_that_a_server_keeps_from_its_work_is_started_again_for_ever(make_service, monkeypatch):
    monkeypatch.setattr(service_process, "restart_delay_seconds", lambda _: 0.01)
    whole = make_service({"notifier": "import sys; print('Kafka does not answer'); sys.exit(75)"})
    _thread, result = make_service.run(whole)
    wait_until(lambda: sum("notifier could not go on for now" in line for line in whole.screen.messages) > 3)
    assert not result


# --- the local servers and their disk --------------------------------------------------------------------------------


class Process:
    returncode = -9


class Server:
    title, process, data_dir = "Kafka", Process, Path("/data")


class StackOfTwo:
    """Kafka falls; Elasticsearch runs."""

    def __init__(self):
        self.down, self.restarted, self.error = {"kafka"}, [], None

    def ended(self):
        return tuple(self.down)

    def server(self, name):
        return Server

    def restart(self, name):
        if self.error:
            raise self.error
        self.down.discard(name)
        self.restarted.append(name)
        return types.SimpleNamespace(process=types.SimpleNamespace(pid=1))


def test_a_server_that_fell_is_started_again_alone_and_later_each_time():
    stack, said = StackOfTwo(), []
    servers = LocalServers(stack, said.append)
    starts = []
    for now in range(40):
        before = len(stack.restarted)
        servers.look(float(now))
        if len(stack.restarted) > before:
            starts.append(now)
            stack.down.add("kafka")
    assert starts == [1, 4, 9, 18, 35]
    assert set(stack.restarted) == {"kafka"}
    assert said[0] == "Kafka was ended by SIGKILL; it starts again in 1 s (its log: /data/logs/kafka.log)"


def test_a_server_that_cannot_even_be_started_is_tried_again():
    stack, said = StackOfTwo(), []
    stack.error = OSError(28, "No space left on device", "/data/kafka/launch.json")
    servers = LocalServers(stack, said.append)
    servers.look(0.0)
    servers.look(1.0)
    assert "kafka cannot start: /data/kafka/launch.json: No space left on device" in said[1]
    stack.error = None
    servers.look(3.0)
    assert stack.restarted == ["kafka"]


def test_a_full_disk_is_told_once_with_its_path_and_again_when_it_has_space():
    free, said = [10**12], []
    disk = DiskWatch(Path("/data"), said.append, free=lambda _: free[0])
    for size in (10**12, 1000, 500, 10**12, 10**12):
        free[0] = size
        disk.look()
    assert [("full" in line, "/data" in line) for line in said] == [(True, True), (False, True)]
    assert "Make space" in said[0]


def test_of_a_line_of_json_only_the_error_is_told(tmp_path):
    one = child(tmp_path, 'print(\'{"event": "cannot_run", "error": "feeds.toml: no such feed"}\')')
    one.start(0.0)
    wait_until(lambda: one.ended(0.0) is not None)
    assert one.last_line() == "feeds.toml: no such feed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_also_while_kafka_is_waited_for(make_service, monkeypatch, number):
    def away(settings):
        raise bus.BusError("not yet")

    monkeypatch.setattr(bus, "create_topics", away)
    whole = make_service()
    before = signal.getsignal(number)
    threading.Timer(0.5, os.kill, (os.getpid(), number)).start()
    began = time.monotonic()
    assert whole.run() == 0
    assert time.monotonic() - began < 15
    assert any(line.startswith("worker stopped") for line in whole.screen.messages)
    assert signal.getsignal(number) is before
