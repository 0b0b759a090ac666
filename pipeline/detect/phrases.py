"""Noun phrases as words: how they begin and end, what their last word says. No names here."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from pipeline.detect.persons import BACK, PRIVATE, PRONOUNS, SECTORS
from pipeline.records import Party

ARTICLES: Final = re.compile(
    r"^(?:(?:the|a|an|its|his|their|her|both|all|some|several|(?:at )?least|more than|about)\s+)+", re.IGNORECASE
)
LOOSE: Final = re.compile(r"(?:[\s,]+(?:and|or|of|in|to|from|on|at|by|for|with|as|the|an?))+$", re.IGNORECASE)
"""Small words at the end of a span: no noun phrase ends with them."""
LEAD: Final = re.compile(
    r"^(?:[\s,;:.)(–—-]+|[A-Z][A-Z ,.'’]+(?:\([^)\n]{1,30}\) ?)?(?:\s*[—–]\s*|\s+--?\s+)"
    r"|(?:and|or|for|with|by|of|in|to|from|at(?!\sleast)|on|is|are|was|were)\s)+"
)
_DASH: Final = re.compile(r"\s(?:--?|[—–])\s")
_DATELINE_ENDS: Final = 80
"""Within so many characters of a text's beginning a dash ends the dateline: `Democratic Republic of Congo - M23 rebels`."""
OPEN: Final = re.compile(r"\s*\((?:[^)]*|[A-Z]{2,8}\))$")
"""What a span may begin with by mistake, signs and a dateline (`PARIS — `) among it, and what it may end with."""
LAND: Final = re.compile(r"\s+(?:in|of)\s+(?:the\s+)?")
"""What stands between a body of a state and the country or capital that it belongs to: `army in Pyongyang`."""
FOR: Final = re.compile(r"\s(?:for|against)\s(?:the\s)?$")
"""Before a name in a group's own name, which says what it stands for, not whose it is."""
THERE: Final = re.compile(r"\b[Ii]n\s+(?:the\s+)?$")
MET: Final = re.compile(
    r"(?:\s+(?:to)?(?:day|night|morrow)|\s+yesterday|\s+on)?(?:\s+[A-Z][a-z]+day)?,?\s+with\s+(?:the\s+)?"
)
"""Between a place where somebody is met and who is met there: `in Hanoi on Monday with`."""
THE: Final = re.compile(r"\b(?:the|this|that|these|those)\s+$", re.IGNORECASE)
ACRONYM: Final = re.compile(r"\(([A-Z]{2,8})\)")
CAPITAL: Final = re.compile(r"\b[A-Z][\w-]{3,}\b(?![ ][A-Z])")
_IN_PHRASE: Final = r"(?:[^,.;\n]|(?<=\b[A-Z])\.)"
"""What a description holds: anything but signs, and the dots of `U.S.`."""
_ROLE: Final = (
    r"(?:(?!(?:who|which|that|when|where|while|after|before|as|but|and|or|told|met|said|including|another|other|also|not|"
    r"by|in|at|on|for|from|to|with|whose|if|under)\b)[a-z-]+\s){0,2}?"
    r"(?:[a-z-]*(?:or|er|ist|ent|ant|ian|man|woman|person|ary)|head|chief|chair)\s(?:of|for|at)\s"
)
"""An office without an article: `spokeswoman for the ministry`."""
APPOSED: Final = re.compile(
    r",\s+((?:(?:an?|the|former|current|then|(?:currently|now)\s(?:the|an?))\s|[A-Z]|" + _ROLE + ")"
    + _IN_PHRASE + r"{3,60}?)(?:,|(?<!\b[A-Z])\.|;|\n|$)"
)  # fmt: skip
APPOSED_LONG: Final = re.compile(
    r",\s+((?:(?:an?|the|former|current|then)\s|"
    + _ROLE
    + ")"
    + _IN_PHRASE
    + r"{3,60}?)\s(?:and|as|who|whose|which|in|from)\s"
)
"""One that goes on: `a Cuban dissident and winner of the prize for ...`."""
TITLE_NOUN: Final = re.compile(
    r"of|for|(?!for$|after$|over$|under$|never$|other$|however$|went$|sent$|spent$)[a-z-]+(?:or|er|ist|ent|ant|ian|man|ief|al)|counterpart|head"
)
"""A word that may be an office by its ending, and what joins words of an office."""
OF_LAND: Final = re.compile(r"\s+of\s+((?:the\s+)?[A-Z][\w’'-]*(?:\s[A-Z][\w’'-]*)*)")
OFFICE_BEFORE: Final = re.compile(
    r"\b(?:an?|the|[Tt]he|An?)\s+((?:(?!(?:the|an?)\s)(?:[^\s,.;:]|(?<=\b[A-Z])\.)+\s){0,6}?"
    r"[^\s,.;:]*(?:or|er|ent|man|person|ary|al|ief|ist|ant)(?:\s(?:of|for)\s[^,.;:\n]{2,50})?),\s+$"
)
PEOPLE_BEFORE: Final = re.compile(r"\b[Aa]n?\s((?:[A-Z]\w+[-\s]?)+(?:[a-z-]+\s?){0,3}),\s+$")
"""A people's adjective before a name: `an Australian, `, `a Kenyan truck driver, `."""
AS_OFFICE: Final = re.compile(
    r"(?:,?\s+who)?\s+(?:(?:is|was|has|been|sworn|in|re-elected|elected|appointed|named|resigns|resigned|served|serves|serving|steps|stepped|down)\s+)+as\s+"
    r"((?:the\s+)?[^,.;:\n]{3,60})"
)
"""Who somebody is, beside the name: `Jan Visser, the president of X,`, `of X`, `a ministry spokesman, `, `resigns as`."""
_WHERE: Final = re.compile(r"\b(?:in|at|from|near)\s(?:the\s)?$", re.IGNORECASE)
GAP: Final = re.compile(r"\s+(?:[A-Z]\w*\s+)?")
JOINED: Final = re.compile(
    r"\s*,\s*(?!(?:Jr|Sr|Inc|Ltd|LLC|Corp|Co|III?|[A-Z]\.[A-Z])\b)(?:and\s+)?|\s+and\s+|\s*&\s*|;\s*"
)
WORD: Final = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*\.?")
SMALL: Final = frozenset(
    ("the", "a", "an", "of", "in", "and", "s", "its", "mr", "mrs", "ms", "both", "all", "some", "two")
)
"""What is left of a span that names nobody."""
BREAK: Final = re.compile(r"[,;:()\"“”\n]|\w{4,}\.\s")
"""What no title has within it: signs, and the end of a sentence."""
OFFICES: Final = frozenset(
    ("Prime", "Foreign", "Vice", "First", "Supreme", "Defence", "Defense", "Interior", "Finance", "Deputy")
)
AGAINST: Final = re.compile(r"\b(?:anti|pro|non|ex|post)-$", re.IGNORECASE)
TWO_SENTENCES: Final = re.compile(r"[a-z]{3}\.\s")
PARTICLES: Final = frozenset(
    ("for", "al", "bin", "de", "der", "van", "von", "el", "da", "dos", "ben", "of", "the", "and")
)
START: Final = operator.attrgetter("start")


