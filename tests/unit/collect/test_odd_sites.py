"""Sites as the world has them, collected with the real HTTP client: odd addresses, walls, sessions, one page for many entries."""

import json

import pytest

from pipeline.collect import trial
from pipeline.records import Feed
from tests.unit.collect.cases import check_stories, collect, collecting, load

TEXTS = {
    "Spain and Chile sign extradition treaty": (
        "Spain and Chile signed an extradition treaty in Madrid on Friday, the Spanish foreign ministry said. The treaty was "
        "negotiated for two years and replaces an older accord."
    ),
    "Japan sanctions three Russian banks": (
        "Japan imposed sanctions on three Russian banks on Friday, the foreign minister said in Tokyo. Payments to them are "
        "forbidden, and what they hold in Japan will be frozen."
    ),
    "Strike kills 31 in Sumy": (
        "A strike killed at least 31 people in the Ukrainian city of Sumy on Friday, the governor said. Rescue teams searched "
        "the ruins of a market hall for survivors through the night."
    ),
}
TITLES = tuple(TEXTS)
MORE = (
    "Officials said that more would be made public in the course of next week, when the committee meets for its regular "
    "session, and that questions of the press would be answered then."
)


def make_feed(link, *, text=True, guid="entry-{n}", date="Fri, 27 Nov 2026 1{n}:00:00 GMT"):
    """A feed of the three stories; `{n}` in a link, guid or date is the entry's number."""
    items = ""
    for n, (title, told) in enumerate(TEXTS.items()):
        description = f"<description><![CDATA[<p>{told}</p>]]></description>" if text else ""
        dated = f"<pubDate>{date.replace('{n}', str(n))}</pubDate>" if date else ""
        identity = f"<guid isPermaLink='false'>{guid.replace('{n}', str(n))}</guid>" if guid else ""
        address = link.replace("{n}", str(n)).replace("&", "&amp;")
        items += f"<item><title>{title}</title><link>{address}</link>{identity}{dated}{description}</item>"
    body = f"<rss version='2.0'><channel><title>Harbour Wire</title>{items}</channel></rss>"
    return {"/feed.xml": {"type": "application/rss+xml", "body": body}}


def page(title, *paragraphs, head="", lang="en"):
    told = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    source = f"<!doctype html><html lang={lang}><head><title>{title}</title>{head}</head><body><main><h1>{title}</h1>{told}</main></body></html>"
    return {"body": source}


def stories(path, *, head=""):
    """The pages of the three stories at a path with the entry's number."""
    return {
        path.replace("{n}", str(n)): page(title, told, MORE, head=head) for n, (title, told) in enumerate(TEXTS.items())
    }


@pytest.mark.parametrize(
    "name",
    [
        "challenge-title", "consent-redirect", "copyright-year", "id-as-bare-query", "id-in-dropped-parameter",
        "meta-refresh", "one-page-many-entries", "session-in-link",
    ],
)  # fmt: skip
async def test_a_case_brings_three_articles_and_no_more_at_later_polls(name):
    articles, documents, _ = await collect(load(name), polls=3)
    check_stories(articles, documents)
    assert all(document.truncated for document in documents) == (
        name in ("challenge-title", "consent-redirect", "one-page-many-entries")
    )


# --- the address is the feed's own ---


@pytest.mark.parametrize(
    "path",
    [
        "/view.do?ref=10{n}", "/view.do?uid=10{n}", "/a?source=10{n}", "/a?session=10{n}", "/a?article_uid=10{n}",
        "/a?partnerid=1{n}&x=1", "/a?gl=1{n}", "/a?fbclid=10{n}", "/a?utm_content=10{n}",
        "/index.php?/2026/11/x{n}", "/story?2026110{n}", "/a?b=2&a=1{n}", "/a%7E{n}/x%2Fy?q=%27{n}", "/story/1{n}/amp",
        "/s|{n}?a={b}|c", "/s??x={n}", "/s?=1{n}", "/s?{n}=&&", "/s?u=http://x.example/{n}", "/s/%E2%82%AC{n}?x=%", "/s/'{n}'?a[]=1",
        "/amp/story-1{n}", "/story.amp.html?id={n}", "/a//b/../c{n}/", "/a;v={n}", "/A{n}.HTML?X=%c3%a4",
    ],
)  # fmt: skip
async def test_a_page_is_asked_for_as_its_feed_writes_it(path):
    articles, documents, site = await collect(make_feed("{base}" + path, text=False) | stories(path), polls=2)
    check_stories(articles, documents)
    assert {asked for asked in site.asked if asked not in ("/feed.xml", "/robots.txt")} == {
        path.replace("{n}", str(n)) for n in range(3)
    }
    assert {article.url for article in articles} == {
        site.addresses["base"] + path.replace("{n}", str(n)) for n in range(3)
    }


