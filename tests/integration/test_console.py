"""The query API on a real Elasticsearch: searches, pages, figures, single items; and its OpenAPI description holds."""

import datetime as dt
import itertools

import msgspec
import pytest

from pipeline.alert.feedback import verdict_id
from pipeline.index import actions, client
from pipeline.records import Moment, Money, Party, StoryArticle
from tests.console_client import served
from tests.make import (
    CHINA,
    KYIV,
    MOSCOW,
    NOW,
    RUSSIA,
    UKRAINE,
    USA,
    make_aid,
    make_alert,
    make_document,
    make_event,
    make_feedback,
    make_happening,
    make_quantity,
    make_report,
    make_sanctions,
    make_story,
)  # fmt: skip

pytestmark = pytest.mark.integration

HOUR = dt.timedelta(hours=1)
prefixes = (f"c{number}" for number in itertools.count())


def corner(stack, tmp_path):
    """Settings of a corner of the server of one's own, with its indices set up."""
    mine = msgspec.structs.replace(
        stack,
        elasticsearch=msgspec.structs.replace(stack.elasticsearch, index_prefix=next(prefixes)),
        local=msgspec.structs.replace(stack.local, data_dir=str(tmp_path)),
        console=msgspec.structs.replace(stack.console, requests_per_minute=1_000_000),
    )
    with client.opened(mine) as es:
        client.set_up(es, mine)
    return mine


def put(settings, *records):
    with client.opened(settings) as es:
        for record in records:
            action = actions.action(record, prefix=settings.elasticsearch.index_prefix, now=dt.datetime.now(dt.UTC))
            es.index(index=action.index, id=action.id, document=action.source)
        es.indices.refresh(index=f"{settings.elasticsearch.index_prefix}-*")


TEXT = "Kyiv got help. The United States announced $425 million in military aid for Ukraine on Tuesday. It is large."
DOCUMENT = make_document(TEXT, title="US sends aid", publisher="Wire")
SENTENCE = "The United States announced $425 million in military aid for Ukraine on Tuesday."
START = TEXT.index(SENTENCE)
AID = make_aid(
    id="aid", evidence=SENTENCE, start=START, end=START + len(SENTENCE), trigger="announced", article_id=DOCUMENT.id,
    actors=(Party(text="The United States", name="United States", country="USA"),), recipients=(UKRAINE,), places=(KYIV,),
    money=(Money(text="$425 million", value=425e6, currency="USD"),), publisher="Wire", language="en", confidence=0.9,
)  # fmt: skip
EURO = make_aid(
    id="euro", evidence="Germany gave 100 million euros to Ukraine", money=(Money(text="100m", value=1e8, currency="EUR"),),
    actors=(Party(text="Germany", name="Germany", country="DEU"),), recipients=(UKRAINE,), places=(),
    first_seen_at=NOW + HOUR, published_at=NOW + HOUR, publisher="Paper", language="de",
)  # fmt: skip
STRIKE = make_event(
    id="strike", kind="strike", event_type="ASSAULT", evidence="A missile killed 12 people in Kyiv and wounded 30",
    actors=(RUSSIA,), recipients=(UKRAINE,), places=(KYIV,), publisher="Wire", first_seen_at=NOW + 2 * HOUR,
    published_at=NOW + 2 * HOUR, quantities=(make_quantity(12, "dead"), make_quantity(30, "injured")),
)  # fmt: skip
SANCTIONS = make_sanctions(id="sanctions", actors=(USA,), recipients=(RUSSIA,), places=(MOSCOW,), publisher="Post")
STORY = make_story(
    id="story", headline="United States announces $425 million military aid for Ukraine", kind="aid_package", event_type="AID",
    actors=(USA,), recipients=(UKRAINE,), places=(KYIV,), event_ids=("aid", "euro"), article_ids=(DOCUMENT.id,),
    reports=(make_report(event_id="aid", article_id=DOCUMENT.id, publisher="Wire", evidence=SENTENCE),),
    timeline=(Moment(at=NOW, what="first report"),), publishers=("Wire", "Paper"), source_count=2,
    articles=(StoryArticle(id=DOCUMENT.id, title="Aid for Ukraine", seen_at=NOW, publisher="Wire"),),
    happenings=(
        make_happening(
            line="United States gives Ukraine $425 million", event_ids=("aid", "euro"), kind="aid_package", event_type="AID",
            actors=(USA,), recipients=(UKRAINE,), places=(KYIV,), money=AID.money,
        ),
    ),
)  # fmt: skip
OTHER = make_story(
    id="other", headline="China and Russia meet", actors=(CHINA,), recipients=(RUSSIA,), last_seen_at=NOW + HOUR
)
ALERT = make_alert(id="alert", rule="large-aid", story_id="story", headline=STORY.headline, event_id="aid")


