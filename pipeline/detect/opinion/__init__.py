"""The second opinion: a small learnt model that weighs and vetoes what the rules found, and adds what they missed.

features.py   a word of the tree -> what the model may know of it
model.py      the model's file -> shares of the types, and how sure an event is
fit.py        samples -> weights (SciPy)
samples.py    labelled sentences -> samples
train.py      the command: train, cross-validate, write the file

Without a model's file the rules decide alone. docs/model-card.md says what it was trained on and what it is worth.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, cast

from pipeline.annotate.parse import Mention
from pipeline.detect.forms import words
from pipeline.detect.lexicon import LexiconRule
from pipeline.detect.matching import Candidate
from pipeline.detect.opinion import model
from pipeline.detect.opinion.features import Site, site
from pipeline.detect.opinion.model import CLASSES, Opinion
from pipeline.detect.persons import known
from pipeline.detect.reader import Reader
from pipeline.detect.syntax import VERB_TAGS, subject_of
from pipeline.records import EventType

if TYPE_CHECKING:
    from pipeline.detect.drafts import Draft

__all__ = ["Opinion", "Site", "load", "propose", "site", "sites", "weigh"]

load = model.load

PROPOSED: Final = "opinion"
"""What stands before the kind in the id of a rule that the model made."""

PROPOSE_SHARE: Final = 0.35
"""The share from which a type is looked at where the rules are silent."""

PROPOSE_SURE: Final = 0.5
"""How sure an event must be that only the model sees, and"""

VETO_SURE: Final = 0.3
"""how sure one that a rule found: what is below is left out. Both chosen by cross-validation, see docs/quality.md."""

UNREAL_SURE: Final = VETO_SURE / 2
"""The same for what is told as denied, planned or merely possible: that is no false alarm, so it takes more to leave it out."""

KINDS: Final[dict[str, str]] = {
    "AGREE": "agreement", "CONSULT": "meeting", "SUPPORT": "support", "CONCEDE": "concession", "COOPERATE": "cooperation",
    "AID": "aid_package", "RETREAT": "withdrawal", "REQUEST": "appeal", "ACCUSE": "accusation", "REJECT": "rejection",
    "THREATEN": "threat", "PROTEST": "protest", "SANCTION": "rupture", "MOBILIZE": "mobilization", "COERCE": "restriction",
    "ASSAULT": "attack",
}  # fmt: skip
"""The plainest kind of each type, for events of which only the type is known."""

JOINT: Final = frozenset(("CONSULT", "AGREE"))
SLOTS: Final = ("obj", "iobj", "to", "with", "against", "for", "from", "on", "by", "of", "in")
"""Where the recipient of what the model proposes is looked for. Of a talk these would be what it is about."""

NOT_VERBS: Final = words("amod compound aux auxpass nmod case prep det")
ACCIDENTS: Final = words(
    "crash crashes crashed derail derails derailed collide collides collided capsize capsizes capsized weather storm flood "
    "floods earthquake landslide hurricane typhoon cyclone tornado avalanche outbreak virus "
    "ravine plunges plunged overturns overturned"
)
"""Words of sentences in which no force is proposed: whoever dies there was not attacked."""

SAYING: Final = words(
    "said says say told tells added reported reports report saying according announce announces announced announcing "
    "state states stated stating estimate estimates estimated confirm confirms confirmed note notes noted cite cites cited "
    "citing add adds adding surpass surpasses surpassed reveal reveals revealed"
)
"""Verbs that only report: what is done, if anything, stands in their clause."""


@functools.cache
def made_rule(event_type: str) -> LexiconRule:
    """A type in, the rule of what the model proposes out."""
    kind = KINDS[event_type]
    return LexiconRule(
        id=f"{PROPOSED}/{kind}",
        kind=kind,
        type=cast("EventType", event_type),
        trigger="verb",
        party="both",
        actor=("subj",),
        to=("to", "with") if event_type == "CONSULT" else SLOTS,
        weight=0.5,
    )


def sites(reader: Reader, sentence: tuple[int, int], taken: frozenset[int]) -> Iterator[int]:
    """Words at which the rules are silent and an event may be told: verbs of which somebody known is the subject."""
    tree = reader.tree
    start, end = sentence
    for index in [i for i, tag in enumerate(tree.tags[start:end], start) if tag in VERB_TAGS]:
        if index in taken or tree.deps[index] in NOT_VERBS or tree.low[index] in SAYING:
            continue
        subject = subject_of(tree, index)
        if subject is not None and any(known(p) for p in reader.parties(subject)):
            yield index


def propose(
    opinion: Opinion | None, reader: Reader, sentence: tuple[int, int], candidates: Sequence[Candidate]
) -> list[Candidate]:
    """A sentence and what the rules see in it in, candidates where they are silent and the model is sure out."""
    if opinion is None:
        return []
    sides = [mention for mention in reader.named_in(*sentence) if known(mention.party)]
    if not sides:
        return []
    tree = reader.tree
    taken = frozenset(i for c in candidates for i in (*c.used, tree.clause(c.index)))
    found = []
    for index in sites(reader, sentence, taken):
        if not _another(reader, index, sides) or _court(reader, index):
            continue
        shares = _shares(opinion, reader, index)
        best = max(range(1, len(shares)), key=shares.__getitem__)
        if CLASSES[best] == "ASSAULT" and not ACCIDENTS.isdisjoint(tree.low[slice(*sentence)]):
            continue
        if shares[best] >= PROPOSE_SHARE:
            rule = made_rule(CLASSES[best])
            found.append(Candidate(rule, index, index, None, frozenset((index,)), rule.weight))
    return found


def _court(reader: Reader, index: int) -> bool:
    """Is the doer a court. What courts do the rules know; what they do not (hearings, postponements) is procedure."""
    subject = subject_of(reader.tree, index)
    return subject is not None and all(p.sector == "JUD" for p in reader.parties(subject))


def _another(reader: Reader, index: int, sides: Sequence[Mention]) -> bool:
    """Is somebody known named in the sentence beside the verb's subject: without two sides nothing is proposed."""
    subject = subject_of(reader.tree, index)
    own = reader.mention_at(subject) if subject is not None else None
    return any(mention is not own for mention in sides)