@pytest.mark.parametrize(
    "head",
    [
        "<link rel=canonical href=/view.do>",
        "<meta property=og:url content='{base}/view.do'>",
        "<link rel=canonical href=/>",
    ],
)
async def test_one_address_that_all_pages_declare_as_their_own_merges_nothing(head):
    path = "/view.do?cid=10{n}"
    articles, documents, site = await collect(make_feed("{base}" + path) | stories(path, head=head))
    check_stories(articles, documents)
    shown = {document.canonical_url for document in documents}
    assert shown == {f"{site.addresses['base']}/view.do?cid=10{n}" for n in range(3)}


async def test_the_address_that_a_page_declares_is_taken_where_it_can_be_its_own_only():
    pages = make_feed("{base}/view?cid=10{n}&from=rss", text=False)
    for n, title in enumerate(TITLES):
        head = f"<link rel=canonical href='/view?cid=10{n}'>"
        pages[f"/view?cid=10{n}&from=rss"] = page(title, TEXTS[title], MORE, head=head)
    articles, documents, _ = await collect(pages, polls=2)
    check_stories(articles, documents)
    assert documents[0].canonical_url.endswith("/view?cid=100")


@pytest.mark.parametrize("route", ["/app#/story/{n}", "/app#!/story/{n}", "/#story/{n}"])
async def test_an_article_behind_a_route_in_the_browser_is_told_by_the_feed(route):
    shell = {"body": "<html><head><title>Harbour Wire</title></head><body><div id=app></div></body></html>"}
    articles, documents, _ = await collect(make_feed("{base}" + route) | {"/app": shell, "/": shell}, polls=2)
    check_stories(articles, documents)
    assert all(document.truncated for document in documents)


async def test_two_spellings_of_an_address_are_one_article_where_the_pages_agree():
    items = "".join(
        f"<item><title>{TITLES[0]}</title><link>{{base}}{link}</link><guid>{link}</guid></item>"
        for link in ("/a/story-one", "/a/story-one?utm_source=rss", "/a/story-one#xtor=RSS-1")
    )
    told = page(TITLES[0], TEXTS[TITLES[0]], MORE)
    pages = {"/feed.xml": {"type": "text/xml", "body": f"<rss version='2.0'><channel>{items}</channel></rss>"}}
    articles, _, _ = await collect(pages | {"/a/story-one": told, "/a/story-one?utm_source=rss": told})
    assert [article.url.rpartition("/")[2] for article in articles] == ["story-one"]


# --- a wall is not the article ---

ENGLISH = (
    "Before you continue",
    "We and our partners store and access information on your device, and process personal data for measurement.",
    "You can change your mind at any time under privacy settings on each page of our site and in our app.",
)
JAPANESE = (
    "プライバシーに関する設定",
    "当社および当社のパートナーは、お客様の端末に情報を保存し、広告の測定のために個人データを処理します。",
    "同意するか拒否するかをお選びください。設定はいつでも変更することができます。",
)
LOGIN = ("Welcome back", "Sign in to read on, three articles are free for readers each month.", "Forgot your password?")
GONE = (
    "We could not find it",
    "The page has moved or has never been here. Try the search, or go back to where you came from.",
    "<a href=/cf/0>Spain and Chile sign extradition treaty</a> <a href=/cf/1>Japan sanctions three Russian banks</a>",
)
ERROR = ("Oops", "Something went wrong on our side. Our engineers were told. Reference 8f3a-{count}.", "Try later.")
TEASER = "You have read your last free story this month. Become a member from one euro and read everything, every day."


