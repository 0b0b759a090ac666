"""Numbers as news writes them, pure: `1.2`, `12,000`, `4½`, `two dozen`, `half a billion`, `one hundred and twenty` -> a float.

`NUMBER` is a piece of a regular expression; `value` reads what it matched. Vague counts (`hundreds of`, `several dozen`)
never match or are told by `vague`, because a wrong figure is worse than none.
"""

from __future__ import annotations

import re
from typing import Final

_UNITS_TEXT: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
UNITS: Final = {word: number for number, word in enumerate(_UNITS_TEXT.split())}
_TENS_TEXT: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
TENS: Final = {word: number * 10 for number, word in enumerate(_TENS_TEXT.split(), start=2)}
SCALES: Final = {
    "dozen": 12.0, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "lakh": 1e5,
    "lakhs": 1e5, "crore": 1e7, "crores": 1e7,
}  # fmt: skip
SHORT_SCALES: Final = {
    "k": 1e3, "m": 1e6, "mn": 1e6, "mln": 1e6, "mil": 1e6, "mm": 1e6, "mio": 1e6, "b": 1e9, "bn": 1e9, "bln": 1e9, "mrd": 1e9,
    "t": 1e12, "tn": 1e12, "trn": 1e12, "cr": 1e7,
}  # fmt: skip
FRACTIONS: Final = {
    "½": 0.5,
    "¼": 0.25,
    "¾": 0.75,
    "⅓": 1 / 3,
    "⅔": 2 / 3,
    "⅛": 0.125,
    "⅜": 0.375,
    "⅝": 0.625,
    "⅞": 0.875,
}

_unit = "|".join(sorted(UNITS, key=len, reverse=True))
_tens = "|".join(TENS)
_fraction = "".join(FRACTIONS)
_gap = r"[ \t\u00a0\u202f-]{1,2}"
_small = rf"(?:(?:{_tens})(?:{_gap}(?:one|two|three|four|five|six|seven|eight|nine)\b)?|(?:{_unit}))\b"

DIGITS: Final = (
    r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?"  # 12,000.50
    r"|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?"  # 12,34,567 as in India
    r"|\d{1,3}(?:\.\d{3}){2,}"  # 1.500.000
    r"|\d{1,3}(?:[\u00a0\u202f]\d{3})+"  # 12 000 with a thin space
    rf"|\d+(?:\.\d+)?[{_fraction}]?|[{_fraction}])(?![\d])"
)
_scale = r"(?:thousand|million|billion|trillion|lakhs?|crores?)\b"
_group = (  # below a thousand: seven, a hundred, one hundred and twenty, two dozen
    rf"(?:(?:{_small}|an?\b){_gap}hundred\b(?:{_gap}(?:and{_gap})?{_small})?|(?:half{_gap}an?|{_small}|an?\b){_gap}dozen\b|{_small})"
)
_words = (
    rf"(?:(?:half{_gap}an?{_gap}{_scale}|(?:an?{_gap})?quarter{_gap}(?:of{_gap}an?{_gap})?{_scale}|an?{_gap}{_scale}"
    rf"|{_group}(?:{_gap}and{_gap}an?{_gap}half)?(?:{_gap}{_scale})+)"
    rf"(?:{_gap}(?:and{_gap})?{_group}(?:{_gap}{_scale})?)*|{_group})"
)
NUMBER: Final = rf"(?:{DIGITS}(?:{_gap}(?:dozen|hundred|{_scale})\b)*|\b{_words})"
"""Digits with an optional scale in words, or words. Match it with re.IGNORECASE."""

_VAGUE: Final = re.compile(r"\b(?:several|few|many|countless|couple(?: of)?|tens of|some odd)[ -]$", re.IGNORECASE)
_TOKEN: Final = re.compile(rf"[a-z]+|{DIGITS}", re.IGNORECASE)
_FIXED: Final = ("quarter", "half")


def vague(text: str, start: int) -> bool:
    """Whether the number at `start` is only a magnitude, as in `several hundred`."""
    return _VAGUE.search(text, max(0, start - 12), start) is not None


def digits(text: str) -> float:
    """What `DIGITS` matched in, its value out."""
    body = text.strip()
    extra = 0.0
    if body and body[-1] in FRACTIONS:
        extra, body = FRACTIONS[body[-1]], body[:-1]
    body = body.replace(",", "").replace("\u00a0", "").replace("\u202f", "")
    if body.count(".") > 1:
        body = body.replace(".", "")
    return (float(body) if body else 0.0) + extra


def value(text: str) -> float | None:
    """What `NUMBER` matched in, its value out; None for what is no number after all (`one and two`)."""
    total = current = 0.0
    seen = False
    for raw in _TOKEN.findall(text):
        word = raw.lower()
        if word[0].isdigit() or word[0] in FRACTIONS:
            current, seen = current + digits(raw), True
        elif word in UNITS or word in TENS:
            step = UNITS.get(word, TENS.get(word, 0))
            if seen and current % 100 and (current % 10 or step > 9):  # "five twenty" is not one number
                return None
            current, seen = current + step, True
        elif word in _FIXED:
            fraction = 0.5 if word == "half" else 0.25
            current, seen = current + fraction, True
        elif word in SCALES:
            scale = SCALES[word]
            if scale <= 100:
                current = (current or 1.0) * scale
            else:
                total, current = total + (current or (0.0 if total and seen else 1.0)) * scale, 0.0
                if total == 0.0:
                    return None
            seen = True
        elif word not in ("a", "an", "and", "of"):
            return None
    return total + current if seen else None
