"""One section of an article to drafts: every candidate with its modality, parties, place, date and amounts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import msgspec

from pipeline.detect import announce, details, modality, opinion, parties, retold, triggers, worth
from pipeline.detect.background import at_home, long_ago, mere_background, of_business, only_victims
from pipeline.detect.details import Found
from pipeline.detect.forms import words
from pipeline.detect.lexicon import LexiconRule
from pipeline.detect.matching import Candidate
from pipeline.detect.modality import Reading
from pipeline.detect.models import Models
from pipeline.detect.persons import known
from pipeline.detect.private import crime, of_private_people
from pipeline.detect.reader import Reader
from pipeline.detect.spoken import idle
from pipeline.detect.syntax import Tree
from pipeline.records import Evidence, Modality, Money, Party, Place, Quantity, Section, When

OLD_DAYS: Final = 45
"""What happened this long before publication is told as history."""

LONGEST_EVIDENCE: Final = 500
BESIDE: Final = words("with after following amid during before since as despite while")
"""Prepositions that put one event beside another: what stands behind them is not its content."""

VOTES: Final = words("vote votes voted voting")
PROMISES: Final = frozenset(("agreement", "pledge"))
"""Kinds that only say that something else is promised: where that is found, it is told in their stead."""

UNDOING: Final = frozenset(("SANCTION", "REJECT", "REQUEST", "ACCUSE", "THREATEN"))
"""Types that may have something planned as their object: a planned visit is cancelled, and that is no plan."""

MONEYED: Final = frozenset(("AID", "SANCTION", "AGREE", "COOPERATE"))
COUNTED: Final = frozenset(("ASSAULT", "AID", "MOBILIZE", "PROTEST", "COERCE", "RETREAT", "SANCTION", "ACCUSE"))
HOSTILE: Final = frozenset(
    ("REQUEST", "ACCUSE", "REJECT", "THREATEN", "PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT")
)


class Draft(msgspec.Struct):
    """An event in the making.

    `scores` are the parts of the rules' confidence by name, `opinion` is the share that the second opinion gives its type, and
    `sure` what both come to.
    """

    rule: LexiconRule
    section: Section
    start: int
    end: int
    evidence: str
    trigger: str
    at: int
    modality: Modality
    commitment: bool = False
    actors: tuple[Party, ...] = ()
    recipients: tuple[Party, ...] = ()
    places: tuple[Place, ...] = ()
    date: When | None = None
    money: tuple[Money, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    items: tuple[str, ...] = ()
    attributed_to: str | None = None
    scores: dict[str, float] = msgspec.field(default_factory=dict)
    candidate: Candidate | None = None
    cause: str = ""
    told_at: int | None = None
    opinion: float | None = None
    sure: float | None = None
    mentions: list[Evidence] = msgspec.field(default_factory=list)

    @property
    def rule_confidence(self) -> float:
        """How sure the rules are: the rule's weight and what speaks for and against, between 0.05 and 0.98."""
        return round(min(0.98, max(0.05, sum(self.scores.values()))), 3)

    @property
    def confidence(self) -> float:
        """How sure: the probability that the second opinion gives, which being told again raises; else that of the rules."""
        if self.sure is None:
            return self.rule_confidence
        return round(min(0.98, self.sure + (1.0 - self.sure) * self.scores.get("retold", 0.0)), 3)


class Scene(msgspec.Struct):
    """A sentence with all that its candidates share."""

    reader: Reader
    models: Models
    section: Section
    published: dt.datetime | None
    sentence: tuple[int, int]
    candidates: list[Candidate]
    found: Found

    @property
    def tree(self) -> Tree:
        """The tree of the section."""
        return self.reader.tree

    @property
    def offsets(self) -> tuple[int, int]:
        """Where the sentence begins and ends, in characters of the section."""
        first, last = self.sentence
        return self.tree.offsets[first], self.tree.end_offset(last - 1)


