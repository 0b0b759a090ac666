"""The words that tell what an article is about, each with its weight. Pure."""

from __future__ import annotations

import heapq
import math
import re
from functools import lru_cache
from typing import Final

from pipeline.annotate.wording import GENERIC, STOP, lands, stem

TERMS_KEPT: Final = 80
"""Words of one article: the rest of a long text repeats them or strays."""
READ_CHARS: Final = 20_000
LEAD_CHARS: Final = 300
TITLE: Final = 2.0
LEAD: Final = 1.5
"""How much more a word of the title, or of the first sentences, counts than one of the rest."""
NAME: Final = 1.5
FAMILY_WORD: Final = 0.5
LAND: Final = 0.6
"""Names and numbers tell more; what every strike or sanction shares, and countries, which are in many stories, less."""

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
    return heaviest(weights, TERMS_KEPT)


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


def heaviest(weights: dict[str, float], kept: int) -> dict[str, float]:
    """The `kept` heaviest words of `weights`; of equal weights the word that sorts last."""
    if len(weights) <= kept:
        return weights
    return {key: weights[key] for key in heapq.nlargest(kept, weights, key=lambda k: (weights[k], k))}
