"""Settings in, each server's configuration files and JVM options out, and the check whether a server is ready.

Sized for a laptop: one node, small buffers, a fast start. The servers listen only on 127.0.0.1.
"""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from pipeline.local.ports import HOST
from pipeline.settings import Local

KAFKA: Final = "kafka"
ELASTICSEARCH: Final = "elasticsearch"
TITLES: Final = {KAFKA: "Kafka", ELASTICSEARCH: "Elasticsearch"}

PROBE_SECONDS: Final = 2.0
"""How long a server may take to answer the readiness check."""

JVM_OPTIONS: Final = (
    "-XX:+UseSerialGC",  # the garbage collector with the least overhead for two cores and a small heap
    "-XX:TieredStopAtLevel=1",  # starts in two thirds of the time; the code runs slower later
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xrs",  # signals are handled by Python, see jvm.py
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)

OPTIMISE: Final = ("-XX:TieredStopAtLevel=4",)
"""The last of two equal options counts: Java's optimising compiler is on."""

EXERCISE_SECONDS: Final = 30.0

_LOG4J: Final = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {file}
appender.file.filePattern = {file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd'T'HH:mm:ss,SSS}} %-5p %c{{1.}} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


class Launch(msgspec.Struct, frozen=True):
    """What the child process needs: the server, its directory, its class path and its JVM options."""

    server: str
    home: str
    class_path: tuple[str, ...]
    options: tuple[str, ...]
    modules: tuple[str, ...] = ()
    stop_seconds: float = 30.0
    """How long a clean stop may take before the process ends itself. The server recovers from that at its next start."""


def log_file(data_dir: Path, server: str) -> Path:
    """Return the server's own log file."""
    return data_dir / "logs" / f"{server}.log"


def output_file(data_dir: Path, server: str) -> Path:
    """Return the file of what the server's process prints: nothing, unless the JVM fails."""
    return data_dir / "logs" / f"{server}.out"


def kafka_launch(local: Local, data_dir: Path, jars: Iterable[Path]) -> Launch:
    """Write Kafka's configuration and return its launch."""
    home = _directory(data_dir / KAFKA)
    _write(home / "server.properties", kafka_properties(local, home / "data"))
    log4j = _write(home / "log4j2.properties", _LOG4J.format(file=_escaped(log_file(data_dir, KAFKA))))
    options = (*_options(local.kafka_heap_mb, data_dir), f"-Dlog4j2.configurationFile={log4j}")
    return Launch(KAFKA, str(home), tuple(map(str, jars)), options)


def kafka_properties(local: Local, data: Path) -> str:
    """Return server.properties for one node that is broker and controller."""
    broker, controller = f"{HOST}:{local.kafka_port}", f"{HOST}:{local.kafka_controller_port}"
    properties: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{controller}",
        "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{broker}",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": data,
        # An automatic topic would not have the intended partitions.
        "auto.create.topics.enable": "false",
        "default.replication.factor": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 8,
        "offsets.topic.segment.bytes": 16 * 2**20,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 8,
        "transaction.state.log.segment.bytes": 16 * 2**20,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 4,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # A page and its text. A limit of the topic itself overrides this.
        "message.max.bytes": 8 * 2**20,
        "replica.fetch.max.bytes": 8 * 2**20,
        # Small segments, because old records and keys are removed only with a whole segment.
        "log.segment.bytes": 64 * 2**20,
        "log.retention.check.interval.ms": 10_000,  # a small disk is full sooner than after Kafka's five minutes
        "log.index.size.max.bytes": 2**20,
        "log.cleaner.dedupe.buffer.size": 8 * 2**20,  # allocated at the start; the default is a third of this heap
        "log.cleaner.io.buffer.size": 256 * 2**10,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 4,
        "num.recovery.threads.per.data.dir": 2,
        # With a single broker it is useless to declare it dead soon when the laptop slept or is busy. But a killed broker can
        # register again only after its old session, and must be ready within local.start_timeout_seconds.
        "broker.heartbeat.interval.ms": 1000,
        "broker.session.timeout.ms": 15_000,
    }
    return "".join(f"{key}={_escaped(value)}\n" for key, value in properties.items())


def elasticsearch_launch(local: Local, data_dir: Path, jars: Iterable[Path]) -> Launch:
    """Write Elasticsearch's home directory and return its launch. The jars of the HTTP layer go to a directory of their own."""
    home = _directory(data_dir / ELASTICSEARCH)
    _write(_directory(home / "config") / "elasticsearch.yml", elasticsearch_yml(local, home, data_dir / "logs"))
    _write(home / "config" / "log4j2.properties", _LOG4J.format(file=_escaped(log_file(data_dir, ELASTICSEARCH))))
    _directory(home / "plugins")
    inside = [jar for jar in jars if "netty" in jar.name]
    outside = [jar for jar in jars if "netty" not in jar.name]
    modules = _netty_module(home, inside)
    options = (
        *_options(local.elasticsearch_heap_mb, data_dir),
        *(OPTIMISE if local.elasticsearch_optimise else ()),
        f"-Des.path.home={home}",
        "-Dio.netty.noUnsafe=true",
        "-Dio.netty.noKeySetOptimization=true",
        "-Dio.netty.recycler.maxCapacityPerThread=0",
        "-Dlog4j2.disable.jmx=true",
    )
    return Launch(ELASTICSEARCH, str(home), tuple(map(str, outside)), options, tuple(map(str, modules)))


