"""Thousands of feeds in one collector: `python -m bench.collector_scale` prints time, memory and requests as JSON.

A news server with many hosts (ports of 127.0.0.1) runs in one process. The collector runs in another, with a clock that is
faster than the machine's. Kafka is a real one. The server notes when each host was asked, in the collector's time.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import itertools
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from pipeline import bus, logs
from pipeline.collect import collector
from pipeline.collect.collector_health import CollectorHealth
from pipeline.collect.fetch import Clock
from pipeline.local.stack import Stack
from pipeline.records import Feed
from pipeline.settings import Collector, Http, Settings
from tests.stack_fixture import make_local

ENTRIES = 10
POLL_SECONDS = 120
CHANGE_SECONDS = 1200
WINDOW_SECONDS = 10
PROSE = "<p>" + "The two presidents met in the capital on Tuesday and signed an agreement on grain. " * 10 + "</p>"


@dataclass(frozen=True)
class Plan:
    """The size of the benchmark: feeds, hosts, minutes of the collector's clock, and its speed."""

    feeds: int = 2000
    hosts: int = 400
    minutes: float = 10.0
    speed: float = 5.0
    per_host_seconds: float = 1.0


class FastTime:
    """The collector's time: `speed` times faster than the machine's, from `began` on."""

    def __init__(self, began: float, speed: float) -> None:
        self.began, self.speed = began, speed

    def seconds(self) -> float:
        return (time.time() - self.began) * self.speed

    def clock(self) -> Clock:
        start = dt.datetime.fromtimestamp(self.began, dt.UTC)
        return Clock(
            now=lambda: start + dt.timedelta(seconds=self.seconds()),
            sleep=lambda seconds: asyncio.sleep(seconds / self.speed),
        )


# --- the news server --------------------------------------------------------------------------------------------------


class NewsServer:
    """Feeds that change every twenty minutes, each at its own moment. Notes every request."""

    def __init__(self, time_: FastTime, feeds: int) -> None:
        self.time = time_
        self.offsets = [random.Random(number).random() * CHANGE_SECONDS for number in range(feeds)]
        self.asked: dict[int, list[float]] = defaultdict(list)
        self.served: dict[int, int] = {}
        self.counts = {"polls": 0, "changed": 0, "unchanged": 0, "not_modified": 0, "pages": 0}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        now = self.time.seconds()
        port = request.transport.get_extra_info("sockname")[1] if request.transport else 0
        self.asked[port].append(now)
        if not request.path.startswith("/feed/"):
            if request.path.startswith("/page/"):
                self.counts["pages"] += 1
                return web.Response(body=f"<html><body>{PROSE}{request.path}</body></html>".encode())
            return web.Response(status=404)
        number = int(request.path.rpartition("/")[2])
        version = int((now + self.offsets[number]) / CHANGE_SECONDS)
        self.counts["polls"] += 1
        self.counts["unchanged" if self.served.get(number) == version else "changed"] += 1
        self.served[number] = version
        tag = f'"{number}-{version}"'
        if request.headers.get("If-None-Match") == tag:
            self.counts["not_modified"] += 1
            return web.Response(status=304, headers={"ETag": tag})
        return web.Response(body=self._feed(number, version), headers={"ETag": tag, "Content-Type": "text/xml"})

    @staticmethod
    def _feed(number: int, version: int) -> bytes:
        items = [
            f"<item><guid>new-{n}</guid><title>New {n}</title><link>/page/{number}/{n}</link></item>"
            for n in range(version)
        ]
        items += [
            f"<item><guid>{n}</guid><title>Old {n}</title><link>/page/{number}/old{n}</link>"
            f"<description><![CDATA[{PROSE} {number} {n}]]></description></item>"
            for n in range(ENTRIES)
        ]
        return f"<rss version='2.0'><channel><title>Feed {number}</title>{''.join(items)}</channel></rss>".encode()

    def report(self) -> dict[str, Any]:
        busiest = max((most_within(sorted(times), WINDOW_SECONDS) for times in self.asked.values()), default=0)
        gaps = [b - a for times in self.asked.values() for a, b in itertools.pairwise(times)]
        return self.counts | {
            "hosts_asked": len(self.asked),
            f"most_requests_of_a_host_in_{WINDOW_SECONDS}_s": busiest,
            "shortest_gap_seconds": round(min(gaps, default=0.0), 3),
        }


