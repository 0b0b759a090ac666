"""Pages as the world writes them: struck text, footnotes, odd elements, live pages, scripts that hold the text, labels."""

import datetime as dt
import json
from pathlib import Path

import pytest

from pipeline.collect.feed import parse_feed
from pipeline.detect.drafts import written_at
from pipeline.page import decode
from pipeline.page.extract import extract, extract_jsonl, from_page
from pipeline.page.plain import plain_text
from pipeline.stage import Rejected
from tests.make import make_article, make_document

CASES = Path(__file__).parents[1] / "cases"
NOW = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)
TITLE = "Army takes river town, minister says"
FIRST = (
    "The army captured the river town of Kelm on Friday after two days of fighting, the defence minister said, and at least 12 "
    "soldiers were killed."
)
SECOND = (
    "Officials from both delegations said that the plan would be put before parliaments in the spring, and that monitors from "
    "the port authority would be sent to the silos within a month."
)
CONSENT = (
    (
        "We and our partners store and access information on a device, such as cookies, and process personal data for measurement "
        "and audience insights, which you may accept or refuse at any time in the settings."
    ),
    "You may click to consent to our and our 842 partners processing as described above, or refuse to consent before it.",
    "Your choices apply to this site only, and you can change them or withdraw your consent whenever you like.",
)


def read(body, *, head="", title=TITLE, lang="en", url="https://n.example/story/2"):
    source = f"<!doctype html><html lang={lang}><head><title>{title}</title>{head}</head><body>{body}</body></html>"
    return extract(from_page(source, url, now=NOW))


def story(*paragraphs):
    return f"<article><h1>{TITLE}</h1>{''.join(f'<p>{p}</p>' for p in paragraphs)}<p>{SECOND}</p></article>"


def answers(name):
    lines = (CASES / name / "pages.jsonl").read_bytes().splitlines()
    return {found["id"]: found for found in map(json.loads, extract_jsonl(lines, now=NOW))}


def test_the_cases_of_mark_up_have_the_right_values():
    for answer in answers("struck-text").values():
        assert "killed 4 people" in answer["text"]
        assert "hit by Russian rockets" in answer["text"]
        assert "40" not in answer["text"]
        assert "Ukrainian" not in answer["text"]
    (aside,) = answers("aside-article").values()
    assert aside["text"].startswith("The army captured the river town of Kelm")
    assert "consent" not in aside["text"]


# --- struck and hidden text ---


@pytest.mark.parametrize(
    ("markup", "head"),
    [
        ("<del>40</del> <ins>4</ins>", ""), ("<s>40</s>4", ""), ("<strike>40</strike> 4", ""),
        ('<span style="color:red;TEXT-DECORATION: underline line-through">40</span> 4', ""),
        ('<span style="text-decoration-line:line-through">40</span> 4', ""), ('<span class="line-through">40</span> 4', ""),
        ('<span class="old">40</span> 4', "<style>.x{color:red} span.old, .older { text-decoration: line-through }</style>"),
        ('<span id="old">40</span> 4', "<style>@media print{.y{display:none}} #old{display:none!important}</style>"),
        ('<span class="upd old">40</span> 4', "<style>p .old{text-decoration:line-through}</style>"), ("<span data-old>40</span> 4", "<style>[data-old]{text-decoration:line-through}</style>"),
        ('<span class="c"><i class=was>40</i> 4</span>', "<style>.c .was, x|y:: {text-decoration:line-through}</style>"), ('<span class="a old">40</span> 4', "<style>@media screen{.a.old{text-decoration:line-through}}</style>"),
        ("<span role=deletion>40</span> <span role=insertion>4</span>", ""), ("<span class=is-deleted>40</span> 4", ""), ("<span style='opacity:0'>40</span> 4", ""),
        ("<span style='position:absolute;left:-9999px'>40</span> 4", ""), ("<noscript>40</noscript>4", ""), ("<style>.x{color:red}</style>4", ""),
        ("<span hidden>40</span> 4", ""), ('<span style="visibility:hidden">40</span> 4', ""),
        ('<span style="font-size:0">40</span> 4', ""), ("<del><b>40</b></del> 4", ""), ("<template>40</template>4", ""),
        ("<span class=strike>40</span> 4", ""), ("<span class='text-strike x'>40</span> 4", ""), ("<em class=ql-strike>40</em> 4", ""),
        ("<span class=strike_text>40</span> 4", ""), ("<span class=lineThrough>40</span> 4", ""), ("<span class=del>40</span> 4", ""),
        ("<span data-strike=true>40</span> 4", ""), ("4\u03360\u0336 4", ""), ("<span class='x sr-only'>40</span> 4", ""),
    ],
)  # fmt: skip
def test_what_is_struck_or_hidden_is_not_read(markup, head):
    text = read(story(f"The strike on the depot killed {markup} people on Friday, the governor said."), head=head).text
    assert "The strike on the depot killed 4 people on Friday" in text
    assert "40" not in text