def draft(reader: Reader, models: Models, section: Section, published: dt.datetime | None) -> list[Draft]:
    """A section in, its drafts out in the order of the text."""
    tree = reader.tree
    made: list[Draft] = []

    def keep(candidate: Candidate) -> bool:
        return parties.enough(candidate.rule, parties.cast(reader, candidate))

    for start, end in tree.sentences:
        candidates = triggers.find(tree, start, end, models.lexicon, reader.test, keep=keep)
        candidates += opinion.propose(models.opinion, reader, (start, end), candidates)
        if not candidates and not made:
            continue
        found = _found(tree, start, end, published)
        candidates = [
            c for c in candidates if parties.enough(c.rule, parties.cast(reader, c)) and not of_business(reader, c)
        ]
        scene = Scene(reader, models, section, published, (start, end), candidates, found)
        told = [one for candidate in candidates if (one := _draft(scene, candidate)) is not None]
        if made and not any(one.rule.type == "AID" for one in told):
            worth.carry(tree, (start, end), made, found)
        made.extend((*told, *announce.announced(reader, models.lexicon, told)))
    return opinion.weigh(models.opinion, reader, retold.fold(tree, made))


def _found(tree: Tree, start: int, end: int, published: dt.datetime | None) -> Found:
    """Where the dates and amounts of one sentence are looked for."""
    base = tree.offsets[start]
    return Found(tree.text[base : tree.end_offset(end - 1)], base, published)


def _draft(scene: Scene, candidate: Candidate) -> Draft | None:
    """A candidate in, its draft out; none where it is unreal, only background, or lacks the parties its rule asks for."""
    tree, rule = scene.tree, candidate.rule
    anchor = candidate.verb if candidate.verb is not None else candidate.index
    reading = _reading(scene, candidate, anchor)
    if (
        _told_by_another(scene, candidate, anchor, reading)
        or mere_background(scene, candidate, anchor, reading)
        or crime(scene, candidate)
    ):
        return None
    if idle(scene, candidate, anchor, reading):
        return None
    cast = parties.cast(scene.reader, candidate)
    if not parties.enough(rule, cast) or of_private_people(scene, candidate, cast):
        return None
    start, end = _evidence(tree, scene.sentence, anchor)
    later = reading.modality in ("planned", "hypothetical") and not (reading.commitment and rule.type == "AID")
    date = details.choose_date(tree, scene.found, candidate.index, "future" if later else "past")
    if date is not None and tree.tags[anchor] in ("VBZ", "VBP") and _old(date, scene.published):
        date = None  # the present of a headline is now; the old date belongs to something else
    level = rule.modality if rule.modality and reading.modality == "asserted" else reading.modality
    level = _timed(level, date, scene.published, scheduled=_may_be_scheduled(tree, anchor, rule))
    if level == "historical" and reading.side:
        return None
    if level == "asserted" and long_ago(tree, anchor):
        level = "historical"
    places = _places(scene, anchor, [p.country for p in (*cast.recipients, *cast.actors) if p.country])
    cast = parties.settle(scene.reader, candidate, cast, places)
    if reading.commitment and rule.type == "AID":
        level = "asserted"
    if rule.type == "AID" and at_home(cast) and scene.found.money:
        return None
    made = Draft(
        rule=rule,
        section=scene.section,
        start=start,
        end=end,
        evidence=tree.text[start:end],
        trigger=_trigger_text(tree, candidate),
        at=tree.offsets[candidate.index],
        modality=level,
        commitment=reading.commitment,
        actors=cast.actors,
        recipients=cast.recipients,
        places=places,
        date=date,
        attributed_to=_attribution(scene, reading.by),
        candidate=candidate,
        cause=_cause(tree, reading, level, date),
        told_at=_told_at(tree, reading),
        scores={
            "rule": candidate.score * 0.8,
            "actor": 0.1 if any(known(p) for p in cast.actors) else -0.05,
            "recipient": 0.05 if any(known(p) for p in cast.recipients) else 0.0,
            "background": -0.1 if reading.side else 0.0,
            "quoted": -0.15 if reading.quoted else 0.0,
            "surface": -0.1 if candidate.surface else 0.0,
            "guessed": -0.05 * cast.guesses,
        },
    )
    _amounts(made, scene.found, tree.text[slice(*scene.offsets)])
    return made


# --- real or not ----------------------------------------------------------------------------------------------------------


