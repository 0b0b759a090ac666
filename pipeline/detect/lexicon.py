"""The lexicon: kinds of events as data. TOML files in, rules indexed by word form out.

A kind has a PLOVER type, and rules. A rule is a trigger (verb, noun or phrase), what must stand around it, and where its
actors and recipients are. Words are lemmas, separated by spaces; `@name` is a word class of the lexicon and `$name` a test
of meaning (`$party`: resolves to somebody known). docs/events.md explains every key.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from pipeline.detect.forms import PASTS, noun_forms, verb_forms, words
from pipeline.records import EventType, Modality

HERE: Final = Path(__file__).parent / "lexicon"
TESTS: Final = frozenset(
    ("$party", "$country", "$person", "$official", "$armed", "$place", "$named", "$people", "$igo", "$several")
)


OPEN_CLAUSES: Final = ("*", "to", "bare")
"""What `comp` may say in place of verbs: any clause, an infinitive, `that` with a bare verb (insisted that he go)."""

WORDLESS_CLAUSES: Final = ("*", "bare")
"""Those of them that no word of the sentence shows."""

NEVER_HEADLINES: Final = words("his its is was has be are were am 's 're ’s have had do does did")


SET_PHRASES: Final = words(
    "backed led based sponsored brokered held controlled occupied mediated owned allied armed united wanted aligned"
)
"""Participles that stand between a name and a noun as its modifier: Iran backed rebels."""


class LexiconError(ValueError):
    """A lexicon that cannot be used; the message names the file, the kind and the key."""


class RuleSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule as written. Exactly one of `verb`, `noun`, `phrase` is the trigger."""

    verb: str = ""
    noun: str = ""
    phrase: tuple[str, ...] = ()
    object: str = ""
    not_object: str = ""
    subject: str = ""
    not_subject: str = ""
    prep: str = ""
    prep_object: str = ""
    particle: str = ""
    comp: str = ""
    modifier: str = ""
    not_modifier: str = ""
    place: str = ""
    light: str = ""
    happen: str = ""
    need: str = ""
    veto: str = ""
    party: str = ""
    actor: str | None = None
    to: str | None = None
    joint: bool | None = None
    type: EventType | None = None
    mode: str | None = None
    subtype: str | None = None
    export: str | None = None
    modality: Modality | None = None
    weight: float = 0.7


class KindSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind as written; `yes` sentences must yield it asserted, `no` sentences must not."""

    kind: str
    type: EventType | None = None
    about: str = ""
    mode: str | None = None
    contexts: tuple[str, ...] = ()
    cameo: str = ""
    subtype: str | None = None
    export: str | None = None
    joint: bool = False
    replace: bool = False
    rules: tuple[RuleSpec, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()


class FileSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lexicon file: word classes, words that change modality, and kinds."""

    classes: dict[str, str] = {}
    modality: dict[str, str] = {}
    kinds: tuple[KindSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """A set of words that a text is tested against: forms, and tests of meaning."""

    forms: frozenset[str] = frozenset()
    tests: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.forms or self.tests)