@pytest.fixture(scope="module")
def settings(stack, tmp_path_factory):
    mine = corner(stack, tmp_path_factory.mktemp("console"))
    put(mine, DOCUMENT, AID, EURO, STRIKE, SANCTIONS, STORY, OTHER, ALERT)
    return mine


@pytest.fixture(scope="module")
def web(settings):
    with served(settings) as found:
        yield found


def get(web, path, status=200, **query):
    return web.ask("GET", path, status, params=query)


def ids(web, path, **query):
    return [one["id"] for one in get(web, path, **query)["items"]]


# --- searches --------------------------------------------------------------------------------------------------------


def test_without_a_query_the_newest_events_come_first(web):
    assert ids(web, "/events") == ["strike", "euro", "aid", "sanctions"] or ids(web, "/events")[:2] == [
        "strike",
        "euro",
    ]
    assert get(web, "/events")["total"] == 4


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"kind": "aid_package"}, {"aid", "euro"}),
        ({"kind": ["aid_package", "strike"]}, {"aid", "euro", "strike"}),
        ({"type": "ASSAULT"}, {"strike"}),
        ({"actor": "USA"}, {"aid", "sanctions"}),
        ({"actor": "United States"}, {"aid", "sanctions"}),
        ({"actor": "france"}, set()),
        ({"actor": "EU"}, {"euro"}),
        ({"recipient": "Russia"}, {"sanctions"}),
        ({"party": "Russia"}, {"strike", "sanctions"}),
        ({"place": "Kyiv"}, {"aid", "strike"}),
        ({"place": "RUS"}, {"sanctions"}),
        ({"country": "Germany"}, {"euro"}),
        ({"group": "G7"}, {"aid", "euro", "sanctions"}),
        ({"money_at_least": 2e8}, {"aid"}),
        ({"money_at_least": 1.05e8}, {"aid", "euro"}),
        ({"money_at_least": 1, "money_at_most": 2e8}, {"euro"}),
        ({"dead_at_least": 10}, {"strike"}),
        ({"casualties_at_least": 31}, set()),
        ({"source": "Wire"}, {"aid", "strike"}),
        ({"language": "de"}, {"euro"}),
        ({"currency": "EUR"}, {"euro"}),
        ({"since": (NOW + HOUR).isoformat()}, {"euro", "strike"}),
        ({"until": (NOW + HOUR / 2).isoformat(), "kind": "aid_package"}, {"aid"}),
        ({"box": "30,50,31,51"}, {"aid", "strike"}),
        ({"article_id": DOCUMENT.id}, {"aid"}),
        ({"q": "military aid for Ukraine"}, {"aid", "euro"}),
        ({"q": "missiles killing"}, {"strike"}),
        ({"q": '"gave 100 million"'}, {"euro"}),
        ({"q": '"million gave"'}, set()),
    ],
)
def test_a_filter_finds_exactly_what_it_asks_for(web, query, found):
    assert set(ids(web, "/events", **query)) == found


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"kimd": "x"}, "kimd"), ({"since": "yesterday"}, "since"), ({"box": "1,2,3"}, "box"), ({"limit": 0}, "limit"),
        ({"limit": "many"}, "limit"), ({"phase": "planned"}, "phase"), ({"type": "WAR"}, "type"), ({"country": "Narnia"}, "country"),
        ({"cursor": "abc"}, "cursor"), ({"confidence_at_least": 2}, "confidence_at_least"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(web, query, where):
    assert get(web, "/events", status=400, **query)["error"]["where"] == where


def test_an_item_has_names_of_countries_and_its_worth_in_dollars(web):
    [euro] = get(web, "/events", currency="EUR")["items"]
    assert euro["actors"][0]["country_name"] == "Germany"
    assert euro["amount_usd"] == pytest.approx(1.08e8)
    assert euro["money"][0]["usd"] == pytest.approx(1.08e8)
    assert euro["kind_name"] == "aid package"


def test_pages_follow_each_other_without_gap_or_repetition_whatever_arrives(web, settings):
    first = get(web, "/events", limit=2, sort="oldest")
    late = make_aid(id="late", first_seen_at=NOW - 30 * HOUR, published_at=NOW - 30 * HOUR)
    put(settings, late)
    try:
        second = get(web, "/events", limit=2, cursor=first["next"])
        third = get(web, "/events", cursor=second["next"]) if second["next"] else {"items": []}
        found = [one["id"] for page in (first, second, third) for one in page["items"]]
        assert sorted(found) == ["aid", "euro", "sanctions", "strike"]
    finally:
        with client.opened(settings) as es:
            es.delete(index=actions.index_of(settings.elasticsearch.index_prefix, "events", late.first_seen_at,
                      now=dt.datetime.now(dt.UTC)), id="late", refresh=True)  # fmt: skip


def test_a_cursor_of_another_resource_is_refused(web):
    cursor = get(web, "/events", limit=1)["next"]
    assert get(web, "/stories", status=400, cursor=cursor)["error"]["where"] == "cursor"


def test_more_like_this_finds_the_other_aid_and_not_itself(web):
    found = ids(web, "/events", like="aid")
    assert "aid" not in found
    assert "euro" in found
    assert [one["id"] for one in get(web, "/events/aid/similar")["items"]] == found


def test_articles_are_found_by_their_text(web):
    assert ids(web, "/articles", q="military aid") == [DOCUMENT.id]
    assert ids(web, "/articles", q="football") == []


def test_alerts_are_found_by_rule(web):
    assert ids(web, "/alerts", rule="large-aid") == ["alert"]


def test_alerts_are_found_by_what_was_said_of_them(web, settings):
    put(settings, make_alert(id="judged", rule="other"), make_feedback(
        id=verdict_id("judged"), verdict="false", target="alert", name="judged", rule="other"
    ))  # fmt: skip
    assert ids(web, "/alerts", mark="false") == ["judged"]
    assert ids(web, "/alerts", mark="none") == ["alert"]
    assert ids(web, "/alerts", mark="ack") == []
    assert set(ids(web, "/alerts", mark=["false", "none"])) == {"alert", "judged"}
    assert get(web, "/alerts", mark="false")["items"][0]["mark"] == "false"
    get(web, "/events", status=400, mark="ack")


# --- one item --------------------------------------------------------------------------------------------------------


def test_an_event_comes_with_its_article_and_the_places_of_its_parts(web):
    page = get(web, "/events/aid")
    text = page["article"]["text"]
    by_role = {span["role"]: span for span in page["spans"]}
    assert text[by_role["evidence"]["start"] : by_role["evidence"]["end"]] == SENTENCE
    for role, words in (("actor", "The United States"), ("money", "$425 million"), ("trigger", "announced")):
        assert text[by_role[role]["start"] : by_role[role]["end"]] == words
    assert [one["id"] for one in page["stories"]] == ["story"]


def test_a_story_comes_with_reports_timeline_events_alerts_and_what_is_disputed(web):
    page = get(web, "/stories/story")
    assert [one["publisher"] for one in page["reports"]] == ["Wire"]
    assert page["timeline"][0]["what"] == "first report"
    assert [one["title"] for one in page["articles"]] == ["Aid for Ukraine"]
    [happening] = page["happenings"]
    assert happening["line"] == "United States gives Ukraine $425 million"
    assert happening["event_ids"] == ["aid", "euro"]
    assert happening["first_seen_at"]
    assert {one["id"] for one in page["events"]} == {"aid", "euro"}
    assert [one["id"] for one in page["alerts"]] == ["alert"]
    assert [one["field"] for one in page["disagreements"]] == ["amount_usd"]


def test_an_unknown_id_is_404(web):
    for path in ("/events/no", "/stories/no", "/articles/no", "/alerts/no", "/events/no/similar"):
        get(web, path, status=404)


# --- figures ---------------------------------------------------------------------------------------------------------


def test_facets_count_the_hits_of_the_search(web):
    found = get(web, "/events/facets", field=["kind", "actor_country"], actor="USA")
    assert {one["value"]: one["count"] for one in found["facets"]["kind"]} == {"aid_package": 1, "sanctions": 1}
    assert found["facets"]["actor_country"][0]["label"] == "United States"


def test_the_histogram_counts_over_time_with_parts(web):
    found = get(web, "/events/histogram", interval="day", by="kind")
    assert sum(bar["count"] for bar in found["buckets"]) == 4
    assert sum(bar["parts"].get("aid_package", 0) for bar in found["buckets"]) == 2
    assert get(web, "/events/histogram")["interval"] == "hour"
    read = get(web, "/articles/histogram", interval="hour", by="feed")
    assert read["buckets"][0]["parts"] == {DOCUMENT.feed_id: 1}


def test_the_map_has_clusters_and_the_number_without_a_place(web):
    found = get(web, "/events/map", zoom=2)
    assert found["without_place"] == 1
    kyiv = max(found["clusters"], key=lambda one: one["count"])
    assert kyiv["count"] == 2
    assert kyiv["lat"] == pytest.approx(50.45, abs=0.1)
    assert set(kyiv["ids"]) == {"aid", "strike"}


def test_relations_say_who_acts_towards_whom(web):
    found = get(web, "/events/relations")
    cells = {(cell["actor"], cell["recipient"]): cell for cell in found["cells"]}
    assert cells["USA", "UKR"]["types"] == {"AID": 1}
    assert cells["USA", "UKR"]["amount_usd"] == 425e6
    assert cells["RUS", "UKR"]["count"] == 1


def test_sums_add_money_and_casualties_by_group(web):
    groups = {one["value"]: one for one in get(web, "/events/sums", by="kind")["groups"]}
    assert groups["aid_package"]["amount_usd"] == pytest.approx(425e6 + 1.08e8)
    assert groups["strike"]["dead"] == 12


def test_a_package_that_many_report_counts_once_in_relations_and_sums(stack, tmp_path):
    mine = corner(stack, tmp_path)
    money = AID.money
    package = make_happening(
        id="h1", kind="aid_package", event_type="AID", actors=(USA,), recipients=(UKRAINE,), places=(KYIV,), money=money,
        publishers=("Wire", "Paper"),
    )  # fmt: skip
    killed = make_happening(
        id="h2", kind="strike", event_type="ASSAULT", actors=(RUSSIA,), recipients=(UKRAINE,), places=(KYIV,),
        quantities=(make_quantity(12, "dead"),), publishers=("Wire",),
    )  # fmt: skip
    told_before = msgspec.structs.replace(package, id="h3", background=True)
    main = {"kind": "strike", "event_type": "ASSAULT", "actors": (RUSSIA,), "recipients": (UKRAINE,)}
    put(
        mine, AID, msgspec.structs.replace(AID, id="again", publisher="Paper"),
        make_story(id="one", happenings=(killed, package), **main),
        make_story(id="two", happenings=(told_before,), **main),
        make_story(id="three", happenings=(package,), merged_into="one", **main),
    )  # fmt: skip
    with served(mine) as own:
        [each] = get(own, "/events/relations")["cells"]
        assert (each["count"], each["amount_usd"]) == (2, 850e6), "each report counts"
        once = {(cell["actor"], cell["recipient"]): cell for cell in get(own, "/stories/relations")["cells"]}
        assert {pair: (cell["count"], cell["amount_usd"]) for pair, cell in once.items()} == {
            ("USA", "UKR"): (1, 425e6), ("RUS", "UKR"): (1, 0.0),
        }  # fmt: skip
        assert once["USA", "UKR"]["types"] == {"AID": 1}
        assert [bar["count"] for bar in once["USA", "UKR"]["buckets"]] == [1]

        def summed(**asked):
            found = get(own, "/stories/sums", **asked)
            return found["total"], {
                one["value"]: (one["count"], one["amount_usd"], one["dead"]) for one in found["groups"]
            }

        assert summed(by="kind") == (2, {"aid_package": (1, 425e6, 0), "strike": (1, 0.0, 12)})
        assert summed(by="source") == (2, {"Wire": (2, 425e6, 12), "Paper": (1, 425e6, 0)})
        assert summed(by="kind", kind="aid_package") == (1, {"aid_package": (1, 425e6, 0)}), "not the story's main kind"
        assert summed(by="kind", actor="United States", kind="strike") == (0, {}), "both must hold for one happening"
        assert summed(by="kind", recipient="Ukraine", dead_at_least=10) == (1, {"strike": (1, 0.0, 12)})
        assert summed(by="kind", since="2020-01-01", until="2021-01-01") == (0, {})

        facets = get(own, "/stories/facets", field=["kind", "source"], count="happenings")
        counts = {name: {one["value"]: one["count"] for one in values} for name, values in facets["facets"].items()}
        assert (facets["total"], facets["counted"]) == (2, "happenings")
        assert counts == {"kind": {"aid_package": 1, "strike": 1}, "source": {"Wire": 2, "Paper": 1}}
        bars = get(own, "/stories/histogram", count="happenings", by="kind")
        assert bars["counted"] == "happenings"
        assert [(bar["count"], bar["parts"]) for bar in bars["buckets"]] == [(2, {"aid_package": 1, "strike": 1})]
        assert get(own, "/events/facets")["counted"] == "reports"
        assert get(own, "/stories/facets")["counted"] == "stories"
        assert "no happenings" in get(own, "/events/facets", 400, count="happenings")["error"]["message"]
        refused = get(own, "/stories/facets", 400, count="happenings", field="currency")["error"]["message"]
        assert "a happening has no news.currencies" in refused


def test_stories_without_events_and_merged_ones_can_be_left_out(stack, tmp_path):
    mine = corner(stack, tmp_path)
    recipe = make_story(id="recipe", kind="", event_type=None, happenings=())
    put(mine, STORY, recipe, make_story(id="gone", merged_into="story"))
    with served(mine) as own:
        assert set(ids(own, "/stories")) == {"story", "recipe"}, "one that was merged is told by the other"
        assert ids(own, "/stories", with_events="true") == ["story"]
        assert ids(own, "/stories", with_events="false") == ["recipe"]
        assert ids(own, "/stories", story_id="gone") == ["gone"]
        assert get(own, "/stories/gone")["merged_into"] == "story"
        assert "with_events" in get(own, "/events", 400, with_events="true")["error"]["message"]


def test_the_events_and_articles_of_one_story_are_found_by_its_id(web):
    assert set(ids(web, "/events", story_id="story")) == {"aid", "euro"}
    assert ids(web, "/events", story_id="story", actor="Germany") == ["euro"]
    assert ids(web, "/events", story_id="other") == []
    assert ids(web, "/articles", story_id="story") == [DOCUMENT.id]
    assert get(web, "/events/facets", story_id="story")["total"] == 2
    assert get(web, "/events", 404, story_id="nosuch")["error"]["where"] == "story_id"


def test_an_empty_index_has_no_items_and_no_errors(stack, tmp_path):
    with served(corner(stack, tmp_path)) as empty:
        for resource in ("events", "stories", "articles", "alerts"):
            found = get(empty, f"/{resource}")
            assert (found["total"], found["items"], found["next"]) == (0, [], None)
            for figure in ("facets", "histogram"):
                get(empty, f"/{resource}/{figure}")
        for figure in ("map", "relations", "sums"):
            get(empty, f"/events/{figure}")
            get(empty, f"/stories/{figure}")
