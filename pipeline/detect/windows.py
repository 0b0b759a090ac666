"""Title and text -> windows: the pieces of words that the reader sees at once, each with its place in the article.

A window is `[CLS] title [SEP] sentences [SEP]`, so that every sentence knows its headline and its neighbours. A window holds
whole sentences; it is read alone, so what the reader says of it does not depend on what else is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.records import Section

PIECES: Final = 256
"""The most pieces in a window. The encoder could take 512; longer windows cost more and were no better."""

TITLE_PIECES: Final = 40
"""The most pieces of the title that precede the text."""

LONGEST_SENTENCE: Final = 160
"""A longer sentence is cut here: lists of names, tables."""


@dataclass(slots=True)
class Window:
    """Pieces with their ids and, for each, its characters, section, sentence and whether it begins a word.

    `section` is None for pieces that nothing is told of: marks, and the title where an earlier window told it.
    `sentence` numbers the sentences of the article; -1 is none.
    """

    ids: list[int] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    section: list[Section | None] = field(default_factory=list)
    sentence: list[int] = field(default_factory=list)
    begins: list[bool] = field(default_factory=list)

    def add(
        self, piece: int, start: int, end: int, *, section: Section | None, sentence: int, kind: int, word: bool
    ) -> None:
        """Append one piece."""
        self.ids.append(piece)
        self.types.append(kind)
        self.starts.append(start)
        self.ends.append(end)
        self.section.append(section)
        self.sentence.append(sentence)
        self.begins.append(word)

    def __len__(self) -> int:
        return len(self.ids)


Pieces = list[tuple[int, int, int, bool]]
"""Of each piece: its id, first character, one past the last, whether it begins a word."""


class Windows:
    """Cuts articles into windows with the encoder's own tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._cls, self._sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")

    def pieces(self, text: str, start: int = 0) -> Pieces:
        """A text that begins at character `start` of its section in, its pieces out."""
        found = self._tokenizer.encode(text, add_special_tokens=False)
        words = found.word_ids
        return [
            (piece, a + start, b + start, index == 0 or words[index - 1] != words[index])
            for index, (piece, (a, b)) in enumerate(zip(found.ids, found.offsets, strict=True))
        ]

    def cut(self, title: str, text: str, sentences: Sequence[tuple[int, int]]) -> Iterator[Window]:
        """A title, a text and the (start, end) of its sentences in, windows in order out."""
        heading = self.pieces(title)[:TITLE_PIECES] if title.strip() else []
        window, first = self._opened(heading, told=True), True
        filled = False
        for number, (start, end) in enumerate(sentences):
            pieces = self.pieces(text[start:end], start)[:LONGEST_SENTENCE]
            if filled and len(window) + len(pieces) + 1 > PIECES:
                yield self._closed(window)
                window, first, filled = self._opened(heading, told=False), False, False
            for piece, a, b, word in pieces:
                window.add(piece, a, b, section="text", sentence=number, kind=0, word=word)
            filled = filled or bool(pieces)
        if filled or (first and heading):
            yield self._closed(window)

    def _opened(self, heading: Pieces, *, told: bool) -> Window:
        window = Window()
        window.add(self._cls, 0, 0, section=None, sentence=-1, kind=0, word=False)
        if heading:
            for piece, a, b, word in heading:
                window.add(piece, a, b, section="title" if told else None, sentence=-1, kind=1, word=word)
            window.add(self._sep, 0, 0, section=None, sentence=-1, kind=1, word=False)
        return window

    def _closed(self, window: Window) -> Window:
        window.add(self._sep, 0, 0, section=None, sentence=-1, kind=0, word=False)
        return window
