"""A pronoun or `the minister` in, whom the text spoke of before out: the subject before the nearest name.

There is no parse. A sentence's subject is its first name that no preposition precedes; one that begins with such a pronoun
itself goes on about the same subject, so the search goes on before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from pipeline.annotate.parse import Mention
from pipeline.annotate.plain import Plain
from pipeline.detect.persons import (
    KINGDOMS,
    MALE_PRONOUNS,
    PERSON_PRONOUNS,
    PLURAL_PRONOUNS,
    SECTORS,
    THING_PRONOUNS,
    is_person,
    known,
    words,
)
from pipeline.detect.phrases import AGAINST, TWO_SENTENCES, named
from pipeline.records import Party

BACK_CHARACTERS: Final = 1500
"""How far back a pronoun or `the ministry` is looked up: some six sentences."""
OCCURRENCES: Final = 12
"""The most earlier places of a noun that are looked at."""
_NAMED_SO: Final = frozenset(("commission", "committee", "council", "fund"))
"""Nouns that mean only a body with this word in its name."""
_PARTS: Final = {
    ("commission", "European Union"): "European Commission", ("council", "European Union"): "Council of the European Union",
    ("fund", "IMF"): "International Monetary Fund",
}  # fmt: skip
"""Bodies that are called by a noun alone where the whole is named: `the Commission` beside the EU."""
_ABBREVIATION: Final = (
    r"(?<!\b[A-Z])(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bGen)(?<!\bSen)(?<!\bRep)(?<!\bSt)(?<!\bLt)"
)
_SENTENCE_END: Final = re.compile(rf"\n+|{_ABBREVIATION}[.!?][\"”’')]*\s+(?=[\"“‘A-Z0-9])")
_PREPOSITION: Final = re.compile(
    r"\b(?:of|by|with|to|from|for|against|in|at|on|about|under|between|near|than|like|as|into|over|via)\b",
    re.IGNORECASE,
)
_OF_OFFICE: Final = re.compile(r"\b[A-Z][\w’'-]*\s+(?:of|for)\s+(?=(?:the\s+)?[A-Z])")
"""The inside of a title, which governs nothing: `President of France`."""
_WHERE: Final = frozenset(("in", "at", "near", "on", "into", "over"))
_MALE: Final = re.compile(r"\b(?:Mr|King|Prince|Sir|Lord|Pope|Sheikh)\.?\s$")
_FEMALE: Final = re.compile(r"\b(?:Mrs|Ms|Miss|Queen|Princess|Lady|Dame|Baroness)\.?\s$")
_AND: Final = re.compile(r",?\s+and\s+(?:the\s+)?|,\s+(?:the\s+)?")
_PLURAL: Final = re.compile(
    r"^[\"“‘'\s]*(?P<phrase>(?:(?:the|these|those|some|many|several|both|all|two|three|other|most|\d[\d,]*)\s+)?"
    r"(?:[\w’'-]+\s+){0,3}?(?P<noun>[a-z]+(?:s|men|people|police)))\b", re.IGNORECASE,
)  # fmt: skip
_IN_TITLES: Final = words(
    "the a an its his her their former late prime foreign then and current new opposition party outgoing acting deputy vice "
    "justice interior finance defence defense health education trade energy economy oil labour labor transport agriculture"
)
"""Words beside offices and capital words that may stand between a preposition and the name that it governs."""
_OFFICE: Final = re.compile(
    r"(?:^|[,;:]\s|\n)[\"“]?[Tt]he\s(?P<phrase>(?:(?!of\b|in\b|for\b|to\b)[A-Za-z]+\s){0,2}?(?i:president|minister|secretary|premier|"
    r"chancellor|king|general|governor|mayor|spokesman|spokeswoman|spokesperson|ambassador|envoy|judge|senator|commander|leader))"
    r"\s(?![A-Z])"
)
"""An office as a sentence's subject, behind nothing or a comma."""
_CLAUSE: Final = re.compile(r"[,;:\"“”]|\b(?:said|says|that|who|which|because|while|when|after|before|if)\b")
_NOT_HOLDER: Final = re.compile(r"\b(?:vice|deputy|former|ex|assistant|then|late)[\s-]+$", re.IGNORECASE)
BYLINE: Final = 100
"""Characters: a first line so short, without a sign at its end, is no sentence, but says whose words follow."""
ISSUED_WITHIN: Final = 800
"""Characters at the beginning of a release in which it says who issued it."""
_SPOKEN_FOR: Final = re.compile(r"\bspokes", re.IGNORECASE)
_ISSUED: Final = re.compile(
    r"\b(?:issued|released|made|delivered|gave)\s(?:the\sfollowing|this)\s(?:\w+\s){0,2}?(?:statement|remarks|message|address)\b"
)
_CAPTION: Final = re.compile(r"\s*FILE\b")
"""How the caption of an old picture begins, which the text does not go on about."""
_OWN_WORDS: Final = re.compile(
    r"['’]s?\s(?:\w+\s){1,3}?(?:said|says?|told|announced|confirmed|denied|insisted|wrote|added)\b"
)
"""Behind a person for whom others speak: `Roe's campaign said she`."""
_OF_LAND: Final = re.compile(r"(?:\s+(?:of|for)(?:\s+the)?(?:\s+[A-Z][\w’'.-]*)+)?,?\s+")
_APPOSED: Final = re.compile(r",\s+(?:the|an?|who\s\w+|\w+[’']s?)?\s*[^,.;:\"“”\n]{0,50}")
_BEFORE: Final = re.compile(
    r"(?:(?:(?:[A-Z]\.)+|(?!(?i:the|an?|this|that|these|those|its|his|her|their)\b)[\w’'-]+)[ ]){1,6}$"
)
"""The words before a noun that belong to it: back to its article or the sentence's start."""
_BEHIND: Final = re.compile(r"(?:[ ](?:of|for|in)(?:[ ]the)?)?(?:[ ][A-Z][\w’'-]*)*")


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the section where it stands, in characters."""

    start: int
    end: int
    text: str
    label: str
    party: Party

    @property
    def person(self) -> bool:
        """Whether the name is a person's, as far as is known."""
        named = self.party.sector == "GOV" and self.label not in ("NORP", "ORG") and is_person(self.party)
        return (self.label == "PERSON" or named) and not any(map(str.isdigit, self.text))


