"""One URL for one article."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.page.urls import accepted, article_id, canonical, host, join, same_site


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("HTTPS://News.Example:443/a?utm_source=x&id=7&fbclid=1#top", "https://news.example/a?id=7"),
        ("https://news.example/story/amp/", "https://news.example/story"),
        ("https://news.example/story?amp=1", "https://news.example/story"),
        ("https://www.google.com/amp/s/news.example/story/amp/", "https://news.example/story"),
        ("https://www.google.co.uk/amp/news.example/story", "http://news.example/story"),
        (
            "https://news-example.cdn.ampproject.org/c/s/news.example/story.amp.html?x=1",
            "https://news.example/story.html?x=1",
        ),
        ("https://www.google.com/amp/", "https://www.google.com/"),
        ("https://news.example/story.amp", "https://news.example/story"),
        ("https://news.example/a?b=2&a=1", "https://news.example/a?a=1&b=2"),
        (" https://news.example/a\n", "https://news.example/a"),
        ("/x/y", "https://base.example/x/y"),
        ("../up", "https://base.example/up"),
        ("javascript:void(0)", None),
        ("mailto:a@b.example", None),
        ("http://[bad", None),
        ("data:text/html,x", None),
    ],
)
def test_a_link_has_one_form(written, wanted):
    assert canonical(written, "https://base.example/feeds/rss.xml") == wanted


LINKS = st.one_of(
    st.text(max_size=60),
    st.builds(
        "http{}://{}/{}?{}#{}".format,
        st.sampled_from(["", "s"]),
        st.from_regex(r"[a-zA-Z0-9.-]{1,20}(:\d{1,6})?", fullmatch=True),
        st.text(max_size=30),
        st.text(max_size=30),
        st.text(max_size=10),
    ),
)


@given(LINKS)
def test_the_one_form_stays_as_it_is(link):
    once = canonical(link)
    assert once is None or canonical(once) == once


def test_an_article_has_one_id_over_schemes_www_and_a_final_slash():
    ids = {
        article_id(url) for url in ("http://news.example/a", "https://www.news.example/a", "https://news.example/a/")
    }
    assert len(ids) == 1
    assert article_id("https://news.example/b") not in ids


@pytest.mark.parametrize(
    ("claimed", "found", "wanted"),
    [
        (
            "https://news.example/w/long-story-name",
            "https://m.news.example/long-story-name",
            "https://news.example/w/long-story-name",
        ),
        ("https://news.example/", "https://news.example/long-story-name", "https://news.example/long-story-name"),
        (
            "https://news.example/article",
            "https://news.example/long-story-name",
            "https://news.example/long-story-name",
        ),
        (
            "https://evil.example/long-story-name",
            "https://news.example/long-story-name",
            "https://news.example/long-story-name",
        ),
        (None, "https://news.example/a", "https://news.example/a"),
    ],
)
def test_a_page_is_believed_about_its_address_only_where_that_cannot_merge_articles(claimed, found, wanted):
    assert accepted(claimed, found) == wanted


def test_hosts_and_sites():
    assert host("https://user:pw@News.example:8443/x") == "news.example:8443"
    assert host("http://[bad") == ""
    assert same_site("https://amp.paper.co.uk/x", "https://www.paper.co.uk/y")
    assert not same_site("https://a.co.uk/x", "https://b.co.uk/x")


@pytest.mark.parametrize(
    ("link", "wanted"),
    [
        ("g", "http://a/b/c/g"), ("./g/", "http://a/b/c/g/"), ("/g", "http://a/g"), ("//g", "http://g"), ("?y", "http://a/b/c/d;p?y"),
        ("#s", "http://a/b/c/d;p?q#s"), (";x", "http://a/b/c/;x"), ("", "http://a/b/c/d;p?q"), ("..", "http://a/b/"),
        ("../../../g", "http://a/g"), ("/./g", "http://a/g"), ("g.", "http://a/b/c/g."), ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("http:g", "http://a/b/c/g"), ("mailto:x@b.example", "mailto:x@b.example"), ("http://x/./y", "http://x/./y"),
        ("g?", "http://a/b/c/g?"), ("g;", "http://a/b/c/g;"), ("?", "http://a/b/c/d;p?"), ("a//b;?", "http://a/b/c/a//b;?"),
        ("HTTPS://x/y?", "HTTPS://x/y?"), ("//g?", "http://g?"), ("http://[bad", "http://[bad"),
    ],
)  # fmt: skip
def test_a_link_is_joined_after_rfc_3986_and_keeps_what_is_empty(link, wanted):
    assert join("http://a/b/c/d;p?q", link) == wanted
    assert join("", link) == link