def most_within(times: list[float], seconds: float) -> int:
    """Sorted moments in, the most of them that are within so many seconds out."""
    most = first = 0
    for last, moment in enumerate(times):
        while moment - times[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def serve(plan: Plan, time_: FastTime, pipe: Any) -> None:
    """Run the server's process: send its ports, serve until it is told to stop, send what it counted."""

    async def run() -> None:
        news = NewsServer(time_, plan.feeds)
        runner = web.ServerRunner(web.Server(news.answer), shutdown_timeout=0.1)
        await runner.setup()
        sites = [web.TCPSite(runner, "127.0.0.1", 0) for _ in range(plan.hosts)]
        for site in sites:
            await site.start()
        pipe.send([address[1] for address in runner.addresses])
        await asyncio.to_thread(pipe.recv)
        pipe.send(news.report())
        await runner.cleanup()

    asyncio.run(run())


# --- the collector ----------------------------------------------------------------------------------------------------


def collect(settings: Settings, feeds: tuple[Feed, ...], plan: Plan, time_: FastTime, pipe: Any) -> None:
    """Run the collector's process: collect for `plan.minutes` of its clock from the first poll on, send time and memory."""

    async def run() -> dict[str, float]:
        stop = asyncio.Event()
        lags: list[float] = []

        async def watch() -> None:
            loop = asyncio.get_running_loop()
            while True:
                before = loop.time()
                await asyncio.sleep(0.05)
                lags.append(loop.time() - before - 0.05)

        health = CollectorHealth()

        async def end() -> None:
            # the start takes long where the machine is busy, and is not what is measured
            while not health.polls:  # noqa: ASYNC110 - a plain number, as the metrics thread reads it
                await asyncio.sleep(0.05)
            await asyncio.sleep(plan.minutes * 60 / plan.speed)
            stop.set()

        watching, ending = asyncio.create_task(watch()), asyncio.create_task(end())
        await collector.collect(settings, feeds, health=health, stop=stop, clock=time_.clock(), rng=random.Random(1))
        watching.cancel()
        await ending
        lags.sort()
        return {
            "loop_lag_p99_seconds": round(lags[int(len(lags) * 0.99)], 3),
            "loop_lag_max_seconds": round(lags[-1], 3),
        }

    logs.set_up(settings.log, least="warning")
    began = time.monotonic()
    lag = asyncio.run(run())
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = time.monotonic() - began
    pipe.send(
        {
            **lag,
            "peak_memory_mb": round(used.ru_maxrss / 1024),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
            "seconds": round(seconds, 1),
            "cores": round((used.ru_utime + used.ru_stime) / seconds, 2),
        }
    )


def measure(settings: Settings, plan: Plan) -> dict[str, Any]:
    """A running Kafka and a plan in, the results out."""
    bus.create_topics(settings)
    spawn = multiprocessing.get_context("spawn")
    time_ = FastTime(time.time() + 1, plan.speed)
    server_pipe, server_end = spawn.Pipe()
    server = spawn.Process(target=serve, args=(plan, time_, server_end))
    server.start()
    ports = server_pipe.recv()
    feeds = tuple(
        Feed(
            id=f"feed-{number}",
            url=f"http://127.0.0.1:{ports[number % plan.hosts]}/feed/{number}",
            interval_seconds=POLL_SECONDS,
            full_text=True,
        )
        for number in range(plan.feeds)
    )
    options = Collector(allow_private_addresses=True, per_host_interval_seconds=plan.per_host_seconds)
    settings = msgspec.structs.replace(settings, collector=options, http=Http(collector_port=0))
    collector_pipe, collector_end = spawn.Pipe()
    collecting = spawn.Process(target=collect, args=(settings, feeds, plan, time_, collector_end))
    collecting.start()
    try:
        used = collector_pipe.recv()
        server_pipe.send("stop")
        counted = server_pipe.recv()
    finally:
        collecting.join(30)
        server.join(30)
        for process in (collecting, server):
            if process.is_alive():
                process.kill()
    articles = sum(1 for _ in bus.read_all(settings, bus.ARTICLES))
    answered_304 = counted["not_modified"] / max(1, counted["unchanged"])
    return {
        "feeds": plan.feeds,
        "virtual_minutes": plan.minutes,
        "speed": plan.speed,
        **counted,
        "unchanged_answered_304": round(answered_304, 4),
        "articles": articles,
        **used,
    }


def main() -> None:
    """Read the options, start Kafka, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in vars(Plan()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    plan = Plan(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(local=make_local(Path(directory)))
        logs.set_up(settings.log, least="warning")
        with Stack(settings):
            json.dump(measure(settings, plan), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