@dataclass(frozen=True, slots=True)
class Text:
    """A section's text with its names, in which referents are looked up; `resolve` tells whom (start, end) of it names."""

    text: str
    names: Sequence[Name]
    resolve: Callable[[int, int], Party | None]

    def pronoun(self, word: str, start: int) -> tuple[Name, ...]:
        """A pronoun of the third person at `start` in, the names that it stands for out; none where nobody fits."""
        low = word.casefold()
        groups = (MALE_PRONOUNS, PERSON_PRONOUNS - MALE_PRONOUNS, THING_PRONOUNS, PLURAL_PRONOUNS)
        same = next(group for group in groups if low in group)
        quoted = self.quoted(start)
        spare: tuple[Name, ...] = ()
        for number, (first, end) in enumerate(self.sentences(start)):
            if number and _CAPTION.match(self.text, first):
                continue
            fitting = [n for n in self.names if first <= n.start and n.end <= end and self._fits(low, n)]
            heard = [n for n in fitting if self.quoted(n.start) == quoted] or fitting
            goes_on = _first_of(self.text, first, end, same)
            if goes_on is not None and (not heard or goes_on < heard[0].start):
                continue
            if same is PLURAL_PRONOUNS and number and (many := self._many(first, end)):
                return (many,)
            cases = self._cases(heard)
            subject = next((n for n, case in zip(heard, cases, strict=True) if case is None), None)
            if low in PERSON_PRONOUNS and (office := self._office(first, end, subject)) is not None:
                return (office,)
            if low in ("him", "them") and number == 0:
                others = [n for n, case in zip(heard, cases, strict=True) if case is not None]
                if others:
                    return (others[-1],)
                if subject is not None and not _CLAUSE.search(self.text, subject.end, start):
                    continue
            one = heard[0] if number == 0 and low in PERSON_PRONOUNS and len(heard) == 1 else None
            if one is not None and _OWN_WORDS.match(self.text, one.end, start):
                return (one,)
            if subject is not None:
                return self._joined(subject, heard) if same is PLURAL_PRONOUNS else (subject,)
            spare = spare or tuple(n for n, case in zip(heard, cases, strict=True) if case not in _WHERE)[:1]
            if spare and (low not in PERSON_PRONOUNS or number > 1):
                break
        return spare

    def noun(self, phrase: str, start: int) -> Party | None:
        """A noun such as `prime minister` at `start` in, the party that the text called so last out; None if none is."""
        low = max(0, start - 2 * BACK_CHARACTERS)
        told = [*re.finditer(rf"\b{re.escape(phrase)}\b(?!-elect)", self.text[low:start], re.IGNORECASE)]
        called: list[Party] = []
        for match in told[: -OCCURRENCES - 1 : -1]:
            party = self._called(match.start() + low, match.end() + low)
            if party is not None:
                called.append(party)
                if not is_person(party):
                    break
        if len(called) < 2 or not is_person(called[0]):
            return called[0] if called else None
        persons = [party for party in called if is_person(party)]  # whom the text named last goes on to be meant
        return max(persons, key=lambda one: self.text.rfind((one.name or "").rsplit(maxsplit=1)[-1], low, start))

    def _called(self, first: int, end: int) -> Party | None:
        """The party that (first, end), a noun of the text, is the office or the description of."""
        if _NOT_HOLDER.search(self.text, max(0, first - 12), first):
            return None
        for name in self.names:
            if not known(name.party) and name.label != "PERSON":
                continue
            behind = end <= name.start <= end + 40 and _OF_LAND.fullmatch(self.text, end, name.start)
            ahead = first - 60 <= name.end <= first and _APPOSED.fullmatch(self.text, name.end, first)
            if name.person and (behind or ahead) and not self.text[first:end].endswith("s"):
                return self.resolve(name.start, name.end)
        return self._described(first, end)

    def last_of(self, sort: str, head: str, start: int, party: Party) -> Party | None:
        """The last name before a noun that is of its sort."""
        for name in self._before(start):
            one = name.party
            if sort == "org" and name.label == "ORG" and head in name.text.casefold().split()[1:]:
                return one if one.name else msgspec.structs.replace(one, name=name.text)
            if not known(one):
                continue
            here = one.sector == "GOV" and not _SENTENCE_END.search(self.text, name.end, start)  # `Mali: the president`
            if sort == "person" and (name.label == "PERSON" or name.person or here):
                return msgspec.structs.replace(one, sector=one.sector or party.sector)
            if (
                sort == "country"
                and one.country
                and name.label != "PERSON"
                and (head != "kingdom" or one.country in KINGDOMS)
            ):
                return Party(text=party.text, name=one.name, country=one.country, sector=party.sector or one.sector)
            if sort in ("org", "REB", "JUD") and (
                one.sector == sort
                or (sort == "org" and one.sector == "IGO" and head not in _NAMED_SO)
                or head in (one.name or "").casefold().split()  # an international court is an IGO
            ):
                return one
            if (part := _PARTS.get((head, one.name or ""))) is not None:
                return Party(text=party.text, name=part, sector="IGO")
        return None

    def _before(self, start: int) -> Iterator[Name]:
        for name in reversed(self.names):
            if name.end <= start:
                if start - name.end > BACK_CHARACTERS:
                    return
                yield name

    def speaker(self, start: int) -> Name | None:
        """Where somebody says `I` or `we`: in a quotation the one named beside it, behind it or before it, else the issuer."""
        begin, end = self.text.rfind("\n", 0, start) + 1, self.text.find("\n", start)
        end = len(self.text) if end < 0 else end
        if not self.quoted(start):
            return self._issuer()
        outside = [n for n in self.names if begin <= n.start < end and n.person and not self.quoted(n.start)]
        close = re.compile('["”]').search(self.text, start, end)
        after = [n for n in outside if close is not None and close.end() <= n.start < close.end() + 80]
        before = [n for n in outside if n.end <= start and self._case(n) is None]
        return after[0] if after and self._case(after[0]) is None else before[-1] if before else None

    def _issuer(self) -> Name | None:
        """Whose statement a text is: whom its first line gives as its author, or who `issued the following statement`."""
        end = self.text.find("\n")
        if 0 < end <= BYLINE and self.text[end - 1] not in '.!?"”' and not _SPOKEN_FOR.search(self.text, 0, end):
            people = [name for name in self.names if name.person and name.end <= end]
            if len(people) == 1 and not self.text[: people[0].start].strip():
                return people[0]
        issued = _ISSUED.search(self.text, 0, ISSUED_WITHIN)
        if issued is None:
            return None
        begin = self.text.rfind("\n", 0, issued.start()) + 1
        names = [name for name in self.names if begin <= name.start and name.end <= issued.start()]
        return next((n for n, case in zip(names, self._cases(names), strict=True) if n.person and case is None), None)

    def _described(self, first: int, end: int) -> Party | None:
        """The party of the noun phrase around (first, end): `an Interpol spokesman`, `the Foreign Ministry of Iraq`."""
        before, behind = _BEFORE.search(self.text, max(0, first - 60), first), _BEHIND.match(self.text, end)
        low = before.start() if before else first
        high = behind.end() if behind else end
        inside = [n for n in self.names if low <= n.start and n.end <= high and known(n.party) and not n.person]
        if not inside:
            return None
        near = [n for n in inside if n.start >= first or not re.search(r"\s(?:of|in|at|for|to|and|as|by|with|that|the|a|an)\s",
                                                                     self.text[n.end : first])]  # fmt: skip
        if not near:
            return None
        if self._case(near[0]) in _WHERE and near[0].start >= end:
            return None
        party = self.resolve(min(near[0].start, first), max(near[-1].end, end))
        return party if party is not None and known(party) else None

    def _fits(self, low: str, name: Name) -> bool:
        if low not in PERSON_PRONOUNS:
            plain = name.label != "NORP" and not any(
                other.person and 0 <= other.start - name.end <= 40
                and all(map(titled, self.text[name.end : other.start].split()))
                and not re.search(r"[,;:()\"“”]|\band\b", self.text[name.end : other.start])
                for other in self.names
            )  # fmt: skip
            return (
                known(name.party)
                and (name.party.country is not None or name.label not in ("LOC", "FAC"))
                and (plain or low in PLURAL_PRONOUNS)
                and (not name.person or low in PLURAL_PRONOUNS)
            )
        other = _FEMALE if low in MALE_PRONOUNS else _MALE
        return name.person and not other.search(self.text, max(0, name.start - 10), name.start)

    def _office(self, first: int, end: int, subject: Name | None) -> Name | None:
        """The person whose office is a sentence's subject, before any name is: `The minister told John Roe that he ...`."""
        match = _OFFICE.search(self.text[first:end])
        if match is None or (subject is not None and subject.start < first + match.start("phrase")):
            return None
        start, stop = first + match.start("phrase"), first + match.end("phrase")
        party = self.resolve(start, stop)
        return Name(start, stop, party.text, "PERSON", party) if party is not None and party.name else None

    def _cases(self, names: Sequence[Name]) -> list[str | None]:
        """What governs each of the names of a sentence; a name of a list has the case of the one before it."""
        cases: list[str | None] = []
        for number, name in enumerate(names):
            joined = number and _AND.match(self.text, names[number - 1].end, name.start)
            if joined and all(map(titled, self.text[joined.end() : name.start].split())):
                cases.append(cases[-1])
            else:
                cases.append(self._case(name))
        return cases

    def _case(self, name: Name) -> str | None:
        """The preposition that governs a name, `of` for a possessive person; None for what may be a subject."""
        begin = max(name.start - 60, self.text.rfind("\n", 0, name.start) + 1)
        left = _OF_OFFICE.sub("", re.split(r"[.,;:()\"“”]\s", self.text[begin : name.start])[-1])
        for match in reversed([*_PREPOSITION.finditer(left)]):
            return match[0].casefold() if all(map(titled, left[match.end() :].split())) else None
        return "of" if name.person and self.text[name.end : name.end + 2] in ("'s", "’s") else None

    def _joined(self, first: Name, fitting: Sequence[Name]) -> tuple[Name, ...]:
        """A plural pronoun's subject with those that `and` joins to it; a single person is no plural."""
        found = [first]
        for name in fitting:
            if name.start >= found[-1].end and _AND.fullmatch(self.text, found[-1].end, name.start):
                found.append(name)
        return tuple(found) if len(found) > 1 or not first.person else ()

    def _many(self, first: int, end: int) -> Name | None:
        """A plural noun at the beginning of a sentence: `The protesters` clashed."""
        match = _PLURAL.match(self.text[first:end])
        if match is None or match["noun"].casefold() not in SECTORS:
            return None
        start, stop = first + match.start("phrase"), first + match.end("phrase")
        party = self.resolve(start, stop)
        return None if party is None else Name(party.start or start, party.end or stop, party.text, "NORP", party)

    def quoted(self, at: int) -> bool:
        """Whether a place is inside a quotation that began in its paragraph."""
        left = self.text[self.text.rfind("\n", 0, at) + 1 : at]
        return left.count('"') % 2 == 1 or left.count("“") > left.count("”")

    def sentences(self, start: int) -> Iterator[tuple[int, int]]:
        """The words before `start` in its sentence, then the sentences before it, backwards."""
        low = max(0, start - BACK_CHARACTERS)
        cuts = [low, *(m.end() for m in _SENTENCE_END.finditer(self.text, low, start + 1))]
        end = start
        for cut in reversed(cuts):
            yield cut, end
            end = cut


