"""The whole path on real parts: a news site in, events, stories and alerts out, and every count agrees."""

import json
import urllib.request
from collections import Counter

import pytest

from pipeline import bus
from pipeline.records import Alert, Document, Event, Story, decode
from tests.e2e.house import EXPECTED, House, Receiver, Site, signature_is_right, total

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

SLUGS = sorted(EXPECTED["articles"])


@pytest.fixture(scope="module")
def house(tmp_path_factory, stack):
    """Everything ran once over the sample articles and has come to rest."""
    site, receiver = Site(SLUGS), Receiver()
    house = House(stack, tmp_path_factory.mktemp("house"), site, receiver)
    house.site, house.receiver = site, receiver
    bus.create_topics(house.settings)
    try:
        house.start()
        house.wait_ready()
        house.wait_idle(len(SLUGS))
        house.wait("alerts delivered", lambda: len(receiver.received) >= len(house.topic(bus.ALERTS)) > 0, 30)
        house.scraped = {name: house.metrics(name) for name in house.processes}  # before a test restarts one of them
        yield house
    finally:
        house.stop()


def search(house, index, query=None, size=1000):
    """Straight to Elasticsearch, past our own query code."""
    url = house.settings.elasticsearch_url
    with urllib.request.urlopen(f"{url}/{index}/_refresh", data=b"", timeout=10):
        pass
    body = json.dumps({"size": size, "track_total_hits": True, "query": query or {"match_all": {}}}).encode()
    request = urllib.request.Request(f"{url}/{index}/_search", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["hits"]


def records(house, topic, kind):
    return [decode(message.value, kind) for message in house.topic(topic)]


def slug_of(url):
    return url.rsplit("/", 1)[-1].removesuffix(".html")


def test_every_article_is_collected_once_and_its_page_fetched_once(house):
    articles = house.topic(bus.ARTICLES)
    assert len(articles) == len({m.key for m in articles}) == len(SLUGS)
    pages = {path: count for path, count in house.site.hits.items() if path.endswith(".html")}
    assert set(pages.values()) == {1}
    assert len(pages) == len(SLUGS)


def test_every_document_is_indexed_once_under_its_id(house):
    hits = search(house, "news-documents")
    assert hits["total"]["value"] == len(SLUGS)
    assert {hit["_id"] for hit in hits["hits"]} == {d.id for d in records(house, bus.DOCUMENTS, Document)}


def test_the_expected_events_are_in_the_index(house):
    """Each `must` of the sample: kind, modality and countries."""
    by_article = {}
    for event in records(house, bus.EVENTS, Event):
        by_article.setdefault(slug_of(event.article_url), []).append(event)
    indexed = {hit["_id"] for hit in search(house, "news-events")["hits"]}
    missing = []
    for slug, entry in EXPECTED["articles"].items():
        for must in entry["must"]:
            found = [e for e in by_article.get(slug, []) if fits(e, must)]
            if not any(e.id in indexed for e in found):
                missing.append((slug, must))
    asked = sum(len(entry["must"]) for entry in EXPECTED["articles"].values())
    assert len(missing) <= asked * 0.1, f"{len(missing)} of {asked} expected events are missing: {missing}"


def fits(event, must):
    parties = (*event.actors, *event.recipients, *event.places)
    return (
        event.modality in must["modality"]
        and (event.kind in must.get("kinds", ()) or event.event_type in must.get("event_type", ()))
        and set(must.get("countries", ())) <= {p.country for p in parties}
    )


def test_quiet_articles_stay_quiet(house):
    """One doubtful statement among the quiet articles is as good as it is today; a second one is a fault."""
    quiet = {slug for slug, entry in EXPECTED["articles"].items() if entry["quiet"]}
    loud = [
        e for e in records(house, bus.EVENTS, Event) if slug_of(e.article_url) in quiet and e.modality == "asserted"
    ]
    assert len(loud) <= 1, [(e.article_title, e.kind, e.evidence) for e in loud]


def test_reports_of_one_happening_are_one_story(house):
    """The articles that a reader puts together share a story, and it is in the index at its last revision."""
    latest = {}
    for story in records(house, bus.STORIES, Story):
        if story.id not in latest or story.revision > latest[story.id].revision:
            latest[story.id] = story
    hits = search(house, "news-stories")
    assert {hit["_id"] for hit in hits["hits"]} == set(latest)
    assert {hit["_id"]: hit["_source"]["news"]["revision"] for hit in hits["hits"]} == {
        story.id: story.revision for story in latest.values()
    }
    apart = {}
    for name, slugs in EXPECTED["stories"].items():
        wanted = set(slugs)
        if not any(wanted <= {slug_of(one.url) for one in story.articles} for story in latest.values()):
            apart[name] = slugs
    assert len(apart) <= len(EXPECTED["stories"]) * 0.1, f"told apart: {apart}"


def test_each_alert_reached_the_webhook_once_signed_and_with_its_key(house):
    alerts = records(house, bus.ALERTS, Alert)
    assert len(alerts) == len({a.id for a in alerts})
    assert Counter(house.receiver.keys) == Counter(a.id for a in alerts)
    assert all(signature_is_right(headers, body) for _, _, headers, body in house.receiver.received)


def test_the_expected_alerts_rang_once_and_no_rule_twice_for_a_story(house):
    alerts = records(house, bus.ALERTS, Alert)
    assert max(Counter((a.rule, a.happening_id or a.story_id) for a in alerts).values()) == 1
    rung = {(a.rule, slug_of(a.url)) for a in alerts}
    missing = [
        wanted
        for wanted in EXPECTED["alerts"]
        if not any((wanted["rule"], slug) in rung for slug in EXPECTED["stories"][wanted["story"]])
    ]
    assert not missing, f"did not ring: {missing}; rang: {sorted(rung)}"


def test_the_counts_of_the_metrics_are_the_counts_of_the_topics(house):
    counts = {topic: len(house.topic(topic)) for topic in bus.TOPICS}
    ok = {"outcome": "ok"}

    def count(process, metric, **labels):
        return total(house.scraped[process], metric, **labels)

    assert count("collector", "dateline_records_total", stage="collect", **ok) == counts[bus.ARTICLES]
    assert count("worker", "dateline_records_total", stage="detect", **ok) == counts[bus.DOCUMENTS]
    assert count("worker", "dateline_events_total") == counts[bus.EVENTS]
    assert count("worker", "dateline_records_total", stage="track") == counts[bus.BRIEFS]
    assert count("worker", "dateline_stories_total") == counts[bus.STORIES]
    assert count("worker", "dateline_alerts_total", outcome="raised") == counts[bus.ALERTS]
    indexed = sum(counts[topic] for topic in (bus.DOCUMENTS, bus.EVENTS, bus.STORIES, bus.ALERTS, bus.QUARANTINE))
    assert count("indexer", "dateline_records_total", stage="index") == indexed
    assert count("notifier", "dateline_deliveries_total", outcome="ok") == counts[bus.ALERTS]
    assert counts[bus.QUARANTINE] == 0


def test_a_restart_of_the_collector_refetches_and_repeats_nothing(house):
    before = dict(house.site.hits)
    articles = len(house.topic(bus.ARTICLES))
    house.kill("collector")
    house.start("collector")
    house.wait_ready("collector")
    house.wait("the feed polled again", lambda: house.site.hits["/feed.xml"] > before["/feed.xml"] + 1, 60)
    assert len(house.topic(bus.ARTICLES)) == articles
    assert {p: n for p, n in house.site.hits.items() if p.endswith(".html")} == {
        p: n for p, n in before.items() if p.endswith(".html")
    }


def test_a_replay_of_the_topics_leaves_every_count_unchanged(house):
    indices = ("news-documents", "news-events", "news-stories", "news-alerts")
    before = {index: search(house, index) for index in indices}
    processed = house.metric("indexer", "dateline_records_total", stage="index")
    house.processes["indexer"].terminate()
    house.processes["indexer"].wait(30)
    del house.processes["indexer"]
    bus.reset(house.settings, bus.INDEXER_GROUP, (bus.DOCUMENTS, bus.EVENTS, bus.STORIES, bus.ALERTS, bus.QUARANTINE))
    house.start("indexer")
    house.wait(
        "all read again", lambda: house.metric("indexer", "dateline_records_total", stage="index") >= processed, 60
    )
    after = {index: search(house, index) for index in indices}
    for index in indices:
        assert after[index]["total"] == before[index]["total"], index
        assert by_id(after[index]) == by_id(before[index]), index


def by_id(hits):
    return {hit["_id"]: hit["_source"] for hit in hits["hits"]}
