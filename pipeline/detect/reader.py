"""Who is meant: a word of the tree in, the parties that its noun phrase names out.

A `Reader` reads one section of one article. It knows the names that stand in it, resolves each once, and remembers who was
spoken of, so that a pronoun, a last name or `the court` leads back to somebody named before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from pipeline.annotate import Mention
from pipeline.detect.forms import words
from pipeline.detect.syntax import PASSIVE_SUBJECTS, SUBJECTS, Tree, prep_objects
from pipeline.records import Party


class Names(Protocol):
    """What roles needs of the resolver."""

    def party(self, text: str, *, on: dt.date | None = None) -> Party:
        """A name in, who it is out."""
        ...


SECTORS: Final[dict[str, str]] = {
    word: sector
    for sector, words in {
        "GOV": "government ministry minister president officials official premier cabinet administration regime authorities "
               "authority leader leaders diplomat diplomats ambassador ambassadors envoy envoys delegation spokesman "
               "spokeswoman spokesperson embassy chancellor secretary negotiator negotiators governor mayor junta king emir",
        "MIL": "forces force army troops troop military soldiers soldier navy marines warship warships jets jet warplanes "
               "warplane aircraft helicopter helicopters drone drones missile missiles artillery tanks general commander "
               "commanders peacekeepers fleet airstrike airstrikes strike strikes bombers gunboats servicemen reservists",
        "COP": "police policemen officers policeman gendarmes guards border-guards",
        "REB": "rebels rebel militants militant insurgents insurgent guerrillas guerrilla fighters fighter militia militias "
               "militiamen gunmen separatists jihadists extremists terrorists paramilitaries militiaman group",
        "JUD": "court judge judges tribunal prosecutor prosecutors magistrate judiciary",
        "LEG": "parliament lawmakers lawmaker congress senate assembly legislature senators senator mps duma bundestag knesset",
        "OPP": "opposition dissidents dissident",
        "CVL": "protesters demonstrators civilians civilian people residents citizens citizen students student workers "
               "women children villagers refugees refugee migrants families activists activist settlers farmers prisoners "
               "detainees hostages nationals supporters crowd crowds men teachers women's",
        "MED": "newspaper newspapers media journalists journalist reporters reporter broadcaster television tv agency",
        "BUS": "company companies firm firms bank banks businessman businessmen oligarch oligarchs entities exporters",
    }.items()
    for word in words.split()
}  # fmt: skip
"""What the head of a phrase says about the sector of its party."""

PERSONS: Final = words(
    "president minister leader chancellor premier king queen prince emir sultan pope secretary spokesman spokeswoman envoy "
    "ambassador general mayor governor senator counterpart diplomat official commander chief director"
)
PLACE_NOUNS: Final = words(
    "city town village district province region capital border island area territory camp base site zone neighbourhood "
    "neighborhood suburb peninsula state county country"
)
PERSON_PRONOUNS: Final = frozenset(("he", "him", "his", "she", "her", "himself", "herself", "hers"))
THING_PRONOUNS: Final = frozenset(("it", "its", "itself"))
PLURAL_PRONOUNS: Final = frozenset(("they", "them", "their", "themselves", "theirs", "both"))
FIRST_PRONOUNS: Final = frozenset(("we", "us", "our", "i", "me", "my", "ours"))
PRONOUNS: Final = PERSON_PRONOUNS | THING_PRONOUNS | PLURAL_PRONOUNS | FIRST_PRONOUNS
COLLECTIVES: Final = words(
    "leaders presidents sides countries ministers two nations governments parties pair men neighbours neighbors allies officials"
)
BACK: Final = {
    "court": "JUD", "country": "country", "nation": "country", "government": "country", "president": "person", "group": "REB",
    "minister": "person", "leader": "person", "organisation": "org", "organization": "org", "bloc": "org", "alliance": "org",
    "agency": "org", "ministry": "country", "kingdom": "country", "republic": "country", "regime": "country", "movement": "REB",
    "premier": "person", "king": "person", "chancellor": "person", "army": "country", "military": "country", "council": "org",
    "militants": "REB", "union": "org",
}  # fmt: skip
"""A common noun with `the` that leads back to a name of that sort."""

INNER: Final = frozenset(("of", "from", "in", "for", "at"))
"""Prepositions whose noun says whose the head is: forces of Sudan, militants in Yemen."""

HEAD_DEPS: Final = frozenset(("compound", "amod", "nmod", "poss", "nummod", "conj", "appos"))


@dataclass(slots=True)
class Reader:
    """One section of an article: its tree, the names in it, and what has been resolved so far."""

    tree: Tree
    names: Names
    mentions: list[Mention]
    known: dict[str, Party] = field(default_factory=dict)
    speaker: tuple[Party, ...] = ()
    on: dt.date | None = None
    _at: dict[int, Mention] = field(default_factory=dict)
    _memo: dict[int, tuple[Party, ...]] = field(default_factory=dict)
    _resolving: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for mention in self.mentions:
            for index in range(mention.start, mention.end):
                self._at[index] = mention

    def mention_at(self, index: int) -> Mention | None:
        """The name that a word is part of."""
        return self._at.get(index)

    # --- tests of meaning, for the rules --------------------------------------------------------------------------------

    def test(self, name: str, index: int) -> bool:
        """`$party` and its like of a word: does its noun phrase have that meaning?"""
        if name == "$named":
            return index in self._at or self.tree.tags[index] in ("NNP", "NNPS")
        if name == "$place":
            mention = self._at.get(index)
            if mention is None and self.tree.low[index] in PLACE_NOUNS:
                return True
            return mention is not None and (
                mention.label in ("GPE", "LOC", "FAC") or bool(mention.party.country and mention.label != "PERSON")
            )
        parties = self.parties(index)
        if name == "$person":
            mention = self._at.get(index)
            return (
                bool(mention and mention.label == "PERSON")
                or (self.tree.low[index] in PERSONS and bool(parties))
                or (self.tree.low[index] in PERSON_PRONOUNS)
            )
        if name == "$country":
            return any(p.country and p.sector in (None, "GOV", "MIL", "IGO", "LEG") for p in parties)
        if name == "$armed":
            return self.tree.low[index] in ARMED_HEADS or any(p.sector in ("MIL", "REB") for p in parties)
        return any(known(p) for p in parties)

    # --- noun phrases ---------------------------------------------------------------------------------------------------

    def parties(self, index: int) -> tuple[Party, ...]:
        """The word of a noun phrase in, the parties it names out, coordinated ones included."""
        if index in self._memo:
            return self._memo[index]
        if index in self._resolving:
            return ()
        self._resolving.add(index)
        found: list[Party] = []
        for head in self._coordinated(index):
            found.extend(self._one(head))
        self._resolving.discard(index)
        result = distinct(found)
        self._memo[index] = result
        return result

    def _coordinated(self, index: int) -> list[int]:
        tree = self.tree
        heads = [h for h in tree.conjuncts(index) if h == index or not tree.is_verb(h)]
        for head in tuple(heads):  # "Macron of France and Scholz of Germany": the parser joins Scholz to France
            for noun in prep_objects(tree, head, "of"):
                if noun in self._at and self._at[noun].label != "PERSON":
                    heads.extend(k for k in tree.conjuncts(noun) if k in self._at and self._at[k].label == "PERSON")
        return sorted(set(heads))[:12]

    def _one(self, head: int) -> list[Party]:
        tree = self.tree
        low = tree.low[head]
        if low in PRONOUNS:
            return list(self.antecedents(head))
        if tree.is_verb(head) and head not in self._at:
            return []
        start = tree.left_edge(head)
        mention = self._at.get(head)
        end = max(head + 1, mention.end if mention else 0)
        start = min(start, mention.start if mention else start)
        if mention is not None:
            return self._named(head, mention, start, end)
        inside = [m for m in self.inside(start, head) if known(m.party)]
        if inside:
            return self._modified(head, inside, start, end)
        owner = next((k for k in tree.kids[head] if tree.deps[k] == "poss"), None)
        if owner is not None and tree.low[owner] in PRONOUNS:
            owners = self.antecedents(owner)
            if owners:
                return [self._part(head, p, start, end) for p in owners]
        elif owner is not None:
            owners = self.parties(owner)
            if owners:
                return [self._part(head, p, start, end) for p in owners]
        inner = [n for n in prep_objects(tree, head, *INNER) if n > head]
        if (
            len(inner) == 1
            and len(tree.conjuncts(inner[0])) == 1
            and (whole := self._with_tail(head, inner[0], start)) is not None
        ):
            return [whole]
        for noun in inner:
            parties = [p for p in self.parties(noun) if known(p)]
            if parties:
                return [self._part(head, p, start, end) for p in parties]
        for kid in tree.children(head, "appos"):
            parties = [p for p in self.parties(kid) if known(p)]
            if parties:
                return parties
        back = self._definite(head)
        if back:
            return list(back)
        return [self._common(head, start, end)] if low in SECTORS or tree.tags[head] in ("NNP", "NNPS") else []

    def _with_tail(self, head: int, noun: int, start: int) -> Party | None:
        """`the president of Armenia`, `rebels in Darfur`: the phrase with what stands behind its head, if that is somebody."""
        mention = self._at.get(noun)
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
            party = self._person(mention, party, head, start)
        located = self.place(party, phrase, start)
        if not located.country and located.sector not in ("IGO",):
            country = self._country_around(head, start)
            if country:
                located = msgspec.structs.replace(located, country=country)
        if mention.label == "PERSON" and known(located):
            self.known.setdefault(mention.text.split()[-1].casefold(), located)
        return [located]

    def _person(self, mention: Mention, party: Party, head: int, start: int) -> Party:
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
            mention_at = self._at.get(noun)
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
        """Do the names before a noun stand side by side: `Turkish and Greek`, `US-Japan`?"""
        return all(
            set(self.tree.low[a.end : b.start]) <= {"and", "-", "–", "—", "/", ","}
            for a, b in zip(inside, inside[1:], strict=False)
        )

    def _part(self, head: int, owner: Party, start: int, end: int) -> Party:
        """What belongs to a party acts for it: its country, the head's sector."""
        tree = self.tree
        low = tree.low[head]
        sector = SECTORS.get(low) or owner.sector
        keep = owner.sector in ("IGO", "REB", "NGO") or low not in SECTORS
        start = self._trim(start, head)
        return Party(
            text=tree.span(start, end),
            name=owner.name
            if keep or (owner.sector in (None, "GOV") and low in ("government", "administration", "authorities"))
            else owner.name,
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
        offset = self.tree.offsets[start]
        return msgspec.structs.replace(party, text=text, start=offset, end=offset + len(text))

    def _resolve(self, text: str) -> Party:
        return self.names.party(text, on=self.on)

    def inside(self, start: int, end: int) -> list[Mention]:
        found: list[Mention] = []
        for index in range(start, end):
            mention = self._at.get(index)
            if mention is not None and (not found or found[-1] is not mention) and mention.end <= end:
                found.append(mention)
        return found

    # --- pronouns and the like ------------------------------------------------------------------------------------------

    def antecedents(self, pronoun: int) -> tuple[Party, ...]:
        """A pronoun in, whom it stands for out: a subject above it or before it that fits in number and kind."""
        low = self.tree.low[pronoun]
        if low in FIRST_PRONOUNS:
            return self._speaker_of(pronoun)
        for candidate in self._earlier_subjects(pronoun):
            if self._fits(candidate, low):
                parties = self.parties(candidate)
                if parties and (low in PLURAL_PRONOUNS or len(parties) == 1):
                    return parties
        if low in PLURAL_PRONOUNS:
            return self._last_two(pronoun) if low in ("both", "they") else ()
        want = "person" if low in PERSON_PRONOUNS else "thing"
        for mention in reversed([m for m in self.mentions if m.end <= pronoun]):
            if known(mention.party) and (mention.label == "PERSON") == (want == "person"):
                return (self._located(mention),)
            if pronoun - mention.end > 120:
                break
        return ()

    def _speaker_of(self, pronoun: int) -> tuple[Party, ...]:
        for above in self.tree.ancestors(pronoun):
            if self.tree.is_verb(above):
                for kid in self.tree.kids[above]:
                    if self.tree.deps[kid] in SUBJECTS and self.tree.low[kid] not in PRONOUNS and kid != pronoun:
                        return self.parties(kid)
        return self.speaker

    def _earlier_subjects(self, pronoun: int) -> list[int]:
        tree = self.tree
        found: list[int] = []
        for above in tree.ancestors(pronoun):
            if tree.is_verb(above):
                for kid in tree.kids[above]:
                    if (
                        (tree.deps[kid] in SUBJECTS or tree.deps[kid] in PASSIVE_SUBJECTS)
                        and kid < pronoun
                        and pronoun not in _within(tree, kid)
                    ):
                        found.append(kid)
        number = tree.sentence_of[pronoun]
        start, _ = tree.sentences[number]
        found.extend(
            k
            for k in range(pronoun - 1, start - 1, -1)
            if tree.deps[k] in ("nsubj", "nsubjpass", "dobj", "pobj") and k not in found and k in self._at
        )
        for earlier in range(number - 1, max(-1, number - 4), -1):
            first, last = tree.sentences[earlier]
            subjects = [
                k
                for k in range(first, last)
                if tree.deps[k] in ("nsubj", "nsubjpass") and tree.low[k] not in ("who", "which", "that")
            ]
            subjects.sort(key=lambda k: (tree.deps[tree.heads[k]] != "ROOT", k))
            found.extend(subjects)
        return found

    def _fits(self, candidate: int, low: str) -> bool:
        tree = self.tree
        if tree.low[candidate] in PRONOUNS:
            return tree.low[candidate] in _CLASS_OF[low]
        mention = self._at.get(candidate)
        person = (mention is not None and mention.label == "PERSON") or tree.low[candidate] in PERSONS
        plural = tree.tags[candidate] in ("NNS", "NNPS") or len(tree.conjuncts(candidate)) > 1
        if low in PERSON_PRONOUNS:
            return person
        if low in THING_PRONOUNS:
            return not person and not plural
        return plural or not person

    def _definite(self, head: int) -> tuple[Party, ...]:
        """`the court`, `the two leaders`: whom the article named before."""
        tree = self.tree
        low = tree.low[head]
        if not any(tree.low[k] in ("the", "both", "two", "this", "its", "his") for k in tree.kids[head] if k < head):
            return ()
        if low in COLLECTIVES and not prep_objects(tree, head, "of", "from"):
            return self._last_two(head)
        sort = BACK.get(low)
        if sort is None:
            return ()
        for mention in reversed([m for m in self.mentions if m.end <= head]):
            party = mention.party
            if not known(party):
                continue
            if (
                (sort == "person" and mention.label == "PERSON")
                or (sort == "country" and mention.label in ("GPE", "NORP") and party.country)
                or (sort == "JUD" and (party.sector == "JUD" or "court" in mention.text.casefold()))
                or (sort == "REB" and party.sector in ("REB", "MIL"))
                or (sort == "org" and mention.label == "ORG")
            ):
                return (self._located(mention),)
        return ()

    def _located(self, mention: Mention) -> Party:
        parties = self.parties(mention.end - 1) if mention.end - 1 not in self._resolving else ()
        return parties[0] if len(parties) == 1 else self.place(mention.party, mention.text, mention.start)

    def _last_two(self, before: int) -> tuple[Party, ...]:
        """The sides that were last told of together: subject and `with` of a sentence before, else the last two people."""
        tree = self.tree
        number = tree.sentence_of[before]
        for earlier in range(number - 1, max(-1, number - 5), -1):
            first, last = tree.sentences[earlier]
            for verb in (
                i for i in range(first, last) if tree.is_verb(i) and tree.deps[i] in ("ROOT", "conj", "relcl")
            ):
                sides = self._sides(verb)
                if len({p.country or p.name for p in sides}) >= 2:
                    return sides
        found: list[Party] = []
        for mention in reversed([m for m in self.mentions if m.end <= before and m.label == "PERSON"]):
            party = self._located(mention)
            if party.country and party.country not in {p.country for p in found}:
                found.append(party)
            if len(found) == 2:
                break
        return tuple(reversed(found)) if len(found) == 2 else ()

    def _sides(self, verb: int) -> tuple[Party, ...]:
        tree = self.tree
        words_of = [
            k
            for k in tree.kids[verb]
            if tree.deps[k] in ("nsubj", "nsubjpass") or (tree.deps[k] == "dobj" and k in self._at)
        ]
        words_of += prep_objects(tree, verb, "with", "to", "between")
        found = [
            p
            for k in words_of
            if tree.low[k] not in PLURAL_PRONOUNS and k not in self._resolving
            for p in self.parties(k)
        ]
        return distinct([p for p in found if known(p)])


ARMED_HEADS: Final = frozenset(
    word for word, sector in SECTORS.items() if sector in ("MIL", "REB") and word not in ("group", "general")
)
_CLASS_OF: Final = {
    **dict.fromkeys(PERSON_PRONOUNS, PERSON_PRONOUNS),
    **dict.fromkeys(THING_PRONOUNS, THING_PRONOUNS),
    **dict.fromkeys(PLURAL_PRONOUNS, PLURAL_PRONOUNS),
    **dict.fromkeys(FIRST_PRONOUNS, FIRST_PRONOUNS),
}


def _within(tree: Tree, index: int) -> set[int]:
    return set(tree.subtree(index))


def known(party: Party) -> bool:
    """Is the party somebody, rather than just words?"""
    return bool(party.name or party.country)


def named(party: Party) -> bool:
    """Is the party known, or at least written like a name: a state or a body that the gazetteer has never heard of."""
    return known(party) or any(word[:1].isupper() for word in party.text.split()[-1:])


def distinct(parties: Sequence[Party]) -> tuple[Party, ...]:
    """Parties in, without those that are the same again out; unknown ones are told apart by their words."""
    seen: set[tuple[str | None, ...]] = set()
    kept = []
    for party in parties:
        key = (party.name or party.text.casefold(), party.country, None if party.name else party.sector)
        if key not in seen:
            seen.add(key)
            kept.append(party)
    return tuple(kept)
