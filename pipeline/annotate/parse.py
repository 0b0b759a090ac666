"""Extracted text in, a Document with sentences and entities out, with its words as plain lists. The only importer of spaCy.

spaCy's docs live only inside the caller's `nlp.memory_zone()`; `Parsed` has plain lists instead.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from pipeline.annotate import homonyms
from pipeline.annotate.entities import Recogniser, suits
from pipeline.annotate.plain import Plain, plain
from pipeline.records import Article, Document, Entity, Party, Section, Sentence

if TYPE_CHECKING:
    from pipeline.page.extract import Extracted

UNUSED: Final = ("tok2vec", "tagger", "parser", "lemmatizer", "attribute_ruler", "senter")
"""Components that are not run: the reader needs no parse, and the entity recogniser has its own vectors."""

NAMING: Final = frozenset(("GPE", "NORP", "ORG", "PERSON", "FAC", "LOC"))
WRAPPED_LINES: Final = 4
WRAPPED_LENGTH: Final = 100
"""A text of more lines than this, none longer than this, was wrapped at a column."""

BATCH: Final = 32
_START: Final = operator.attrgetter("start")
_ARTICLES: Final = frozenset(("the", "a", "an"))
_DASHES: Final = frozenset(("—", "–", "--"))
_POSSESSIVES: Final = frozenset(("'s", "’s", "'", "’"))


class ModelError(RuntimeError):
    """None of the configured spaCy models is installed; the message names them."""


class Names(Protocol):
    """What annotation needs of the resolver."""

    def party(self, text: str, *, on: dt.date | None = None) -> Party:
        """Return the party that a name means."""
        ...

    def country(self, name: str) -> str | None:
        """Return the code of the country that a name means; None for any other name."""
        ...

    def spans(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """Return (first, one past the last) of each name of the gazetteer among the words."""
        ...


class AnnotationModels(Protocol):
    """What annotation needs of `detect.Models`."""

    nlp: Any
    names: Any
    text_characters: int


class Mention(msgspec.Struct, frozen=True, eq=False):
    """A name in a text, from word `start` up to `end`; `label` is the entity's, `party` is whom it means."""

    start: int
    end: int
    text: str
    label: str
    party: Party


@dataclass(frozen=True, slots=True)
class Parsed:
    """A Document with the words of title and text (None if it is not English), and the names found in each."""

    document: Document
    title: Plain | None
    text: Plain | None
    title_mentions: tuple[Mention, ...] = ()
    text_mentions: tuple[Mention, ...] = ()


def load(models: Sequence[str]) -> Any:
    """Load the first of the models that is installed, without its unused components.

    Raises:
        ModelError: none is installed.
    """
    import spacy  # noqa: PLC0415 - takes a second or two, and `dateline check` and the notifier do not need it
    from spacy.language import Language  # noqa: PLC0415

    Language.component("paragraphs", func=paragraphs)
    for name in models:
        if spacy.util.is_package(name) or "/" in name:
            nlp = spacy.load(name, exclude=list(UNUSED))
            nlp.max_length = max(nlp.max_length, 2_000_000)
            nlp.add_pipe("sentencizer", before="ner")
            nlp.add_pipe("paragraphs", before="ner")
            ner = nlp.get_pipe("ner")
            if suits(ner):
                Language.component("entities", func=_setter(Recogniser(ner)))
                nlp.replace_pipe("ner", "entities")
            return nlp
    raise ModelError(f"no spaCy model is installed, tried {', '.join(models) or 'none'} (option detect.models)")


def _setter(recogniser: Recogniser) -> Callable[[Any], Any]:
    """A recogniser in, the component that sets a doc's entities out."""
    from spacy.tokens import Span  # noqa: PLC0415 - see load

    def entities(doc: Any) -> Any:
        doc.ents = [Span(doc, first, end, label=label) for first, end, label in recogniser(doc)]
        return doc

    return entities


