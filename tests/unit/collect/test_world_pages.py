"""Pages as sites make them, from a local server to the document: where the text stands, and what is wrong with it."""

import json
from html import escape

import pytest

from tests.unit.collect.cases import check_stories, collect
from tests.unit.collect.test_odd_sites import MORE, TEXTS, TITLES, make_feed

FEED = make_feed("{base}/s/{n}", text=False)
LATER = "A delegation of both parliaments is to travel to the capital next month, where the papers are to be exchanged at last."
MENU = "<nav><ul><li><a href=/>Home</a><li><a href=/w>World</a><li><a href=/s>Sport</a></ul></nav>"


def ld(**more):
    return {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": "{title}",
        "datePublished": "2026-11-27T09:30:00Z",
        "articleBody": "{text} {more} {later}",
    } | more


def body(inner, head=""):
    return f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{{title}} | Harbour Wire</title>{head}</head><body>{MENU}{inner}<footer>© 2026 Harbour Wire</footer></body></html>"


PARAGRAPHS = "<p>{text}</p><p>{more}</p><p>{later}</p>"
LD = json.dumps(ld())
H = "<h1>{title}</h1>"

PAGES = {
    "paragraphs": body(H + PARAGRAPHS),
    "breaks": body(f"<div>{H}{{text}}<br><br>{{more}}<br><br>{{later}}</div>"),
    "pre": body(H + "<pre>{text}\n\n{more}\n\n{later}</pre>"),
    "divs": body(H + "<div><div>{text}</div><div>{more}</div><div>{later}</div></div>"),
    "spans": body(H + "<div><span>{text}</span> <span>{more}</span> <span>{later}</span></div>"),
    "table": body("<table><tr><td>" + H + PARAGRAPHS + "</td><td>Ads</td></tr></table>"),
    "a row for each": body(H + "<table><tr><td>{text}</td></tr><tr><td>{more}</td></tr><tr><td>{later}</td></tr></table>"),
    "list": body(H + "<ul><li>{text}</li><li>{more}</li><li>{later}</li></ul>"),
    "blockquote": body(H + "<blockquote>" + PARAGRAPHS + "</blockquote>"),
    "fonts": body("<center><font size=5><b>{title}</b></font></center><font face=Arial>{text}<p>{more}<p>{later}</font>"),
    "capitals": body(H + PARAGRAPHS).replace("<p>", "<P>").replace("</p>", "</P>").replace("h1>", "H1>"),
    "open paragraphs": body(H + "<p>{text}<p>{more}<p>{later}"),
    "own elements": body("<story-page><story-head>" + H + "</story-head><story-body>" + PARAGRAPHS + "</story-body></story-page>"),
    "an article for each": body(H + "<article><p>{text}</p></article><article><p>{more}</p></article><article><p>{later}</p></article>"),
    "definition list": body(H + "<dl><dt>Friday</dt><dd>{text}</dd><dd>{more}</dd><dd>{later}</dd></dl>"),
    "details": body(H + "<details open><summary>{text}</summary><p>{more}</p><p>{later}</p></details>"),
    "main in a form": body("<form action=/x>" + H + PARAGRAPHS + "<input type=hidden name=__VIEWSTATE value='" + "A" * 9000 + "'></form>"),
    "noscript": body(H + "<div id=app></div><noscript>" + PARAGRAPHS + "</noscript>"),
    "template": body("<template shadowrootmode=open>" + H + PARAGRAPHS + "</template>"),
    "no html": "<title>{title}</title>" + H + PARAGRAPHS,
    "XHTML with a declaration": "<?xml version='1.0' encoding='UTF-8'?>\n" + body(H + PARAGRAPHS),
    "comments of Internet Explorer": "<!--[if IE]><html class=ie><![endif]--><!--[if !IE]><!-->" + body(H + PARAGRAPHS) + "<!--<![endif]-->",
    "an open comment": body(H + PARAGRAPHS + "<!-- open "),
    "a script with tags": body("<script>var a = '<div><p>no';</script>" + H + PARAGRAPHS),
    "an open script in the head": body(H + PARAGRAPHS, "<script>var a = 1;</script ><style>p{}</style >"),
    "CDATA": body(H + "<![CDATA[ x ]]>" + PARAGRAPHS),
    "an email protection": body(H + PARAGRAPHS.replace("{later}", "{later} <a class=__cf_email__ data-cfemail=1234>[email&#160;protected]</a>")),
    "teaser list beside": body("<main>" + H + PARAGRAPHS + "</main><aside>" + "".join(f"<div><h3>Other story {n}</h3><p>A short text of another story that stands beside, number {n}.</p></div>" for n in range(8)) + "</aside>"),
    "related within": body(H + "<p>{text}</p><div class=related><h3>Read also</h3><ul><li><a href=/x>Another story of today</a></ul></div><p>{more}</p><p>{later}</p>"),
    "newsletter within": body(H + "<p>{text}</p><div class=newsletter><p>Sign up for our newsletter</p><form><input></form></div><p>{more}</p><p>{later}</p>"),
    "picture captions": body(H + "<figure><img src=a><figcaption>A picture. Photo: AP</figcaption></figure>" + PARAGRAPHS),
    "AMP": body("<article>" + H + "<amp-img src=x></amp-img>" + PARAGRAPHS + "</article>").replace("<html ", "<html amp "),
    "drop cap": body(H + "<p><span class=dropcap>{first}</span>{rest}</p><p>{more}</p><p>{later}</p>"),
    "a paragraph in spans": body(H + "".join(f"<p><span><span>{{{name}}}</span></span></p>" for name in ("text", "more", "later"))),
    "hidden until asked": body(H + "<div class=teaser><p>{text}</p></div><div class='full hidden' style='display:none'><p>{text}</p><p>{more}</p><p>{later}</p></div>"),
    "text as data": body(H + "<div id=story data-body='{escaped}'></div>"),
    "text as JSON in an attribute": body(H + "<div id=app data-page='{state}'></div>"),
    "Nuxt": body(H + "<div id=__nuxt></div><script>window.__NUXT__={state}</script>"),
    "Next": body(H + "<div id=__next></div><script id=__NEXT_DATA__ type=application/json>{state}</script>"),
    "state as a string": body(H + "<div id=app></div><script>window.__STATE__ = JSON.parse({string})</script>"),
    "Apollo": body(H + "<div id=app></div><script>window.__APOLLO_STATE__={apollo};</script>"),
    "stream of React": body(H + "<div id=app></div><script>self.__next_f.push([1,{string}])</script>"),
    "JSON-LD body": body(H, f"<script type=application/ld+json>{LD}</script>"),
    "JSON-LD in CDATA": body(H, f"<script type=application/ld+json>//<![CDATA[\n{LD}\n//]]></script>"),
    "JSON-LD in a comment": body(H, f"<script type=application/ld+json><!--\n{LD}\n--></script>"),
    "JSON-LD with line breaks": body(H, f"<script type=application/ld+json>{LD.replace('{more}', chr(10) + '{more}' + chr(9))}</script>"),
    "JSON-LD with a comma at the end": body(H, f"<script type=application/ld+json>{LD[:-1]},}}</script>"),
    "JSON-LD with a semicolon": body(H, f"<script type=application/ld+json>{LD};</script>"),
    "JSON-LD twice in one": body(H, f"<script type=application/ld+json>{json.dumps({'@type': 'Organization', 'name': 'H'})}{LD}</script>"),
    "JSON-LD in a graph": body(H, f"<script type=application/ld+json>{json.dumps({'@context': 'x', '@graph': [{'@type': 'WebSite', 'name': 'H'}, ld()]})}</script>"),
    "JSON-LD in lists": body(H, f"<script type=application/ld+json>{json.dumps([[ld()]])}</script>"),
    "JSON-LD of two types": body(H, f"<script type=application/ld+json>{json.dumps(ld(**{'@type': ['Article', 'Thing']}))}</script>"),
    "JSON-LD in capitals": body(H, f"<SCRIPT TYPE='Application/LD+JSON'>{LD}</SCRIPT>"),
    "JSON-LD as main entity": body(H, f"<script type=application/ld+json>{json.dumps({'@type': 'WebPage', 'mainEntity': ld()})}</script>"),
    "JSON-LD body in HTML": body(H, f"<script type=application/ld+json>{json.dumps(ld(articleBody='<p>{text}</p><p>{more}</p><p>{later}</p>')).replace('</', chr(92) + '/')}</script>".replace("\\/", "<\\/")),
    "JSON-LD body escaped": body(H, f"<script type=application/ld+json>{json.dumps(ld(articleBody='&lt;p&gt;{text}&lt;/p&gt;&lt;p&gt;{more}&lt;/p&gt;&lt;p&gt;{later}&lt;/p&gt;'))}</script>"),
    "microdata": body("<div itemscope itemtype='https://schema.org/NewsArticle'><h1 itemprop=headline>{title}</h1><div itemprop=articleBody>" + PARAGRAPHS + "</div></div>"),
    "cookie banner first": body("<div class=cookie-banner><p>We use cookies to make our site better. By going on you accept our cookies.</p><button>OK</button></div>" + H + PARAGRAPHS),
    "old browser notice": body("<p class=browserupgrade>You are using an outdated browser. Please upgrade your browser.</p>" + H + PARAGRAPHS),
    "audio player text": body(H + "<p>Listen to this article</p><p>4 min</p>" + PARAGRAPHS),
    "share bar": body(H + "<div class=share><a>Facebook</a><a>X</a><a>WhatsApp</a><p>Share this article</p></div>" + PARAGRAPHS),
    "comments below": body(H + PARAGRAPHS + "<section id=comments><h2>Comments</h2><p>First! This is a long comment of a reader who does not agree with what was written.</p></section>"),
}  # fmt: skip


