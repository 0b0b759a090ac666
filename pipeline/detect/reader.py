"""Who is meant: a word of the tree in, the parties that its noun phrase names out.

A `Reader` reads one section of one article. It knows the names that stand in it, resolves each once, and remembers who was
spoken of, so that a pronoun, a last name or `the court` leads back to somebody named before.
"""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from pipeline.annotate.parse import Mention
from pipeline.detect.antecedents import antecedents, definite
from pipeline.detect.persons import (
    ARMED_HEADS,
    ARMING,
    CALENDAR,
    INNER,
    OFFICIAL,
    PERSON_PRONOUNS,
    PERSONS,
    PLACE_NOUNS,
    PRONOUNS,
    SECTORS,
    distinct,
    known,
    named,
)
from pipeline.detect.phrases import unknown_pair, written_as_name
from pipeline.detect.syntax import Tree, prep_objects
from pipeline.records import Party

if TYPE_CHECKING:
    from pipeline.detect.matching import Candidate
    from pipeline.detect.opinion.features import Setting
    from pipeline.detect.parties import Cast


TAIL: Final = 6
"""How many words behind its head a party's own words may reach."""

SIDED: Final = frozenset(("anti", "pro"))
AMERICAN: Final = ("u.s", "us ", "american", "united states")
"""How a phrase begins that says itself whose Senate it means."""
LEADING: Final = frozenset(("conj", "appos", "prep", "agent", "dative", "prt"))
"""Arcs by which more parties may hang on a noun."""


class Names(Protocol):
    """What roles needs of the resolver."""

    def party(self, text: str, *, on: dt.date | None = None) -> Party:
        """A name in, who it is out."""
        ...


