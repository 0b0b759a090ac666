"""Pages that are partly new at every poll, under new ids and addresses: one article. New stories under old titles: new ones."""

import asyncio
import itertools

import pytest

from pipeline.collect import prose, seen
from pipeline.collect.entry import FeedEntry
from pipeline.page.extract import extract
from pipeline.records import Feed, SeenEntry
from tests.unit.collect.cases import check_stories, collecting
from tests.unit.collect.polling import NOW
from tests.unit.collect.test_odd_sites import MORE, TEXTS, page

SAYINGS = (
    "A journey of a thousand miles begins with one single step, as the old saying of the sailors goes.",
    "Weather for the harbour tomorrow: light winds from the west, some clouds, and no rain before evening.",
    "Our evening letter now reaches more than ninety thousand subscribers in four countries of the region.",
)
PAGES = {
    "a saying at the end": lambda told, poll: [told, MORE, SAYINGS[poll]],
    "a saying at the start": lambda told, poll: [SAYINGS[poll], told, MORE],
    "a saying and little else": lambda told, poll: [told, SAYINGS[poll]],
    "a saying within": lambda told, poll: [f"{told} {SAYINGS[poll]}", MORE],
    "a counter": lambda told, poll: [told, MORE, f"Right now {poll}17 people read this page of our site, and we thank each of them."],
}  # fmt: skip


async def polled(setup, site, feeds):
    for pages in feeds:
        site.pages.clear()
        site.pages.update(pages)
        await asyncio.wait_for(setup.poll(Feed(id="harbour", url=f"{site.addresses['base']}/feed.xml")), 20)
    return setup.sink.articles


def one_feed(items):
    """Items (title, link, more of the item, paragraphs) of one poll in, the pages of the site out."""
    told = "".join(
        f"<item><title>{title}</title><link>{{base}}{link.replace('&', '&amp;')}</link>{more}</item>"
        for title, link, more, _ in items
    )
    feed = f"<rss version='2.0'><channel><title>Harbour Wire</title>{told}</channel></rss>"
    return {"/feed.xml": {"type": "text/xml", "body": feed}} | {
        link: page(title, *paragraphs) for title, link, _, paragraphs in items
    }


@pytest.mark.parametrize("shape", PAGES)
@pytest.mark.parametrize(
    "link", ["/s/{n}?sid=abc{poll}&n={poll}7", "/a?id={n}&n={poll}", "/s/{n};jsessionid=F{poll}", "/(S(q{poll}))/s/{n}"]
)
@pytest.mark.parametrize(
    "more",
    [
        "", "<guid isPermaLink='false'>{n}-{poll}</guid>", "<pubDate>Fri, 27 Nov 2026 12:{poll}0:00 GMT</pubDate>",
        "<description>{told} Read by {poll} people.</description>",
    ],
)  # fmt: skip
async def test_a_page_that_is_partly_new_under_a_new_address_at_every_poll_is_one_article(shape, link, more):
    feeds = []
    for poll in range(3):
        items = []
        for n, (title, told) in enumerate(TEXTS.items()):
            fill = {"{n}": str(n), "{poll}": str(poll), "{told}": told}
            filled = [link, more]
            for (name, value), i in itertools.product(fill.items(), range(2)):
                filled[i] = filled[i].replace(name, value)
            items.append((title, *filled, PAGES[shape](told, poll)))
        feeds.append(one_feed(items))
    async with collecting({}) as (site, setup):
        articles = await polled(setup, site, feeds)
    check_stories(articles, [extract(article) for article in articles])


@pytest.mark.parametrize("at_once", [1, 2])
async def test_news_under_one_title_with_the_same_words_around_them_are_articles_of_their_own(at_once):
    """Such as the press releases of a ministry, where the older ones leave the feed."""
    around = (
        "This is a release of the ministry for the press.",
        "Questions are answered by telephone on working days.",
        MORE,
    )
    told = [f"The ministry gave {word} million crowns to the towns on the coast. The money is for the {word} dykes that broke." for word in ("two", "three", "five", "nine")]  # fmt: skip
    releases = [("Release of the ministry", f"/r?id={n}", "", (*around, text)) for n, text in enumerate(told)]
    feeds = [one_feed(releases[n : n + at_once]) for n in range(0, 4, at_once)]
    if at_once == 1:  # of the first two nobody knows what belongs to every release
        feeds = [one_feed([("Release of the ministry", f"/r?id={n}", "", (MORE, text))]) for n, text in enumerate(told)]
    async with collecting({}) as (site, setup):
        assert len(await polled(setup, site, feeds)) == 4


FLASH = "An explosion was heard in the harbour of the town on Friday morning, the police said."
STORY = (
    FLASH,
    "Firefighters reached the grain terminal within ten minutes and led forty workers out of the building.",
    "Two of the workers died in hospital, the mayor told reporters in front of the town hall at noon.",
)
LATER = "Investigators believe that a hot machine set the dust of the grain on fire, they said on Saturday evening."


async def test_the_story_that_takes_the_place_of_a_flash_of_its_title_is_an_article():
    told = [("Explosion in harbour", f"/s?id={n}", "", text) for n, text in enumerate(((FLASH,), STORY))]
    async with collecting({}) as (site, setup):
        articles = await polled(setup, site, [one_feed([item]) for item in told])
    assert [STORY[2] in article.html for article in articles] == [False, True]


