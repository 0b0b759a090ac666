"""The whole house for end-to-end tests: a news site, a webhook's receiver, and Dateline's processes on a real stack."""

import contextlib
import datetime as dt
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
import urllib.error
import urllib.request
from collections import Counter
from email.utils import format_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from pipeline import bus
from pipeline import settings as settings_module
from pipeline.local import ports

REPOSITORY = Path(__file__).parents[2]
SAMPLE = REPOSITORY / "configs/sample"
EXPECTED = json.loads((Path(__file__).parent / "sample_expected.json").read_text("utf-8"))
FIRST_DAY = dt.datetime(2026, 11, 9, 8, 0, tzinfo=dt.UTC)  # a Monday, so that weekday names in the texts resolve alike
SECRET = "end-to-end secret"
PROCESSES = ("collector", "worker", "indexer", "notifier")


class Site:
    """A news site on 127.0.0.1: a feed of the sample articles with real dates, honouring ETags, and their pages."""

    def __init__(self, slugs, *, copies=1, first_day=FIRST_DAY):
        self.hits = Counter()
        self.pages = {}
        items = []
        for copy in range(copies):
            for number, slug in enumerate(slugs):
                entry = EXPECTED["articles"][slug]
                path = f"/{copy}/{slug}.html"
                html = (SAMPLE / "articles" / f"{slug}.html").read_text("utf-8")
                self.pages[path] = html.encode()
                published = first_day + dt.timedelta(days=entry["day"], minutes=number)
                # the same title and page at two addresses would be one article
                title = f"{entry['title']} ({copy})" if copy else entry["title"]
                items.append((path, title, published))
        self._items = items
        self.server = _serve(self._answer)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def feed(self):
        items = "".join(
            f"<item><title>{escape(title)}</title><link>{self.url}{path}</link><guid>{self.url}{path}</guid>"
            f"<pubDate>{format_datetime(published)}</pubDate></item>"
            for path, title, published in self._items
        )
        return (
            f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Site</title>'
            f"<link>{self.url}/</link><description>All</description>{items}</channel></rss>"
        ).encode()

    def _answer(self, request):
        self.hits[request.path] += 1
        if request.path == "/feed.xml":
            body = self.feed()
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if request.headers.get("If-None-Match") == etag:
                return 304, b"", {"ETag": etag}
            return 200, body, {"ETag": etag, "Content-Type": "application/rss+xml"}
        if request.path in self.pages:
            return 200, self.pages[request.path], {"Content-Type": "text/html; charset=utf-8"}
        return 404, b"no such page", {"Content-Type": "text/plain"}


class Receiver:
    """A webhook's receiver: keeps what it was sent, and checks each signature."""

    def __init__(self):
        self.received = []
        self.server = _serve(self._answer)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def _answer(self, request):
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.received.append((request.headers.get("Idempotency-Key"), json.loads(body), dict(request.headers), body))
        return 204, b"", {}

    @property
    def keys(self):
        return [key for key, *_ in self.received]


