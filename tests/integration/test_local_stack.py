"""The local Kafka and Elasticsearch: real servers, started, killed and restarted."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from pipeline.index import client
from pipeline.local import aot, child, install, jars, ports, servers
from pipeline.local import stack as local_stack
from pipeline.local.owner import OwnedError
from pipeline.local.ports import PortTakenError
from pipeline.local.stack import Stack, StackError
from pipeline.settings import Elasticsearch, Kafka, Settings
from tests.stack_fixture import make_local
from tests.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.slow]

WARM_SECONDS = 20
"""From a warm cache to two servers that answer, on two cores."""

OWNER = """
import os, sys, time
import msgspec
from pipeline.local.stack import Stack
from pipeline.settings import Local, Settings
stack = Stack(Settings(local=msgspec.json.decode(sys.argv[1], type=Local)))
stack.start()
forked = os.fork()
if forked == 0:  # a worker process that outlives its parent must keep neither servers nor locks
    time.sleep(60)
    os._exit(0)
print("ready:", forked, flush=True)
time.sleep(60)
"""


def ask(settings, method, path, body=None):
    """A request to Elasticsearch: status and decoded reply."""
    connection = http.client.HTTPConnection("127.0.0.1", settings.local.elasticsearch_port, timeout=30)
    try:
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        kind = "application/x-ndjson" if isinstance(body, str) else "application/json"
        connection.request(method, path, text, {"Content-Type": kind})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read() or b"null")
    finally:
        connection.close()


def bulk(*lines):
    return "".join(json.dumps(line) + "\n" for line in lines)


def server_processes(settings):
    """The processes of the servers in the settings' data directory."""
    marker = str(settings.data_dir)
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if "pipeline.local.jvm" in line and any(part.startswith(marker) for part in line):
            found.append(process)
    return found


def stopped_in_order(settings):
    """Whether both servers ended as they wish to: Kafka marks it on disk, Elasticsearch says it last of all."""
    marked = (settings.data_dir / "kafka" / "data" / ".kafka_cleanshutdown").exists()
    return marked and "closed" in child.tail(servers.log_file(settings.data_dir, "elasticsearch"))[-1]


@pytest.fixture
def own(tmp_path):
    """Settings of a stack for one test, which starts it itself."""
    settings = Settings(local=make_local(tmp_path / "dätä 新"))  # as a user may have it
    yield settings
    local_stack.down(settings)
    for process in server_processes(settings):  # of a test that failed
        process.kill()


def test_both_servers_listen_on_this_machine_alone(stack):
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for process in server_processes(stack)
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    local = stack.local
    assert {port for _, port in listening} == {
        local.kafka_port,
        local.kafka_controller_port,
        local.elasticsearch_port,
        local.elasticsearch_transport_port,
    }
    assert all(address in {"127.0.0.1", "::ffff:127.0.0.1"} for address, _ in listening)


def test_kafka_makes_no_topic_that_nobody_ordered(stack):
    admin = KafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    try:
        before = set(admin.list_topics())
        assert "never-ordered" not in before
        consumer = KafkaConsumer(bootstrap_servers=stack.bootstrap_servers, allow_auto_create_topics=True)
        consumer.partitions_for_topic("never-ordered")
        consumer.close()
        assert "never-ordered" not in set(admin.list_topics())
    finally:
        admin.close()


def test_elasticsearch_says_who_it_is_as_clients_ask_first(stack):
    status, reply = ask(stack, "GET", "/")
    assert status == 200
    assert reply["tagline"] == "You Know, for Search"
    with client.opened(stack) as es:
        assert es.info()["version"]["number"] == reply["version"]["number"]
        assert es.ping()