@pytest.mark.parametrize(
    "more", [(), ("Our evening letter now reaches more than ninety thousand readers in four countries.",)]
)
async def test_what_a_known_page_says_later_under_its_new_id_is_an_update_of_the_article(more):
    changed = (
        "<guid>new</guid><description>What the investigators believe by now, and what the harbour does.</description>"
    )
    feeds = [
        one_feed([("Explosion in harbour", "/a?id=1", "<guid>old</guid>", STORY)]),
        one_feed([("Explosion in harbour", "/b?id=2", "<guid>new</guid>", (*STORY, *more))]),
        one_feed([("Explosion in harbour kills two", "/b?id=2", changed, (*STORY, LATER))]),
        one_feed([("Explosion in harbour kills two", "/b?id=2", changed, (*STORY, LATER))]),
    ]
    async with collecting({}) as (site, setup):
        first, second = await polled(setup, site, feeds)
    assert first.id == second.id
    assert LATER in second.html


async def test_a_bulletin_of_every_day_is_an_article_each_day_from_the_second_on():
    weather = (
        "It will rain in the whole of the north all day, and the wind turns to the west in the evening.",
        "Sunshine all day in most parts of the country, with light winds and up to eleven degrees at the coast.",
        "Fog in the valleys until noon, then clouds from the south, which bring snow above eight hundred metres.",
    )
    feeds = [
        one_feed([("Weather", f"/w?d={n}", f"<pubDate>{25 + n} Nov 2026 06:00:00 GMT</pubDate>", (MORE, told))])
        for n, told in enumerate(weather)
    ]
    async with collecting({}) as (site, setup):
        assert len(await polled(setup, site, feeds)) == 3


def entry(title, *paragraphs, published=True):
    mark = seen.mark(FeedEntry(id="x", title=title), "")
    return SeenEntry(
        article_id=title, first_seen_at=NOW, content_hash="c" if published else "", mark=mark,
        prose=prose.sketch("".join(f"<p>{text}</p>" for text in paragraphs)),
    )  # fmt: skip


def test_what_is_known_is_of_the_same_title_and_gone_from_the_feed():
    told = entry("A title", *TEXTS.values())
    for known, here, wanted in (
        ({"k": told}, [], True),
        ({"k": told}, ["k"], False),
        ({"k": entry("Another title", *TEXTS.values())}, [], False),
        ({"k": entry("A title", MORE)}, [], False),
        ({"k": told, "l": entry("Another title", *TEXTS.values())}, [], False),  # then they do not tell the article
        ({"k": told, "l": entry("A title", *TEXTS.values(), published=False)}, [], True),
        ({"k": SeenEntry(article_id="a", first_seen_at=NOW, content_hash="c")}, [], False),
    ):
        assert (prose.Known(known, here).original("", told.mark, told.prose) is not None) is wanted


def test_a_sketch_is_short_and_of_a_page_without_paragraphs_too():
    long = "".join(
        f"<p>{text} {MORE} That was paragraph {number} of the text.</p>"
        for number in range(50)
        for text in TEXTS.values()
    )
    assert len(prose.sketch(long)) == prose.SENTENCES * prose.DIGITS
    bare = " ".join(TEXTS.values())
    assert prose.sketch(f"<script>var a = 1;</script><div>{bare}</div>") == prose.sketch(bare) != ""
    assert prose.sketch("") == prose.sketch("<p>Share.</p>") == ""


ALL_DAYS = (
    "The wind blows from the west in all parts of the country.",
    "Ships are asked to keep to the marked way.",
    *SAYINGS,
)
OTHERS = [("Strike kills 31 in Sumy", "/t", "<guid>t</guid>", (TEXTS["Strike kills 31 in Sumy"],)), ("Officials of the committee meet the press", "/m", "<guid>m</guid>", (MORE,))]  # fmt: skip


@pytest.mark.parametrize("dated", [True, False])
async def test_a_bulletin_that_repeats_most_of_its_sentences_is_an_article_each_day(dated):
    """Its heading has no date. The feed keeps the ids of its other entries, so a new id is something new."""
    feeds = []
    for day, told in enumerate(TEXTS.values()):
        date = f"<pubDate>{25 + day} Nov 2026 06:00:00 GMT</pubDate>" if dated else ""
        bulletin = ("Harbour bulletin", f"/b?d={day}", f"<guid>b{day}</guid>{date}", (*ALL_DAYS, told))
        feeds.append(one_feed([bulletin, *OTHERS]))
    async with collecting({}) as (site, setup):
        articles = await polled(setup, site, feeds)
    assert [article.title for article in articles].count("Harbour bulletin") == 3


async def test_an_update_under_a_new_id_and_address_with_most_of_the_sentences_is_read():
    feeds = [
        one_feed([("Explosion in harbour", "/a?id=1", "<guid>old</guid>", STORY), *OTHERS]),
        one_feed([("Explosion in harbour", "/b?id=2", "<guid>new</guid>", (*STORY, LATER)), *OTHERS]),
        one_feed([("Explosion in harbour", "/c?id=3", "<guid>third</guid>", (*STORY, LATER)), *OTHERS]),
    ]
    async with collecting({}) as (site, setup):
        articles = await polled(setup, site, feeds)
    assert sum(LATER in article.html for article in articles) == 1