def _reading(scene: Scene, candidate: Candidate, anchor: int) -> Reading:
    """How the clause is to be taken; a noun trigger also by what stands over the noun (plans for talks)."""
    tree, words = scene.tree, scene.models.vocabulary
    reading = modality.read(tree, anchor, words, title=scene.section == "title")
    if candidate.rule.trigger == "noun" and candidate.noun is not None and candidate.noun != anchor:
        on_noun = modality.read(tree, candidate.noun, words)
        reading.weaken(on_noun.modality, on_noun.governor)
    elif candidate.noun is not None and candidate.rule.type not in UNDOING:
        modality.own(tree, candidate.noun, words, reading)
    return reading


def _told_by_another(scene: Scene, candidate: Candidate, anchor: int, reading: Reading) -> bool:
    """Whether an event is only the content of another (what is urged, threatened), or a promise whose content is told."""
    tree = scene.tree
    others = [c for c in scene.candidates if c is not candidate]
    told = [c for c in others if c.verb is not None and _governs(tree, anchor, c.verb) and c.rule.kind != "proposal"]
    if told and (
        candidate.rule.kind == "pledge"
        or (
            candidate.rule.kind == "agreement"
            and (tree.low[anchor] in VOTES or any(c.rule.type == "AID" for c in told))
        )
    ):
        return True
    if only_victims(scene, candidate, others):
        return True
    if reading.modality not in ("hypothetical", "planned", "denied"):
        return False
    if _restates(tree, candidate, anchor, others):
        return True
    governors = {i for c in others if c.rule.kind not in PROMISES for i in c.used}
    if reading.governor in governors - candidate.used:
        return True
    current = anchor
    for above in tree.ancestors(anchor):
        if tree.deps[current] in ("relcl", "conj", "parataxis", "advcl") or tree.low[current] in BESIDE:
            return False
        if above in governors and above not in candidate.used:
            return True
        current = above
    return False


def _restates(tree: Tree, candidate: Candidate, anchor: int, others: Sequence[Candidate]) -> bool:
    """`declared a strike to protest against cuts`: a purpose of the same type is no second event."""
    if tree.deps[anchor] not in ("advcl", "acl", "xcomp") or not any(tree.low[k] == "to" for k in tree.kids[anchor]):
        return False
    over = tree.heads[anchor]
    return any(c.rule.type == candidate.rule.type and (c.verb == over or over in c.used) for c in others)


def _governs(tree: Tree, upper: int, lower: int) -> bool:
    """Whether the lower verb is in the complement of the upper one, directly or coordinated there."""
    current = lower
    for above in tree.ancestors(lower):
        if above == upper:
            purpose = tree.deps[current] == "advcl" and tree.low[upper] in VOTES  # "voted 80-12 to ban"
            return purpose or tree.deps[current] in ("xcomp", "ccomp", "acomp", "prep", "pcomp")
        if tree.deps[current] not in ("xcomp", "ccomp", "conj", "acomp", "pcomp", "prep", "dobj"):
            return False
        current = above
    return False


def _may_be_scheduled(tree: Tree, anchor: int, rule: LexiconRule) -> bool:
    """Whether a date to come makes an event a plan. What somebody did or says about next month is done and said."""
    if tree.tags[anchor] == "VBD" or rule.kind == "proposal":
        return False
    if rule.kind == "election" or rule.type in ("CONSULT", "PROTEST", "COOPERATE"):
        return True
    return tree.tags[anchor] not in ("VBZ", "VBP", "VBN")


def _timed(level: Modality, date: When | None, published: dt.datetime | None, *, scheduled: bool) -> Modality:
    if date is None or published is None or level != "asserted" or date.precision == "unknown":
        return level
    today = published.date()
    if date.start > today:
        return "planned" if scheduled else level
    return "historical" if _old(date, published) else level


def _old(date: When, published: dt.datetime | None) -> bool:
    return published is not None and (published.date() - date.end).days > OLD_DAYS


def _told_at(tree: Tree, reading: Reading) -> int | None:
    """The verb by which somebody says, plans or decides what is to come, for `announce`."""
    if reading.by is not None:
        return tree.heads[reading.by]
    above = reading.governor
    if above is not None and tree.is_noun(above):  # "announces plans to withdraw"
        above = tree.heads[above]
    return above if above is not None and tree.is_verb(above) and tree.low[above] not in modality.BE else None