def filled(text, n):
    title, told = TITLES[n], TEXTS[TITLES[n]]
    html = f"<p>{told}</p><p>{MORE}</p><p>{LATER}</p>"
    state = {"story": {"title": title, "slug": "x", "body": html}, "menu": ["Home", "World"]}
    apollo = {
        "Article:1": {
            "__typename": "Article",
            "headline": title,
            "paragraphs": [{"text": told}, {"text": MORE}, {"text": LATER}],
        }
    }
    first, rest = told[0], told[1:]
    values = {
        "title": title,
        "text": told,
        "more": MORE,
        "later": LATER,
        "first": first,
        "rest": rest,
        "escaped": escape(html, quote=True),
    }
    quoted = json.dumps(state).replace("</", "<\\/")
    values |= {
        "string": json.dumps(quoted),
        "apollo": json.dumps(apollo),
        "state": escape(quoted) if "data-page" in text else quoted,
    }
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


NOT_IN_TEXT = (
    "Sign up",
    "outdated browser",
    "We use cookies",
    "Another story of today",
    "First! This",
    "Home",
    "Share this",
    "var a",
    "2026 Harbour",
    "Other story",
)


@pytest.mark.parametrize("name", PAGES)
async def test_the_text_of_a_page_is_read_wherever_it_stands(name):
    pages = FEED | {f"/s/{n}": {"body": filled(PAGES[name], n)} for n in range(3)}
    articles, documents, _ = await collect(pages)
    check_stories(articles, documents)
    for document in documents:
        told = TEXTS[document.title]
        assert all(text in document.text for text in (told, MORE, LATER)), document.text
        assert document.text.count(told) == 1
        assert not any(text in document.text for text in NOT_IN_TEXT), document.text