def _shares(opinion: Opinion, reader: Reader, index: int) -> tuple[float, ...]:
    """The model's shares of a word, which several drafts may ask for."""
    shares = reader.shares.get(index)
    if shares is None:
        shares = reader.shares[index] = opinion.shares(site(reader, index))
    return shares


def weigh(opinion: Opinion | None, reader: Reader, drafts: list[Draft]) -> list[Draft]:
    """Drafts of a section in, those that are likely enough out, each with how sure it is."""
    if opinion is None:
        return drafts
    return [one for one in drafts if _weigh(opinion, reader, one)]


def _weigh(opinion: Opinion, reader: Reader, one: Draft) -> bool:
    """Set how sure a draft is. False where that is too little."""
    index = bisect.bisect_right(reader.tree.offsets, one.at) - 1
    shares = _shares(opinion, reader, index)
    one.opinion = shares[model.PLACE_OF[one.rule.type]]
    one.sure = opinion.sure(judged(one, shares))
    real = one.modality in ("asserted", "historical")
    return one.sure >= (PROPOSE_SURE if proposed(one.rule) else VETO_SURE if real else UNREAL_SURE)


def proposed(rule: LexiconRule) -> bool:
    """Did the model make the rule."""
    return rule.id.startswith(f"{PROPOSED}/")


def judged(one: Draft, shares: Sequence[float]) -> tuple[float, ...]:
    """A draft and the model's shares in, what decides how sure it is out."""
    return model.parts(
        shares,
        one.rule.type,
        rule_confidence=None if proposed(one.rule) else one.rule_confidence,
        unreal=one.modality in ("planned", "hypothetical", "denied"),
        actor=any(known(p) for p in one.actors),
        recipient=any(known(p) for p in one.recipients),
        title=one.section == "title",
    )