_BLANKS: Final = re.compile(r"^\s|\s\s|[^\S ]")
"""White space that spaCy makes a token: at the start of a text, after other white space, and all but the plain space."""


def paragraphs(doc: Any) -> Any:
    """Mark the start of a sentence after each end of a paragraph: headings have no full stop.

    A single line break ends a paragraph too, unless the text is wrapped at a column: many lines of about one length.
    """
    if not _BLANKS.search(doc.text):
        return doc  # no token is a space
    lines = [len(line) for line in doc.text.split("\n") if line.strip()]
    wrapped = len(lines) > WRAPPED_LINES and max(lines) <= WRAPPED_LENGTH
    broken = False
    for token in doc:
        if token.is_space:
            broken = broken or token.text.count("\n") > wrapped
            token.is_sent_start = False
        elif broken and token.i:
            token.is_sent_start = True
            broken = False
    return doc


def readable(language: str | None) -> bool:
    """Return whether a text in this language is analysed. An unknown language counts as English."""
    return language is None or language.casefold().split("-")[0] in ("en", "")


def cut(text: str, characters: int) -> tuple[str, bool]:
    """Return at most `characters` of a text, cut after a sentence if one ends there, and whether it was cut."""
    if len(text) <= characters:
        return text, False
    head = text[:characters]
    ends = [match.end() for match in re.finditer(r"[.!?]['”\"’)]*(?=\s)", head)]
    return (head[: ends[-1]] if ends else head), True


def annotate(article: Article, extracted: Extracted, models: AnnotationModels) -> Parsed:
    """Return the Document of an article and its text, with its words and names."""
    return next(iter(annotate_many([(article, extracted)], models)))


def annotate_many(pairs: Iterable[tuple[Article, Extracted]], models: AnnotationModels) -> Iterator[Parsed]:
    """Yield the parsed Documents of articles and their texts, in the same order; the model runs in batches."""
    for batch in batches(pairs, BATCH):
        bases = [_base(article, extracted, models.text_characters) for article, extracted in batch]
        yield from parse_many(bases, models)


def parse_many(documents: Sequence[Document], models: AnnotationModels) -> Iterator[Parsed]:
    """Yield Documents that have title and text with sentences, entities and words added."""
    texts = [text for d in documents if readable(d.language) for text in (d.title, d.text)]
    docs = models.nlp.pipe(texts, batch_size=2 * BATCH)
    for document in documents:
        if readable(document.language):
            yield _parsed(document, next(docs), next(docs), models)
        else:
            yield Parsed(document, None, None)


