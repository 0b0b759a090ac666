"""Past articles through today's code into new indices, on real servers: killed, gone on with, switched, and nothing lost."""

import datetime as dt
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from pipeline import bus
from pipeline.index import actions, bulk, client, lifecycle
from pipeline.index import rebuild as indices
from pipeline.operate import rebuild
from pipeline.records import encode
from tests.make import make_article, make_document, make_event, make_story

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "configs/sample/articles").glob("*.html"))[:8]
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
SINCE = (NOW - 3 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module")
def settings(stack):
    worker = msgspec.structs.replace(stack.worker, processes=1, batch_records=1)
    elastic = msgspec.structs.replace(stack.elasticsearch, refresh_seconds=0.05)
    mine = msgspec.structs.replace(stack, worker=worker, elasticsearch=elastic)
    bus.create_topics(mine)
    client.prepare(mine)
    return mine


def write(settings, *records):
    """Index records as the indexer of the running service does; returns nothing."""
    topics = {"Document": bus.DOCUMENTS, "Event": bus.EVENTS, "Story": bus.STORIES}
    es, failed = client.connect(settings), []
    try:
        writer = bulk.BulkWriter(settings, client.ElasticsearchServer(es, settings), failed.extend, threading.Event())
        writer.handle(
            [bus.Message(topics[type(one).__name__], 0, n, None, encode(one), 0) for n, one in enumerate(records)]
        )
    finally:
        es.close()
    assert failed == []


def ids(settings, name):
    client.counts(settings)  # refreshes
    return {hit["_id"] for hit in client.latest(settings, 1000, name=name)}


def article(number, page, at):
    return make_article(
        id=f"a{number}", url=f"https://news.example/{number}", html=page.read_text("utf-8"), first_seen_at=at, fetched_at=at,
        published_at=at,
    )  # fmt: skip


def publish(settings, articles):
    publisher = bus.Publisher(settings)
    for one in articles:
        publisher.send(bus.ARTICLES, one.id.encode(), encode(one))
    publisher.flush()
    publisher.close()


def stale(number, at):
    """What an earlier reader made of article `number`: a document, and an event that today's reader does not find."""
    event = make_event(
        id=f"stale{number}", article_id=f"a{number}", evidence="stale", first_seen_at=at, fetched_at=at, published_at=at
    )
    return make_document("old text", id=f"a{number}", first_seen_at=at, fetched_at=at), event


def command(settings, *arguments):
    """`dateline` with these arguments, as an operator starts it."""
    environ = {
        **os.environ,
        "DATELINE_CONFIG": str(ROOT / "configs"),
        "DATELINE_LOCAL_KAFKA_PORT": str(settings.local.kafka_port),
        "DATELINE_LOCAL_ELASTICSEARCH_PORT": str(settings.local.elasticsearch_port),
        "DATELINE_WORKER_PROCESSES": "1",
        "DATELINE_WORKER_BATCH_RECORDS": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", *arguments], env=environ, cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def staged_documents(settings):
    return sum(
        one.documents for one in lifecycle.inspect(settings) if one.state == "staged" and one.name == "documents"
    )


def test_a_replay_that_is_killed_goes_on_switches_the_aliases_and_loses_nothing(settings):
    times = [SINCE + n * dt.timedelta(hours=1) for n in range(len(PAGES))]
    publish(settings, [article(n, page, at) for n, (page, at) in enumerate(zip(PAGES, times, strict=True))])
    publish(settings, [article(99, PAGES[0], SINCE - DAY)])  # of before: it is not read again
    for n, at in enumerate(times):
        write(settings, *stale(n, at))
    before = stale(99, SINCE - DAY)
    still_open = make_story(id="open", first_seen_at=NOW - 2 * DAY, last_seen_at=NOW - DAY, opened_at=NOW - 2 * DAY)
    write(settings, *before, still_open)
    with client.opened(settings) as es:
        live_before = client.ElasticsearchServer(es, settings).places()

    killed = command(settings, "replay", "--from", SINCE.isoformat())
    deadline = time.monotonic() + 150
    while staged_documents(settings) < 2 and time.monotonic() < deadline and killed.poll() is None:
        time.sleep(0.05)
    killed.kill()
    killed.communicate()
    assert staged_documents(settings) >= 2, "it was killed in the middle of reading"
    assert {"stale0", "stale99"} <= ids(settings, "events"), "nothing that is searched has changed"
    with pytest.raises(rebuild.RebuildError, match="has not ended"):
        rebuild.begin(settings, "track", SINCE, now=NOW)

    reports, arrived = [], [make_document("new", id="b1", first_seen_at=NOW, fetched_at=NOW), make_event(id="late", article_id="b1", first_seen_at=NOW, fetched_at=NOW)]  # fmt: skip

    def report(step, done, total):
        reports.append((step, done, total))
        if step == "switch":
            write_to_the_old(settings, live_before, arrived)  # an indexer that does not know of the switch yet

    job = rebuild.begin(settings, "detect", SINCE, now=NOW)
    assert job.step == "read"
    counts = rebuild.Rebuild(settings, job, report=report, wait_seconds=0).run()
    assert counts.articles < len(PAGES), "what was read before the kill is not read again"
    assert counts.failed == 0
    assert not counts.articles or any(step == "read" and total for step, _, total in reports)

    found = ids(settings, "events")
    assert not {f"stale{n}" for n in range(len(PAGES))} & found, "what only the earlier reader found is gone"
    assert len(found) > 4
    assert {"stale99", "late"} <= found, "what was before is kept, and what came meanwhile"
    assert {*(f"a{n}" for n in range(len(PAGES))), "a99", "b1"} <= ids(settings, "documents")
    assert "open" in ids(settings, "stories"), "the tracker goes on with its open stories"
    assert rebuild.abort(settings) is False
    after_the_switch(settings)


def write_to_the_old(settings, places, records):
    prefix = settings.elasticsearch.index_prefix
    with client.opened(settings) as es:
        lines = [actions.action(one, prefix=prefix, now=NOW, places=places).lines() for one in records]
        list(client.ElasticsearchServer(es, settings).write(lines, max_records=10))


def after_the_switch(settings):
    """New items are written to the new index, and the old one is removed on demand."""
    events = {one.index: one for one in lifecycle.inspect(settings) if one.name == "events"}
    [new] = [index for index, one in events.items() if one.state == "live" and f"{NOW:%Y.%m}" in index]
    assert "-r2" in new
    write(settings, make_event(id="next", first_seen_at=NOW, fetched_at=NOW))
    with client.opened(settings) as es:
        assert es.exists(index=new, id="next")
    assert client.probe(client.connect(settings), settings) == "ok"
    assert [one for one in lifecycle.inspect(settings) if one.state == "replaced"], "no alias comes back by itself"
    cleaned = command(settings, "indices", "clean", "--replaced").communicate()[0]
    assert "(replaced)" in cleaned
    assert not [one for one in lifecycle.inspect(settings) if one.state != "live"]
    assert "next" in ids(settings, "events")


def test_all_indices_are_made_anew_with_todays_mappings(settings):
    write(settings, *stale(7000, NOW))
    whole = {name: ids(settings, name) for name in ("documents", "events", "stories")}
    first = {one.index for one in lifecycle.inspect(settings) if one.name == "events"}
    job = rebuild.begin(settings, "index", NOW - 400 * DAY, now=NOW + DAY / 24)
    rebuild.Rebuild(settings, job, report=lambda *_: None, wait_seconds=0).run()
    assert {name: ids(settings, name) for name in whole} == whole
    assert not first & {one.index for one in lifecycle.inspect(settings) if one.state == "live"}


def test_a_replay_can_be_given_up_and_leaves_nothing(settings):
    job = rebuild.begin(settings, "track", SINCE, now=NOW + DAY)
    client.prepare(indices.staged(settings, job))
    write(indices.staged(settings, job), make_event(id="half", first_seen_at=NOW, fetched_at=NOW))
    assert rebuild.abort(settings) is True
    assert not [one for one in lifecycle.inspect(settings) if one.state == "staged"]
    assert "half" not in ids(settings, "events")
