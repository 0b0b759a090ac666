"""An element of a parsed page in, whether it is of something else than the page's own article out. Pure."""

from __future__ import annotations

import re
from typing import Final

from lxml.html import HtmlElement

from pipeline.page import kinship
from pipeline.page.boilerplate import CLUTTER_MARKS

_BLOCKS: Final = ("article", "aside", "li", "footer")
_CARDS: Final = ("div", "section", "p", "td")
"""They are of another article only if they are short and have its headline, as the cards of a list do."""

CARD_CHARACTERS: Final = 600
"""Characters. A longer block with headings is rather a part of the article."""

CARD_WORDS: Final = 4
"""Words of a link that is a headline; the name of an author has fewer."""

_SENTENCE: Final = re.compile(r"(?=.{60}).*\w\w[.!?…][\"”’»)]*")
"""A paragraph that ends as a sentence does: a date within it is what it tells. A byline has no full stop."""

_QUOTED: Final = ("nav", "blockquote", "figure", "figcaption", "caption")
_BYLINES: Final = re.compile(r"byline|timestamp|stand-?first|sub-?head|dek|deck|share|social")
_NO_ARTICLE: Final = re.compile(r"(?:Event|Comment|Answer|VideoObject|ImageObject|Product|JobPosting|Recipe)$")


class Others:
    """Knows the page's headlines. Make one for each parsed page."""

    def __init__(self, tree: HtmlElement) -> None:
        headline = next(tree.iter("h1"), None)
        self._own = frozenset() if headline is None else frozenset(headline.iterancestors())
        self._titles = [words for title in kinship.headlines(tree) if (words := kinship.words(title))]
        self._known: dict[HtmlElement, bool] = {}

    def has(self, element: HtmlElement) -> bool:
        """Whether an element is in the page's menu or foot, in a quotation or caption, or in a block about something else.

        Such a block has a headline of its own, and not the page's, or is marked as comments, as an event or the like.
        """
        ancestors = [ancestor for ancestor in element.iterancestors() if ancestor not in self._own]
        tags = {ancestor.tag for ancestor in element.iterancestors()}
        if tags.intersection(_QUOTED) or ("footer" in tags and "article" not in tags):
            return True
        return any(self._is_another(block) for block in ancestors)

    def _is_another(self, block: HtmlElement) -> bool:
        if block not in self._known:
            self._known[block] = self._is_marked(block) or self._has_other_headline(block)
        return self._known[block]

    @staticmethod
    def _is_marked(block: HtmlElement) -> bool:
        marks = f"{block.get('class') or ''} {block.get('id') or ''}".casefold()
        if CLUTTER_MARKS.search(marks) is not None and _BYLINES.search(marks) is None:
            return True
        return _NO_ARTICLE.search(block.get("itemtype") or "") is not None or (
            block.tag == "p" and _SENTENCE.fullmatch(" ".join(block.text_content().split())) is not None
        )

    def _has_other_headline(self, block: HtmlElement) -> bool:
        is_card = block.tag in _CARDS and block.get("itemscope") is None
        if not is_card and block.tag not in _BLOCKS and block.get("itemscope") is None:
            return False
        if is_card and len(block.text_content()) > CARD_CHARACTERS:
            return False
        headings = block.xpath(".//h2|.//h3|.//h4|.//h5|.//*[@itemprop='headline']|.//a[string-length(.) > 20]")
        words = [kinship.words(heading.text_content() or heading.get("content") or "") for heading in headings[:50]]
        if is_card:
            words = [found for found in words if len(found) >= CARD_WORDS]
        return bool(self._titles and any(words)) and not any(map(self._is_title, words))

    def _is_title(self, heading: frozenset[str]) -> bool:
        return any(
            len(heading & title) >= kinship.HEADLINE_SHARE * min(len(heading), len(title)) > 0 for title in self._titles
        )