@dataclass(frozen=True, slots=True, eq=False)
class LexiconRule:
    """A rule ready for use. `id` is its kind and number, which an event carries as `rule`. Each is equal to itself alone."""

    id: str
    kind: str
    type: EventType
    trigger: str  # "verb", "noun" or "phrase"
    object: Words = Words()
    not_object: Words = Words()
    subject: Words = Words()
    not_subject: Words = Words()
    prep: frozenset[str] = frozenset()
    prep_object: Words = Words()
    particle: frozenset[str] = frozenset()
    comp: frozenset[str] = frozenset()
    modifier: Words = Words()
    not_modifier: Words = Words()
    place: frozenset[str] = frozenset()
    light: frozenset[str] = frozenset()
    happen: frozenset[str] = frozenset()
    need: Words = Words()
    veto: Words = Words()
    party: str = ""
    actor: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    joint: bool = False
    mode: str | None = None
    contexts: tuple[str, ...] = ()
    cameo: str = ""
    subtype: str | None = None
    export: str | None = None
    modality: Modality | None = None
    weight: float = 0.7
    phrases: tuple[tuple[str, ...], ...] = ()
    wanted: tuple[frozenset[str], ...] = field(init=False, default=(), repr=False)
    asks_subject: bool = field(init=False, default=False, repr=False)

    def __post_init__(self) -> None:
        """Gather the sets of words of which a sentence must hold one before the rule is worth a closer look."""
        sets = [self.need.forms] if self.need else []
        if self.trigger in ("verb", "noun"):
            sets += [self.prep, _forms_alone(self.prep_object) if self.prep else frozenset()]
        if self.trigger == "verb":
            sets += [self.particle, self.comp if self.comp.isdisjoint(WORDLESS_CLAUSES) else frozenset()]
            sets += [_forms_alone(self.object), _forms_alone(self.subject)]
        elif self.trigger == "noun":
            sets.append(_forms_alone(self.modifier))
        object.__setattr__(self, "wanted", tuple(one for one in sets if one))
        object.__setattr__(self, "asks_subject", bool(self.subject or self.not_subject))


def _forms_alone(words: Words) -> frozenset[str]:
    """The forms of which one has to be there; none where a test of meaning may do instead."""
    return words.forms if not words.tests else frozenset()


class Rules(list[LexiconRule]):
    """The rules of one word. Some verbs have fifty, and a sentence has the words for two or three of them."""

    FEW: Final = 8
    """A set of more words than this is no key: most sentences have one of them."""

    _free: list[LexiconRule] | None = None
    """Those that can do without any word in particular."""

    def near(self, words: frozenset[str]) -> list[LexiconRule]:
        """A sentence's words in, the rules that may fit it out: it has the words they need and none that they forbid."""
        fit = []
        for rule in self._keyed(words):
            for wanted in rule.wanted:
                if wanted.isdisjoint(words):
                    break
            else:
                if rule.veto.forms.isdisjoint(words):
                    fit.append(rule)
        return fit

    def _keyed(self, words: frozenset[str]) -> list[LexiconRule]:
        """The rules of which a key is among the words, and those that have none."""
        if self._free is None:
            self._index()
        found = self._free or []
        if not self._by_word or not (keys := self._by_word.keys() & words):
            return found
        return list(dict.fromkeys((*found, *(rule for key in keys for rule in self._by_word[key]))))

    def _index(self) -> None:
        self._free = []
        self._by_word: dict[str, list[LexiconRule]] = {}
        for rule in self:
            fewest = min(rule.wanted, key=len, default=frozenset[str]())
            if not 0 < len(fewest) <= self.FEW:
                self._free.append(rule)
                continue
            for word in fewest:
                self._by_word.setdefault(word, []).append(rule)


@dataclass(slots=True)
class Lexicon:
    """All kinds: `verbs`, `nouns` and `phrases` lead from a word form (the first one of a phrase) to its rules."""

    kinds: dict[str, KindSpec] = field(default_factory=dict)
    verbs: dict[str, Rules] = field(default_factory=dict)
    nouns: dict[str, Rules] = field(default_factory=dict)
    phrases: dict[str, Rules] = field(default_factory=dict)
    classes: dict[str, Words] = field(default_factory=dict)
    modality: dict[str, frozenset[str]] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    """Words of which some rule says that they have to stand in the sentence, or must not."""

    def speaks_of(self, name: str, words: Iterable[str]) -> bool:
        """The name of a word class and words in: is one of them of the class. Never, where nobody defines it."""
        found = self.classes.get(name)
        return found is not None and not found.forms.isdisjoint(words)

    @property
    def present_forms(self) -> frozenset[str]:
        """Forms of the present of all verbs that trigger, report or plan: what a headline's verb looks like."""
        told = (self.modality.get(f"{name}_verbs", frozenset()) for name in ("saying", "planning", "hypothetical"))
        forms = frozenset(self.verbs).union(*told) - NEVER_HEADLINES
        return frozenset(form for form in forms if not form.endswith(("ing", "ed")))

    @property
    def past_forms(self) -> frozenset[str]:
        """Forms of the past of verbs that trigger which no noun has: a tagger that calls one a noun or an adjective errs."""
        return frozenset(
            form for form in self.verbs if form in PASTS or (form.endswith("ed") and form not in SET_PHRASES)
        )

    @property
    def forms(self) -> frozenset[str]:
        """All words that trigger an event or that a rule asks for around its trigger."""
        told = {form for table in (self.verbs, self.nouns) for form in table}
        for rules in (*self.verbs.values(), *self.nouns.values(), *self.phrases.values()):
            for rule in rules:
                told |= (
                    rule.object.forms | rule.modifier.forms | rule.prep_object.forms | rule.need.forms | rule.veto.forms
                )
        return frozenset(told)