def _serve(answer):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self):
            status, body, headers = answer(self)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        do_GET = do_POST = do_HEAD = _do  # noqa: N815 - the base class's names

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class House:
    """Dateline's processes, started as an operator would, on the stack of the tests."""

    def __init__(self, settings, directory, site, receiver, *, collector=None, environ=None, channel=None):
        self.directory = directory
        self.supervised = False
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ports = dict(zip(PROCESSES, ports.free(len(PROCESSES)), strict=True))
        self.processes = {}
        self._write(settings, site, receiver, collector or {}, channel or {})
        self.environ = {
            **os.environ,
            "DATELINE_CONFIG": str(directory),
            "DATELINE_LOG_FORMAT": "json",
            **(environ or {}),
        }
        self.settings = settings_module.load(directory, {})

    def _write(self, settings, site, receiver, collector, channel):
        text = [
            "[kafka]",
            f'bootstrap_servers = "{settings.bootstrap_servers}"',
            "[elasticsearch]",
            f'url = "{settings.elasticsearch_url}"',
            "[collector]",
            "allow_private_addresses = true",
            "per_host_interval_seconds = 0.0",
            "min_interval_seconds = 1",
            "interval_seconds = 2",
            "max_entry_age_days = 36500",  # the days of the sample are fixed, the clock is not
            *(f"{key} = {json.dumps(value)}" for key, value in collector.items()),
            "[worker]",  # on a busy machine a batch may take minutes, which is no stall
            "article_timeout_seconds = 600",
            "stall_timeout_seconds = 600",
            "[alerts]",
            "max_age_hours = 1000000",
            "[http]",
            *(f"{name}_port = {port}" for name, port in self.ports.items()),
        ]
        (self.directory / "dateline.toml").write_text("\n".join(text), "utf-8")
        (self.directory / "feeds.toml").write_text(
            f'[[feed]]\nid = "site"\nurl = "{site.url}/feed.xml"\ntitle = "Site"\n', "utf-8"
        )
        rules = tomllib.loads((REPOSITORY / "configs/alerts.toml").read_text("utf-8"))
        secret = self.directory / "secret"
        secret.write_text(SECRET, "utf-8")
        hook = {"name": "hook", "type": "webhook", "url": receiver.url, "secret_file": str(secret)}
        rules["channel"] = [{**hook, **channel}]
        for rule in rules["rule"]:
            rule["channels"] = ["hook"]
        (self.directory / "alerts.toml").write_bytes(msgspec.toml.encode(rules))

    def start(self, *names):
        for name in names or PROCESSES:
            self._start(name, name, self.environ)

    def start_as(self, name, environ):
        """Start a process with more environment variables."""
        self._start(name, name, {**self.environ, **environ})

    def _start(self, name, command, environ):
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli", command], env=environ, stdout=log, stderr=log, cwd=REPOSITORY
            )

    def start_another_worker(self):
        """A second worker of the same group."""
        [self.ports["worker-2"]] = ports.free(1)
        environ = {**self.environ, "DATELINE_HTTP_WORKER_PORT": str(self.ports["worker-2"])}
        self._start("worker-2", "worker", environ)

    def kill(self, name):
        """Kill -9."""
        self.processes[name].kill()
        self.processes[name].wait()

    def _start_again(self):
        """What a supervisor does with a process that has ended by itself."""
        for name, process in list(self.processes.items()):
            if process.poll() not in (None, -9) and name in PROCESSES:
                self.start(name)

    def stop(self):
        """SIGTERM to all, and their exit statuses."""
        statuses = {}
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for name, process in self.processes.items():
            try:
                statuses[name] = process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                statuses[name] = "killed: it did not stop within 40 s"
        return statuses

    def logs(self, name, lines=30):
        return "\n".join((self.directory / f"{name}.log").read_text("utf-8", "replace").splitlines()[-lines:])

    # --- looking ---------------------------------------------------------------------------------------------------

    def get(self, name, path):
        url = f"http://127.0.0.1:{self.ports[name]}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def metrics(self, name):
        """All that a process says of itself, as text."""
        status, text = self.get(name, "/metrics")
        assert status == 200, text
        return text

    def metric(self, name, metric, **labels):
        """The sum over all series of a metric that carry these labels."""
        return total(self.metrics(name), metric, **labels)

    def topic(self, name):
        """Every committed record of a topic."""
        return list(bus.read_all(self.settings, name))

    def wait(self, what, condition, seconds=300):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for name, process in self.processes.items():
                if process.poll() not in (None, -9) and not self.supervised:
                    raise AssertionError(f"{name} ended with {process.returncode}:\n{self.logs(name)}")
            if self.supervised:
                self._start_again()
            try:
                if condition():
                    return
            except (AssertionError, OSError, bus.BusError):
                pass
            time.sleep(0.3)
        tails = "\n".join(f"--- {name}\n{self.logs(name, 12)}" for name in self.processes)
        raise AssertionError(f"{what} did not happen within {seconds} s\n{tails}")

    def wait_ready(self, *names, seconds=300):  # the worker loads its models, on a busy machine for minutes
        for name in names or tuple(self.processes):
            self.wait(f"{name} ready", lambda name=name: self.get(name, "/readyz")[0] == 200, seconds)

    def behind(self):
        """Records that any group has still to read, by group."""
        found = Counter()
        for lag in bus.lags(self.settings):
            found[lag.group] += lag.records
        return found

    def collected(self):
        return self.metric("collector", "dateline_records_total", stage="collect", outcome="ok")

    def wait_idle(self, articles, seconds=240):
        """All articles on their topic, and every group at the end of what it reads."""
        self.wait("all articles collected", lambda: self.collected() >= articles, seconds)
        calm = 0

        def settled():
            nonlocal calm
            behind = self.behind()
            groups = {bus.WORKER_GROUP, bus.INDEXER_GROUP} <= behind.keys()
            calm = calm + 1 if groups and not +behind else 0
            return calm >= 3

        self.wait("all groups idle", settled, seconds)


def total(text, metric, **labels):
    """The sum over all series of a metric that carry these labels, in the text of a scrape."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == metric and labels.items() <= sample.labels.items()
    )


def signature_is_right(headers, body):
    """HMAC-SHA256 over the timestamp, a dot and the body, as docs/operations.md tells receivers to check it."""
    headers = {name.lower(): value for name, value in headers.items()}
    stamp = headers["dateline-timestamp"]
    expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, "sha256").hexdigest()
    return hmac.compare_digest(headers["dateline-signature"].removeprefix("sha256="), expected)
