"""On a real Kafka: `dateline collect` killed in the middle, a sitemap as a feed, and a hub that pushes."""

import datetime as dt
import gzip
import hmac
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline import bus
from pipeline.local import ports
from pipeline.records import Article, decode
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

PROSE = "The two presidents met in the capital on Tuesday and signed an agreement on grain, officials said. "

PAST = "https://past.example/"


def published(settings, site=""):
    read = (bus.read_all(settings, topic) for topic in (bus.ARTICLES, bus.BACKFILL))
    urls = (decode(m.value, Article).url for m in itertools.chain(*read))
    return Counter(url for url in urls if url.startswith(site))


def collect(stack, directory, file):
    environ = os.environ | {
        "DATELINE_CONFIG": str(directory),
        "DATELINE_KAFKA_BOOTSTRAP_SERVERS": stack.bootstrap_servers,
    }
    command = [sys.executable, "-m", "pipeline.cli", "collect", "--jsonl", str(file)]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_backfill_that_is_killed_goes_on_with_every_article_once(stack, tmp_path):
    bus.create_topics(stack)
    wanted = {f"{PAST}{n}" for n in range(2500)}
    file = tmp_path / "past.jsonl"
    file.write_text("\n".join(json.dumps({"url": url, "text": f"{PROSE * 5} {url}"}) for url in sorted(wanted)))
    first = collect(stack, tmp_path, file)
    deadline = time.monotonic() + 60
    while len(published(stack, PAST)) < 100:
        assert time.monotonic() < deadline, "nothing was published"
        assert first.poll() is None, "it ended before it could be killed"
    first.send_signal(signal.SIGKILL)
    first.communicate()
    between = published(stack, PAST)
    assert 100 <= len(between) < len(wanted), "killed in the middle"

    second = collect(stack, tmp_path, file)
    told, _ = second.communicate(timeout=120)
    assert second.returncode == 0, told
    after = published(stack, PAST)
    assert set(after) == wanted
    assert set(after.values()) == {1}
    assert f"{len(wanted) - len(between)} published, {len(between)} known from before" in told

    third, _ = collect(stack, tmp_path, file).communicate(timeout=120)
    assert "0 published, 2500 known from before" in third
    assert published(stack, PAST) == after


class Site:
    """A site with an index of sitemaps, a feed with a hub, and the hub itself."""

    def __init__(self):
        self.subscribed = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = site.page(self.path.partition("?")[0])
                self.send_response(200 if body else 404)
                self.end_headers()
                self.wfile.write(body or b"")

            def do_POST(self):
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                site.subscribed.append(dict(urllib.parse.parse_qsl(form)))
                self.send_response(202)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def page(self, path):
        now = dt.datetime.now(dt.UTC)
        if path == "/index.xml":
            return f"<sitemapindex><sitemap><loc>{self.url}/news.xml.gz</loc></sitemap></sitemapindex>".encode()
        if path == "/news.xml.gz":
            return gzip.compress(
                f"<urlset><url><loc>{self.url}/mapped</loc><lastmod>{now:%Y-%m-%d}</lastmod></url></urlset>".encode()
            )
        if path == "/feed":
            return self.feed("polled")
        return (
            f"<html><body><article><p>{PROSE * 3} {path}</p></article></body></html>".encode()
            if path.count("/") == 1
            else None
        )

    def feed(self, name):
        links = f"<link rel='hub' href='{self.url}/hub'/><link rel='self' href='{self.url}/feed'/>"
        entry = f"<entry><id>{name}</id><title>{name}</title><link href='{self.url}/{name}'/></entry>"
        return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title>{links}{entry}</feed>".encode()


def test_a_collector_reads_sitemaps_and_is_pushed_by_a_hub(stack, tmp_path):
    bus.create_topics(stack)
    site, port = Site(), ports.free(1)[0]
    feeds = "".join(
        f'[[feed]]\nid = "{name}"\nurl = "{site.url}/{path}"\n'
        for name, path in (("map", "index.xml"), ("hub", "feed"))
    )
    (tmp_path / "feeds.toml").write_text(feeds)
    options = {
        "CONFIG": tmp_path, "KAFKA_BOOTSTRAP_SERVERS": stack.bootstrap_servers, "COLLECTOR_ALLOW_PRIVATE_ADDRESSES": "true",
        "COLLECTOR_PER_HOST_INTERVAL_SECONDS": "0", "HTTP_COLLECTOR_PORT": "0", "WEBSUB_PORT": port,
        "WEBSUB_SECRET": "a secret that nobody guesses", "WEBSUB_CALLBACK_URL": f"http://127.0.0.1:{port}/websub",
    }  # fmt: skip
    environ = os.environ | {f"DATELINE_{name}": str(value) for name, value in options.items()}
    code = "from pipeline import settings; from pipeline.collect import collector; collector.run(settings.load())"
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: {f"{site.url}/mapped", f"{site.url}/polled"} <= set(published(stack)))
        wait_until(lambda: site.subscribed)
        (form,) = site.subscribed
        query = {
            "hub.mode": "subscribe",
            "hub.topic": form["hub.topic"],
            "hub.challenge": "4711",
            "hub.lease_seconds": "1000",
        }
        with urllib.request.urlopen(f"{form['hub.callback']}?{urllib.parse.urlencode(query)}", timeout=10) as answer:
            assert answer.read() == b"4711"
        body = site.feed("pushed")
        signature = "sha256=" + hmac.new(form["hub.secret"].encode(), body, "sha256").hexdigest()
        request = urllib.request.Request(form["hub.callback"], data=body, headers={"X-Hub-Signature": signature})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 202
        wait_until(lambda: f"{site.url}/pushed" in published(stack))
        assert set(published(stack, site.url).values()) == {1}
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0
        site.server.shutdown()
        site.server.server_close()