def test_elasticsearch_can_do_what_the_index_relies_on(stack):
    mapping = {
        "properties": {
            "@timestamp": {"type": "date"},
            "kind": {"type": "keyword"},
            "text": {"type": "text"},
            "place": {"type": "geo_point"},
            "labels": {"type": "flattened"},
            "actors": {"type": "nested", "properties": {"name": {"type": "keyword"}, "sector": {"type": "keyword"}}},
        }
    }
    template = {"index_patterns": ["probe-*"], "template": {"mappings": mapping, "aliases": {"probe": {}}}}
    assert ask(stack, "PUT", "/_index_template/probe", template)[0] == 200
    actors = [{"name": "Xi", "sector": "GOV"}, {"name": "Acme", "sector": "BUS"}]
    first = {"@timestamp": "2026-11-01T00:00:00Z", "kind": "summit", "text": "Leaders meet", "actors": actors}
    first |= {"place": {"lat": 55.75, "lon": 37.62}, "labels": {"desk": "world"}}
    target = {"_index": "probe-1", "_id": "a"}
    status, reply = ask(
        stack,
        "POST",
        "/_bulk?refresh=true",
        bulk(
            {"index": target | {"version": 5, "version_type": "external"}},
            first,
            {"index": target | {"version": 4, "version_type": "external"}},
            first | {"kind": "older"},
            {"create": target},
            first,
            {"index": {"_index": "probe-1", "_id": "b"}},
            first | {"place": {"lat": 999, "lon": 0}},
        ),
    )
    assert status == 200
    assert [next(iter(item.values()))["status"] for item in reply["items"]] == [201, 409, 409, 400]

    def hits(query):
        return ask(stack, "POST", "/probe/_search", {"query": query})[1]["hits"]["total"]["value"]

    def actor(name, sector):
        both = [{"term": {"actors.name": name}}, {"term": {"actors.sector": sector}}]
        return {"nested": {"path": "actors", "query": {"bool": {"filter": both}}}}

    assert hits({"match": {"text": "leaders"}}) == 1
    assert hits({"term": {"kind": "summit"}}) == 1
    assert hits({"term": {"labels.desk": "world"}}) == 1
    assert hits({"geo_distance": {"distance": "10km", "place": {"lat": 55.7, "lon": 37.6}}}) == 1
    assert (hits(actor("Xi", "GOV")), hits(actor("Xi", "BUS"))) == (1, 0)
    days = {"size": 0, "aggs": {"days": {"date_histogram": {"field": "@timestamp", "calendar_interval": "day"}}}}
    assert ask(stack, "POST", "/probe/_search", days)[1]["aggregations"]["days"]["buckets"][0]["doc_count"] == 1
    assert ask(stack, "POST", "/probe-1/_update/a", {"doc": {"kind": "visit"}})[0] == 200
    assert ask(stack, "POST", "/probe/_pit?keep_alive=1m")[0] == 200


def test_data_survives_a_restart_on_other_ports_within_the_time_of_a_warm_start(own):
    with Stack(own):
        admin = KafkaAdminClient(bootstrap_servers=own.bootstrap_servers)
        admin.create_topics({"kept": {"num_partitions": 3, "replication_factor": 1}})
        admin.close()
        producer = KafkaProducer(bootstrap_servers=own.bootstrap_servers)
        producer.send("kept", b"news", partition=2).get(30)
        producer.close()
        assert ask(own, "PUT", "/kept/_doc/1", {"text": "news"})[0] == 201
    assert all(ports.is_free(getattr(own.local, name)) for name in ("kafka_port", "elasticsearch_port"))

    moved = msgspec.structs.replace(own, local=make_local(own.data_dir))
    began = time.monotonic()
    with Stack(moved):
        seconds = time.monotonic() - began
        consumer = KafkaConsumer(
            "kept", bootstrap_servers=moved.bootstrap_servers, auto_offset_reset="earliest", group_id=None
        )
        values = []
        wait_until(lambda: values.extend(record.value for record in next(consumer_batches(consumer))) or values)
        assert values == [b"news"]
        assert len(consumer.partitions_for_topic("kept")) == 3
        consumer.close()
        status, reply = ask(moved, "GET", "/kept/_doc/1")
        assert (status, reply["_source"]) == (200, {"text": "news"})
    assert seconds < WARM_SECONDS


def consumer_batches(consumer):
    while True:
        yield [record for batch in consumer.poll(500).values() for record in batch]


