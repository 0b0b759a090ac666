"""A telling and the words around it in, how real it is out: what is only considered, called off or alleged has not happened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.detect.telling import Span, Telling
from pipeline.records import Modality

WORDS: Final = frozenset({"REQUEST", "SUPPORT", "ACCUSE", "REJECT", "THREATEN"})
"""Types of words: they are spoken whatever becomes of what they are about."""
MEETINGS: Final = frozenset({"meeting", "summit"})

_GAP: Final = (
    r"(?:(?!(?:after|amid|and|as|at|because|before|but|by|due|during|following|for|from|had|has|have|in|including|is|of|on|over"
    r"|since|that|to|until|was|were|when|where|which|while|who|with)\b)[^\s,;:.]+\s+){0,5}$"
)
"""Up to five words before a trigger that belong to it: `cancels [a planned] visit`."""
_WEIGHED: Final = re.compile(
    r"\b(?:(?:is|are|was|were|be|been|remains?|remained)\s+(?:\w+\s+)?(?:open|prepared|ready|willing)\s+(?:to|for)"
    r"|(?:consider|contemplat|mull|weigh)(?:s|es|ed|ing)?)\s+" + _GAP,
    re.IGNORECASE,
)
"""Before what somebody may do: `is open to negotiations`, `considers sanctions`."""
_CALLED_OFF: Final = re.compile(
    r"\b(?:cancel(?:s|l?ed|l?ing)?|scrap(?:s|ped|ping)?|call(?:s|ed|ing)?\s+off|drop(?:s|ped|ping)?\s+plans\s+(?:for|to))\s+"
    + _GAP,
    re.IGNORECASE,
)
_PUT_OFF: Final = re.compile(
    r"\b(?:delay|eas|lift|postpon|suspend|waiv)(?:e|s|es|ed|ing)?\s+(?:the\s+)?" + _GAP, re.IGNORECASE
)
"""Before sanctions that are not imposed, or no more."""
_OVER_BEFORE: Final = re.compile(
    r"\b(?:(?:abandon|break|breach|end|reject|violat)(?:s|es|ed|ing|ions?|en)?|broke|(?:collapse|expir(?:y|ation)|rejection) of"
    r"|(?:breach|breaches|end|violations?) (?:of|to))\s+(?:the\s+)?" + _GAP,
    re.IGNORECASE,
)
_OVER_BEHIND: Final = re.compile(
    r"(?:\s+(?!(?:after|as|before|despite|following|that|to|which|with)\b)[^\s,;:.]+){0,5}?\s+"
    r"(?:ends|ended|expire[sd]?|collapse[sd]?|lapse[sd]?|fail(?:s|ed)|br(?:eaks|oke) down|is over|was (?:false|broken))\b",
    re.IGNORECASE,
)
"""Words around a truce that say that it is no more."""
_ITS_OWN: Final = r"(?:(?!\b(?:after|following|for|in response|since|that|which|who)\b)[^,;:])*"
"""Words of one clause that give no reason and go on about nobody."""
_ALLEGED: Final = re.compile(rf"\baccus\w+\s{_ITS_OWN}?\bof\s+{_ITS_OWN}$", re.IGNORECASE)
"""Between an accusation and a deed that it is about."""
_MET_FOR: Final = re.compile(r"[^;:.]*\sfor\s+(?:an?|the|their)?\s*(?:[\w-]+\s+){0,3}", re.IGNORECASE)
"""Between a meeting and another word for it: `met Ms Ishida in Nairobi on Thursday for a summit`."""
_WITH: Final = re.compile(r"(?:[^,;:.]*\s)?(?:with|of|to)\s[^,;:.]*", re.IGNORECASE)
"""Between a threat and what is threatened: `threatened the Czech Republic with`."""
_DONE: Final = re.compile(
    r"\b(?:after|and|as|because|before|but|following|for|had|over|since|that|when|where|which|while|who)\b"
    r"|\b(?:react|repl|respon[ds]|retaliat)\w*\s(?:.*\s)?to\s|\b(?:the|this|those)\s+(?:[\w-]+\s+)?$",
    re.IGNORECASE | re.DOTALL,
)
"""What stands there if the deed was done: `threatened Israel with war after it bombed`, `to respond to the strike`."""
_PAST: Final = re.compile(r"(?<!\bbe )(?<!\bbeing )\w+ed")


def reality(one: Telling, text: str, sentence: Span, beside: Sequence[Telling]) -> Modality:
    """How real a telling is, by the reader and by the words of its sentence; `beside` are the other tellings there."""
    if one.modality not in ("asserted", "planned"):
        return one.modality
    before = text[sentence[0] : one.start]
    if one.kind == "ceasefire" and (_OVER_BEFORE.search(before) or _OVER_BEHIND.match(text, one.end, sentence[1])):
        return "denied"
    if one.type not in WORDS:
        if one.kind != "pledge" and _WEIGHED.search(before):
            return "hypothetical"
        if _CALLED_OFF.search(before) or (one.type == "SANCTION" and _PUT_OFF.search(before)):
            return "denied"
        if one.type != "ASSAULT" and _ALLEGED.search(before):
            return "hypothetical"
    if one.modality == "planned" and any(_MET_FOR.fullmatch(part) for part in _since_meeting(one, text, beside)):
        return "asserted"
    return "hypothetical" if _is_threatened(one, text, beside) else one.modality


def _since_meeting(one: Telling, text: str, beside: Sequence[Telling]) -> Iterator[str]:
    """Yield the words between each meeting of the sentence that took place and a telling of a meeting behind it."""
    for other in beside:
        if one.kind in MEETINGS and other.kind in MEETINGS and other.modality == "asserted" and other.end <= one.start:
            yield text[other.end : one.start]


def _is_threatened(one: Telling, text: str, beside: Sequence[Telling]) -> bool:
    """Whether a threat of the sentence only threatens with it."""
    threats = (other for other in beside if other.type == "THREATEN" and other.end <= one.start)
    real = one.type == "THREATEN" or _PAST.fullmatch(text, one.start, one.end)
    between = [text[other.end : one.start] for other in threats if not real]
    return any(_WITH.fullmatch(part) and not _DONE.search(part) for part in between)