@pytest.mark.parametrize(
    "wall", [ENGLISH, JAPANESE, LOGIN, GONE, ERROR, (LOGIN[0], *(MORE + str(n) for n in range(9)))]
)
@pytest.mark.parametrize(
    "location", ["", "{other}/choice?back=/s/{n}", "/login?next=/s/{n}", "/wall", "/"]
)  # fmt: skip
async def test_a_wall_is_not_the_article_wherever_it_stands_and_whatever_it_says(wall, location):
    pages = make_feed("{base}/s/{n}")
    for n in range(3):
        moved = {"status": 302, "headers": {"Location": location.replace("{n}", str(n))}}
        pages[f"/s/{n}"] = moved if location else page(*wall)
    pages |= {"/choice?*": page(*wall), "/login?*": page(*wall), "/wall": page(*wall), "/": page(*wall)}
    articles, documents, _ = await collect(pages, polls=2)
    check_stories(articles, documents)
    assert all(document.truncated for document in documents)
    assert not any(said in document.text for document in documents for said in wall)


async def test_a_subscription_wall_under_the_articles_own_headline_is_not_the_article():
    pages = make_feed("{base}/s/{n}") | {f"/s/{n}": page(title, TEASER) for n, title in enumerate(TITLES)}
    articles, documents, _ = await collect(pages)
    check_stories(articles, documents)
    assert not any("member" in document.text for document in documents)
    assert all(document.truncated for document in documents)


@pytest.mark.parametrize(
    "offer",
    [
        "To read “{title}”, become a member.", "{title}: sign in to go on. We check who reads.", "We looked for {slug} and for “{title}” and found no page.",
        "Then you are taken to /s/{slug}. " + 4 * MORE, "You were about to read: {title}. " + 4 * ENGLISH[1], "Read “{title}” in our app.",
    ],
)  # fmt: skip
@pytest.mark.parametrize("headline", ["{title}", "One moment", "Access to {title} is checked"])
async def test_a_wall_that_repeats_the_headline_is_not_the_article(offer, headline):
    pages = make_feed("{base}/s/{n}")
    for n, title in enumerate(TITLES):
        filled = [
            text.replace("{title}", title).replace("{slug}", title.lower().replace(" ", "-"))
            for text in (headline, offer)
        ]
        pages[f"/s/{n}"] = page(*filled)
    articles, documents, _ = await collect(pages)
    check_stories(articles, documents)
    assert all(document.truncated for document in documents)


OFFER = (
    "Our subscribers support independent reporting from forty countries, and they get the evening letter, the crossword and the "
    "archive since 1901 for one price. Choose between a month and a year, and pay by card or on account, as you like. Students pay "
    "half, and the second licence is for a person in your household. It can be cancelled at any time, by telephone or by letter."
)


@pytest.mark.parametrize(
    "wall", [(OFFER, OFFER.upper()), (3 * ENGLISH[1], ENGLISH[2]), (OFFER, MORE, "Seen {count} times.")]
)
@pytest.mark.parametrize("headline", ["{title}", "Access to {title} is checked"])
@pytest.mark.parametrize("polls", [1, 4])
async def test_a_long_wall_under_the_headlines_of_several_entries_is_no_article(wall, headline, polls):
    """The feed has no text, and the headline alone speaks for the page: the pages of other entries tell."""
    pages = make_feed("{base}/s/{n}", text=False)
    pages |= {f"/s/{n}": page(headline.replace("{title}", title), *wall) for n, title in enumerate(TITLES)}
    async with collecting(pages) as (site, setup):
        feed = Feed(id="harbour", url=f"{site.addresses['base']}/feed.xml")
        for _ in range(polls):
            await setup.poll(feed)
        assert setup.sink.articles == []
        (report,) = await trial.check(setup.settings, [feed], clock=setup.clock)
        assert any(note.startswith("3 of 3 pages are a wall") for note in report.notes)


