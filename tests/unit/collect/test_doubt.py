"""Pages that say nothing of their entry's headline, and are no wall though other pages of the feed say the same."""

import asyncio
import json

from pipeline.records import Feed
from tests.unit.collect.cases import check_stories, collect, collecting
from tests.unit.collect.test_odd_sites import MORE, OFFER, TEXTS, make_feed, page


async def test_articles_that_a_script_holds_behind_the_same_notice_are_no_wall():
    pages = make_feed("{base}/s/{n}", text=False)
    for n, (title, told) in enumerate(TEXTS.items()):
        state = json.dumps({"story": {"title": title, "body": f"<p>{told}</p><p>{MORE}</p>"}})
        notice = (
            f"<div class='cookie-consent'><p>{OFFER}</p><p>{2 * OFFER}</p></div><script>window.STATE = {state}</script>"
        )
        pages[f"/s/{n}"] = {"body": f"<html><title>{title}</title><body><h1>{title}</h1><div id=app></div>{notice}"}
    check_stories(*(await collect(pages))[:2])


async def test_an_article_under_a_new_playful_headline_is_no_wall():
    told = 8 * "They came in buses before dawn, and by noon nobody could say how many stood on the square. "
    titles = ("Four hundred thousand umbrellas", "Winter songs without a choir")
    async with collecting({}) as (site, setup):
        for n, title in enumerate(titles):
            item = f"<item><title>{title}</title><link>/s</link><guid>s</guid></item>"
            feed = f"<rss version='2.0'><channel><title>Wire</title>{item}</channel></rss>"
            site.pages |= {
                "/feed.xml": {"type": "text/xml", "body": feed},
                "/s": page(title, told, f"{n} letters came."),
            }
            for _ in range(4):
                await asyncio.wait_for(setup.poll(Feed(id="wire", url=f"{site.addresses['base']}/feed.xml")), 20)
        assert [article.title for article in setup.sink.articles] == list(titles)


async def test_a_wall_is_known_again_after_a_restart():
    """Also where the feed has one entry at a time, so that its page cannot be compared with another one."""
    async with collecting({}) as (site, setup):
        for n, (title, _) in enumerate([*TEXTS.items(), ("Rain in the valleys tonight", "")]):
            item = f"<item><title>{title}</title><link>/s/{n}</link><guid>{n}</guid></item>"
            feed = f"<rss version='2.0'><channel><title>Wire</title>{item}</channel></rss>"
            site.pages |= {"/feed.xml": {"type": "text/xml", "body": feed}, f"/s/{n}": page(title, OFFER, 2 * OFFER)}
            for _ in range(4):
                await asyncio.wait_for(setup.poll(Feed(id="wire", url=f"{site.addresses['base']}/feed.xml")), 20)
            setup.restart()
        assert len(setup.sink.articles) <= 1  # of the first nobody can tell
        assert all(len(one) < 250 for one in setup.states["wire"].doubts)