_HELD: Final = re.compile(
    r"(?:(?:prime|foreign|interior|finance|defen[cs]e)\sminister|president|premier|chancellor|king|emir)$"
)
_NOT_NOW: Final = re.compile(r"\b(?:former|ex|then|deputy|vice|acting|late)\b")


def last_word(name: str) -> str:
    """A person's last name, by which the text goes on to speak of the person."""
    return name.rsplit(maxsplit=1)[-1].casefold().removesuffix("'s").removesuffix("’s")


def written_as_name(text: str, at: int, end: int) -> bool:
    """Whether the words from `at` to `end` are written as one name: several in capitals, in a line that is not so itself."""
    parts = [part for part in text[at:end].split() if part.casefold() not in PARTICLES]
    if (
        len(parts) < 2
        or JOINED.search(text, at, end)
        or not all(part[:1].isupper() and part.casefold() not in SECTORS for part in parts)
    ):
        return False
    return is_prose(text, at, end)


def is_prose(text: str, at: int, end: int) -> bool:
    """Whether the line around a place has common words without capitals, so that capitals say something in it."""
    line = text[text.rfind("\n", 0, at) + 1 : end + 200].split("\n", 1)[0]
    return any(word.islower() and len(word) > 4 for word in line.split())


def is_body(text: str, at: int, end: int, common: frozenset[str]) -> bool:
    """Whether what is found as an organisation that nobody knows is a name: it has a particle, or is a word in prose.

    `common` are words of bodies that name none alone: `the House`.
    """
    words = text[at:end].split()
    if PARTICLES & set(words):
        return True
    low = words[0].casefold() if len(words) == 1 else ""
    if not low or words[0].islower() or low in common or low in SECTORS or low in BACK:
        return False
    return is_prose(text, at, end)


def begun(text: str, start: int, end: int) -> int:
    """Where the noun phrase of a span begins: behind small words, signs and a dateline."""
    if start < _DATELINE_ENDS and (dash := _DASH.search(text, start, end)) is not None:
        start = dash.end()
    lead = LEAD.match(text[start:end])
    return start + lead.end() if lead is not None and lead.end() < end - start else start


def parts_of(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The noun phrases that commas and `and` join in a span, as spans."""
    at = start
    for match in JOINED.finditer(text, start, end):
        if match.start() > at:
            yield at, match.start()
        at = match.end()
    if at < end:
        yield at, end


def named(party: Party, text: str) -> Party:
    """A party that is known by its words, if by nothing else."""
    return party if party.name else msgspec.structs.replace(party, name=text)


def is_pronoun(text: str) -> bool:
    """Whether a phrase is a pronoun; `US` is none."""
    return text.casefold() in PRONOUNS and text != "US"


def of_people(text: str) -> bool:
    """Whether a phrase is a plural noun with a people's adjective or a land: `German diplomats`, `leaders of Poland`."""
    words = re.split(r"\s(?:of|in|from)\s", text)[0].split()
    if len(words) == 1 and len(words[0]) < len(text):
        return words[0].islower() and words[0].endswith("s")
    return len(words) > 1 and words[-1].islower() and words[-1].endswith("s") and words[-1] not in ("forces", "affairs")


def is_private(text: str) -> bool:
    """Whether a phrase of a people means some of them who do not act for the state: `three U.S. groups`."""
    return re.split(r"\s(?:of|in|from)\s", text)[0].split()[-1] in PRIVATE


def is_where(text: str, at: int) -> bool:
    """Whether a name at a place of a text stands behind `in`, `at` or the like, as where something is."""
    return _WHERE.search(text, max(0, at - 12), at) is not None


def office_in(text: str) -> str:
    """The office of one person at the end of a phrase: `prime minister` of `the Japanese prime minister`; else nothing."""
    match = _HELD.search(text.casefold())
    return "" if match is None or _NOT_NOW.search(text.casefold()) else match[0]


def untitled(name: str) -> str:
    """A person's name without the titles before it: `Foreign Minister Roe` is Roe."""
    parts = name.split()
    while len(parts) > 1 and (
        parts[0].casefold().rstrip(".") in SECTORS or parts[0] in OFFICES or parts[0].endswith(".")
    ):
        parts.pop(0)
    return " ".join(parts)