async def test_articles_under_playful_headlines_that_say_nothing_of_them_are_kept():
    pages = make_feed("{base}/s/{n}", text=False)
    bodies = (2 * OFFER.replace("Our subscribers", "The farmers"), 4 * MORE, 8 * ENGLISH[2])
    pages |= {f"/s/{n}": page(title, bodies[n]) for n, title in enumerate(TITLES)}
    articles, documents, _ = await collect(pages)
    assert sorted(document.title for document in documents) == sorted(TITLES)
    assert len(articles) == 3


async def test_a_list_of_the_sites_stories_under_another_headline_is_not_the_article():
    """Also the first that leads there, when nobody knows yet that others do."""
    gone = page("Sorry, not found", "That page is gone. These were read most today:", *TEXTS.values())
    articles, documents, _ = await collect(make_feed("{base}/s/{n}") | {f"/s/{n}": gone for n in range(3)})
    check_stories(articles, documents)
    assert not any("That page is gone" in document.text for document in documents)


async def test_an_answer_for_programs_is_not_the_article():
    refused = {"type": "application/json; charset=utf-8", "body": '{"error": "not allowed here"}'}
    articles, documents, _ = await collect(make_feed("{base}/s/{n}") | {f"/s/{n}": refused for n in range(3)})
    check_stories(articles, documents)
    assert all(document.truncated for document in documents)


async def test_a_page_with_the_first_sentence_and_an_offer_is_marked_as_cut_short():
    first = {title: text.partition(". ")[0] + "." for title, text in TEXTS.items()}
    pages = make_feed("{base}/s/{n}")
    pages |= {f"/s/{n}": page(t, first[t], TEASER) for n, t in enumerate(TITLES)}
    articles, documents, _ = await collect(pages)
    check_stories(articles, documents)
    assert all(document.truncated for document in documents)
    assert not any("member" in document.text for document in documents)


@pytest.mark.parametrize("status", [401, 403, 451])
async def test_a_page_that_is_refused_is_told_by_one_sentence_of_the_feed(status):
    pages = make_feed("{base}/s/{n}") | {f"/s/{n}": {"status": status, "body": "Just a moment..."} for n in range(3)}
    body = pages["/feed.xml"]["body"]
    for text in TEXTS.values():
        body = body.replace(text, text.partition(". ")[0] + ".")
    articles, documents, _ = await collect(pages | {"/feed.xml": {"type": "text/xml", "body": body}})
    check_stories(articles, documents)
    assert all(document.truncated for document in documents)


async def test_nothing_of_a_wall_is_taken_neither_byline_nor_date_nor_picture():
    head = (
        "<meta name=author content='Portal Team'><meta property=og:image content=/logo.png>"
        "<meta property='article:published_time' content='2020-01-02T03:04:05Z'>"
    )
    pages = make_feed("{base}/s/{n}") | {f"/s/{n}": page(*LOGIN, head=head) for n in range(3)}
    _, documents, _ = await collect(pages)
    assert {(document.authors, document.image_url, document.published_at.year) for document in documents} == {
        ((), None, 2026)
    }


async def test_a_wall_before_entries_without_a_text_is_tried_again_and_what_comes_later_is_read():
    pages = make_feed("{base}/s/{n}", text=False) | {f"/s/{n}": page(*LOGIN) for n in range(3)}
    assert (await collect(pages, polls=2))[0] == []


async def test_a_front_page_of_the_same_site_with_all_headlines_as_links_is_not_the_article():
    links = "".join(f"<li><a href=/s/{n}>{title}</a></li>" for n, title in enumerate(TITLES))
    front = page("Harbour Wire", f"<ul>{links}</ul>")
    pages = make_feed("{base}/s/{n}") | {"/home": front}
    pages |= {f"/s/{n}": {"status": 302, "headers": {"Location": "/home"}} for n in range(3)}
    check_stories(*(await collect(pages, polls=2))[:2])


