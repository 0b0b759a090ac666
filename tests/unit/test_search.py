"""A search as Elasticsearch is asked, and its answer as we tell it."""

import datetime as dt

import pytest

from pipeline.index import actions, filters, search
from pipeline.index.filters import Filters
from pipeline.settings import Settings
from tests.make import NOW, make_sanctions

DAY = dt.timedelta(days=1)


def asked(text="sanctions on Russia", **changes):
    return {"query": filters.query("events", Filters(q=text, **changes), now=NOW)}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("7d", NOW - 7 * DAY),
        ("12h", NOW - DAY / 2),
        (" 30 M ", NOW - dt.timedelta(minutes=30)),
        ("2w", NOW - 14 * DAY),
        ("2024-05-01", dt.datetime(2024, 5, 1, tzinfo=dt.UTC)),
        ("2024-05-01T06:00:00+02:00", dt.datetime(2024, 5, 1, 4, tzinfo=dt.UTC)),
        ("2024-05-01T06:00", dt.datetime(2024, 5, 1, 6, tzinfo=dt.UTC)),
        ("999999w", dt.datetime(1, 1, 1, tzinfo=dt.UTC)),
    ],
)
def test_since_is_an_age_or_a_date(text, at):
    assert filters.parse_since(text, now=NOW) == at


@pytest.mark.parametrize("text", ["", "yesterday", "7", "d7", "7y", "-7d", "7.5d", "2024-13-01", "01.05.2024"])
def test_any_other_since_says_what_would_do(text):
    with pytest.raises(filters.SearchError, match="neither like 30m, 12h, 7d or 2w nor a date"):
        filters.parse_since(text, now=NOW)


@pytest.mark.parametrize("limit", [-1, 1001])
def test_a_limit_out_of_bounds_is_refused(limit):
    with pytest.raises(filters.SearchError, match="limit"):
        search.search(Settings(), limit=limit)


def test_kind_and_since_only_narrow():
    body = asked(kind=("sanctions",), since=(NOW - DAY).isoformat())["query"]["bool"]
    assert body["filter"] == [
        {"terms": {"news.kind": ["sanctions"]}},
        {"range": {"@timestamp": {"gte": (NOW - DAY).isoformat()}}},
    ]


@pytest.mark.parametrize("text", ["the of on", "?!"])
def test_a_text_without_a_word_finds_nothing(text):
    assert asked(text)["query"]["bool"]["must"] == [{"match_none": {}}]


@pytest.mark.parametrize("text", ["", "   "])
def test_without_a_text_the_newest_events_are_asked_for(text):
    assert asked(text)["query"]["bool"] == {"filter": []}
    assert "@timestamp" in filters.order("", Filters(q=text))[0]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("sanctions on Russia", "russia"),
        ("Aid to the Ukrainians", "ukrainian"),
        ("strikes against Syria", "syria"),
        ("Putin Xi", None),
    ],
)
def test_a_recipient_is_sought_where_the_words_name_one(text, target):
    matches = [part["match"] for part in asked(text)["query"]["bool"]["should"] if "match" in part]
    sought = [match["news.recipient_search"] for match in matches if "news.recipient_search" in match]
    anywhere, *after = sorted(sought, key=lambda one: one["boost"])
    assert set(anywhere["query"].split()) >= set((target or "putin").split())
    assert [one["query"] for one in after] == ([target] if target else [])


def test_a_hit_tells_the_event_in_the_words_of_our_records():
    event = make_sanctions()
    source = actions.action(event, prefix="news", now=NOW).source
    told = search.hit({"_id": event.id, "_score": 3.5, "_source": source})
    assert (told["id"], told["score"], told["kind"], told["event_type"]) == (event.id, 3.5, "sanctions", "SANCTION")
    assert told["evidence"] == event.evidence
    assert told["article_url"] == event.article_url
    assert told["article_title"] == event.article_title
    assert told["publisher"] == "The Paper"
    assert told["countries"] == ["USA", "RUS"]
    assert told["recipients"] == [{"text": "Russia", "name": "Russia", "country": "RUS", "sector": "GOV"}]
    assert told["published_at"] == "2024-05-14T08:55:00+00:00"
