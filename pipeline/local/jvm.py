"""The child process: a Java runtime in a Python process that stops cleanly and never outlives its parent.

`python -m pipeline.local.jvm LAUNCH.json`, started only by child.py. It stops when its standard input ends (the parent has
closed it or has ended, even by kill -9), when its parent has ended, or on SIGTERM or SIGINT.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import jpype
import msgspec

from pipeline.local import LocalError, jars, java
from pipeline.local.servers import ELASTICSEARCH, KAFKA, Launch
from pipeline.process import StopEvent

WATCH_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 20


def main(launch_file: str) -> None:
    """Run one server until it is asked to stop, then end the process. Never returns."""
    launch = msgspec.json.decode(Path(launch_file).read_bytes(), type=Launch)
    stop = StopEvent()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_watch_parent, args=(stop, os.getppid(), launch.stop_seconds), daemon=True).start()
    jars.verify(launch.server, map(Path, (*launch.class_path, *launch.modules)))
    jpype.startJVM(*launch.options, jvmpath=str(java.libjvm()), classpath=list(launch.class_path), interrupt=False)
    close = _START[launch.server](Path(launch.home))
    stop.wait()
    close()
    jpype.JClass("java.lang.System").exit(0)


def _watch_parent(stop: threading.Event, parent: int, stop_seconds: float) -> None:
    """Set `stop` when the parent has ended, and end the process if the stop takes too long.

    The parent's end is checked in two ways, because a process that it forked may keep the pipe open.
    """
    while not stop.is_set():
        readable, _, _ = select.select([sys.stdin], [], [], WATCH_SECONDS)
        if os.getppid() != parent or (readable and not os.read(sys.stdin.fileno(), 4096)):
            stop.set()
    timer = threading.Timer(stop_seconds, os._exit, (1,))
    timer.daemon = True
    timer.start()


def _start_kafka(home: Path) -> Callable[[], None]:
    """Format the storage if there is none, start broker and controller, and return the function that stops them."""
    properties = str(home / "server.properties")
    # Formatting writes this file last, so it is also missing after an interrupted one.
    if not (home / "data" / "meta.properties").exists():
        uuid = str(jpype.JClass("org.apache.kafka.common.Uuid").randomUuid())
        arguments = ["format", "--ignore-formatted", "--cluster-id", uuid, "--config", properties]
        output = jpype.JClass("java.lang.System").out
        status = jpype.JClass("kafka.tools.StorageTool").execute(jpype.JArray(jpype.JString)(arguments), output)
        if status != 0:
            raise LocalError(f"{home / 'data'}: Kafka could not format its storage")
    loaded = jpype.JClass("org.apache.kafka.common.utils.Utils").loadProps(properties)
    config = jpype.JClass("kafka.server.KafkaConfig").fromProps(loaded)
    server = jpype.JClass("kafka.server.KafkaRaftServer")(
        config, jpype.JClass("org.apache.kafka.common.utils.Time").SYSTEM
    )
    server.startup()

    def close() -> None:
        server.shutdown()
        server.awaitShutdown()

    return close


def _start_elasticsearch(home: Path) -> Callable[[], None]:
    """Build the node as the vendor's launcher does, start it, and return the function that stops it."""
    elastic: Callable[[str], Any] = lambda name: jpype.JClass(f"org.elasticsearch.{name}")  # noqa: E731 - a short name
    config = jpype.JClass("java.nio.file.Path").of(str(home / "config"))
    builder = elastic("common.settings.Settings").builder().loadFromPath(config.resolve("elasticsearch.yml"))
    environment = elastic("env.Environment")(builder.put("path.home", str(home)).build(), config)
    logs = elastic("common.logging.LogConfigurator")
    logs.registerErrorListener()
    logs.configure(environment, False)
    collections = jpype.JClass("java.util.Collections")
    plugins = elastic("plugins.PluginsLoader")
    modules = plugins.loadModulesBundles(environment.modulesDir(), False)
    loader = plugins.createPluginsLoader(modules, collections.emptySet(), collections.emptyMap(), False)
    node = elastic("node.Node")(environment, loader)
    node.start()
    _answer_root(elastic, node)

    def close() -> None:
        node.close()
        node.awaitClose(CLOSE_SECONDS, jpype.JClass("java.util.concurrent.TimeUnit").SECONDS)

    return close


def _answer_root(elastic: Callable[[str], Any], node: Any) -> None:
    """Answer `GET /` and `HEAD /` as the vendor's image does; the published server lacks the module that does.

    Clients, notebooks and Kibana ask for it first. The controller of the routes is only reachable inside of the transport.
    """
    transport = node.injector().getInstance(elastic("http.HttpServerTransport").class_)
    field = elastic("http.AbstractHttpServerTransport").class_.getDeclaredField("dispatcher")
    field.setAccessible(True)
    cluster = node.injector().getInstance(elastic("cluster.service.ClusterService").class_)
    method, ok = elastic("rest.RestRequest").Method, elastic("rest.RestStatus").OK
    routes = [jpype.JClass("org.elasticsearch.rest.RestHandler$Route")(one, "/") for one in (method.GET, method.HEAD)]

    class Root:
        """The handler. Java calls it on its own threads, by the names of Java's interface."""

        def routes(self) -> Any:
            return jpype.JClass("java.util.ArrayList")(routes)

        def handleRequest(self, _request: Any, channel: Any, _client: Any) -> None:  # noqa: N802 - Java's name
            body = msgspec.json.encode(_about(elastic, node, cluster)).decode()
            channel.sendResponse(elastic("rest.RestResponse")(ok, "application/json", body))

    field.get(transport).registerHandler(jpype.JProxy("org.elasticsearch.rest.RestHandler", inst=Root()))


def _about(elastic: Callable[[str], Any], node: Any, cluster: Any) -> dict[str, Any]:
    """Return the answer to `GET /`."""
    build = elastic("Build").current()
    version = {
        "number": str(build.version()),
        "build_flavor": "default",
        "build_type": "jar",
        "build_hash": str(build.hash()),
        "build_date": str(build.date()),
        "build_snapshot": bool(build.isSnapshot()),
        "lucene_version": str(elastic("index.IndexVersion").current().luceneVersion()),
        "minimum_wire_compatibility_version": str(build.minWireCompatVersion()),
        "minimum_index_compatibility_version": str(build.minIndexCompatVersion()),
    }
    return {
        "name": str(node.settings().get("node.name")),
        "cluster_name": str(cluster.getClusterName().value()),
        "cluster_uuid": str(cluster.state().metadata().clusterUUID()),
        "version": version,
        "tagline": "You Know, for Search",
    }


_START: Final[dict[str, Callable[[Path], Callable[[], None]]]] = {
    KAFKA: _start_kafka,
    ELASTICSEARCH: _start_elasticsearch,
}

if __name__ == "__main__":
    main(sys.argv[1])
