"""The data of an earlier version in today's: every record, the index with its documents, the state of stories; a new mapping."""

import datetime as dt
import itertools
import threading
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from pipeline import bus, detect, flow
from pipeline.alert.rules import load
from pipeline.alert.throttle import AlertState
from pipeline.index import bulk, client, history, index_table, lifecycle, templates
from pipeline.operate import rebuild
from pipeline.records import Alert, Article, Event, Failure, FeedState, Story, decode, encode
from pipeline.settings import Settings
from pipeline.track.brief import briefs_of
from pipeline.track.stories import Stories
from pipeline.worker.recovery import load_alert_state, load_stories
from tests.console_client import served
from tests.make import NOW, make_document, make_event, make_story
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

EARLIER = sorted((Path(__file__).parents[1] / "upgrade").glob("*.jsonl"))
"""What earlier versions wrote; tests/upgrade/record.py says how each was made."""

DAY = dt.timedelta(days=1)
prefixes = (f"u{number}" for number in itertools.count())


def lines_of(file):
    return [msgspec.json.decode(line) for line in file.read_text("utf-8").splitlines()]


def messages_of(lines):
    """The records of topics, as they are read from Kafka."""
    found = [line for line in lines if "topic" in line]
    return [
        bus.Message(line["topic"], 0, n, line["key"].encode(), msgspec.json.encode(line["value"]), 0)
        for n, line in enumerate(found)
    ]


@pytest.fixture(params=EARLIER, ids=lambda file: file.stem)
def earlier(request):
    return lines_of(request.param)


def corner(stack):
    """Settings of a corner of the server of one's own, without any index."""
    elastic = msgspec.structs.replace(stack.elasticsearch, index_prefix=next(prefixes), refresh_seconds=0.05)
    return msgspec.structs.replace(stack, elasticsearch=elastic)


def write(settings, messages):
    """Index records as the indexer does; return those that failed."""
    es, failed = client.connect(settings), []
    try:
        bulk.BulkWriter(settings, client.ElasticsearchServer(es, settings), failed.extend, threading.Event()).handle(
            messages
        )
    finally:
        es.close()
    return failed


def sent(*records):
    topics = {"Document": bus.DOCUMENTS, "Event": bus.EVENTS, "Story": bus.STORIES}
    return [bus.Message(topics[type(one).__name__], 0, n, None, encode(one), 0) for n, one in enumerate(records)]


def ids(settings, name):
    client.counts(settings)  # refreshes
    return sorted(hit["_id"] for hit in client.latest(settings, 1000, name=name))


def make_earlier_index(settings, lines):
    """The index as the earlier version left it: its own mappings, its documents."""
    prefix = settings.elasticsearch.index_prefix
    mappings = {line["name"]: line["mapping"] for line in lines if "mapping" in line}
    with client.opened(settings) as es:
        for line in (line for line in lines if "index" in line):
            index, name = line["index"].replace("news", prefix, 1), line["index"].split("-")[1]
            if not es.indices.exists(index=index):
                es.indices.create(index=index, mappings=mappings[name], aliases={f"{prefix}-{name}": {}})
            version = {"version": line["version"], "version_type": "external_gte"} if line["version"] else {}
            es.index(index=index, id=line["id"], document=line["source"], **version)


# --- the records -----------------------------------------------------------------------------------------------------


def test_every_record_of_an_earlier_version_is_read(earlier):
    kinds = {**bulk.TYPES, bus.ARTICLES: Article, bus.FEEDS: FeedState}
    read = Counter(message.topic for message in messages_of(earlier) if decode(message.value, kinds[message.topic]))
    assert read.keys() >= kinds.keys()


def test_an_earlier_article_is_read_and_its_events_are_folded(earlier):
    models = detect.load_models(Settings())
    messages = messages_of(earlier)
    articles = [decode(m.value, Article) for m in messages if m.topic == bus.ARTICLES]
    stories = Stories()
    for article in articles:
        reading = flow.read(article, models)
        assert reading.document.id == article.id
        stories.fold(reading.brief)
    events = [decode(m.value, Event) for m in messages if m.topic == bus.EVENTS]
    again = Stories()
    told = [story for brief in briefs_of(events) for story in again.fold(brief)]
    assert {one for story in told for one in story.event_ids} <= {event.id for event in events}
    assert len(again) >= 3
    assert len(stories) >= len(again), "an article without events has a story, too"