def test_what_is_marked_with_the_word_strike_may_be_news_of_a_strike():
    told = "Workers say that <span class=strike-news>the strike begins on Monday</span> at all ports of the coast."
    for mark in ("strike", "tag-strike", "story strike"):
        text = read(f"<article class='{mark}'><h1>{TITLE}</h1><p>{FIRST}</p><p class=strike>{told}</p></article>").text
        assert "the strike begins on Monday" in text
    body = f"<article><h1 class=sr-only>{TITLE}</h1><p>{FIRST}</p><p>{SECOND}</p></article>"
    assert read(body, title="Kelm").title == TITLE


def test_a_rule_of_a_tag_alone_or_of_small_screens_strikes_and_hides_nothing():
    head = "<style>span{text-decoration:line-through} @media (max-width:600px){.wide{display:none}}</style>"
    text = read(story("The strike on the depot <span class=wide>killed 4</span> people on Friday."), head=head).text
    assert "killed 4 people" in text


def test_a_whole_paragraph_that_was_superseded_is_out_and_a_headline_is_read_as_it_stands():
    body = f"<article><h1>Army takes <s>two</s> river towns, minister says</h1><del><p>{SECOND}</p></del><p>{FIRST}</p></article>"
    found = read(body, title="Kelm")
    assert found.text == FIRST
    assert found.title == "Army takes river towns, minister says"


def test_a_page_that_hides_its_article_until_a_script_runs_is_read():
    body = f'<div style="display:none"><h1>{TITLE}</h1><p>{FIRST}</p><p>{SECOND}</p></div>'
    assert FIRST in read(body).text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("killed <del>40</del> 4", "killed 4"), ("killed <s class='x'>40</s>4", "killed 4"), ("<strong>4</strong> <span>dead</span>", "4 dead"),
        ('hit <span style="text-decoration:line-through">by A</span> by B', "hit by B"), ("4<sup>2</sup> dead", "4 dead"),
        ("4<sup><a href='#n'>[2]</a></sup> dead", "4 dead"), ("5 km<sup>2</sup> of land", "5 km² of land"), ("10<sup>6</sup>", "10⁶"),
        ("<b class='x strikethrough'>40</b> 4", "4"), ("&lt;del&gt;40&lt;/del&gt; 4", "4"), ("4\u03360\u0336 4", "4"),
        ("the 1<sup>st</sup> of May", "the 1st of May"),
    ],
)  # fmt: skip
def test_a_feeds_own_text_is_read_without_what_is_struck(markup, text):
    assert plain_text(markup) == text


