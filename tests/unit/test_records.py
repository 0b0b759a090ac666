"""Records: their encoding on the wire, and bytes that are refused."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import SCHEMA, Article, Event, Export, RecordError, content_id, decode, encode

SEEN_AT = dt.datetime(2026, 11, 3, 9, 30, tzinfo=dt.UTC)


def article(**changes):
    fields = {
        "id": "a1", "url": "https://news.example/1", "feed_id": "f", "fetched_at": SEEN_AT, "first_seen_at": SEEN_AT,
        "content_hash": "h", "html": "<p>text</p>",
    }  # fmt: skip
    return Article(**{**fields, **changes})


def test_a_record_comes_back_as_it_was_and_names_itself_on_the_wire():
    """JSON with the record's name and the schema's version."""
    wire = encode(article(title="Zürich — “talks”"))
    assert json.loads(wire)["record"] == "article"
    assert json.loads(wire)["schema"] == SCHEMA
    assert decode(wire, Article) == article(title="Zürich — “talks”")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (None, "no value"),
        (b"", "article"),
        (b"\xff\xfe\x00garbage", "article"),
        (b"[1, 2]", "object"),
        (b'{"record": "event"}', "event"),
        (encode(article()).replace(b'"url":"https://news.example/1"', b'"url":7'), "$.url"),
        (encode(article()).replace(b'"id":"a1",', b""), "id"),
        (encode(article()).replace(b'"schema":1', b'"schema":99'), "newer"),
    ],
)
def test_bytes_that_are_no_article_are_refused_with_the_place_named(raw, says):
    """No other error than RecordError leaves `decode`."""
    with pytest.raises(RecordError, match="article") as caught:
        decode(raw, Article)
    assert says in str(caught.value)


def test_a_field_of_tomorrow_is_passed_over():
    """A newer writer may add fields that an older reader ignores."""
    wire = encode(article()).replace(b'"url":', b'"mood":"new","url":')
    assert decode(wire, Article) == article()


@given(st.binary(max_size=200))
def test_decode_raises_only_its_own_error(raw):
    """Whatever the bytes."""
    with pytest.raises(RecordError):
        decode(raw, Article)


@given(st.lists(st.one_of(st.none(), st.text(max_size=8)), min_size=1, max_size=4))
def test_an_id_is_stable_and_depends_on_where_the_parts_end(parts):
    """Equal values give an equal id; moving a letter from one value to the next gives another id."""
    assert content_id(*parts) == content_id(*parts)
    assert len(content_id(*parts)) == 20
    assert content_id("ab", "c") != content_id("a", "bc")


def test_an_event_needs_its_evidence():
    """Evidence is a required field."""
    with pytest.raises(TypeError, match="evidence"):
        Event(
            id="e", event_type="CONSULT", kind="meeting", modality="asserted", start=0, end=1, trigger="met",
            export=Export(plover="CONSULT", cameo="04"),
        )  # fmt: skip
