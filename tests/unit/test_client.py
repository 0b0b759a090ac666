"""The connection and the templates, as far as no server is needed."""

import pytest

from pipeline import bus
from pipeline.index import actions, bulk, client, templates
from pipeline.settings import Elasticsearch, Settings

CORE_TYPES = {
    "keyword",
    "text",
    "date",
    "integer",
    "long",
    "double",
    "float",
    "boolean",
    "geo_point",
    "nested",
    "object",
}
LUCENE_TERM_BYTES = 32_766


def fields(properties):
    for name, declared in properties.items():
        yield name, declared
        yield from fields(declared.get("properties", {}))
        yield from fields(declared.get("fields", {}))


@pytest.mark.parametrize("name", actions.INDICES)
def test_a_mapping_uses_only_what_the_server_has_without_plug_ins(name):
    for field, declared in fields(templates.mapping(name)["properties"]):
        assert declared.get("type", "object") in CORE_TYPES, field
        assert "analyzer" not in declared, field


@pytest.mark.parametrize("name", actions.INDICES)
def test_no_keyword_can_be_larger_than_a_term_of_lucene(name):
    for field, declared in fields(templates.mapping(name)["properties"]):
        if declared.get("type") == "keyword" and declared.get("index", True):
            assert declared["ignore_above"] * 4 <= LUCENE_TERM_BYTES, field


@pytest.mark.parametrize("name", ["events", "stories"])
def test_what_dashboards_count_by_is_a_keyword_outside_of_nested_parts(name):
    news = templates.mapping(name)["properties"]["news"]["properties"]
    for field in (
        "kind",
        "event_type",
        "modality",
        "countries",
        "actor_countries",
        "recipient_countries",
        "currencies",
    ):
        assert news[field]["type"] == "keyword"
    for field in ("actors", "recipients", "places", "money"):
        assert (news[field]["type"], news[field]["include_in_root"]) == ("nested", True)


def test_a_template_covers_the_indices_that_records_are_written_to():
    settings = Settings(elasticsearch=Elasticsearch(index_prefix="x", shards=3, replicas=2, refresh_seconds=0.5))
    template = templates.template("events", settings)
    assert template["index_patterns"] == ["x-events-v*-*"]
    assert template["template"]["aliases"] == {"x-events": {}}
    assert template["template"]["settings"] == {
        "number_of_shards": 3,
        "number_of_replicas": 2,
        "refresh_interval": "500ms",
    }


def test_by_default_an_index_that_nobody_searches_is_not_refreshed():
    assert "refresh_interval" not in templates.template("events", Settings())["template"]["settings"]


def test_a_policy_of_ilm_is_asked_for_only_where_one_is_named():
    given = Settings(elasticsearch=Elasticsearch(ilm_policy="tiers"))
    assert templates.template("events", given)["template"]["settings"]["index.lifecycle.name"] == "tiers"
    assert "index.lifecycle.name" not in templates.template("events", Settings())["template"]["settings"]


def test_every_topic_of_results_is_indexed_and_raw_pages_and_briefs_are_not():
    assert set(bulk.TYPES) == set(bus.TOPICS) - {bus.ARTICLES, bus.BACKFILL, bus.BRIEFS, bus.FEEDS}


def test_the_password_reaches_the_server_and_no_text():
    settings = Settings(elasticsearch=Elasticsearch(url="http://es.example:9200", username="u", password="hush-hush"))
    es = client.connect(settings)
    assert es._headers["authorization"].startswith("Basic ")
    assert "hush-hush" not in repr(es) + str(es)
    es.close()
