"""An element of a parsed page in, whether it is of something else than the page's own article out. Pure."""

from __future__ import annotations

from lxml.html import HtmlElement

from pipeline.page import kinship

_BLOCKS = ("article", "aside", "li", "footer")


class Others:
    """Knows the page's headlines. Make one for each parsed page."""

    def __init__(self, tree: HtmlElement) -> None:
        headline = next(tree.iter("h1"), None)
        self._own = frozenset() if headline is None else frozenset(headline.iterancestors())
        self._titles = [words for title in kinship.headlines(tree) if (words := kinship.words(title))]
        self._known: dict[HtmlElement, bool] = {}

    def has(self, element: HtmlElement) -> bool:
        """Whether an element is in the page's menu or foot, or in a block about another article.

        Such a block is an <article>, <aside>, <li> or itemscope that has a headline of its own, and not the page's.
        """
        ancestors = list(element.iterancestors())
        tags = {ancestor.tag for ancestor in ancestors}
        if "nav" in tags or ("footer" in tags and "article" not in tags):
            return True
        return any(self._is_another(block) for block in ancestors if block not in self._own)

    def _is_another(self, block: HtmlElement) -> bool:
        if block.tag not in _BLOCKS and block.get("itemscope") is None:
            return False
        if block not in self._known:
            headings = block.xpath(".//h2|.//h3|.//h4|.//h5|.//*[@itemprop='headline']|.//a[string-length(.) > 20]")
            words = [kinship.words(heading.text_content() or heading.get("content") or "") for heading in headings[:50]]
            self._known[block] = bool(self._titles and any(words)) and not any(map(self._is_title, words))
        return self._known[block]

    def _is_title(self, heading: frozenset[str]) -> bool:
        return any(
            len(heading & title) >= kinship.HEADLINE_SHARE * min(len(heading), len(title)) > 0 for title in self._titles
        )