@pytest.mark.parametrize("text", [True, False])
async def test_the_check_of_feeds_says_that_a_wall_is_met(text):
    pages = make_feed("{base}/s/{n}", text=text) | stories("/s/{n}") | {"/s/1": page(*LOGIN), "/s/2": page(*ENGLISH)}
    async with collecting(pages) as (site, setup):
        feed = Feed(id="harbour", url=f"{site.addresses['base']}/feed.xml")
        (report,) = await trial.check(setup.settings, [feed], clock=setup.clock)
        assert report.ok
        assert [note for note in report.notes if note.startswith("2 of 3 pages are a wall (is not the article")]
        assert report.notes[-1].endswith("the feed's text is used") == text
        pages |= stories("/s/{n}")
        (report,) = await trial.check(setup.settings, [feed], clock=setup.clock)
        assert not any("wall" in note for note in report.notes)


# --- meta refresh ---


@pytest.mark.parametrize(
    "stub",
    [
        "<META HTTP-EQUIV='Refresh' CONTENT='0;URL=/real/{n}'>",
        "<meta content='2; url=&quot;{base}/real/{n}&quot;' http-equiv=refresh>",
        "<base href='{base}/real/'><meta http-equiv=refresh content='0;url={n}'>",
        "<script>window.location.href = '/real/{n}';</script><noscript>Please turn scripts on.</noscript>",
        "<script>go()</script><noscript><meta http-equiv=refresh content='0;url=/real/{n}'></noscript>",
        "<noscript><meta http-equiv='refresh' content='0; url=/nojs'></noscript><meta http-equiv=refresh content=0;/real/{n}>",
    ],
)
async def test_a_refresh_is_followed_as_a_redirect_is(stub):
    pages = make_feed("{base}/go/{n}", text=False) | stories("/real/{n}")
    for n in range(3):
        pages[f"/go/{n}"] = {
            "body": f"<html><head>{stub.replace('{n}', str(n))}<title>Redirecting</title></head></html>"
        }
    articles, documents, site = await collect(pages, polls=2)
    check_stories(articles, documents)
    assert site.asked["/nojs"] == 0


async def test_a_refresh_in_the_head_of_the_answer_is_followed():
    stub = {"body": "<html><title>Redirecting</title></html>"}
    pages = make_feed("{base}/go/{n}", text=False) | stories("/real/{n}")
    pages |= {f"/go/{n}": stub | {"headers": {"Refresh": f"0; url=/real/{n}"}} for n in range(3)}
    check_stories(*(await collect(pages, polls=2))[:2])


async def test_what_a_script_of_an_article_may_do_is_not_followed():
    """Only a page without text leads on by its script, and only where it can lead to one address."""
    head = "<script>if (old) { location.href = '/old' }</script>"
    pages = make_feed("{base}/s/{n}") | stories("/s/{n}", head=head)
    pages["/s/1"] = {
        "body": "<html><script>if (a) { location.href = '/a' } else { location.replace('/b') }</script></html>"
    }
    articles, documents, site = await collect(pages)
    check_stories(articles, documents)
    assert not site.asked["/old"] + site.asked["/a"] + site.asked["/b"]


async def test_refreshes_in_a_circle_end_and_a_page_that_loads_itself_again_is_read():
    again = "<meta http-equiv=refresh content='0; url=/go/{n}'>"
    pages = make_feed("{base}/s/{n}") | {"/go/1": {"body": "<meta http-equiv=refresh content='0;url=/go/2'>"}}
    pages["/go/2"] = {"body": "<meta http-equiv=refresh content='0;url=/go/1'>"}
    pages |= {"/s/0": {"body": again.replace("{n}", "1")}}
    pages |= {f"/s/{n}": page(t, TEXTS[t], MORE, head=f"<meta http-equiv=refresh content='0;url=/s/{n}'>") for n, t in enumerate(TITLES) if n}  # fmt: skip
    articles, _, site = await collect(pages, polls=4)
    assert len(articles) == 3
    assert site.asked["/go/1"] + site.asked["/go/2"] <= 3 * 6


# --- one page for many entries ---


