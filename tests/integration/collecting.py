"""Shared by the tests of collectors: a news site on 127.0.0.1 that behaves as it likes, and a collector as a process."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import zlib
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pipeline import bus
from pipeline.local import ports
from pipeline.records import Article, FeedState, decode

PROSE = "The two presidents met in the capital on Tuesday and signed an agreement on grain, officials said. "


class Site:
    """Serves `pages` (path -> bytes, or a function of the request) and counts what is asked."""

    def __init__(self):
        self.pages = {}
        self.hits = Counter()
        self.agents = defaultdict(set)
        self.slow_seconds = 0.0
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                site.hits[self.path] += 1
                site.agents[self.path].add(self.headers["User-Agent"])
                found = site.pages.get(self.path)
                with contextlib.suppress(ConnectionError):
                    if callable(found):
                        found(self)
                        return
                    time.sleep(site.slow_seconds if self.path.startswith("/story") else 0)
                    self.reply(200 if found is not None else 404, found or b"no such page")

            def reply(self, status, body, **headers):
                etag = f'"{zlib.crc32(body):x}"'
                if self.headers.get("If-None-Match") == etag:
                    status, body = 304, b""
                self.send_response(status)
                for name, value in {"Content-Length": len(body), "ETag": etag, **headers}.items():
                    self.send_header(name.replace("_", "-"), str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args):
                """A reader that breaks off is what some of these tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def feed(self, path, links):
        items = "".join(
            f"<item><title>T {link}</title><link>{self.url}{link}</link><guid>{link}</guid></item>" for link in links
        )
        self.pages[path] = f"<rss version='2.0'><channel><title>Site</title>{items}</channel></rss>".encode()

    def story(self, path, text=PROSE):
        self.pages[path] = f"<html><body><article><p>{text} {path}</p></article></body></html>".encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Process:
    """`dateline`'s collector as a process of its own, with a configuration of its own."""

    def __init__(self, stack, directory, feeds, **options):
        self.directory = directory
        self.port = ports.free(1)[0]
        directory.mkdir(exist_ok=True)
        text = "".join(f"[[feed]]\nid = {json.dumps(name)}\nurl = {json.dumps(url)}\n" for name, url in feeds.items())
        (directory / "feeds.toml").write_text(text)
        defaults = {
            "allow_private_addresses": "true",
            "per_host_interval_seconds": "0",
            "min_interval_seconds": "1",
            "interval_seconds": "1",
            "max_interval_seconds": "4",
        }
        self.environ = os.environ | {
            "DATELINE_CONFIG": str(directory),
            "DATELINE_KAFKA_BOOTSTRAP_SERVERS": stack.bootstrap_servers,
            "DATELINE_HTTP_COLLECTOR_PORT": str(self.port),
            **{f"DATELINE_COLLECTOR_{name.upper()}": str(value) for name, value in (defaults | options).items()},
        }
        self.process = None

    def start(self):
        code = "from pipeline import settings; from pipeline.collect import collector; collector.run(settings.load())"
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-c", code], env=self.environ, stdout=log, stderr=log)
        return self

    def get(self, path):
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer,
        ):
            return answer.read().decode()
        return ""

    def ready(self):
        """What /readyz says, empty while it says no."""
        return json.loads(self.get("/readyz") or "{}")

    def metric(self, line):
        return sum(float(row.rpartition(" ")[2]) for row in self.get("/metrics").splitlines() if row.startswith(line))

    def end(self, number=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(timeout=40)
        return self.process.returncode

    def log(self):
        return (self.directory / "log").read_text()


def articles(stack, *feed_ids):
    found = [decode(message.value, Article) for message in bus.read_all(stack, bus.ARTICLES)]
    return [article for article in found if article.feed_id in feed_ids]


def state(stack, feed_id):
    found = [m.value for m in bus.read_all(stack, bus.FEEDS) if m.key == feed_id.encode()]
    return decode(found[-1], FeedState) if found else None