def _cause(tree: Tree, reading: Reading, level: Modality, date: When | None) -> str:
    """Why an event has its modality, for `explain`: the word that governs it, or its date."""
    if level == reading.modality and reading.governor is not None:
        return f"because of “{tree.words[reading.governor]}”"
    if level == reading.modality:
        return "nothing makes it unreal" if level == "asserted" else "the form of its verb"
    return (
        f"because of its date, {date.start}"
        if date is not None and level in ("planned", "historical")
        else "as its rule says"
    )


# --- evidence, place, saying, amounts -------------------------------------------------------------------------------------


def _evidence(tree: Tree, sentence: tuple[int, int], anchor: int) -> tuple[int, int]:
    """The sentence without a paragraph break inside, or of a very long one the clause around the trigger."""
    first, last = sentence
    start, end = tree.offsets[first], tree.end_offset(last - 1)
    at = tree.offsets[anchor]
    above = tree.text.rfind("\n\n", start, at)
    below = tree.text.find("\n\n", at, end)
    start, end = above + 2 if above >= 0 else start, below if below >= 0 else end
    if end - start > LONGEST_EVIDENCE:
        words = sorted(tree.subtree(anchor))
        start, end = max(start, tree.offsets[words[0]]), min(end, tree.end_offset(words[-1]))
        if end - start > LONGEST_EVIDENCE:
            start, end = max(start, at - LONGEST_EVIDENCE // 2), min(end, at + LONGEST_EVIDENCE // 2)
    while start < end and tree.text[start].isspace():
        start += 1
    while end > start and tree.text[end - 1].isspace():
        end -= 1
    return start, end


def _trigger_text(tree: Tree, candidate: Candidate) -> str:
    used = sorted(candidate.used) or [candidate.index]
    if used[-1] - used[0] <= 3:
        return tree.span(used[0], used[-1] + 1)
    return " … ".join(tree.words[index] for index in used)


def _places(scene: Scene, anchor: int, hints: Sequence[str]) -> tuple[Place, ...]:
    """The places of the clause. Countries named in the sentence tell Moscow in Russia from Moscow in Idaho."""
    tree, found = scene.tree, list[Place]()
    here = [
        m.party.country
        for m in scene.reader.mentions
        if m.party.country and scene.sentence[0] <= m.start < scene.sentence[1]
    ]
    for first, last in details.place_mentions(scene.reader, anchor, scene.sentence)[:3]:
        text, start = tree.span(first, last), tree.offsets[first]
        own = scene.reader.mention_at(first)
        known_as = [own.party.country] if own is not None and own.party.country else []
        place = scene.models.names.place(text, [*known_as, *hints, *here])
        if place is not None and place.name not in {p.name for p in found}:
            found.append(msgspec.structs.replace(place, text=text, start=start, end=start + len(text)))
    return tuple(found)


def _attribution(scene: Scene, by: int | None) -> str | None:
    """Who says it: the subject of the reporting verb, or what stands behind `according to`."""
    tree = scene.tree
    if by is not None:
        told = scene.reader.parties(by)
        if told and tree.low[by] in ("he", "she", "it", "they", "we", "i"):
            return told[0].text
        return tree.span(_first_word(tree, by), by + 1)
    for index in range(*scene.sentence):
        if tree.low[index] == "according":
            for kid in tree.kids[index]:
                for noun in tree.children(kid, "pobj"):
                    return tree.span(_first_word(tree, noun), noun + 1)
    return None


def _first_word(tree: Tree, index: int) -> int:
    start = tree.left_edge(index)
    while start < index and tree.low[start] in ("the", "a", "an"):
        start += 1
    return start


def _amounts(made: Draft, found: Found, sentence: str) -> None:
    """Sums and counts of the sentence go to the types that have them."""
    kind, event_type = made.rule.kind, made.rule.type
    if event_type in MONEYED or kind in ("pledge", "legal_action"):
        made.money = found.money
    if event_type in COUNTED:
        made.quantities = found.quantities
    if kind in ("aid_package", "arms_deal", "arms_procurement"):
        made.items = details.items(sentence)