def batches(things: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yield the things in lists of at most `size`."""
    batch: list[Any] = []
    for thing in things:
        batch.append(thing)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _base(article: Article, extracted: Extracted, characters: int) -> Document:
    from pipeline.annotate import copies  # noqa: PLC0415 - loads numpy and scipy, which reading kinds does not need

    text, was_cut = cut(extracted.text, characters)
    return Document(
        id=article.id,
        url=extracted.canonical_url or article.canonical_url or article.url,
        feed_id=article.feed_id,
        title=extracted.title or article.title,
        text=text,
        first_seen_at=article.first_seen_at,
        fetched_at=article.fetched_at,
        content_hash=article.content_hash,
        published_at=extracted.published_at or article.published_at,
        updated_at=extracted.updated_at or article.updated_at,
        publisher=extracted.publisher or article.publisher,
        credit=extracted.credit,
        authors=extracted.authors or article.authors,
        language=extracted.language or article.language,
        image_url=extracted.image_url,
        truncated=was_cut or extracted.truncated,
        fingerprint=copies.fingerprint(text),
        updates=tuple(update for update in extracted.updates if update.start < len(text)),
    )


def _parsed(document: Document, title_doc: Any, text_doc: Any, models: AnnotationModels) -> Parsed:
    on = document.published_at.date() if document.published_at else None
    title = plain(title_doc, document.title)
    text = plain(text_doc, document.text)
    title_mentions, text_mentions = find_mentions(title, models.names, on), find_mentions(text, models.names, on)
    document = msgspec.structs.replace(
        document,
        sentences=(*_sentences(title, "title"), *_sentences(text, "text")),
        entities=(*_entities(title, title_mentions, "title"), *_entities(text, text_mentions, "text")),
    )
    return Parsed(document, title, text, title_mentions, text_mentions)


def _sentences(read: Plain, section: Section) -> Iterator[Sentence]:
    for start, end in read.sentences:
        yield Sentence(start=read.offsets[start], end=read.end_offset(end - 1), section=section)


def _entities(read: Plain, mentions: Sequence[Mention], section: Section) -> Iterator[Entity]:
    for mention in mentions:
        start = read.offsets[mention.start]
        party = mention.party
        yield Entity(
            text=mention.text,
            label=mention.label,
            start=start,
            end=start + len(mention.text),
            section=section,
            name=party.name,
            country=party.country,
            sector=party.sector,
        )


def find_mentions(read: Plain, names: Names, on: dt.date | None = None) -> tuple[Mention, ...]:
    """Return the names in a parsed text: those of the gazetteer, which are more reliable, and the model's entities.

    A person's name that contains a country's (Michael Jordan) means the person; an organisation that resolves as a whole is one
    name.
    """
    words = read.words
    spans = names.spans(words)
    found: list[Mention] = []
    labels: dict[int, str] = {}
    for first, last, label in read.entities:
        if label not in NAMING:
            continue
        for index in range(first, last):
            labels[index] = label
        start, end = _trimmed(first, last, words)
        start = _behind_dateline(start, end, read)
        if end <= start:
            continue
        inside = [span for span in spans if span[0] < end and span[1] > start]
        if not all(start <= a and b <= end and b - a < end - start for a, b in inside):
            continue
        text = read.span(start, end)
        party = names.party(text, on=on)
        if label == "PERSON" and " " not in text and is_bare(party) and names.country(text) is None:
            party = Party(text=text)  # `Bush` is no town of Egypt
        if inside:
            if not (label == "PERSON" or party.name or party.country):
                continue
            spans = [span for span in spans if span not in inside]
        found.append(Mention(start, end, text, label, party))
    for start, end in spans:
        text = read.span(start, end)
        label = next((labels[index] for index in range(start, end) if index in labels), "GPE")
        found.append(Mention(start, end, text, label, names.party(text, on=on)))
    found.sort(key=_START)
    meant = homonyms.settled([mention.party for mention in found])
    return tuple(
        mention if mention.party is party else msgspec.structs.replace(mention, party=party)
        for mention, party in zip(found, meant, strict=True)
    )


def is_bare(party: Party) -> bool:
    """Return whether nothing is known of a party but a country, as of a town."""
    return party.country is not None and party.sector is None and party.identifier is None


def _behind_dateline(start: int, end: int, read: Plain) -> int:
    """Return where an entity begins behind a dateline that a hyphen ends: `LA PAZ - Bolivian`."""
    words, offsets = read.words, read.offsets
    for index in range(end - 2, start, -1):
        apart = offsets[index] > offsets[index - 1] + len(words[index - 1]) and offsets[index + 1] > offsets[index] + 1
        if words[index] == "-" and apart and words[start].isupper():
            return index + 1
    return start


def _trimmed(start: int, end: int, words: Sequence[str]) -> tuple[int, int]:
    """Return an entity's bounds without a dateline (`PARIS — `), a leading article, a final possessive or punctuation."""
    for index in range(end - 2, start, -1):
        if words[index] in _DASHES and words[start].isupper():
            start = index + 1
            break
    while start < end and (words[start].casefold() in _ARTICLES or not words[start][:1].isalnum()):
        start += 1
    while end > start and (words[end - 1] in _POSSESSIVES or not any(map(str.isalnum, words[end - 1]))):
        end -= 1
    return start, end