@pytest.mark.parametrize(
    ("link", "guid"),
    [("/live/talks", "entry-{n}"), ("/live/talks", ""), ("/live/talks#p{n}", ""), ("/live/talks?x#p{n}", "same")],
)
async def test_entries_that_link_to_one_page_are_articles_of_their_own(link, guid):
    live = page("Live: the day as it happens", "The live page of the day opens here and is brought up to date.", MORE)
    pages = make_feed("{base}" + link, guid=guid) | {"/live/talks": live, "/live/talks?x": live}
    articles, documents, site = await collect(pages, polls=3)
    check_stories(articles, documents)
    assert site.asked["/live/talks"] + site.asked["/live/talks?x"] == 1


@pytest.mark.parametrize(
    "part",
    [
        "<section id=p{n}><h2>{title}</h2><p>{text}</p></section>",
        "<h2><a name=p{n}></a>{title}</h2><p>{text}</p>",
        "<div class=post><h3>{title}</h3><div><p>{text}</p></div></div>",
        "<article data-id=p{n}><header><h2>{title}</h2></header><div>{text}</div></article>",
        "<dl><dt id=p{n}>{title}</dt><dd>{text}</dd></dl>",
        "<li id=p{n}><b>{title}</b> <span>{text}</span></li>",
        "<table><tr id=p{n}><td><h3>{title}</h3></td><td>{text}</td></tr></table>",
        "<details id=p{n}><summary>{title}</summary><p>{text}</p></details>",
    ],
)
@pytest.mark.parametrize("guid", ["entry-{n}", ""])
async def test_each_gets_its_part_of_the_page(part, guid):
    told = "".join(
        part.replace("{n}", str(n)).replace("{title}", title).replace("{text}", text)
        for n, (title, text) in enumerate(TEXTS.items())
    )
    live = {
        "body": f"<html><head><title>The day as it happens</title></head><body><h1>The day as it happens</h1>{told}</body></html>"
    }
    articles, documents, _ = await collect(
        make_feed("{base}/live#p{n}", text=False, guid=guid) | {"/live": live}, polls=2
    )
    check_stories(articles, documents)
    assert not any(document.truncated for document in documents)
    for document in documents:
        assert sum(text[:40] in document.text for text in TEXTS.values()) == 1


async def test_what_differs_in_a_fragment_only_and_says_the_same_is_one_article():
    items = "".join(
        f"<item><title>{TITLES[0]}</title><link>{{base}}/a/story-one#{n}</link><guid>{n}</guid></item>"
        for n in range(2)
    )
    pages = {"/feed.xml": {"type": "text/xml", "body": f"<rss version='2.0'><channel>{items}</channel></rss>"}}
    pages["/a/story-one"] = page(TITLES[0], TEXTS[TITLES[0]], MORE)
    assert len((await collect(pages, polls=2))[0]) == 1


# --- sessions in links, guids that change ---


@pytest.mark.parametrize(
    ("link", "guid"),
    [
        ("/s/{n}.html?PHPSESSID=A{count}", "{base}/s/{n}.html?PHPSESSID=A{count}"),
        ("/(S({count}))/s/{n}", "g-{n}-{count}"),
        ("/s/{n}?t={count}", ""),
    ],
)
@pytest.mark.parametrize("date", ["Fri, 27 Nov 2026 1{n}:00:00 GMT", ""])
@pytest.mark.parametrize("text", [True, False])
async def test_what_is_new_in_an_address_at_every_poll_makes_no_new_article(link, guid, date, text):
    pages = make_feed("{base}" + link, guid=guid, date=date, text=text)
    for count in range(1, 5):
        pages |= stories(link.replace("{count}", str(count)))
    articles, documents, site = await collect(pages, polls=4)
    check_stories(articles, documents)
    if date or text:  # what says enough to be recognised is not even asked for again
        assert sum(site.asked.values()) == 4 + 1 + 3


async def test_a_new_story_under_an_old_title_is_a_new_article():
    feed = {
        "version": "https://jsonfeed.org/version/1",
        "items": [{"id": "b-{count}", "url": "{base}/briefing-{count}", "title": "The morning briefing of the day"}],
    }
    pages = {"/feed.xml": {"type": "application/json", "body": json.dumps(feed)}}
    for count, text in enumerate(TEXTS.values(), 1):
        pages[f"/briefing-{count}"] = page("The morning briefing of the day", text, MORE)
    assert len((await collect(pages, polls=3))[0]) == 3