def built_in() -> list[Path]:
    """The lexicon files that ship with Dateline, in order of name."""
    return sorted(HERE.glob("*.toml"))


def load(extra: Sequence[Path] = ()) -> Lexicon:
    """Built-in files and a user's own in, the lexicon out. A user's kind of a known name adds its rules, or replaces them.

    Raises:
        LexiconError: a file is absent, is not TOML, has an unknown key or names an unknown word class.
    """
    classes: dict[str, str] = {}
    modality: dict[str, str] = {}
    kinds: dict[str, KindSpec] = {}
    for file in [*built_in(), *extra]:
        spec = read(file)
        classes.update(spec.classes)
        for name, text in spec.modality.items():
            modality[name] = f"{modality.get(name, '')} {text}"
        for kind in spec.kinds:
            kinds[kind.kind] = _merged(kinds.get(kind.kind), kind)
    lexicon = Lexicon(kinds=kinds)
    for name in classes:
        lexicon.classes[name] = _expand(f"@{name}", classes, where=f"class {name}")
    for name, text in modality.items():
        grown = noun_forms if name.endswith("_nouns") else frozenset_of_one if name.endswith("_words") else verb_forms
        lexicon.modality[name] = frozenset().union(*(grown(word) for word in text.split()))
    for kind in kinds.values():
        _index(lexicon, kind, classes)
    lexicon.asked = _asked(lexicon)
    return lexicon


def _asked(lexicon: Lexicon) -> frozenset[str]:
    sets: set[frozenset[str]] = set()
    for rules in (*lexicon.verbs.values(), *lexicon.nouns.values(), *lexicon.phrases.values()):
        for rule in rules:
            sets.update((*rule.wanted, rule.veto.forms))
    return frozenset().union(*sets)


def frozenset_of_one(word: str) -> frozenset[str]:
    """A word in, just itself out."""
    return frozenset((word.replace("_", " "),))


def read(file: Path) -> FileSpec:
    """A lexicon file in, what it says out.

    Raises:
        LexiconError: the file is absent, is not TOML or has an unknown key.
    """
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), FileSpec)
    except OSError as error:
        raise LexiconError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise LexiconError(f"{file}: {error}") from error


def _merged(old: KindSpec | None, new: KindSpec) -> KindSpec:
    if old is None or new.replace:
        return new
    given = {
        f.name: getattr(new, f.name) for f in msgspec.structs.fields(KindSpec) if getattr(new, f.name) != f.default
    }
    for name in ("rules", "yes", "no"):
        given[name] = (*getattr(old, name), *getattr(new, name))
    return msgspec.structs.replace(old, **given)


def _index(lexicon: Lexicon, kind: KindSpec, classes: dict[str, str]) -> None:
    for number, spec in enumerate(kind.rules, start=1):
        where = f"{kind.kind}, rule {number}"
        rule = _rule(kind, spec, number, classes, where)
        if spec.verb:
            table, forms = lexicon.verbs, _forms(spec.verb, classes, where, verbs=True)
        elif spec.noun:
            table, forms = lexicon.nouns, _forms(spec.noun, classes, where, verbs=False)
        else:
            table, forms = lexicon.phrases, frozenset(words[0] for words in rule.phrases)
        for form in forms:
            table.setdefault(form, Rules()).append(rule)