def test_no_server_outlives_a_killed_owner_and_a_new_one_starts_at_once(own):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, msgspec.json.encode(own.local).decode()], stdout=subprocess.PIPE
    )
    forked = 0
    try:
        forked = next(int(line.split()[1]) for line in owner.stdout if line.startswith(b"ready:"))
        old = server_processes(own)
        assert len(old) == 2
        owner.kill()
        owner.wait()
        began = time.monotonic()
        with Stack(own):
            assert not [process for process in old if process.is_running()]
            assert time.monotonic() - began < WARM_SECONDS + 10
            assert ask(own, "GET", "/_cluster/health")[0] == 200
        assert psutil.pid_exists(forked), "the forked copy lived on, and nothing hung on it"
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()
        if forked:
            os.kill(forked, signal.SIGKILL)


def test_servers_end_by_themselves_after_their_owner_was_killed(own):
    owner = local_stack.up(own)
    old = server_processes(own)
    os.kill(owner.process, signal.SIGKILL)
    wait_until(lambda: not any(process.is_running() for process in old))
    assert local_stack.running(own) is None
    assert not local_stack.down(own)
    assert stopped_in_order(own)


def test_up_gives_a_stack_that_down_ends(own):
    heard = []
    started = local_stack.up(own, progress=lambda *step: heard.append(step))
    assert local_stack.running(own) == started
    assert started.detached
    assert started.bootstrap_servers == own.bootstrap_servers
    assert started.elasticsearch_url == own.elasticsearch_url
    assert psutil.Process(started.process).terminal() is None
    assert local_stack.up(own) == started, "up on a running stack attaches to it"
    elsewhere = msgspec.structs.replace(own, local=make_local(own.data_dir))
    with pytest.raises(StackError, match="runs there on ports"):
        local_stack.up(elsewhere)
    with pytest.raises(OwnedError, match=rf"process {started.process}.*dateline down"):
        Stack(own).start()
    assert ask(own, "GET", "/_cluster/health")[0] == 200, "a refused second owner did no harm"

    assert local_stack.down(own)
    assert local_stack.running(own) is None
    assert server_processes(own) == []
    wait_until(lambda: not psutil.pid_exists(started.process), 5)
    assert not local_stack.down(own)


def test_sigterm_stops_elasticsearch_then_kafka_in_order(own):
    started = local_stack.up(own)
    for _ in range(3):  # an impatient supervisor does not cut the orderly stop short
        os.kill(started.process, signal.SIGTERM)
    wait_until(lambda: local_stack.running(own) is None and not server_processes(own))
    log = own.data_dir / "logs" / "stack.log"
    wait_until(lambda: "server=kafka" in "\n".join(child.tail(log)))  # the owner writes it after its servers have ended
    lines = "\n".join(child.tail(log))
    assert lines.index("server=elasticsearch") < lines.index("server=kafka")
    assert "did not stop in order" not in lines
    assert stopped_in_order(own)


@pytest.mark.parametrize("victim", ["kafka", "elasticsearch"])
def test_a_server_that_dies_is_noticed_and_reported_with_its_last_lines(own, victim):
    with Stack(own) as running:
        running.check()
        [process] = [process for process in server_processes(own) if victim in process.cmdline()[-1]]
        process.kill()
        message = ""
        while not message:
            try:
                running.check()
            except StackError as error:
                message = str(error)
    assert f"{servers.TITLES[victim]} ended by signal 9" in message
    assert child.tail(servers.log_file(own.data_dir, victim))[-1] in message
    assert server_processes(own) == [], "the other one was stopped"


def test_a_server_that_fell_is_started_again_and_the_other_one_never_stops(own):
    with Stack(own) as running:
        other, fallen = running.server("elasticsearch").process, running.server("kafka").process
        fallen.kill()
        fallen.wait()
        assert running.ended() == ("kafka",)
        again = running.restart("kafka")
        wait_until(again.ready, 120)
        assert running.ended() == ()
        assert running.server("elasticsearch").process is other
        assert other.poll() is None
        running.check()
    assert server_processes(own) == []