class Reader(msgspec.Struct, eq=False):
    """One section of an article: its tree, the names in it, and what has been resolved so far.

    Remembered are `shares`, what the second opinion says of a word, `settings`, what it knows of a sentence, and `casts`,
    who takes part in what a candidate tells. `at` is the name that a word is part of.
    """

    tree: Tree
    names: Names
    mentions: list[Mention]
    known: dict[str, Party] = msgspec.field(default_factory=dict)
    speaker: tuple[Party, ...] = ()
    on: dt.date | None = None
    shares: dict[int, tuple[float, ...]] = msgspec.field(default_factory=dict)
    casts: dict[Candidate, Cast] = msgspec.field(default_factory=dict)
    settings: dict[int, Setting] = msgspec.field(default_factory=dict)
    at: dict[int, Mention] = msgspec.field(default_factory=dict)
    _strange: dict[int, bool] = msgspec.field(default_factory=dict)
    _tested: dict[tuple[str, int], bool] = msgspec.field(default_factory=dict)
    _memo: dict[int, tuple[Party, ...]] = msgspec.field(default_factory=dict)
    resolving: set[int] = msgspec.field(default_factory=set)

    def __post_init__(self) -> None:
        for mention in self.mentions:
            for index in range(mention.start, mention.end):
                self.at[index] = mention

    def mention_at(self, index: int) -> Mention | None:
        """The name that a word is part of."""
        return self.at.get(index)

    def named_in(self, start: int, end: int) -> list[Mention]:
        """The names that stand between two words, or reach in."""
        return list({id(m): m for index in range(start, end) if (m := self.at.get(index)) is not None}.values())

    # --- tests of meaning, for the rules --------------------------------------------------------------------------------

    def test(self, name: str, index: int) -> bool:
        """`$party` and its like of a word: whether its noun phrase has that meaning."""
        key = (name, index)
        found = self._tested.get(key)
        if found is None:  # many rules of one verb ask the same of its subject
            found = self._tested[key] = self._test(name, index)
        return found

    def _test(self, name: str, index: int) -> bool:
        if name == "$named":
            return index in self.at or self.tree.tags[index] in ("NNP", "NNPS")
        if name == "$people":
            return self._is_people(index)
        if name == "$place":
            mention = self.at.get(index)
            if mention is None and self.tree.low[index] in PLACE_NOUNS:
                return True
            return mention is not None and (
                mention.label in ("GPE", "LOC", "FAC") or bool(mention.party.country and mention.label != "PERSON")
            )
        parties = self.parties(index)
        if name == "$person":
            mention = self.at.get(index)
            return (
                bool(mention and mention.label == "PERSON")
                or (self.tree.low[index] in PERSONS and bool(parties))
                or (self.tree.low[index] in PERSON_PRONOUNS)
            )
        if name == "$country":
            told = any(p.country and p.sector in (None, "GOV", "MIL", "IGO", "LEG") for p in parties)
            return told or self._invented(index, parties)
        if name == "$official":
            told = any(known(p) and p.sector in OFFICIAL for p in parties)
            return told or (any(p.sector in OFFICIAL for p in parties) and self._invented(index, parties))
        if name == "$several":
            return len({p.country for p in parties if p.country}) > 1
        if name == "$igo":
            return any(p.sector == "IGO" for p in parties)
        if name == "$armed":
            return self.tree.low[index] in ARMED_HEADS or (
                any(p.sector in ("MIL", "REB") for p in parties) and not self._mere_group(index, parties)
            )
        return any(known(p) for p in parties) or self._invented(index, parties)

    def _invented(self, index: int, parties: tuple[Party, ...]) -> bool:
        """Is it a state that the gazetteer does not know, in a sentence of strangers: `Ruritania recalled its envoy`."""
        if not any(named(p) for p in parties):
            return False
        number = self.tree.sentence_of[index]
        strange = self._strange.get(number)
        if strange is None:
            sides = self.named_in(*self.tree.sentences[number])
            strange = self._strange[number] = not any(known(m.party) for m in sides)
        if not strange:
            return False
        mention = self.at.get(index)
        if mention is not None and mention.label in ("GPE", "NORP"):
            return True
        if self.tree.tags[index] in ("NN", "NNS"):
            return any(p.sector in OFFICIAL for p in parties)
        lone = self.tree.left_edge(index) == index and (
            mention is None or (mention.end - mention.start == 1 and mention.label != "PERSON")
        )
        return lone and self.tree.tags[index] == "NNP"  # what else the recogniser may call `Ruritania`

    def _mere_group(self, index: int, parties: tuple[Party, ...]) -> bool:
        """`a luxury group`: of groups only those are armed that are said to be, or known by name."""
        if self.tree.low[index] != "group" or any(p.name for p in parties):
            return False
        return not any(self.tree.low[k] in ARMED_HEADS or self.tree.low[k] in ARMING for k in self.tree.kids[index])

    def _is_people(self, index: int) -> bool:
        """Whether a word names the people of a country: `Georgians`, however it is tagged."""
        mention = self.at.get(index)
        if mention is None or not mention.party.country:
            return False
        return self.tree.tags[index] == "NNPS" or (mention.label == "NORP" and self.tree.low[index].endswith("s"))

    # --- noun phrases ---------------------------------------------------------------------------------------------------

    def parties(self, index: int) -> tuple[Party, ...]:
        """The word of a noun phrase in, the parties it names out, coordinated ones included."""
        remembered = self._memo.get(index)
        if remembered is not None:
            return remembered
        if index in self.resolving:
            return ()
        self.resolving.add(index)
        found: list[Party] = []
        for head in self._coordinated(index):
            found.extend(self._one(head))
        self.resolving.discard(index)
        result = distinct(found)
        self._memo[index] = result
        return result

    def _coordinated(self, index: int) -> list[int]:
        tree = self.tree
        if not any(tree.deps[kid] in LEADING for kid in tree.kids[index]):
            return [index]
        heads = [h for h in tree.conjuncts(index) if h == index or not tree.is_verb(h)]
        for head in tuple(heads):  # "Macron of France and Scholz of Germany": the parser joins Scholz to France
            for noun in prep_objects(tree, head, "of"):
                if noun in self.at and self.at[noun].label != "PERSON":
                    heads.extend(k for k in tree.conjuncts(noun) if k in self.at and self.at[k].label == "PERSON")
        for head in tuple(heads):  # "Peru, the Bahamas, Chile and Cuba": the parser takes the second for an apposition
            for kid in tree.children(head, "appos"):
                listed = tree.conjuncts(kid)
                if len(listed) > 1 and all(tree.tags[k] in ("NNP", "NNPS") for k in (head, *listed)):
                    heads.extend(listed)
        return sorted(set(heads))[:12]

    def _one(self, head: int) -> list[Party]:
        """One head of a noun phrase, without what is coordinated with it."""
        tree, low, mention = self.tree, self.tree.low[head], self.at.get(head)
        if low in PRONOUNS and mention is None:
            return list(antecedents(self, head))
        if tree.is_verb(head) and mention is None:
            return []
        start, end = tree.left_edge(head), max(head + 1, mention.end if mention else 0)
        if mention is not None and (known(mention.party) or low not in SECTORS or mention.end - mention.start > 1):
            return self._named(head, mention, min(start, mention.start), end)
        inside = [m for m in self.inside(start, head) if known(m.party)]
        if inside:
            return self._modified(head, inside, start, end)
        for find in (self._of_owner, self._of_inner, self._of_apposition):
            if parties := find(head, start, end):
                return parties
        if back := definite(self, head):
            whole = self._trim(start, head)
            return [self.place(party, tree.span(whole, end), whole) for party in back] if len(back) == 1 else list(back)
        if low in SECTORS and (pair := unknown_pair(tree, head)):
            return pair
        written = written_as_name(tree, head) and low not in CALENDAR
        return [self._common(head, start, end)] if low in SECTORS or written else []

    def _of_owner(self, head: int, start: int, end: int) -> list[Party]:
        """`its troops`, `the king's envoy`: whoever owns the head."""
        owner = next((k for k in self.tree.kids[head] if self.tree.deps[k] == "poss"), None)
        if owner is None:
            return []
        owners = (
            antecedents(self, owner)
            if self.tree.low[owner] in PRONOUNS and owner not in self.at
            else self.parties(owner)
        )
        return [self._part(head, party, start, end) for party in owners]

    def _of_inner(self, head: int, start: int, end: int) -> list[Party]:
        """`forces of Sudan`, `leaders of Peru and Chile`: whoever stands behind the head."""
        tree = self.tree
        inner = [n for n in prep_objects(tree, head, *INNER) if n > head]
        if (
            len(inner) == 1
            and len(tree.conjuncts(inner[0])) == 1
            and (whole := self._with_tail(head, inner[0], start)) is not None
        ):
            return [whole]
        for noun in inner:
            if parties := [p for p in self.parties(noun) if known(p)]:
                end = self._tail_end(noun, end) if len(parties) == 1 else end
                return [self._part(head, p, start, end) for p in parties]
        for noun in inner:  # `soldiers from Ruritania`: whose they are is written, if nobody knows where that is
            written = tree.tags[noun] in ("NNP", "NNPS") or (  # `leaders of the Azadliq coalition`
                tree.low[noun] in SECTORS
                and any(tree.tags[k] == "NNP" for k in tree.children(noun, "compound", "nmod"))
            )
            if written and tree.low[head] in SECTORS and tree.low[noun] not in CALENDAR:
                owners = [msgspec.structs.replace(p, name=p.name or p.text) for p in self.parties(noun)]
                end = self._tail_end(noun, end) if len(owners) == 1 else end
                return [self._part(head, owner, start, end) for owner in owners]
        return []

    def _tail_end(self, noun: int, end: int) -> int:
        """Where a phrase ends that tells whose it is: `three of its fighters`, `the offer of Seoul`."""
        mention = self.at.get(noun)
        last = mention.end if mention else noun + 1
        return last if end < last <= end + TAIL else end

    def _of_apposition(self, head: int, start: int, end: int) -> list[Party]:
        """`the coordinator, Kenzo Oshima`: whoever the head is said to be."""
        del start, end
        for kid in self.tree.children(head, "appos"):
            if parties := [p for p in self.parties(kid) if known(p)]:
                return parties
        return []

    def _with_tail(self, head: int, noun: int, start: int) -> Party | None:
        """`the president of Armenia`, `rebels in Darfur`: the phrase with what stands behind its head, if that is somebody."""
        mention = self.at.get(noun)
        last = max(noun + 1, mention.end if mention else 0)
        start = self._trim(start, head)
        phrase = self.tree.span(start, last)
        whole = self._resolve(phrase)
        return self.place(whole, phrase, start) if known(whole) and (whole.country or whole.sector) else None

    def _named(self, head: int, mention: Mention, start: int, end: int) -> list[Party]:
        """A phrase whose head is a name: its own party, with the country of what stands around it if it has none."""
        tree = self.tree
        start = self._trim(start, head)
        phrase = tree.span(start, end)
        party = mention.party
        if phrase != mention.text:
            whole = self._resolve(phrase)
            if known(whole) and (not known(party) or (whole.country and not party.country) or whole.name):
                party = whole
        if mention.label == "PERSON" or (not known(party) and tree.words[head][:1].isupper()):
            party = self._person(mention, party)
        located = self.place(party, phrase, start)
        if located.country == "USA" and located.sector in ("LEG", "MIL") and not phrase.casefold().startswith(AMERICAN):
            behind = (self.at[n].party.country for n in prep_objects(tree, head, "in", "of") if n in self.at)
            if abroad := next((c for c in behind if c and c != "USA"), None):  # "the Senate in Manila"
                located = msgspec.structs.replace(located, country=abroad, name=None, identifier=None)
        if not located.country and located.sector != "IGO":
            country = self._country_around(head, start)
            if country:
                located = msgspec.structs.replace(located, country=country)
        if mention.label == "PERSON" and known(located):
            self.known.setdefault(mention.text.split()[-1].casefold(), located)
        return [located]

    def _person(self, mention: Mention, party: Party) -> Party:
        """`Mr Xi` is the Xi Jinping of before; a person who is new is remembered under the last name."""
        last = mention.text.split()[-1].casefold()
        if party.country is None and last in self.known:
            return self.known[last]
        return party

    def _country_around(self, head: int, start: int) -> str | None:
        """The country of a named person or body: from a demonym before it, a possessor, `of X`, or an apposition."""
        tree = self.tree
        for mention in self.inside(start, head):
            if mention.party.country:
                return mention.party.country
        for noun in prep_objects(tree, head, "of", "from", "in"):
            mention_at = self.at.get(noun)
            if mention_at is not None and mention_at.party.country:
                return mention_at.party.country
        for kid in tree.children(head, "appos"):
            last = max((k for k in tree.subtree(kid) if k - kid < 12), default=kid)
            country = self._resolve(tree.span(tree.left_edge(kid), last + 1)).country
            if country:
                return country
        if tree.deps[head] == "appos":
            upper = tree.heads[head]
            for mention in self.inside(tree.left_edge(upper), upper):
                if mention.party.country:
                    return mention.party.country
        return None

    def _modified(self, head: int, inside: list[Mention], start: int, end: int) -> list[Party]:
        """A phrase whose head is a common noun with a name before it: Russian forces, the US plea, Turkish and Greek sides."""
        phrase = self.tree.span(start, end)
        if len(inside) == 1 or not self.joined(inside):
            whole = self._resolve(phrase)
            if known(whole) and whole.country and (whole.name or whole.sector):
                return [self.place(whole, phrase, start)]
            inside = inside[:1] if not self.joined(inside) else inside
        return [self._part(head, m.party, start, end) for m in inside]

    def joined(self, inside: list[Mention]) -> bool:
        """Whether the names before a noun stand side by side: `Turkish and Greek`, `US-Japan`."""
        return all(
            set(self.tree.low[a.end : b.start]) <= {"and", "-", "–", "—", "/", ","}
            for a, b in itertools.pairwise(inside)
        )

    def _part(self, head: int, owner: Party, start: int, end: int) -> Party:
        """What belongs to a party acts for it: its country, the head's sector."""
        tree = self.tree
        low = tree.low[head]
        sector = SECTORS.get(low) or owner.sector
        start = self._trim(start, head)
        return Party(
            text=tree.span(start, end),
            name=owner.name,
            country=owner.country,
            sector=owner.sector if owner.sector in ("IGO", "REB", "NGO") else sector,
            identifier=owner.identifier,
            start=tree.offsets[start],
            end=tree.end_offset(end - 1),
        )

    def _common(self, head: int, start: int, end: int) -> Party:
        """Somebody without a name: protesters, police, and whatever is written like a name."""
        start = self._trim(start, head)
        text = self.tree.span(start, end)
        return self.place(Party(text=text, sector=SECTORS.get(self.tree.low[head])), text, start)

    def _trim(self, start: int, head: int) -> int:
        """Drop articles and punctuation at the front."""
        while start < head and (
            self.tree.low[start] in ("the", "a", "an", "its", "his", "their", "her", "both", "all")
            or not self.tree.words[start][:1].isalnum()
        ):
            start += 1
        return start

    def place(self, party: Party, text: str, start: int) -> Party:
        """A party with the words by which it is named here, and where they stand."""
        offset = self.tree.offsets[start]
        return msgspec.structs.replace(party, text=text, start=offset, end=offset + len(text))

    def _resolve(self, text: str) -> Party:
        return self.names.party(text, on=self.on)

    def inside(self, start: int, end: int) -> list[Mention]:
        """The names that stand wholly between two words."""
        found: list[Mention] = []
        at = self.at
        for index in range(start, end):
            mention = at.get(index)
            if mention is None or (found and found[-1] is mention) or mention.end > end:
                continue
            if self.tree.low[mention.start] in SIDED or (
                mention.start > 1 and self.tree.low[mention.start - 2] in SIDED
            ):
                continue  # `anti-Serbian protesters` are no Serbs
            found.append(mention)
        return found