# --- footnotes ---


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("killed 4<sup>2</sup> people", "killed 4 people"), ("killed 4<sup>[12]</sup> people", "killed 4 people"),
        ("killed 4<sup><a href='#fn1'>1</a></sup> people", "killed 4 people"), ("killed 40<sup>*</sup> people", "killed 40 people"),
        ("killed 4<sup class='footnote-ref'>a</sup> people", "killed 4 people"), ("held 5 km<sup>2</sup> of land", "held 5 km² of land"),
        ("on the 21<sup>st</sup> of May", "on the 21st of May"), ("rose by 10<sup>6</sup> tonnes", "rose by 10⁶ tonnes"),
        ("killed 4<span class=footnote>2</span> people", "killed 4 people"), ("killed 4<a href='#fn2'>2</a> people", "killed 4 people"),
        ("killed 4<a href='#cite_note-3'>[3]</a> people", "killed 4 people"), ("killed 4<span style='vertical-align: super'>2</span> people", "killed 4 people"),
        ("killed 4² people", "killed 4 people"), ("in 2025¹³ it", "in 2025 it"), ("killed 4<sub>1</sub> people", "killed 4 people"), ("rose to 10⁶ and", "rose to 10⁶ and"),
        ("killed 4<sup>iii</sup> people", "killed 4 people"), ("killed 4<sup>†2</sup> people", "killed 4 people"), ("see <a href='#more'>page 2</a> for", "see page 2 for"),
        ("killed 4<span class=superscript>2</span> people", "killed 4 people"), ("killed 4<span class=nt>2</span> people", "killed 4 people"),
        ("killed 4<span style='position:relative;top:-.5em'>2</span> people", "killed 4 people"),
        ("said so.<sup>3</sup> Then", "said so. Then"), ("CO<sub>2</sub> fell", "CO2 fell"), ("in 2025<sup>1, 2</sup> it", "in 2025 it"),
    ],
)  # fmt: skip
def test_a_raised_mark_does_not_join_a_number(markup, text):
    head = "<style>.nt{vertical-align:super;font-size:smaller}</style>"
    assert text in read(story(FIRST, f"The report of the ministry {markup} and gave more figures."), head=head).text


# --- where the article stands ---