@pytest.mark.parametrize("named", ["kafka", "elasticsearch"])
def test_a_server_that_is_configured_elsewhere_is_not_started_here(own, named):
    elsewhere = {
        "kafka": Kafka(bootstrap_servers="127.0.0.1:1"),
        "elasticsearch": Elasticsearch(url="http://127.0.0.1:1"),
    }
    settings = msgspec.structs.replace(own, **{named: elsewhere[named]})
    with Stack(settings, wanted=local_stack.unconfigured(settings)):
        listening = {
            "kafka": servers.kafka_ready(own.local.kafka_port),
            "elasticsearch": servers.elasticsearch_ready(own.local.elasticsearch_port),
        }
    assert listening == {"kafka": named != "kafka", "elasticsearch": named != "elasticsearch"}


def test_a_taken_port_stops_the_start_and_leaves_nothing_running(own):
    with socket.create_server(("127.0.0.1", own.local.elasticsearch_transport_port)):
        for start in (Stack(own).start, lambda: local_stack.up(own)):
            with pytest.raises(PortTakenError) as caught:
                start()
            assert f"port {own.local.elasticsearch_transport_port}" in str(caught.value)
            assert "local.elasticsearch_transport_port" in str(caught.value)
            assert f"process {os.getpid()}" in str(caught.value)
    assert server_processes(own) == []
    assert local_stack.running(own) is None


def test_a_server_that_cannot_start_is_reported_with_what_it_said(own):
    hopeless = msgspec.structs.replace(own.local, kafka_heap_mb=1)
    with pytest.raises(StackError, match=r"(?s)Kafka ended.*heap"):
        Stack(msgspec.structs.replace(own, local=hopeless)).start()
    assert server_processes(own) == []


def test_a_start_that_takes_too_long_is_given_up(own):
    hasty = msgspec.structs.replace(own.local, start_timeout_seconds=0.3)
    with pytest.raises(StackError, match=r"did not answer within .*local\.start_timeout_seconds"):
        Stack(msgspec.structs.replace(own, local=hasty)).start()
    assert server_processes(own) == []


def test_a_start_in_the_background_that_fails_says_why(own):
    hopeless = msgspec.structs.replace(own, local=msgspec.structs.replace(own.local, elasticsearch_heap_mb=1))
    with pytest.raises(StackError, match=r"(?s)Elasticsearch ended.*heap"):
        local_stack.up(hopeless)
    assert server_processes(own) == []


def test_a_jar_that_was_altered_after_the_check_is_not_run(own, tmp_path):
    jar = jars.class_path("kafka")[0]
    altered = tmp_path / jar.name
    altered.write_bytes(jar.read_bytes() + b"!")

    def swap(launch):
        paths = tuple(str(altered) if Path(path).name == jar.name else path for path in launch.class_path)
        return msgspec.structs.replace(launch, class_path=paths)

    with pytest.raises(StackError, match=r"(?s)Kafka ended.*is not the one of lock\.toml"):
        Stack(own, prepare=swap).start()


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StackError, match=r"local\.data_dir"):
        Stack(Settings(local=make_local(tmp_path / "file" / "data"))).start()


def test_preparing_once_makes_later_starts_use_what_the_jvm_recorded(own, tmp_path, monkeypatch):
    (tmp_path / "cache" / "dateline").mkdir(parents=True)
    jars.fetch()
    (tmp_path / "cache" / "dateline" / "jars").symlink_to(jars.cache_dir() / "jars")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    heard = []
    install.install(lambda *step: heard.append(step))
    assert [step[1:] for step in heard] == [(0, 1), (1, 1)]
    assert {file.name.partition("-")[0] for file in aot.directory().glob("*.aot")} == set(servers.TITLES)
    install.install(lambda *step: heard.append(step))
    assert len(heard) == 2, "the second time there is nothing to do"
    with Stack(own):
        for server in servers.TITLES:
            launch = json.loads((own.data_dir / server / "launch.json").read_text("utf-8"))
            [archive] = [option for option in launch["options"] if option.startswith("-XX:AOTCache=")]
            assert archive.startswith(f"-XX:AOTCache={aot.directory()}")
            assert "[aot" not in servers.output_file(own.data_dir, server).read_text("utf-8"), "the JVM accepted it"
