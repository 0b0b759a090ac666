"""What an article is about: its telling words in, and the open story that is about the same news out. Pure.

Reports of one happening are coded in many ways: one paper tells the strike, the next the mourning, the third who condemned
it. What they share is their subject: the names, numbers and rare words of title and text. Each article is compared, once,
with the subjects of the open stories, as a bag of words in which a word weighs less the more stories use it (TF-IDF).
"""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from pipeline.wording import GENERIC, STOP, lands, stem

TERMS_KEPT: Final = 80
"""Words of one article: the rest of a long text repeats them or strays."""
SUBJECT_KEPT: Final = 160
"""Words of one story; cut back to this when it has grown by a half."""
READ_CHARS: Final = 20_000
LEAD_CHARS: Final = 300
TITLE: Final = 2.0
LEAD: Final = 1.5
"""How much more a word of the title, or of the first sentences, counts than one of the rest."""
NAME: Final = 1.5
FAMILY_WORD: Final = 0.5
LAND: Final = 0.6
"""Names and numbers tell more; what every strike or sanction shares, and countries, which are in many stories, less."""

PRIOR_STORIES: Final = 20
"""As if so many stories were open already: the first articles of an empty memory are not judged by chance."""
SEARCHED: Final = 400
"""A word that more stories use than this finds none of them; rarer ones do."""
COMPARED: Final = 8
"""Of all stories that share words, so many are compared in full: those that share most."""

PLAIN_TEXT: Final = """
able according across added already although always amid another anyone anything area back bad be became because become
began begin beginning behind believe best better big bring brought came can cannot case cause central centre certain chance
change clear close come comes coming company continue continued could course current daily deal decided decision demand
demanded described despite different difficult done due early easy effect eight eighteen eleven end ended enough entire etc
even event eventually ever every everyone evidence exactly example expect expected experts fact failed fall family far few
fifteen fifty finally find first five following followed food forced form former forty forward found four free friday full
further future gave general get give given giving go goes going gone good got great group growing had half hand happen happened
hard head hear heard help here hers herself high himself hold hour house however human hundred idea immediately important
increase information inside instead interest interview involved issue job join journalist keep kept kind knew know known
large largely latest lead leading learn learned leave led left less let level life light like likely line list little live
local long longer look looking lost lot low lower main major making matter mean means measure media medium member members
middle might million mind minute modern moment morning move moved much must name named nation national nearly need needed
neither never news nine ninety nobody none nor normal north nothing noted number obviously offer offered office often old
once open opened opening operation opinion option order original outside own part particularly parts pass past pay peace
percent period person place plan planned plans play point political position possible power present press previous previously
probably problem process program project provide public put question quickly quite ran rather reach reached read ready real
really reason received recent recently remain remained remains result return returned right rise role run running safe saw
saying second security see seek seem seemed seen senior sent serious service set seven seventeen seventy several share short
shortly should show showed side sign similar simply since single site situation six sixteen sixty small social someone
something soon sort source south speaking special spokesman spokesperson spokeswoman staff stage stand start started state
states stay step still stop stopped story street strong such sure system taken taking team tell ten term thing think third
thirteen thirty thought thousand three thursday tonight told took top total toward towards tried true trying turn turned
twelve twenty type understand unit unless unlikely update upon use used using usual usually various version view wait want
wanted warning way welcome well went whatever whether whole whose why wide willing without woman won word work worked
working world worse worth would write written wrong wrote yes yet young
january february march april may june july august september october november december
west east western eastern northern southern reuters photo image video click read subscribe newsletter copyright comment
comments share email twitter facebook advertisement
"""
PLAIN: Final = frozenset(map(stem, PLAIN_TEXT.split()))
"""Words of any prose, and of pages: they tell no subject."""

_SHORTENED: Final = re.compile(r"(?:n[’']t|[’'](?:re|ll|ve|d|m))$")
_WORD: Final = re.compile(r"[^\W_]+(?:[-’'][^\W_]+)*")


def subject(title: str, text: str) -> dict[str, float]:
    """An article's title and text in, the words that tell what it is about out, each with its weight."""
    counts: dict[str, float] = {}
    names: dict[str, float] = {}
    for part, factor in ((title, TITLE), (text[:LEAD_CHARS], LEAD), (text[LEAD_CHARS:READ_CHARS], 1.0)):
        for number, word in enumerate(_WORD.findall(part)):
            key = _key(word)
            if not key:
                continue
            counts[key] = counts.get(key, 0.0) + factor
            if (number > 0 and word[0].isupper()) or word[0].isdigit():
                names[key] = names.get(key, 0.0) + factor
    weights = {key: _weight(_sort(key), count, 2 * names.get(key, 0.0) > count) for key, count in counts.items()}
    return _cut(weights, TERMS_KEPT)


