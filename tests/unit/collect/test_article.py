"""The URL of an article: the canonical link of its page, where that can be trusted."""

import pytest

from pipeline.collect.article import canonical_link
from pipeline.page import urls


@pytest.mark.parametrize(
    ("head", "link"),
    [
        ('<link rel="canonical" href="https://p.example/a?x=1&amp;y=2">', "https://p.example/a?x=1&y=2"),
        ("<link href=/a rel=canonical>", "/a"),
        ('<meta property="og:url" content="https://p.example/a">', "https://p.example/a"),
        ('<meta content="https://p.example/a" property="og:url"/>', "https://p.example/a"),
        ('<meta property="og:url" content="https://p.example/b"><link rel="canonical" href="https://p.example/a">', "https://p.example/a"),
        ('<link rel="amphtml" href="https://p.example/a/amp"><meta property="og:urls" content="x">', None),
        ("", None),
    ],
)  # fmt: skip
def test_a_pages_own_address_is_found(head, link):
    assert canonical_link(f"<html><head>{head}</head></html>") == link


@pytest.mark.parametrize(
    ("claimed", "found", "believed"),
    [
        (
            "https://www.paper.example/story-1",
            "https://amp.paper.example/story-1/amp",
            "https://www.paper.example/story-1",
        ),
        ("https://p.example/", "https://p.example/story-1", "https://p.example/story-1"),
        ("https://other.example/story-1", "https://p.example/story-1", "https://p.example/story-1"),
        ("https://p.example/story-2", "https://p.example/story-1", "https://p.example/story-1"),
        ("javascript:x", "https://p.example/story-1", "https://p.example/story-1"),
    ],
)
def test_a_claim_is_believed_only_for_the_same_story_of_the_same_site(claimed, found, believed):
    assert urls.accepted(claimed, found) == believed