def published(settings, messages):
    """Whether a broker has taken the stories, alerts and states of feeds; a new one on a busy machine may need minutes."""
    publisher = bus.Publisher(settings)
    try:
        for message in messages:
            if message.topic in (bus.STORIES, bus.ALERTS, bus.FEEDS):
                publisher.send(message.topic, message.key, message.value, partition=0)
        publisher.flush()
    except bus.BusError:
        return False
    finally:
        publisher.close()
    return True


def test_a_tracker_and_alerts_go_on_from_what_an_earlier_version_left(stack, earlier):
    messages = messages_of(earlier)
    bus.create_topics(stack)
    wait_until(lambda: published(stack, messages), 120)

    stories = load_stories(stack, 0)
    left = {one.id: one for one in (decode(m.value, Story) for m in messages if m.topic == bus.STORIES)}
    assert {story.id for story in stories} == {one.id for one in left.values() if one.articles and not one.merged_into}
    events = [decode(m.value, Event) for m in messages if m.topic == bus.EVENTS]
    known = {event_id for story in stories for event_id in story.event_ids}
    for brief in briefs_of(events):
        for story in stories.fold(brief):
            assert decode(encode(story), Story) == story
    told = Counter(event_id for story in stories for event_id in story.event_ids)
    assert known <= told.keys()
    assert max(told.values()) == 1, "no event is in two stories"

    state = load_alert_state(stack, 0)
    rung = [decode(m.value, Alert) for m in messages if m.topic == bus.ALERTS]
    assert isinstance(state, AlertState)
    for story in left.values():
        assert not {one.id for one in state.alerts_for(load(stack).rules, story)} & {one.id for one in rung}, (
            "none rings twice"
        )


# --- the index -------------------------------------------------------------------------------------------------------


def test_the_index_of_an_earlier_version_is_searched_written_and_made_anew(stack, earlier):
    settings = corner(stack)
    make_earlier_index(settings, earlier)
    client.prepare(settings)
    kept = {name: ids(settings, name) for name in ("documents", "events", "stories", "alerts", "feedback")}
    assert all(kept.values())

    messages = [m for m in messages_of(earlier) if m.topic in bulk.TYPES and m.topic != bus.QUARANTINE]
    assert write(settings, messages) == []
    assert {name: ids(settings, name) for name in kept} == kept, "a replay of the indexer doubles nothing"
    told = [decode(m.value, Event) for m in messages if m.topic == bus.EVENTS]
    assert [one.id for one in history.events(settings, None)] == [
        one.id for one in sorted(told, key=lambda one: (one.first_seen_at, one.id))
    ]

    story = decode([m for m in messages if m.topic == bus.STORIES][-1].value, Story)
    [begun] = Stories().fold(briefs_of(told)[0])
    document = make_document(id="new", first_seen_at=story.last_seen_at, fetched_at=story.last_seen_at)
    assert write(settings, sent(document, begun)) == [], "today's fields are taken by the index of before"
    client.counts(settings)
    with served(settings) as web:
        found = [one["id"] for one in web.ask("GET", "/stories?since=2024-01-01&limit=100")["items"]]
        assert {story.id, begun.id} <= set(found)
        for one in found:
            assert web.ask("GET", f"/stories/{one}")["headline"]
        for one in kept["events"]:
            web.ask("GET", f"/events/{one}")

    job = rebuild.begin(settings, "index", NOW - 400 * DAY, now=dt.datetime.now(dt.UTC))
    rebuild.Rebuild(settings, job, report=lambda *_: None, wait_seconds=0).run()
    assert ids(settings, "events") == kept["events"]
    assert set(ids(settings, "stories")) == {*kept["stories"], begun.id}