def titled(word: str) -> bool:
    """Whether a word may stand between a preposition and the name that it governs: `of French President ...`."""
    bare = word.strip(".,'’").casefold().removesuffix("'s").removesuffix("’s")
    return word[:1].isupper() or bare in SECTORS or bare in _IN_TITLES


def _first_of(text: str, start: int, end: int, sought: frozenset[str]) -> int | None:
    """Where the first of some words stands in a sentence; None if none does."""
    for match in re.finditer(r"[A-Za-z]+", text[start:end]):
        if match[0].casefold() in sought:
            return start + match.start()
    return None


def names_of(read: Plain, mentions: Sequence[Mention]) -> list[Name]:
    """The mentions of a section, in words, as names in characters; `anti-Syrian` names nobody."""
    named = [
        Name(read.offsets[m.start], read.offsets[m.start] + len(m.text), m.text, m.label, m.party) for m in mentions
    ]
    return [
        name
        for name in named
        if not (name.label == "PERSON" and TWO_SENTENCES.search(name.text))
        and not (
            read.text[name.start - 1 : name.start] == "-"
            and AGAINST.search(read.text, max(0, name.start - 6), name.start)
        )
    ]


def by_initials(names: Sequence[Name]) -> dict[str, Party]:
    """Names in, the bodies among them by their initials out: whoever names the Mali Relief Union goes on about the MRU."""
    found: dict[str, Party] = {}
    for name in names:
        words = [word for word in re.split(r"[\s-]+", name.text) if word[:1].isupper() and word != "The"]
        if len(words) > 1 and name.label != "PERSON" and (known(name.party) or name.label == "ORG"):
            found.setdefault("".join(word[0] for word in words), named(name.party, name.text))
    return found
