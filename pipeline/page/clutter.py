"""The parts of a parsed page that are not the article, such as hidden parts, boxes and link lists, are removed here. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree
from lxml.html import HtmlElement

from pipeline.page import kinship, markup
from pipeline.page.boilerplate import CLUTTER_MARKS, CONSENT_TOPICS, letters_of

_LARGEST_PART: Final = 0.3
"""Share of the page's text. A part with more than this is the article, whatever its class or id says."""


def remove_clutter(tree: HtmlElement) -> None:
    """Remove from a parsed page hidden parts, lists of links, and parts whose class or id marks them as clutter."""
    body = tree.find("body")
    if body is None:
        return
    largest = len(body.text_content()) * _LARGEST_PART
    clutter = []
    for element in body.iter(etree.Element):
        if element.tag in ("body", "main", "article"):
            continue
        marks = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", f"{element.get('class', '')} {element.get('id', '')}").casefold()
        hidden = element.get("hidden") is not None or "display:none" in element.get("style", "").replace(" ", "")
        if (hidden or CLUTTER_MARKS.search(marks)) and len(element.text_content()) < largest:
            clutter.append(element)
    clutter += _link_lists(body)
    for element in clutter:
        if element.getparent() is not None:
            element.drop_tree()


FEWEST_TOPICS: Final = 3
"""A notice names at least so many of them; reporting about such notices has words of its headline beside them."""

_LONGEST_NOTICE: Final = 4000
"""Characters."""


def remove_notices(tree: HtmlElement, titles: Sequence[str]) -> None:
    """Remove from a parsed page the blocks that ask for consent and have none of the title's words, also inside the article."""
    wanted = [words for title in titles if len(words := kinship.words(title)) >= kinship.ENTRY_WORDS]
    for element in list(tree.iter("div", "section", "aside", "form", "dialog", "ul")):
        if element.getparent() is None or next(element.iter("h1"), None) is not None:
            continue  # looked at first: the text of what holds the headline is the longest
        text = element.text_content()
        if (
            len(text) <= _LONGEST_NOTICE
            and sum(topic.search(text) is not None for topic in CONSENT_TOPICS) >= FEWEST_TOPICS
            and not any(words & kinship.words(text) for words in wanted)
        ):
            element.drop_tree()


def _link_lists(body: HtmlElement) -> Iterator[HtmlElement]:
    """Yield lists of headlines (most items are, or begin with, a link) and paragraphs that are one link ("read also")."""
    for element in body.iter("ul", "ol"):
        items = element.findall("li")
        linked = [item for item in items if (links := _link_length(item)) >= 20 and 2 * links >= _length(item) - 20]
        headed = [item for item in items if _begins_with_link(item)]
        if (len(items) >= 3 and len(linked) >= 0.8 * len(items)) or (
            len(items) >= 4 and len(headed) >= 0.9 * len(items)
        ):
            yield element
    for element in body.iter("p"):
        children = [child for child in element if isinstance(child.tag, str)]
        length = _length(element)
        if length >= 20 and children and _link_length(element) >= length - 2:
            yield element


def _begins_with_link(item: HtmlElement) -> bool:
    """Whether an item begins with a link of the length of a headline (20 characters or more)."""
    first = next(
        (" ".join(a.text_content().split()) for a in item.iter("a") if a.get("href") and a.text_content().strip()), ""
    )
    return len(first) >= 20 and " ".join(item.text_content().split()).startswith(first)


def _link_length(element: HtmlElement) -> int:
    return sum(_length(link) for link in element.iter("a") if link.get("href"))


def _length(element: HtmlElement) -> int:
    return len(" ".join(element.text_content().split()))


def article_paragraphs(tree: HtmlElement) -> list[str]:
    """A page in, the paragraphs of the <article> with the most text out, without those that are mostly links."""
    best: list[str] = []
    for article in tree.iter("article"):
        texts = []
        for paragraph in article.iter("p"):
            text = " ".join(paragraph.text_content().split())
            if len(text) > 40 and sum(len(link.text_content()) for link in paragraph.iter("a")) < 0.3 * len(text):
                texts.append(text)
        if sum(map(len, texts)) > sum(map(len, best)):
            best = texts
    return best


@dataclass(frozen=True, slots=True)
class Headed:
    """The block of a page that has its headline: its paragraphs, and the letters and words of all its text."""

    paragraphs: tuple[str, ...] = ()
    letters: str = ""
    words: frozenset[str] = frozenset()

    def has(self, line: str) -> bool:
        """Whether a paragraph is of this block; one with other spaces, or with a note or script inside, is too."""
        own = kinship.words(line)
        return letters_of(line) in self.letters or len(own & self.words) >= _SAME_SHARE * len(own)


_SAME_SHARE: Final = 0.9
"""Share of a paragraph's words that the block has if the paragraph is from it. Of a consent notice elsewhere it has
about a fifth."""


def under_headline(tree: HtmlElement, titles: Sequence[str] = ()) -> Headed:
    """A page and its possible titles in, the smallest block with its headline and prose out; an empty one without it.

    The headline is the first-level heading, else another heading, or line in bold or large type, that is one of the titles. The
    prose has a third of the headline's words, so that a block of headline and byline alone does not count.
    """
    for headline in markup.headlines(tree, titles):
        wanted = kinship.words(headline.text_content())
        if len(wanted) < kinship.ENTRY_WORDS:
            continue
        for block in headline.iterancestors():
            texts = [text for element in block.iter("p", "li", "blockquote", "div") if (text := _prose(element))]
            if len(wanted & kinship.words(" ".join(texts))) >= kinship.TITLE_SHARE * len(wanted):
                whole = block.text_content()
                return Headed(tuple(texts), letters_of(whole), kinship.words(whole))
    return Headed()


def _prose(element: HtmlElement) -> str:
    """Return the text of a paragraph, or of a block with text of its own; empty for lists of links and short texts."""
    if element.tag == "div" and any(child.tag in ("p", "div", "ul", "ol", "table", "h1", "h2") for child in element):
        return ""
    text = " ".join(element.text_content().split())
    return text if len(text) > 40 and _link_length(element) < 0.5 * len(text) else ""


def without_strangers(lines: list[str], headed: Headed, title: str) -> list[str]:
    """The paragraphs that were found, the block under the headline and the title in, the article's paragraphs out.

    A block elsewhere on the page that has none of the title's words, such as a long consent notice, is not the article.
    """
    if not headed.paragraphs or len(kinship.words(title)) < kinship.ENTRY_WORDS:
        return lines
    if not lines:
        return list(headed.paragraphs)  # the library takes the block for comments, or the like
    strangers = [line for line in lines if len(line) > 40 and not headed.has(line)]
    if not strangers or kinship.shares_words(title, " ".join(strangers)):
        return lines
    kept = [line for line in lines if line not in strangers]
    return kept if sum(map(len, kept)) > 40 else list(headed.paragraphs)