def elasticsearch_yml(local: Local, home: Path, logs: Path) -> str:
    """Return elasticsearch.yml, as JSON, which is valid YAML in which no path needs quoting."""
    table = {
        "cluster.name": "dateline-local",
        "node.name": "local",
        "discovery.type": "single-node",
        "network.host": HOST,
        "http.port": local.elasticsearch_port,
        "transport.port": local.elasticsearch_transport_port,
        "path.data": str(home / "data"),
        "path.logs": str(logs),
        "path.repo": [str(home / "snapshots")],  # a relative snapshots.location is below it
        # A laptop's disk is often 90 % full, and the server would then refuse to write.
        "cluster.routing.allocation.disk.threshold_enabled": False,
        # The heap in use contains garbage that this collector (UseSerialGC) has not removed yet: the server would refuse writes
        # (429) with most of its heap free. What requests have reserved stays limited.
        "indices.breaker.total.use_real_memory": False,
    }
    return msgspec.json.format(msgspec.json.encode(table)).decode() + "\n"


def _netty_module(home: Path, jars: list[Path]) -> list[Path]:
    """Write modules/transport-netty4 again from checked jars, and return the jars there."""
    name = "transport-netty4"
    shutil.rmtree(home / "modules", ignore_errors=True)
    module = _directory(home / "modules" / name)
    for jar in jars:
        shutil.copy(jar, module)
    [plugin] = [jar for jar in jars if jar.name.startswith(name)]
    with zipfile.ZipFile(plugin) as archive:
        for file in ("plugin-descriptor.properties", "entitlement-policy.yaml"):
            text = archive.read(f"META-INF/es-plugins/{name}/{file}").decode()
            # As a Java module it would need two modules of a full JDK that the small runtime does not have.
            lines = ("modulename=" if line.startswith("modulename=") else line for line in text.splitlines())
            _write(module / file, "\n".join(lines) + "\n")
    return [module / jar.name for jar in jars]


def kafka_ready(port: int) -> bool:
    """Return whether the broker on the port answers a metadata request and lists itself."""
    api_key, version, correlation = 3, 1, 7
    client = b"dateline"
    request = struct.pack(
        f">hhih{len(client)}si", api_key, version, correlation, len(client), client, 0
    )  # 0: no topics
    try:
        with socket.create_connection((HOST, port), timeout=PROBE_SECONDS) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            stream = connection.makefile("rb")
            (size,) = struct.unpack(">i", stream.read(4))
            reply = stream.read(size)
        answered, brokers = struct.unpack_from(">ii", reply)
    except (OSError, struct.error):
        return False
    return bool(answered == correlation and brokers >= 1)


def elasticsearch_ready(port: int) -> bool:
    """Return whether the server on the port has a master and all primary shards (its health is yellow or green)."""
    try:
        status, reply = _ask(port, "GET", "/_cluster/health?wait_for_status=yellow&timeout=1s")
        health = msgspec.json.decode(reply, type=dict[str, Any])
    except (OSError, http.client.HTTPException, msgspec.DecodeError):
        return False
    return status == http.HTTPStatus.OK and health.get("status") in {"yellow", "green"}


def exercise_elasticsearch(port: int) -> None:
    """Send one request of each kind that Dateline sends, so that the start-up cache contains their classes."""
    bulk = b'{"index":{"_index":"exercise","_id":"1"}}\n{"text":"a summit","at":"2026-11-01T00:00:00Z"}\n'
    question = (
        b'{"query":{"match":{"text":"summit"}},"aggs":{"days":{"date_histogram":{"field":"at","fixed_interval":"1d"}}}}'
    )
    with contextlib.suppress(OSError, http.client.HTTPException):  # a cache without them works too
        _ask(port, "POST", "/_bulk?refresh=true", bulk, seconds=EXERCISE_SECONDS)
        _ask(port, "POST", "/exercise/_search", question, seconds=EXERCISE_SECONDS)


def _ask(
    port: int, method: str, path: str, body: bytes | None = None, *, seconds: float = PROBE_SECONDS
) -> tuple[int, bytes]:
    """Send a request to Elasticsearch and return status and body of the reply."""
    connection = http.client.HTTPConnection(HOST, port, timeout=seconds)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def _options(heap_mb: int, data_dir: Path) -> tuple[str, ...]:
    temporary = _directory(data_dir / "tmp")
    crash = data_dir / "logs" / "jvm-crash-%p.log"
    return (f"-Xmx{heap_mb}m", *JVM_OPTIONS, f"-Djava.io.tmpdir={temporary}", f"-XX:ErrorFile={crash}")


def _escaped(value: object) -> str:
    """Return a value for a Java properties file, which is Latin-1: other letters of a path are written as numbers."""
    units = memoryview(str(value).encode("utf-16-le")).cast("H")
    return "".join(chr(unit) if 32 <= unit < 127 and unit != ord("\\") else f"\\u{unit:04x}" for unit in units)


def _directory(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path
