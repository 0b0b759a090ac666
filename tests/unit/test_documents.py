"""Records and their documents in Elasticsearch."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.index import actions, document_fields, documents, templates
from pipeline.records import Difference, Entity, Evidence, Moment, Money, Party, Place, Related, StoryArticle, When
from tests.make import (
    MOSCOW,
    NOW,
    USA,
    make_aid,
    make_alert,
    make_document,
    make_event,
    make_failure,
    make_feedback,
    make_happening,
    make_meeting,
    make_quantity,
    make_report,
    make_sanctions,
    make_story,
)

HOUR = dt.timedelta(hours=1)


US_WITH_ID = Party(text="The US", name="United States", country="USA", sector="GOV", identifier="Q30")
RUSSIA_WITH_ID = Party(text="Russia", name="Russia", country="RUS", sector="GOV", identifier="Q159")


def action_of(record, now=NOW + HOUR):
    return actions.action(record, prefix="news", now=now)


def full_event():
    return make_sanctions(
        actors=(US_WITH_ID,), recipients=(RUSSIA_WITH_ID,), mentions=(Evidence(text="again", start=0, end=5),), event_mode="embargo", contexts=("economic",), subtype="oil", places=(MOSCOW,), money=(Money(text="$2m", value=2e6, currency="USD", low=1e6),),
        quantities=(make_quantity(3, "banks"), make_quantity(2, "dead"), make_quantity(4, "injured")), items=("oil",), attributed_to="the Treasury", credit="Reuters", fetched_at=NOW, fingerprint=(1, 2), subject={"oil": 1.5}, article_title="Oil banks",
    )  # fmt: skip


def full_document():
    entity = Entity(text="Putin", label="PERSON", start=0, end=5, name="Vladimir Putin", country="RUS")
    org = Entity(text="Reuters", label="ORG", start=9, end=16)
    place = Entity(text="Moscow", label="GPE", start=20, end=26, country="RUS")
    return make_document(
        entities=(entity, org, place), credit="Reuters", authors=("A. Writer",), image_url="https://news.example/i.png",
        updated_at=NOW, truncated=True,
    )  # fmt: skip


def full_failure():
    return make_failure(traceback="Traceback ...")


FULL_HAPPENING = make_happening(
    subtype="oil", line="sanctions", background=True, recipients=(RUSSIA_WITH_ID,),
    money=(Money(text="$2m", value=2e6, currency="USD"),),
    quantities=(make_quantity(2, "dead"), make_quantity(4, "injured")),
)  # fmt: skip


def full_story():
    return make_story(
        actors=(US_WITH_ID,), recipients=(RUSSIA_WITH_ID,), timeline=(Moment(at=NOW, what="new"),), subtype="oil", money=(Money(text="$2m", value=2e6, currency="USD", low=1.0),), items=("oil",),
        quantities=(make_quantity(2, "dead"), make_quantity(4, "injured")), subject_ids=("a1",), part_of="s0", merged_into="s2", merged_ids=("s3",), split_from="s4",
        title="Putin and Xi meet", publisher="The Paper", central_article="a1", line="meeting: Russia, China",
        articles=(StoryArticle(id="a1", title="Putin and Xi meet", seen_at=NOW, fingerprint=(1, 2)),),
        happenings=(FULL_HAPPENING,), differences=(Difference(happening="e1", unit="dead", values=(3.0, 4.0)),),
        related=(Related(id="s9", headline="Another", alike=0.4),),
    )  # fmt: skip


def full_alert():
    return make_alert(held="digest", gathers=("a1",), event_id="e1")


def full_feedback():
    return make_feedback(
        verdict="false", target="alert", name="a1", until=NOW, rule="leaders-meet", story_id="s1", headline="They meet",
        evidence="They met", note="sport", by="desk", event=make_meeting(),
    )  # fmt: skip


FULL = {
    "documents": full_document, "events": full_event, "stories": full_story, "alerts": full_alert, "failures": full_failure,
    "feedback": full_feedback,
}  # fmt: skip


def leaves(properties, source, path=""):
    """Each (path, declaration) of a source in its mapping; KeyError where a strict mapping would refuse it."""
    for key, value in source.items():
        declared = properties[key]
        if declared.get("enabled") is False or declared.get("type") == "geo_point":
            yield f"{path}{key}", declared
        elif isinstance(value, dict):
            yield from leaves(declared["properties"], value, f"{path}{key}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for part in value:
                yield from leaves(declared["properties"], part, f"{path}{key}.")
        else:
            yield f"{path}{key}", declared


def declared_leaves(properties, path=""):
    for key, value in properties.items():
        if "properties" in value:
            yield from declared_leaves(value["properties"], f"{path}{key}.")
        else:
            yield f"{path}{key}"


@pytest.mark.parametrize("name", actions.INDICES)
def test_the_strict_mapping_knows_every_field_of_a_full_record_and_no_field_is_dead(name):
    mapping = templates.mapping(name)
    assert mapping["dynamic"] == "strict"
    found = dict(leaves(mapping["properties"], action_of(FULL[name]()).source))
    assert set(found) == set(declared_leaves(mapping["properties"]))


# --- envelope --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("documents", "event"),
        ("events", "event"),
        ("stories", "event"),
        ("alerts", "alert"),
        ("failures", "pipeline_error"),
    ],
)
def test_the_envelope_is_ecs_with_its_closed_values(name, kind):
    record = FULL[name]()
    action = action_of(record)
    envelope = action.source["event"]
    assert (action.id, envelope["id"]) == (record.id, record.id)
    assert envelope["kind"] == kind
    assert envelope["dataset"] == f"dateline.{name}"
    assert envelope["provider"] == "dateline"
    assert not {"category", "type", "action"} & set(envelope)
    assert action.source["@timestamp"].endswith("+00:00")


def test_an_event_stands_at_its_publication_and_tells_when_it_happened():
    when = When(text="this week", start=dt.date(2024, 5, 13), end=dt.date(2024, 5, 19), precision="week")
    source = action_of(make_meeting(date=when)).source
    assert source["@timestamp"] == "2024-05-14T08:55:00+00:00"
    assert source["event"]["created"] == NOW.isoformat()
    assert (source["event"]["start"], source["event"]["end"]) == ("2024-05-13", "2024-05-19")
    assert source["news"]["date"]["precision"] == "week"


def test_an_article_that_claims_to_be_from_tomorrow_stands_where_it_was_seen():
    source = action_of(make_event(published_at=NOW + 24 * HOUR)).source
    assert source["@timestamp"] == NOW.isoformat()
    assert source["news"]["published_at"] == (NOW + 24 * HOUR).isoformat()


def test_times_of_other_zones_are_written_in_utc_and_times_without_one_are_utc():
    sydney = dt.timezone(dt.timedelta(hours=11))
    assert (
        action_of(make_event(published_at=dt.datetime(2024, 5, 14, 12, tzinfo=sydney))).source["@timestamp"]
        == "2024-05-14T01:00:00+00:00"
    )
    naive = dt.datetime(2024, 5, 14, 1)  # noqa: DTZ001 - what a record without a zone decodes to
    assert action_of(make_event(published_at=naive)).source["@timestamp"] == "2024-05-14T01:00:00+00:00"


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.news.example:443/a?b#c", "www.news.example"),
        ("https://[broken/", None),
        ("file:///tmp/a", None),
        ("no url", None),
    ],
)
def test_a_url_gives_its_domain_or_none(url, domain):
    assert action_of(make_event(article_url=url)).source["url"] == (
        {"full": url, "domain": domain} if domain else {"full": url}
    )


# --- fields that people filter and count by ------------------------------------------------------------------------


def test_countries_are_collected_from_actors_recipients_and_places_each_once():
    news = action_of(make_sanctions(places=(MOSCOW, Place(text="Brussels", country="BEL")))).source["news"]
    assert news["countries"] == ["USA", "RUS", "BEL"]
    assert (news["actor_countries"], news["recipient_countries"], news["place_countries"]) == (
        ["USA"],
        ["RUS"],
        ["RUS", "BEL"],
    )


def test_actors_are_written_whole_and_by_name():
    news = action_of(make_sanctions(actors=(USA, Party(text="two officials")))).source["news"]
    assert news["actors"][0] == {"text": "The US", "name": "United States", "country": "USA", "sector": "GOV"}
    assert news["actor_names"] == ["United States", "two officials"]


def test_money_is_written_in_full_units_and_flat():
    news = action_of(make_aid(350e6)).source["news"]
    assert news["money"] == [{"text": "350000000 USD", "value": 350e6, "currency": "USD"}]
    assert (news["amounts"], news["currencies"]) == ([350e6], ["USD"])


@pytest.mark.parametrize(
    ("lat", "lon"), [(91, 0), (0, 181), (None, 3), (3, None), (float("nan"), 0), (0, float("inf"))]
)
def test_a_place_off_the_map_keeps_its_name_and_loses_its_point(lat, lon):
    news = action_of(make_event(places=(Place(text="X", lat=lat, lon=lon),))).source["news"]
    assert news["places"] == [{"text": "X"}]
    assert "location" not in news


def test_a_place_on_the_map_is_a_point():
    assert action_of(make_meeting()).source["news"]["location"] == [{"lat": 55.75, "lon": 37.62}]


def test_names_of_a_document_are_sorted_by_what_they_are_and_lose_their_offsets():
    news = action_of(full_document()).source["news"]
    assert (news["persons"], news["organizations"], news["place_names"], news["countries"]) == (
        ["Vladimir Putin"],
        ["Reuters"],
        ["Moscow"],
        ["RUS"],
    )
    assert "entities" not in news


def test_an_alert_names_its_rule_and_a_failure_its_error():
    assert action_of(make_alert()).source["rule"] == {"name": "leaders-meet"}
    error = action_of(full_failure()).source
    assert error["error"] == {"type": "RecordError", "message": "article: not JSON", "stack_trace": "Traceback ..."}
    assert error["news"]["raw"] == "\ufffdgarbage"


def test_of_a_failures_bytes_only_the_beginning_is_indexed():
    news = action_of(make_failure(raw=b"x" * 100_000)).source["news"]
    assert (len(news["raw"]), news["raw_bytes"]) == (documents.RAW_BYTES, 100_000)


def test_a_story_keeps_its_reports_without_their_fingerprints():
    news = action_of(make_story(reports=(make_report(fingerprint=(1, 2, 3)),))).source["news"]
    assert news["reports"][0]["publisher"] == "The Paper"
    assert "fingerprint" not in news["reports"][0]


def test_the_many_parts_of_one_record_are_bounded():
    crowd = tuple(Party(text=f"p{n}", name=f"p{n}") for n in range(20_000))
    news = action_of(make_event(actors=crowd)).source["news"]
    assert len(news["actors"]) == len(news["actor_names"]) == document_fields.PARTS


def test_empty_parts_are_left_out_but_zero_and_false_are_not():
    assert document_fields.clean({"a": "", "b": None, "c": [], "d": {"e": ()}, "f": 0, "g": False, "h": ["", 1]}) == {
        "f": 0,
        "g": False,
        "h": ["", 1],
    }


def test_a_recipient_is_found_by_its_country_although_its_own_words_do_not_name_it():
    news = action_of(
        make_sanctions(recipients=(Party(text="the Kremlin", country="RUS"),), evidence="They hit the Kremlin")
    ).source["news"]
    assert {"russia", "russian", "kremlin"} <= set(news["recipient_search"].split())
    assert {"russia", "american", "sanction"} <= set(news["search"].split())


# --- sizes -----------------------------------------------------------------------------------------------------------


@given(st.text(), st.integers(0, 40))
def test_a_cut_text_fits_in_bytes_and_is_the_longest_beginning_that_does(text, size):
    short = document_fields.cut(text, size)
    assert text.encode("utf-8", "replace").startswith(short.encode())
    assert len(short.encode()) <= size
    if short != text.encode("utf-8", "replace").decode():
        assert len(short.encode()) > size - 4


def test_the_text_of_a_long_article_is_cut():
    assert len(action_of(make_document("é" * 1_000_000)).source["news"]["text"].encode()) == document_fields.TEXT_BYTES
