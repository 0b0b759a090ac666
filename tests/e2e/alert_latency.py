"""How long from an article on news.articles until its alert is at a webhook: idle, and with more than can be read.

    python -m tests.e2e.alert_latency [--idle 40] [--rate 50] [--load 150]

Prints one JSON object. Under load the wait for a turn (from the topic to the document) is told apart from the rest.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from pipeline import bus
from pipeline.local.stack import Stack
from pipeline.records import Document, decode
from pipeline.settings import Settings
from tests.e2e.expulsions import expulsions
from tests.e2e.house import REPOSITORY, House, Receiver, Site
from tests.stack_fixture import make_local


class Clocked(Receiver):
    """Notes when each alert came, by the address of its article."""

    def __init__(self):
        self.at = {}
        super().__init__()

    def _answer(self, request):
        came = time.time()
        answer = super()._answer(request)
        self.at.setdefault(self.received[-1][1]["url"], came)
        return answer


def figures(seconds):
    """p50, p99 and the longest of some times."""
    ranked = sorted(seconds)
    return {
        "alerts": len(ranked),
        "p50_seconds": round(statistics.median(ranked), 2),
        "p99_seconds": round(ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))], 2),
        "max_seconds": round(ranked[-1], 2),
    }


def publish(house, articles, seconds):
    """One after the other, so many seconds apart; when Kafka had each."""
    publisher, at = bus.Publisher(house.settings), {}
    due = time.time()
    for url, key, raw in articles:
        time.sleep(max(0.0, due - time.time()))
        publisher.send(bus.ARTICLES, key, raw)
        publisher.flush()
        at[url] = time.time()
        due += seconds
    publisher.close()
    return at


def measure(house, receiver, articles, seconds):
    """Times from the topic to the webhook, and of those the part until the document."""
    at = publish(house, articles, seconds)
    house.wait("every alert has come", lambda: sum(url in receiver.at for url in at) >= 0.95 * len(at), 240)
    time.sleep(1)
    read = {decode(m.value, Document).url: m.timestamp_ms / 1000 for m in house.topic(bus.DOCUMENTS)}
    came = [url for url in at if url in receiver.at]
    return {
        "whole": figures([receiver.at[url] - at[url] for url in came]),
        "until_read": figures([read[url] - at[url] for url in came]),
        "from_read_to_webhook": figures([receiver.at[url] - read[url] for url in came]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--idle", type=int, default=40)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--load", type=int, default=150)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(local=make_local(Path(directory) / "stack"))
        with Stack(settings):
            receiver = Clocked()
            settings = msgspec.structs.replace(settings, directory=str(REPOSITORY / "configs"))
            house = House(settings, Path(directory) / "house", Site(()), receiver)
            bus.create_topics(house.settings)
            articles = list(expulsions(given.idle + given.load + 4))
            try:
                house.start("worker", "notifier")
                house.wait_ready()
                measure(house, receiver, articles[:4], 0.2)  # the first ones load what is loaded once
                idle = measure(house, receiver, articles[4 : given.idle + 4], 1.0)
                load = measure(house, receiver, articles[given.idle + 4 :], 1 / given.rate)
            finally:
                house.stop()
    sys.stdout.write(json.dumps({"idle": idle, f"offered_{given.rate:g}_a_second": load}, indent=2) + "\n")


if __name__ == "__main__":
    main()