@pytest.mark.parametrize(
    "frame",
    [
        "<aside class='main-column'>{}</aside>", "<section>{}</section>", "<table><tr><td>{}</td><td><a href=/x>x</a></td></tr></table>",
        "<aside><div><section>{}</section></div></aside>", "<table><tbody><tr><td><table><tr><td>{}</td></tr></table></td></tr></tbody></table>",
        "<form action=/>{}</form>", "<div class=sidebar>{}</div>", "<details open><summary>x</summary>{}</details>",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["before", "after", "unmarked", "unmarked after", "none"])
def test_the_block_under_the_headline_is_the_article_and_a_consent_text_is_not(frame, place):
    block = frame.format(f"<h1>{TITLE}</h1><p>{FIRST}</p><p>{SECOND}</p>")
    mark = "" if "unmarked" in place else " class='consent' id=cmp"
    consent = f"<div{mark}><h2>Your privacy</h2>{''.join(f'<p>{text}</p>' for text in CONSENT)}</div>"
    after = "after" in place
    body = block if place == "none" else f"{block}{consent}" if after else f"{consent}{block}"
    assert read(body).text == f"{FIRST}\n\n{SECOND}"


PLACES = {
    "h2": f"<aside class=main><h2>{TITLE}</h2><p>{FIRST}</p><p>{SECOND}</p></aside>",
    "role": f"<aside><div role=heading aria-level=1>{TITLE}</div><p>{FIRST}</p><p>{SECOND}</p></aside>",
    "font": f"<table><tr><td><font size=5>{TITLE}</font><p>{FIRST}</p><p>{SECOND}</p></td></tr></table>",
    "before an aside": f"<header><h1>{TITLE}</h1></header><aside class=story><p>{FIRST}</p><p>{SECOND}</p></aside>",
    "before a table": f"<h1>{TITLE}</h1><table><tr><td><p>{FIRST}</p><p>{SECOND}</p></td><td><p>Sunny.</p></td></tr></table>",
    "comments": f"<div class=comments-section><h1>{TITLE}</h1><p>{FIRST}</p><p>{SECOND}</p></div>",
    "consent inside": f"<article><h1>{TITLE}</h1><div>{{consent}}</div><p>{FIRST}</p><p>{SECOND}</p></article>",
}


@pytest.mark.parametrize("place", PLACES)
def test_the_article_is_found_under_whatever_is_its_headline(place):
    consent = "".join(f"<p>{text}</p>" for text in CONSENT)
    body = PLACES[place].replace("{consent}", consent)
    assert read(f"{body}<div>{consent}</div>").text.removesuffix("\n\nSunny.") == f"{FIRST}\n\n{SECOND}"


def test_an_article_about_cookies_and_consent_is_kept():
    title = "Regulator fines site over cookie consent"
    told = "The regulator fined the site over cookies on Friday: consent was not asked for, and partners had personal data."
    text = read(f"<article><h1>{title}</h1><div><p>{told}</p></div><p>{SECOND}</p></article>", title=title).text
    assert text == f"{told}\n\n{SECOND}"


def test_a_consent_text_alone_is_no_article():
    body = f"<h1>Your privacy choices</h1>{''.join(f'<p>{text}</p>' for text in CONSENT)}"
    source = f"<html><head><title>Consent</title></head><body>{body}</body></html>"
    with pytest.raises(Rejected):
        extract(make_article(source, content_type="text/html", title=TITLE, summary=""))
    told = extract(make_article(source, content_type="text/html", title=TITLE, summary=FIRST))
    assert (told.title, told.text, told.truncated) == (TITLE, FIRST, True)


# --- live pages ---

UPDATES = (
    ("2026-11-27T18:00:00Z", "Accord signed", "Ukraine and Russia signed the grain accord in Geneva today, the foreign ministry said."),
    ("2026-11-26T09:30:00Z", "Talks resume", "The talks were resumed on Thursday morning and lasted until the evening, diplomats said."),
    ("2026-11-25T06:00:00Z", "Delegations arrive", "The delegations arrived in Geneva this morning for three days of talks."),
)  # fmt: skip


def days(found):
    """The day of each update's paragraph, by its place in the text."""
    document = make_document(text=found.text, updates=found.updates, published_at=found.published_at)
    return [written_at(document, found.text.index(text)) for _, _, text in UPDATES]


def declared(**fields):
    listed = [
        {"@type": "BlogPosting", "headline": h, "datePublished": at, "articleBody": text} for at, h, text in UPDATES
    ]
    thing = {
        "@type": "LiveBlogPosting",
        "headline": "Grain talks live",
        "datePublished": "2026-11-25T06:00:00Z",
        "liveBlogUpdate": listed,
    }
    return f'<script type="application/ld+json">{json.dumps(thing | fields)}</script>'


LIVE = "<h1>Grain talks live: the third day</h1>"
SHAPES = {
    "sections": "<section><time datetime='{at}'>{clock}</time><h2>{head}</h2><p>{text}</p></section>",
    "time after": "<div class=post><h3>{head}</h3><p>{text}</p><footer><time datetime='{at}'>{clock}</time></footer></div>",
    "flat": "<h3><time datetime='{at}'>{clock}</time> {head}</h3><p>{text}</p>",
    "attribute": "<div class=post data-timestamp='{unix}'><h3>{head}</h3><p>{text}</p></div>",
    "abbr": "<section><abbr title='{at}'>{clock}</abbr><h3>{head}</h3><p>{text}</p></section>",
    "span": "<section><span datetime='{at}'>{clock}</span><h3>{head}</h3><p>{text}</p></section>",
    "time in words": "<section><time>{day}</time><h3>{head}</h3><p>{text}</p></section>",
    "microdata": "<div itemscope><meta itemprop=datePublished content='{at}'><h3>{head}</h3><p>{text}</p></div>",
    "day in front": "<p>{long} - {text}</p>",
    "days in words": "<h3>{day}</h3><p>{text}</p>",
    "days without a year": "<h4>{short}</h4><p>{text}</p>",
    "list": "<li><time datetime='{at}'>{clock}</time> <b>{head}</b> <span>{text}</span></li>",
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("head", ["", declared()])
def test_each_update_has_a_day_of_its_own(shape, head):
    blocks = ""
    for at, title, text in UPDATES:
        moment = dt.datetime.fromisoformat(at)
        blocks += SHAPES[shape].format(
            at=at,
            clock=f"{moment:%H:%M}",
            head=title,
            text=text,
            day=f"{moment:%d %B %Y}",
            short=f"{moment:%d %b %H:%M}",
            long=f"{moment:%d %B, %H:%M}",
            unix=int(moment.timestamp()),
        )
    found = read(f"<main>{LIVE}{'<ul>' if shape == 'list' else ''}{blocks}</main>", head=head, title="Grain talks live")
    assert [at.date().isoformat() for at in days(found)] == [at[:10] for at, _, _ in UPDATES]


def test_the_updates_that_only_json_ld_holds_are_read_with_their_days():
    found = read(f"<main>{LIVE}<div id=app></div></main>", head=declared(), title="Grain talks live: the third day")
    assert [at.date().isoformat() for at in days(found)] == [at[:10] for at, _, _ in UPDATES]


def test_the_case_of_a_live_page_has_the_right_days():
    page = (CASES / "live-blog-days/page.html").read_text("utf-8")
    found = extract(from_page(page, "https://n.example/live/1", now=NOW))
    parts = [(found.text[update.start :][:12], f"{update.at:%d}") for update in found.updates]
    assert parts == [("Accord signe", "27"), ("Delegations ", "25")]


def test_lines_of_a_plain_text_that_are_days_date_what_follows():
    text = "\n\n".join(f"{at[8:10]} November 2026\n\n{told}" for at, _, told in UPDATES)
    found = extract(make_article(text, content_type="text/plain", fetched_at=NOW, title="Grain talks"))
    assert [at.date().isoformat() for at in days(found)] == [at[:10] for at, _, _ in UPDATES]


def test_an_article_with_times_of_other_articles_beside_it_has_no_updates():
    others = "".join(f"<aside><a href=/{n}>Another story of the day</a><time datetime='{at}'>x</time></aside>" for n, (at, _, _) in enumerate(UPDATES))  # fmt: skip
    body = f"<header><time datetime='2026-11-27T08:00:00Z'>x</time></header>{story(FIRST)}{others}"
    assert read(body).updates == ()


# --- titles, labels, scripts ---


@pytest.mark.parametrize(
    "written",
    ["Smith &amp; Sons wins", "&lt;mark&gt;Smith&lt;/mark&gt; &amp;amp; Sons wins", "&lt;font color=red&gt;Smith&lt;/font&gt; &amp; Sons wins", "&lt;del&gt;Jones&lt;/del&gt; Smith &amp; Sons wins", "Smith &amp;amp; Sons wins", "Smith &amp;amp;amp; Sons wins", "&amp;lt;b&amp;gt;Smith&amp;lt;/b&amp;gt; &amp;#38; Sons wins"],
)  # fmt: skip
def test_a_title_is_read_however_often_it_was_escaped(written):
    assert read(f"<article><p>{FIRST}</p><p>{SECOND}</p></article>", title=written).title == "Smith & Sons wins"
    assert plain_text(written) == "Smith & Sons wins"
    for escaped in (written, f"<![CDATA[{written}]]>", f"<![CDATA[&lt;![CDATA[{written}]]&gt;]]>"):
        feed = f"<rss version='2.0'><channel><item><title>{escaped}</title><link>https://n.example/1</link></item></channel></rss>"
        assert parse_feed(feed.encode()).entries[0].title == "Smith & Sons wins"


def test_signs_that_are_no_mark_up_stay_in_a_title():
    assert plain_text("R&D: is 3 &lt; 5?") == "R&D: is 3 < 5?"
    assert plain_text("Use of &lt;script&gt; tags") == "Use of <script> tags"


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("x-euc-jp", "euc_jp", "首相は金曜日に訪問した"), ("x-sjis", "cp932", "首相は金曜日に訪問した"), ("windows-31j", "cp932", "首相は①訪問した"),
        ("x-gbk", "gbk", "总理星期五访问了首都"), ("x-x-big5", "big5", "總理星期五訪問了首都"), ("cn-big5", "big5", "總理星期五訪問了首都"),
        ("cp-1251", "cp1251", "Министр прибыл в пятницу"), ("x-cp1251", "cp1251", "Министр прибыл в пятницу"), ("koi", "koi8_r", "Министр прибыл"),
        ("ks_c_5601", "cp949", "총리가 금요일에 방문했다"), ("x-windows-949", "cp949", "총리가 금요일에 방문했다"), ("iso8859_1", "cp1252", "Le président a parlé"),
        ("eucJP-ms", "euc_jp", "首相は金曜日に訪問した"), ("cp51932", "euc_jp", "首相は金曜日に訪問した"), ("x-ms-cp932", "cp932", "首相は①訪問した"),
        ("utf8mb4_unicode_ci", "utf-8", "Le président ① a parlé"), ("koi8r", "koi8_r", "Министр прибыл"), ("latin-9", "iso8859_15", "Cinq € au président"),
        ("x-mac-ce", "mac_latin2", "Premiér přišel v pátek"), ("iso-8859-8-e", "iso8859_8", "ראש הממשלה הגיע"), ("windows874", "cp874", "นายกรัฐมนตรีเดินทาง"),
        ("big5-eten", "big5", "總理星期五訪問了首都"), ("windows1251", "cp1251", "Министр прибыл в пятницу"), ("cp50221", "iso2022_jp", "首相は金曜日に訪問した"),
        ("ISO_8859-1:1987", "cp1252", "Le président a parlé"), ("x-mac-roman", "mac_roman", "Le président a parlé"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["header", "meta"])
def test_a_label_that_browsers_know_is_known(label, codec, text, where):
    head = f"<meta charset={label}>" if where == "meta" else ""
    page = f"<html><head>{head}</head><body><p>{text}</p></body></html>".encode(codec)
    assert text in decode.text(page, f"text/html; charset={label}" if where == "header" else "text/html")


@pytest.mark.parametrize(("label", "codec", "text"), [("big5-eten", "big5", "總理星期五訪問了首都"), ("eucJP-ms", "euc_jp", "首相は金曜日に訪問した"), ("no-such-label", "cp1251", "Министр прибыл в пятницу на совещание"), ("x-euc-jp", "euc_jp", "首相は金曜日に訪問した"), ("x-sjis", "cp932", "首相は金曜日に訪問した"), ("x-gbk", "gbk", "总理星期五访问了首都")])  # fmt: skip
def test_a_feed_with_an_old_label_is_read(label, codec, text):
    body = f"<?xml version='1.0' encoding='{label}'?><rss version='2.0'><channel><item><title>{text}</title><link>https://n.example/1</link></item></channel></rss>"
    for kind in ("", f"text/xml; charset={label}"):
        assert parse_feed(body.encode(codec), content_type=kind).entries[0].title == text


STORY = {"title": TITLE, "body": f"<p>{FIRST}</p><p>{SECOND}</p>"}
MARKED = FIRST.replace("12", "<del>40</del> 12<sup>3</sup>")
BLOCKS = [{"type": "p", "text": FIRST}, {"type": "image", "src": "/x.jpg"}, {"type": "p", "text": SECOND}]


@pytest.mark.parametrize(
    "script",
    [
        f'<script id="__NEXT_DATA__" type="application/json">{json.dumps({"props": {"pageProps": {"article": {"title": TITLE, "body": BLOCKS}}}})}</script>',
        f'<script>window.__INITIAL_STATE__ = {json.dumps({"story": {"headline": TITLE, "html": f"<p>{FIRST}</p><p>{SECOND}</p>"}})};</script>',
        f'<script type="application/json">{json.dumps({"a": [{"title": "Another story of the same day", "content": SECOND * 9}, {"title": TITLE, "content": f"{FIRST}{chr(10)}{chr(10)}{SECOND}"}]})}</script>',
        f'<script>self.state={json.dumps([{"name": TITLE, "content": {"blocks": [[FIRST], [SECOND]]}, "author": "A B"}])}</script>',
        f"<script>var state = {json.dumps(STORY)}; start(state);</script>", f"<script>window.a={{b:[]}};window.article = {json.dumps(STORY)}</script>",
        f"<script>window.data = JSON.parse({json.dumps(json.dumps(STORY))});</script>", f'<script>load({{"a": undefined, "b": {json.dumps(STORY)}}})</script>',
        f'<script>self.__next_f.push([1,{json.dumps("5:" + json.dumps(STORY))}])</script>', f"<div id=app data-page='{json.dumps(STORY)}'></div>",
        f'<script type="application/json">{json.dumps({"Article:1": {"headline": TITLE, "body": {"__ref": "Body:1"}}, "Body:1": {"content": STORY["body"], "of": {"__ref": "Body:1"}}})}</script>',
        f'<script type="application/json">{json.dumps({"headlines": {"basic": TITLE}, "content_elements": [{"type": "text", "content": FIRST}, {"type": "text", "content": SECOND}]})}</script>',
        f'<script type="application/json">{json.dumps({"title": TITLE, "content": {"nodeType": "document", "content": [{"nodeType": "paragraph", "content": [{"nodeType": "text", "value": FIRST}]}, {"nodeType": "paragraph", "content": [{"nodeType": "text", "value": SECOND[:60]}, {"nodeType": "hyperlink", "content": [{"nodeType": "text", "value": SECOND[60:90]}]}, {"nodeType": "text", "value": SECOND[90:]}]}]}})}</script>',
        f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "headline": TITLE, "articleBody": f"{FIRST}{chr(10)}{SECOND}"})}</script>',
        f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "headline": TITLE, "articleBody": f"<p>{FIRST}</p><p>{SECOND}</p>"})}</script>',
        f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "headline": TITLE, "articleBody": f"&lt;p&gt;{FIRST}&lt;/p&gt;&lt;p&gt;{SECOND}&lt;/p&gt;"})}</script>',
        f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "headline": TITLE, "articleBody": f"{FIRST}{chr(92)}n{chr(92)}n{SECOND}"})}</script>',
        f'<script type="application/ld+json">{json.dumps({"@type": "NewsArticle", "headline": TITLE, "articleBody": f"<p>{MARKED}</p><p>{SECOND}</p>"})}</script>',
    ],
)  # fmt: skip
@pytest.mark.parametrize("shown", ["", "<p>Loading, one moment please.</p>", f"<h1>{TITLE}</h1>"])
def test_a_body_that_only_a_script_holds_is_read_with_its_paragraphs(script, shown):
    assert read(f"<div id=__next>{shown}</div>{script}").text == f"{FIRST}\n\n{SECOND}"


