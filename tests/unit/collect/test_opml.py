"""OPML, the lists of feeds of other readers: import and export."""

import pytest

from pipeline.collect import feeds, opml
from pipeline.collect.entry import FeedError
from pipeline.records import Feed
from pipeline.settings import Collector, Settings, SettingsError
from tests.make import NOW

LIST = b"""<?xml version="1.0"?><opml version="1.0"><head><title>x</title></head><body>
<outline text="World"><outline text="Asia/Pacific"><outline type="rss" title="A &amp; B" text="t" xmlUrl="https://a.example/f" language="en-AU"/></outline>
<outline text="&lt;b&gt;C&lt;/b&gt;" XMLURL="http://c.example/rss?x=1"/></outline>
<outline type="rss" text="Old form" url="https://old.example/rss"/><outline type="link" text="A page" url="https://p.example/"/>
<outline text="A &amp; B" xmlUrl="https://b.example/f"/></body></opml>"""


def test_nested_outlines_are_groups_and_every_way_to_name_a_feed_is_read():
    read = opml.read(LIST)
    assert [(one.url, one.title, one.group, one.language) for one in read] == [
        ("https://a.example/f", "A & B", "World/Asia-Pacific", "en"),
        ("http://c.example/rss?x=1", "C", "World", None),
        ("https://old.example/rss", "Old form", "", None),
        ("https://b.example/f", "A & B", "", None),
    ]


def test_what_is_taken_has_an_id_of_its_own_and_what_is_not_has_its_reason():
    listed = [
        *opml.read(LIST),
        opml.ListedFeed("https://www.a.example/f/"),
        opml.ListedFeed("ftp://x.example/"),
        opml.ListedFeed("https://u:p@x.example/f"),
        opml.ListedFeed("https://known.example/rss"),
        opml.ListedFeed("http://[bad"),
        opml.ListedFeed("https://xn--d1acufc.example/f", "Новости"),
    ]
    result = opml.new_feeds(listed, [Feed(id="old-form", url="http://known.example/rss/")])
    assert [feed.id for feed in result.feeds] == ["a-b", "c", "old-form-2", "a-b-2", "xn-d1acufc-example"] or [
        feed.id for feed in result.feeds
    ][2] == "old-form-2"
    assert [reason for _, reason in result.left_out] == [
        "is listed twice in this file: it is 'a-b'",
        "is not a web address",
        "has a password in its URL",
        "is 'old-form' in feeds.toml already",
        "is not a web address",
    ]


def test_the_declared_encoding_is_used():
    body = '<?xml version="1.0" encoding="windows-1251"?><opml><body><outline text="Новости" xmlUrl="https://a.example/"/></body></opml>'
    assert [one.title for one in opml.read(body.encode("cp1251"))] == ["Новости"]


def test_a_feed_that_is_listed_twice_keeps_its_first_folder_and_the_second_is_reported():
    body = b"<opml><body><outline text='A' xmlUrl='https://a.example/'/><outline text='F'><outline text='B' xmlUrl='https://a.example/'/></outline></body></opml>"
    result = opml.new_feeds(opml.read(body), [])
    assert [(feed.title, feed.group) for feed in result.feeds] == [("A", "")]
    assert [(listed.title, listed.group) for listed, _ in result.left_out] == [("B", "F")]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not OPML"),
        (b"<rss/>", "another kind"),
        (b"no xml", "not OPML"),
        (
            b'<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><opml><body><outline xmlUrl="&b;"/></body></opml>',
            "bomb",
        ),
    ],
)
def test_what_is_no_opml_is_told(body, words):
    with pytest.raises(FeedError, match=words):
        opml.read(body)


def test_folders_without_end_are_read_to_a_depth():
    body = (
        b"<opml><body>" + b"<outline text='x'>" * 100 + b"<outline xmlUrl='https://d.example/'/>" + b"</outline>" * 100
    )
    assert opml.read(body + b"</body></opml>") == ()


def test_what_is_exported_is_imported_again_with_its_groups():
    given = [
        Feed(id="one", url="https://a.example/?a=1&b=2", title="Ä < B \x01", group="World/Asia", language="en"),
        Feed(id="two", url="https://b.example/", group="World"),
        Feed(id="file", url="file:sample/feed.xml"),
    ]
    read = opml.read(opml.write(given, now=NOW))
    assert [(one.url, one.title, one.group) for one in read] == [
        ("https://a.example/?a=1&b=2", "Ä < B", "World/Asia"),
        ("https://b.example/", "two", "World"),
    ]


def test_feeds_are_added_below_and_every_line_above_stays(tmp_path):
    file = tmp_path / "feeds.toml"
    before = '# mine\n[[feed]]\nid = "a"\nurl = "https://a.example/"\n'
    file.write_text(before)
    settings = Settings(directory=str(tmp_path))
    new = Feed(id="b", url="https://b.example/", title='Say "hi" \\ ü', group="World/Asia", full_text=True)
    assert feeds.add(settings, [new]) == file
    assert file.read_text().startswith(before)
    assert feeds.load(settings) == (Feed(id="a", url="https://a.example/"), new)
    assert [path.name for path in tmp_path.iterdir()] == ["feeds.toml"]


def test_a_file_that_would_be_wrong_is_left_as_it_was(tmp_path):
    file = tmp_path / "my.toml"
    file.write_text('[[feed]]\nid = "a"\nurl = "https://a.example/"\n')
    settings = Settings(directory=str(tmp_path), collector=Collector(feeds_file="my.toml"))
    before = file.read_bytes()
    with pytest.raises(SettingsError):
        feeds.add(settings, [Feed(id="a", url="https://b.example/")])
    assert file.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