LETTERS = {
    "soft hyphens": ("trea\u00adty", "treaty"), "soft hyphens by name": ("trea&shy;ty", "treaty"), "spaces without width": ("trea\u200bty", "treaty"), "no-break spaces": ("a\u00a0treaty", "a treaty"), "no-break spaces by name": ("a&nbsp;treaty", "a treaty"), "thin spaces": ("a\u2009treaty", "a treaty"),
    "a break chance": ("trea<wbr>ty", "treaty"), "a comment within": ("trea<!-- ad -->ty", "treaty"), "bold within": ("tr<b>eat</b>y", "treaty"), "entities of Windows": ("treaty&#146;s", "treaty’s"), "an entity without its end": ("treaty &amp law", "treaty & law"), "numbers of letters": ("&#116;reaty", "treaty"), "escaped twice": ("treaty &amp;amp; law", "treaty & law"),
    "a line break within": ("a\ntreaty", "a treaty"), "a mark of order": ("\ufefftreaty", "treaty"), "a combining mark": ("tre\u0301aty", "tre\u0301aty"), "control characters": ("tre\x08aty", "treaty"), "a direction": ("\u200etreaty\u200f", "treaty"), "a ligature": ("e\ufb03cient treaty", "e\ufb03cient treaty"), "small letters raised": ("5<sup>th</sup> treaty", "5th treaty"),
}  # fmt: skip


@pytest.mark.parametrize("name", LETTERS)
async def test_the_words_of_a_text_are_whole(name):
    written, wanted = LETTERS[name]
    told = f"The two countries signed {written} in the old capital on Friday, said the foreign ministry in the evening."
    pages = FEED | {f"/s/{n}": {"body": filled(body(H + f"<p>{{text}}</p><p>{told}</p>"), n)} for n in range(3)}
    _, documents, _ = await collect(pages)
    assert all(f"signed {wanted} in the old" in document.text for document in documents), documents[0].text