OTHERS = [{"title": "Strike kills 31 in Sumy, governor says", "paragraphs": [SECOND.replace("plan", "ruin")] * 3}]


@pytest.mark.parametrize(
    "state",
    [
        {"meta": {"title": TITLE}, "body": [{"p": FIRST}, {"p": SECOND}]},
        {"articleTitle": TITLE, "articleText": f"<p>{FIRST}</p><p>{SECOND}</p>"},
        {"title": TITLE, "paragraphs": [FIRST, SECOND], "related": OTHERS},
        {
            "title": {"rendered": TITLE},
            "excerpt": FIRST[:90],
            "content": {"rendered": f"<p>{FIRST}</p>\n<p>{SECOND}</p>"},
        },
        {"title": TITLE, "body": f"<p>{MARKED}</p><p>{SECOND}</p>", "summary": f"{TITLE} and the town on the river"},
    ],
)
@pytest.mark.parametrize("shown", ["", f"<h1>{TITLE}</h1>", f"<h1>{TITLE}</h1><p>{FIRST[:70]}…</p>"])
def test_the_body_is_found_beside_teasers_summaries_and_other_articles(state, shown):
    script = (
        f'<script id="__NEXT_DATA__" type="application/json">{json.dumps({"props": {"pageProps": state}})}</script>'
    )
    assert read(f"<div id=__next>{shown}</div>{script}").text == f"{FIRST}\n\n{SECOND}"