@lru_cache(maxsize=65536)
def _key(word: str) -> str:
    """A word in, its stem out; nothing for one that tells no subject."""
    low = word.lower().removesuffix("’s").removesuffix("'s")
    if low in STOP or len(low) < (2 if low.isdigit() else 3) or _SHORTENED.search(low):
        return ""
    key = stem(low)
    return "" if key in PLAIN else key


@lru_cache(maxsize=65536)
def _sort(key: str) -> float:
    return FAMILY_WORD if key in GENERIC else LAND if key in lands() else 1.0


@lru_cache(maxsize=4096)
def _weight(sort: float, count: float, named: bool) -> float:
    return round(sort * (NAME if named else 1.0) * (1 + math.log(max(1.0, count))), 3)


def added(ours: Mapping[str, float], theirs: Mapping[str, float]) -> dict[str, float]:
    """A story's subject and a further article's in, the sum of both out, bounded."""
    total = dict(ours)
    for key, weight in theirs.items():
        total[key] = round(total.get(key, 0.0) + weight, 3)
    return _cut(total, SUBJECT_KEPT) if 2 * len(total) > 3 * SUBJECT_KEPT else total


def _cut(weights: dict[str, float], kept: int) -> dict[str, float]:
    if len(weights) <= kept:
        return weights
    return {key: weights[key] for key in heapq.nlargest(kept, weights, key=lambda k: (weights[k], k))}


class Subjects:
    """The subjects of the open stories, found by their words."""

    def __init__(self) -> None:
        self._subjects: dict[str, Mapping[str, float]] = {}
        self._stories_with: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._subjects)

    def keep(self, story_id: str, words: Mapping[str, float]) -> None:
        """Hold a story's subject, in place of what was held of it."""
        before = self._subjects.get(story_id, {})
        if before is words:
            return
        for key in before.keys() - words.keys():
            self._forget(key, story_id)
        for key in words.keys() - before.keys():
            self._stories_with.setdefault(key, {})[story_id] = None
        self._subjects[story_id] = words

    def drop(self, story_id: str) -> None:
        """Let a story go."""
        for key in self._subjects.pop(story_id, {}):
            self._forget(key, story_id)

    def _forget(self, key: str, story_id: str) -> None:
        listed = self._stories_with[key]
        del listed[story_id]
        if not listed:
            del self._stories_with[key]

    def alike(self, words: Mapping[str, float]) -> Iterator[tuple[str, float]]:
        """An article's subject in, the stories whose subject is most like it out, each with the cosine of the two."""
        sums: dict[str, float] = {}
        for key, weight in words.items():
            listed = self._stories_with.get(key, {})
            if 0 < len(listed) <= SEARCHED:
                rarity = self._rarity(key) ** 2 * weight
                for story_id in listed:
                    sums[story_id] = (
                        sums.get(story_id, 0.0) + rarity
                    )  # whether it has the word: a large story has more of each
        for story_id in heapq.nlargest(COMPARED, sums, key=lambda one: (sums[one], one)):
            yield story_id, self.cosine(story_id, words)

    def cosine(self, story_id: str, words: Mapping[str, float]) -> float:
        """How alike a story's subject and an article's are, 0 to 1."""
        ours = self._subjects.get(story_id, {})
        product = sum(ours[key] * words[key] * self._rarity(key) ** 2 for key in words if key in ours)
        return product / (self._length(ours) * self._length(words)) if product else 0.0

    def _length(self, words: Mapping[str, float]) -> float:
        return math.sqrt(sum((weight * self._rarity(key)) ** 2 for key, weight in words.items()))

    def _rarity(self, key: str) -> float:
        return math.log((len(self._subjects) + PRIOR_STORIES) / (len(self._stories_with.get(key, ())) + 1))


def most(scores: Iterable[tuple[str, float]]) -> tuple[str, float] | None:
    """The best of stories with scores; of equals the one whose id comes first."""
    return min(scores, key=lambda one: (-one[1], one[0]), default=None)