def test_a_record_of_a_later_version_goes_to_quarantine_and_says_why(stack):
    settings = corner(stack)
    client.prepare(settings)
    later = encode(msgspec.structs.replace(make_story(), schema=2))
    [failure] = write(settings, [bus.Message(bus.STORIES, 0, 0, None, later, 0), *sent(make_event())])
    assert isinstance(failure, Failure)
    assert failure.raw == later, "`dateline quarantine retry` has all of it, after the upgrade"
    assert "schema 2 is newer than 1" in failure.error
    assert len(ids(settings, "events")) == 1, "the others are indexed"


@pytest.fixture
def changed_mapping(monkeypatch):
    """The mapping of the next version: a field of events with another type, and one more."""
    before = templates.mapping

    def mapping(name):
        found = before(name)
        if name == "events":
            news = found["properties"]["news"]["properties"]
            news |= {"trigger": {"type": "text"}, "novel": {"type": "keyword"}}
        return found

    def change():
        monkeypatch.setattr(templates, "mapping", mapping)
        for module in (index_table, templates):
            monkeypatch.setattr(module, "MAPPING_VERSION", 2)

    return change


def trigger_types(settings):
    """The type of `news.trigger` in each searched index of events."""
    alias = f"{settings.elasticsearch.index_prefix}-events"
    with client.opened(settings) as es:
        found = es.indices.get_mapping(index=alias).body
    return {
        index: has["mappings"]["properties"]["news"]["properties"]["trigger"]["type"] for index, has in found.items()
    }


def test_with_a_new_version_of_the_mapping_the_service_goes_on_and_a_replay_makes_the_indices_anew(
    stack, changed_mapping
):
    settings, now = corner(stack), dt.datetime.now(dt.UTC)
    client.prepare(settings)
    first = make_event(id="first", first_seen_at=now, fetched_at=now)
    assert write(settings, sent(first, make_document(id="a", first_seen_at=now, fetched_at=now))) == []
    [old] = trigger_types(settings)
    assert "-v1-" in old

    changed_mapping()
    client.prepare(settings)
    assert trigger_types(settings) == {old: "keyword"}, "an index keeps the types that it has"
    second = make_event(id="second", first_seen_at=now, fetched_at=now)
    assert write(settings, sent(first, second)) == []
    assert ids(settings, "events") == ["first", "second"], "an id is never in two indices"
    with client.opened(settings) as es:
        es.update(index=old, id="second", doc={"news": {"novel": "x"}})  # strict, and it has learnt the new field
    earlier_month = make_event(id="past", first_seen_at=now - 60 * DAY, fetched_at=now)
    assert write(settings, sent(earlier_month)) == []
    assert sorted(trigger_types(settings).values()) == ["keyword", "text"], "a month that begins has the new mapping"

    job = rebuild.begin(settings, "index", now - 400 * DAY, now=now)
    rebuild.Rebuild(settings, job, report=lambda *_: None, wait_seconds=0).run()
    assert set(trigger_types(settings).values()) == {"text"}
    assert all("-v2-" in index for index in trigger_types(settings))
    assert ids(settings, "events") == ["first", "past", "second"]
    assert ids(settings, "documents") == ["a"]
    assert write(settings, sent(msgspec.structs.replace(first, trigger="new words"))) == []
    assert ids(settings, "events") == ["first", "past", "second"]
    assert {one.state for one in lifecycle.inspect(settings) if one.name == "events"} == {"live", "replaced"}


def test_a_version_that_was_upgraded_can_be_gone_back_from(stack, changed_mapping, monkeypatch):
    settings, now = corner(stack), dt.datetime.now(dt.UTC)
    changed_mapping()
    client.prepare(settings)
    assert write(settings, sent(make_event(id="later", first_seen_at=now, fetched_at=now))) == []
    monkeypatch.undo()
    client.prepare(settings)
    assert write(settings, sent(make_event(id="earlier", first_seen_at=now, fetched_at=now))) == []
    assert ids(settings, "events") == ["earlier", "later"]
    assert list(trigger_types(settings).values()) == ["text"]
