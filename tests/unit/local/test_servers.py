"""What the servers are told, and the question whether they are ready."""

import json
import socket
import struct
import threading
import zipfile

import pytest

from pipeline.local import ports, servers
from pipeline.settings import Local

LOCAL = Local(kafka_port=1111, kafka_controller_port=2222, elasticsearch_port=3333, elasticsearch_transport_port=4444)


def properties(text):
    return dict(line.split("=", 1) for line in text.splitlines())


def test_kafka_listens_on_this_machine_alone(tmp_path):
    table = properties(servers.kafka_properties(LOCAL, tmp_path))
    assert table["listeners"] == "PLAINTEXT://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222"
    assert table["advertised.listeners"] == "PLAINTEXT://127.0.0.1:1111"
    assert table["controller.quorum.voters"] == "1@127.0.0.1:2222"


def test_kafka_makes_no_topic_by_itself(tmp_path):
    assert properties(servers.kafka_properties(LOCAL, tmp_path))["auto.create.topics.enable"] == "false"


def test_everything_that_kafka_replicates_fits_one_broker(tmp_path):
    table = properties(servers.kafka_properties(LOCAL, tmp_path))
    assert {table[key] for key in table if key.endswith(("replication.factor", "min.isr"))} == {"1"}


def test_elasticsearch_listens_on_this_machine_alone(tmp_path):
    table = json.loads(servers.elasticsearch_yml(LOCAL, tmp_path, tmp_path / "logs"))
    assert (table["network.host"], table["http.port"], table["transport.port"]) == ("127.0.0.1", 3333, 4444)
    assert table["path.data"] == str(tmp_path / "data")


def test_elasticsearch_counts_no_garbage_of_its_collector_as_heap_in_use(tmp_path):
    """With the serial collector the real use of the heap says nothing: a million events were refused (429) on the way."""
    table = json.loads(servers.elasticsearch_yml(LOCAL, tmp_path, tmp_path / "logs"))
    assert "-XX:+UseSerialGC" in servers.JVM_OPTIONS
    assert table["indices.breaker.total.use_real_memory"] is False


def test_heaps_come_from_the_settings(tmp_path):
    local = Local(kafka_heap_mb=111, elasticsearch_heap_mb=222)
    assert "-Xmx111m" in servers.kafka_launch(local, tmp_path, []).options
    assert "-Xmx222m" in servers.elasticsearch_launch(local, tmp_path, [netty_jar(tmp_path)]).options


def test_elasticsearch_is_optimised_where_the_settings_say_so(tmp_path):
    for optimise in (True, False):
        local = Local(elasticsearch_optimise=optimise)
        options = servers.elasticsearch_launch(local, tmp_path / str(optimise), [netty_jar(tmp_path)]).options
        *_, level = [option for option in options if option.startswith("-XX:TieredStopAtLevel=")]
        assert level == f"-XX:TieredStopAtLevel={4 if optimise else 1}"  # Java takes the last


def netty_jar(directory):
    file = directory / "transport-netty4-9.jar"
    with zipfile.ZipFile(file, "w") as archive:
        home = "META-INF/es-plugins/transport-netty4"
        archive.writestr(f"{home}/plugin-descriptor.properties", "name=transport-netty4\nmodulename=some.module\n")
        archive.writestr(f"{home}/entitlement-policy.yaml", "all: []\n")
    return file


def test_the_http_layer_is_laid_out_as_a_module_and_left_off_the_class_path(tmp_path):
    netty = tmp_path / "netty-common-4.jar"
    netty.write_bytes(b"netty")
    core = tmp_path / "elasticsearch-9.jar"
    launch = servers.elasticsearch_launch(LOCAL, tmp_path / "data", [core, netty, netty_jar(tmp_path)])
    module = tmp_path / "data" / "elasticsearch" / "modules" / "transport-netty4"
    assert launch.class_path == (str(core),)
    assert sorted(launch.modules) == [str(module / "netty-common-4.jar"), str(module / "transport-netty4-9.jar")]
    assert (module / "plugin-descriptor.properties").read_text("utf-8") == "name=transport-netty4\nmodulename=\n"
    assert (module / "entitlement-policy.yaml").exists()


def test_a_stranger_among_the_modules_is_gone_at_the_next_start(tmp_path):
    stranger = tmp_path / "elasticsearch" / "modules" / "transport-netty4" / "stranger.jar"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"")
    servers.elasticsearch_launch(LOCAL, tmp_path, [netty_jar(tmp_path)])
    assert not stranger.exists()


def test_a_path_in_any_script_survives_the_properties_file(tmp_path):
    path = tmp_path / "d\u00e4t\u00e4 \u65b0\u805e \U0001f4f0" / "a\\b"
    text = properties(servers.kafka_properties(LOCAL, path))["log.dirs"]
    assert text.isascii()
    read = text.encode().decode("unicode_escape").encode("utf-16", "surrogatepass").decode("utf-16")
    assert read == str(path)


@pytest.fixture
def answering():
    """Gives a function that serves one canned answer on a free port."""
    opened = []

    def serve(answer):
        server = socket.create_server(("127.0.0.1", 0))

        def run():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=run)
        thread.start()
        opened.append((server, thread))
        return server.getsockname()[1]

    yield serve
    for server, thread in opened:
        thread.join()
        server.close()


def metadata(correlation, brokers):
    body = struct.pack(">ii", correlation, brokers) + b"rest"
    return struct.pack(">i", len(body)) + body


def http_answer(status, body):
    return f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        (metadata(7, 1), True),
        (metadata(7, 0), False),
        (metadata(8, 1), False),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
        (b"", False),
        (b"\x00\x00", False),
        (struct.pack(">i", -1), False),
    ],
    ids=["names a broker", "names none", "answers another question", "is a web server", "hangs up", "stutters", "lies"],
)
def test_kafka_is_ready_once_it_names_itself_among_the_brokers(answering, answer, ready):
    assert servers.kafka_ready(answering(answer)) is ready


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        (http_answer(200, b'{"status": "green"}'), True),
        (http_answer(200, b'{"status": "yellow"}'), True),
        (http_answer(408, b'{"status": "red"}'), False),
        (http_answer(200, b'{"status": "red"}'), False),
        (http_answer(503, b'{"error": "no master"}'), False),
        (http_answer(200, b"not json"), False),
        (http_answer(200, b"[]"), False),
        (b"\x00", False),
        (b"", False),
    ],
    ids=["green", "yellow", "timed out", "red", "no master", "no JSON", "a list", "no HTTP", "hangs up"],
)
def test_elasticsearch_is_ready_once_its_health_is_yellow_or_better(answering, answer, ready):
    assert servers.elasticsearch_ready(answering(answer)) is ready


def test_nobody_there_is_not_ready():
    [port] = ports.free(1)
    assert not servers.kafka_ready(port)
    assert not servers.elasticsearch_ready(port)