def _rule(kind: KindSpec, spec: RuleSpec, number: int, classes: dict[str, str], where: str) -> LexiconRule:
    triggers = [name for name in ("verb", "noun", "phrase") if getattr(spec, name)]
    kind_type = spec.type or kind.type
    if len(triggers) != 1:
        raise LexiconError(f"{where}: one of verb, noun and phrase has to be given, not {len(triggers)}")
    if kind_type is None:
        raise LexiconError(f"{where}: the kind has no type")
    joint = kind.joint if spec.joint is None else spec.joint

    def nouns(text: str) -> Words:
        return _expand(text, classes, where=where)

    def verbs(text: str) -> frozenset[str]:
        return _forms(text, classes, where, verbs=True)

    return LexiconRule(
        id=f"{kind.kind}/{number}",
        kind=kind.kind,
        type=kind_type,
        trigger=triggers[0],
        object=nouns(spec.object),
        not_object=nouns(spec.not_object),
        subject=nouns(spec.subject),
        not_subject=nouns(spec.not_subject),
        prep=frozenset(spec.prep.split()),
        prep_object=nouns(spec.prep_object),
        particle=frozenset(spec.particle.split()),
        comp=verbs(spec.comp) if spec.comp not in OPEN_CLAUSES else frozenset((spec.comp,)),
        modifier=nouns(spec.modifier),
        not_modifier=nouns(spec.not_modifier),
        place=frozenset((spec.place or "subj obj").split()),
        light=verbs(spec.light or "@light"),
        happen=verbs(spec.happen or "@happen"),
        need=nouns(spec.need),
        veto=nouns(spec.veto),
        party=spec.party,
        actor=tuple((spec.actor if spec.actor is not None else "subj").split()),
        to=tuple((spec.to if spec.to is not None else "" if joint else "obj").split()),
        joint=joint,
        mode=spec.mode or kind.mode,
        contexts=kind.contexts,
        cameo=kind.cameo,
        subtype=spec.subtype or kind.subtype,
        export=spec.export or kind.export,
        modality=spec.modality,
        weight=spec.weight,
        phrases=tuple(tuple(text.split()) for text in spec.phrase),
    )


def _expand(text: str, classes: dict[str, str], *, where: str, depth: int = 0) -> Words:
    """Words with their classes unfolded; each in singular and plural, and as written."""
    forms: set[str] = set()
    tests: set[str] = set()
    for word in text.split():
        if word.startswith("@"):
            if word[1:] not in classes or depth > 5:
                raise LexiconError(f"{where}: unknown word class {word}")
            inner = _expand(classes[word[1:]], classes, where=where, depth=depth + 1)
            forms |= inner.forms
            tests |= inner.tests
        elif word.startswith("$"):
            if word not in TESTS:
                raise LexiconError(f"{where}: unknown test {word}, known are {', '.join(sorted(TESTS))}")
            tests.add(word)
        else:
            forms |= noun_forms(word)
    return Words(_shared(frozenset(forms)), frozenset(tests))


def _forms(text: str, classes: dict[str, str], where: str, *, verbs: bool) -> frozenset[str]:
    grown = verb_forms if verbs else noun_forms
    return _shared(frozenset().union(*(grown(word) for word in _lemmas(text, classes, where)))) if text else frozenset()


@functools.cache
def _shared(words: frozenset[str]) -> frozenset[str]:
    """The first of equal sets: thousands of rules ask for the same few classes, and one set stays in the processor's cache."""
    return words


def _lemmas(text: str, classes: dict[str, str], where: str, depth: int = 0) -> Iterable[str]:
    for word in text.split():
        if word.startswith("@"):
            if word[1:] not in classes or depth > 5:
                raise LexiconError(f"{where}: unknown word class {word}")
            yield from _lemmas(classes[word[1:]], classes, where, depth + 1)
        else:
            yield word


def kind_of(lexicon: Lexicon, name: str) -> KindSpec | None:
    """A slug in, its kind out."""
    return lexicon.kinds.get(name)


Table = dict[str, Any]
