"""What is announced: the drafts of a sentence in, the announcement itself out where it is the sentence's only news.

That Germany says it will send soldiers is no sending, but that it says so has happened: PLOVER codes it AGREE, or THREATEN
where what is to come is hostile. The plan stays an event of its own; the announcement is one beside it. Visits and talks to
come are left as they are: for them the plan is the news, and everybody speaks of it. Aid that is announced by whoever gives
it is told once, as aid that has been decided.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.detect.forms import verb_forms, words
from pipeline.detect.lexicon import Lexicon, LexiconRule
from pipeline.detect.persons import OFFICIAL, known
from pipeline.detect.reader import Reader
from pipeline.detect.syntax import object_of, subject_of
from pipeline.records import EventType, Party

if TYPE_CHECKING:
    from pipeline.detect.drafts import Draft

HOSTILE: Final = frozenset(("REJECT", "SANCTION", "COERCE", "ASSAULT", "ACCUSE", "PROTEST"))
"""Types whose announcement is a threat."""

LEFT: Final = frozenset(("CONSULT", "THREATEN", "REQUEST"))
"""Types whose announcement adds nothing: talks to come, and what is words itself."""

OWN_AFFAIRS: Final = frozenset(("resignation", "election", "appointment"))
"""Kinds that promise nobody anything: who goes, comes or votes."""

AWAITED: Final = frozenset().union(
    *(verb_forms(verb) for verb in words("expect anticipate await schedule slate mean poise prepare ready"))
)
"""Verbs that tell of what is to come without announcing it: `is expected to become`, `prepares to receive`."""

FIRM: Final = words("will 'll would")
"""With these of the deed itself it is announced as decided."""

FRIENDLY: Final = verb_forms("offer") | verb_forms("volunteer")
"""Verbs that announce nothing hostile, whatever the rules take the offered for."""

SHARE: Final = 0.8
"""An announcement is less sure than the plan: its verb may only report somebody else's."""


def announced(reader: Reader, lexicon: Lexicon, told: Sequence[Draft]) -> Iterator[Draft]:
    """The drafts of one sentence in, at most one announcement out: only where nothing in the sentence has happened."""
    if any(one.modality in ("asserted", "historical") for one in told):
        return
    for one in told:
        if one.modality != "planned" or one.rule.type in LEFT or one.rule.kind in OWN_AFFAIRS or one.told_at is None:
            continue
        low, hostile = reader.tree.low[one.told_at], one.rule.type in HOSTILE
        if low in AWAITED or (hostile and low in FRIENDLY):
            continue
        if _bidden(reader, one.told_at) or (hostile and _for_health(reader, lexicon, one.told_at)):
            continue
        rule = _rule(lexicon, "threat" if hostile else "pledge")
        actors = _who_speaks_for_itself(reader, one)
        if rule is None or not actors or (not hostile and _at_home(one)):
            continue
        if one.rule.type == "AID" and one.rule.object:  # something is to be given, sold or bought
            if not _firm(reader, one):
                return
            if one.rule.kind == "aid_package":  # who says that it gives has decided; a sale is still to come
                one.modality, one.commitment, one.cause = "asserted", True, "whoever gives it has announced it"
                return
        yield msgspec.structs.replace(
            one,
            rule=rule,
            actors=actors,
            modality="asserted",
            commitment=False,
            trigger=reader.tree.words[one.told_at],
            at=reader.tree.offsets[one.told_at],
            date=None,
            candidate=None,
            cause="it is the announcement that has happened",
            scores={name: value * SHARE for name, value in one.scores.items()},
            mentions=[],
        )
        return


def _firm(reader: Reader, one: Draft) -> bool:
    """`said it will send`, not `confirmed plans to send`."""
    tree = reader.tree
    deed = tree.clause(next(tree.words_between(one.at, one.at + 1)))
    return tree.heads[deed] == one.told_at and any(tree.low[k] in FIRM for k in tree.children(deed, "aux"))


def _at_home(one: Draft) -> bool:
    """Is what is promised for one's own country alone: a larger budget, a new road."""
    own = {p.country for p in one.actors}
    return bool(one.recipients) and all(p.country in own and p.sector in OFFICIAL for p in one.recipients)


def _bidden(reader: Reader, verb: int) -> bool:
    """`told the rebels to leave`: whoever is told to do something has announced nothing."""
    tree = reader.tree
    return any(tree.deps[k] == "xcomp" for k in tree.kids[verb]) and any(
        tree.deps[k] in ("dobj", "dative", "nsubjpass") for k in tree.kids[verb]
    )


def _for_health(reader: Reader, lexicon: Lexicon, verb: int) -> bool:
    """Is it against an illness or a storm that something will be closed: that threatens nobody."""
    sentence = reader.tree.sentences[reader.tree.sentence_of[verb]]
    return lexicon.speaks_of("harm", reader.tree.low[slice(*sentence)])


def _rule(lexicon: Lexicon, kind: str) -> LexiconRule | None:
    """A kind in, the rule by which its announcements are known out; none where a user's lexicon has dropped the kind."""
    spec = lexicon.kinds.get(kind)
    if spec is None or spec.type is None:
        return None
    return _announcing(kind, spec.type, spec.cameo, spec.contexts)


@functools.cache
def _announcing(kind: str, event_type: EventType, cameo: str, contexts: tuple[str, ...]) -> LexiconRule:
    return LexiconRule(
        id=f"{kind}/announced", kind=kind, type=event_type, trigger="verb", cameo=cameo, contexts=contexts
    )


def _who_speaks_for_itself(reader: Reader, one: Draft) -> tuple[Party, ...]:
    """The actors, if whoever tells it is of their country or body, and no newspaper or neighbour; else nobody."""
    tree, verb = reader.tree, one.told_at
    assert verb is not None
    teller = object_of(tree, verb) if tree.passive(verb) else subject_of(tree, verb)
    if teller is None:
        return ()
    telling = tuple(p for p in reader.parties(teller) if known(p) and (p.sector in OFFICIAL or p.sector == "REB"))
    acting = [p for p in one.actors if known(p)]
    if not acting:  # "announced that its embassy will be closed": it closes its own
        return telling
    mine = {p.country or p.name for p in telling}
    return one.actors if mine & {p.country or p.name for p in acting} else ()
