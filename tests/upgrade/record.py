"""What this version of Dateline writes, for the test of the next one: `python tests/upgrade/record.py > tests/upgrade/NAME.jsonl`.

To be run in a checkout of the version whose data is to be kept, also of one that has no such file yet:

    git worktree add /tmp/earlier COMMIT
    PYTHONPATH=/tmp/earlier python tests/upgrade/record.py > tests/upgrade/COMMIT.jsonl

A line of JSON is a record of a topic (topic, key, value), a mapping of the index (name, mapping), or a document of the index
(index, id, version, source), as that version's own code makes them of some sample articles.
"""

import datetime as dt
import sys
from pathlib import Path

import msgspec

from pipeline import bus, detect, flow
from pipeline import settings as settings_module
from pipeline.alert.evaluate import evaluate
from pipeline.alert.rules import load_rules
from pipeline.index import actions
from pipeline.records import Article, Failure, Feedback, FeedState, SeenEntry, content_id, encode
from pipeline.track.stories import Stories

SAMPLE = Path(flow.__file__).parents[1] / "configs"
SLUGS = ("04-brazil-india-call", "11-us-aid-ukraine", "12-us-aid-ukraine-tribune", "15-lentil-soup",
         "17-turkey-denies-village-strike", "52-armenia-azerbaijan-ceasefire", "56-port-sudan-depot-strike")  # fmt: skip
FIRST = dt.datetime(2024, 5, 13, 8, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def articles():
    """The sample articles, an hour apart, and the last one once more, updated."""
    found = []
    for number, slug in enumerate(SLUGS):
        html = (SAMPLE / "sample/articles" / f"{slug}.html").read_text("utf-8")
        url = f"https://news.example/{slug}"
        at = FIRST + number * HOUR
        found.append(
            Article(
                id=content_id(url), url=url, feed_id=f"feed{number}", fetched_at=at, first_seen_at=at,
                content_hash=content_id(html), html=html, publisher=f"Paper {number}", language="en", published_at=at,
            )
        )  # fmt: skip
    return found


def records():
    """Each record with its topic, in the order in which the service would write them."""
    settings = settings_module.load(SAMPLE, {})
    models, rules, stories = detect.load_models(settings), load_rules(SAMPLE / "alerts.toml").rules, Stories()
    rung = set()
    for article in articles():
        yield bus.ARTICLES, article
        reading = flow.read(article, models)
        yield bus.DOCUMENTS, reading.document
        yield from ((bus.EVENTS, event) for event in reading.events)
        told = (reading.brief,) if hasattr(reading, "brief") else reading.events
        if hasattr(reading, "brief"):
            yield bus.BRIEFS, reading.brief
        for story in flow.follow(stories, told):
            yield bus.STORIES, story
            for alert in evaluate(rules, story, rung):
                rung.add(alert.id)
                yield bus.ALERTS, alert
    yield from kept_by_people_and_processes()


def kept_by_people_and_processes():
    """A failure, a mute, and the state of a feed."""
    yield bus.QUARANTINE, Failure(
        id="f" * 20, stage="extract", error_type="ValueError", error="no text", topic=bus.ARTICLES, failed_at=FIRST,
        partition=0, offset=1, key=b"k", raw=b"\xff", version="0.1.0",
    )  # fmt: skip
    yield (
        bus.FEEDBACK,
        Feedback(
            id=content_id("mute"), verdict="mute", target="rule", name="leaders-meet", at=FIRST, until=FIRST + HOUR
        ),
    )
    url = f"https://news.example/{SLUGS[0]}"
    seen = SeenEntry(article_id=content_id(url), first_seen_at=FIRST, content_hash="c")
    yield bus.FEEDS, FeedState(id="feed0", url="https://news.example/feed", seen={url: seen}, etag='"1"', entries=1)


def main():
    """Print everything."""
    mappings = Path(actions.__file__).parent / "mappings"
    lines = [
        {"name": name, "mapping": msgspec.Raw((mappings / f"{name}.json").read_bytes())} for name in actions.INDICES
    ]
    for topic, record in records():
        lines.append({"topic": topic, "key": record.id, "value": msgspec.Raw(encode(record))})
        if topic in (bus.ARTICLES, bus.FEEDS, getattr(bus, "BRIEFS", "")):
            continue
        made = actions.action(record, prefix="news", now=FIRST + 24 * HOUR)
        lines.append({"index": made.index, "id": made.id, "version": made.version, "source": made.source})
    for line in lines:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(line), indent=-1).decode() + "\n")


if __name__ == "__main__":
    main()
