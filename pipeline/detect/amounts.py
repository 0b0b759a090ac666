"""How much money, pure: text -> Money with ISO 4217 currency. Counted things are in `counts.py`, offered here as well.

A sum is a sign, a code or a name of a currency with a figure beside it. The signs and names are data: gazetteer/currencies.tsv.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from pipeline.annotate.names import GAZETTEER
from pipeline.detect import counts, numerals
from pipeline.records import Money, Quantity

LARGEST: Final = 1e15
"""No sum in the news is larger (the world's yearly product is 1e14 dollars); a longer row of digits is an account's number."""

_LONG_SCALE: Final = r"(?:million|billion|trillion|thousand|hundred|lakhs?|crores?)"
_SHORT_SCALE: Final = "|".join(sorted(numerals.SHORT_SCALES, key=len, reverse=True))
_SCALE: Final = (
    rf"(?:[ \u00a0\u202f-]?{_LONG_SCALE}\b(?:[ -](?:million|billion|trillion|crores?)\b)?"
    rf"|[ \u00a0]?(?:{_SHORT_SCALE})(?![\w$]))"
)
_FIGURE: Final = rf"(?:\d{{1,3}},\d{{1,2}}(?={_SCALE})|{numerals.DIGITS})"  # 1,5 million as on the Continent
_SPACED: Final = (
    r"\d{1,3}(?:[ '’]\d{3})+(?!\d)"  # 2 500 000 as in Sweden, 6'500'000 as in Switzerland: behind a code only
)
_JOIN: Final = r"(?:[ ]?[-–—][ ]?|[ ](?:to|and|or)[ ](?:(?:up to|about|as much as)[ ])?)"

_AFTER: Final = re.compile(
    rf"[ \u00a0]?(?:(?P<figure>{_SPACED}|{_FIGURE})(?P<scale>{_SCALE})?|(?P<words>an?[ -](?:million|billion|trillion)\b))",
    re.IGNORECASE,
)
_JOINED: Final = re.compile(_JOIN, re.IGNORECASE)
_SIGN: Final = re.compile(r"(?:[A-Z]{1,2})?[$€£¥₹₽₩₪₦][ ]?")
_SCALED: Final = re.compile(rf"(?P<figure>{_FIGURE})(?P<scale>{_SCALE})?", re.IGNORECASE)
_TWICE: Final = re.compile(r"[ ]dollars\b", re.IGNORECASE)
"""As in `$10 dollars`."""
_BEFORE: Final = re.compile(
    rf"(?<![\w$€£¥₹])(?<!\d[.,:/])(?:(?P<figure>{_FIGURE})(?P<scale>{_SCALE})?(?![\w.])|(?P<number>{numerals.NUMBER}))"
    r"(?P<gap>[ \u00a0]?|-|[ ]of[ ](?:an?[ ])?|[ ]an?[ ])\Z",
    re.IGNORECASE,
)
_LOWER: Final = re.compile(
    rf"(?<![\w$€£¥₹.,])(?P<number>{numerals.NUMBER})(?P<short>[ ]?(?:{_SHORT_SCALE})(?!\w))?(?P<join>{_JOIN})\Z",
    re.IGNORECASE,
)
_LATE_SCALE: Final = re.compile(r"[ ](million|billion|trillion)\b", re.IGNORECASE)
_COINS: Final = re.compile(rf",?[ ](?:and[ ])?(?P<number>{numerals.NUMBER})[ ]?(?:cents?|pence|p)\b", re.IGNORECASE)
_OPENED: Final = re.compile(r"\bbetween[ ](?:about[ ])?\Z", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\W\d_]+|[^\w\s.,;:!?'\"()\[\]{}<>/\\|@#&*%+=~^`‘’“”–—-]")
_DOLLAR_PREFIX: Final = re.compile(r"(?<![\w.])(?:[A-Z][A-Za-z]{0,2}|[Uu]\.[Ss]\.?|us|usd|aud|cad|nz|hk|c)[ ]?\Z")
_WEIGHT: Final = re.compile(
    r"\s?-?(?:of (?!(?:aid|damage|debt|fund|support|investment|saving|asset|public|taxpayer|loss|revenue|tax|new|government))"
    r"|(?:bomb|warhead|shell|each|in weight|per square|heavier|lighter)\b)",
    re.IGNORECASE,
)
_UNSPACED: Final = str.maketrans("", "", " '’")
_COINAGE: Final = {"cent": "$", "cents": "$", "pence": "GBP", "eurocents": "EUR"}
_CARELESS: Final = frozenset(("usd", "eur", "rmb", "cad", "aud", "gbp", "btc", "inr"))
"""Codes that are also read in lower case: none of them is a word."""


class _Currencies(NamedTuple):
    signs: dict[str, str]
    codes: dict[str, str]
    names: dict[str, str]
    last_words: frozenset[str]
    marks: frozenset[str]
    any_mark: frozenset[str]
    shy: frozenset[str]


class _Figure(NamedTuple):
    value: float
    start: int
    end: int
    low: float | None = None


def find_quantities(
    text: str, sums: Sequence[Money] | None = None, *, lows: Sequence[str] | None = None
) -> tuple[Quantity, ...]:
    """Text in, the counted things in it out, in order: `a million rounds`, `12 dead`; never money, dates, ages, percentages.

    `sums` are those of the text, `lows` its words in lower case, where they are known already.
    """
    if not counts.named(text, lows):
        return ()
    taken = find_money(text) if sums is None else sums
    return counts.find_counts(text, [(money.start or 0, money.end or 0) for money in taken])


def find_money(text: str, *, dollar: str = "USD", lows: Sequence[str] | None = None) -> tuple[Money, ...]:
    """Text in, the sums in it out, in order. `dollar` is what a bare `$` or `dollars` means for this publisher.

    `lows` are the words of the text in lower case, where they are known already.
    """
    if (lows is not None and _currencies().any_mark.isdisjoint(lows)) or not _names_currency(text):
        return ()
    found: list[Money] = []
    free = 0
    for match in _WORD.finditer(text):
        if match.end() <= free:
            continue
        sum_ = _signed(text, match, free) or _named(text, match, free)
        if sum_ is None:
            continue
        code, figure = sum_
        if not 0 <= figure.value <= LARGEST:
            continue
        start, end = figure.start, figure.end
        found.append(
            Money(
                text=text[start:end],
                value=round(figure.value, 6),
                currency=dollar if code == "$" else code,
                low=None if figure.low is None else round(figure.low, 6),
                start=start,
                end=end,
            )
        )
        free = end
    return tuple(found)


def _names_currency(text: str) -> bool:
    """Whether a sign, code or name of a currency stands in a text at all."""
    words = set(_WORD.findall(text))
    currencies = _currencies()
    return not (words.isdisjoint(currencies.marks) and currencies.last_words.isdisjoint(map(str.lower, words)))


@cache
def _currencies() -> _Currencies:
    signs: dict[str, str] = {}
    codes: dict[str, str] = {}
    names: dict[str, str] = {"dollar": "$", "dollars": "$", "bucks": "$", **_COINAGE}
    shy: set[str] = set()
    for line in (GAZETTEER / "currencies.tsv").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        code, sign_cell, name_cell = line.split("\t")
        for sign in sign_cell.split():
            (codes if sign.isalpha() and sign.isascii() else signs)[sign] = code
        for raw in name_cell.split(","):
            name = raw.strip().lower()
            if name.endswith("*"):
                name = name[:-1]
                shy.add(name)
            names[name] = code
    codes.update({code: codes[code.upper()] for code in _CARELESS})
    last_words = frozenset(name.rsplit(" ", 1)[-1] for name in names)
    marks = frozenset(("$", *signs, *codes, *(f"M{code}" for code in codes)))
    any_mark = last_words.union(map(str.lower, marks))
    return _Currencies(signs, codes, names, last_words, marks, any_mark, frozenset(shy))


def _signed(text: str, match: re.Match[str], free: int) -> tuple[str, _Figure] | None:
    """A sign or code with a figure after it or, failing that, before it."""
    currencies = _currencies()
    word = match.group()
    start = match.start()
    times = 1.0
    if word == "$":
        prefix = _DOLLAR_PREFIX.search(text, max(free, start - 5), start)
        code = _dollar(prefix.group()) if prefix else None
        start = prefix.start() if prefix and code else start
        code = code or "$"
    elif word in currencies.codes:
        code = currencies.codes[word]
    elif len(word) == 4 and word[0] == "M" and word[1:] in currencies.codes:
        code, times = currencies.codes[word[1:]], 1e6
    elif word in currencies.signs:
        code = currencies.signs[word]
    else:
        return None
    if start > 0 and text[start - 1].isalpha() and text[start].isalpha():
        return None
    figure = _before(text, start, match.end(), free) if word.islower() else None  # "10 rmb 20 usd"
    figure = figure or _after(text, start, match.end()) or _before(text, start, match.end(), free)
    if figure is None:
        return None
    return code, figure._replace(value=figure.value * times, low=figure.low and figure.low * times)


def _dollar(prefix: str) -> str | None:
    if prefix == "A ":  # "A $2 billion package" opens a sentence
        return None
    prefix = prefix.rstrip()
    signs, codes = _currencies().signs, _currencies().codes
    upper = prefix.upper()
    return signs.get(prefix + "$") or signs.get(upper + "$") or codes.get(upper)


def _after(text: str, start: int, end: int) -> _Figure | None:
    if text[end : end + 1] == "." and text[start:end].isalpha():  # Rs. 500
        end += 1
    if text[end : end + 1] == "$":  # USD$ 15
        end += 1
    match = _AFTER.match(text, end)
    if match is None:
        return None
    if match["words"]:
        return _Figure(numerals.value(match["words"]) or 0.0, start, match.end())
    value = _figure(match["figure"]) * _scale(match["scale"])
    figure = _Figure(value, start, match.end())
    if (upper := _upper(text, figure, match["scale"])) is not None:
        return upper
    late = _TWICE.match(text, match.end())
    coins = _COINS.match(text, match.end()) if not late else None
    if coins is not None:
        return figure._replace(value=value + (numerals.value(coins["number"]) or 0) / 100, end=coins.end())
    return figure._replace(end=late.end()) if late else figure


def _upper(text: str, figure: _Figure, scale: str | None) -> _Figure | None:
    """The other end of a range, when there is one: `$3-5 million`, `$3 million to $5 million`, `between $3 and $5 million`."""
    joined = _JOINED.match(text, figure.end)
    if joined is None:
        return None
    word = joined.group().strip(" -–—").lower().split(" ")[0]
    if word in ("and", "or") and not (word == "and" and _OPENED.search(text, max(0, figure.start - 20), figure.start)):
        return None
    second = _SIGN.match(text, joined.end())
    match = _SCALED.match(text, second.end() if second else joined.end())
    if match is None or (second is None and word and not match["scale"]):
        return None
    value = _figure(match["figure"]) * _scale(match["scale"])
    low = figure.value * (_scale(match["scale"]) if not scale and figure.value < 1000 else 1.0)
    return _Figure(value, figure.start, match.end(), low) if low < value else None


def _before(text: str, start: int, end: int, free: int) -> _Figure | None:
    """A figure before a sign or a name, with the lower end of a range before that."""
    match = _BEFORE.search(text, max(free, start - 60), start)
    if match is None or numerals.vague(text, match.start()):
        return None
    value = _figure(match["figure"]) * _scale(match["scale"]) if match["figure"] else numerals.value(match["number"])
    if value is None:
        return None
    late = _LATE_SCALE.match(text, end)
    if late is not None and value < 1e6:
        value, end = value * _scale(late[1]), late.end()
    lower = _LOWER.search(text, max(free, match.start() - 40), match.start())
    if lower is not None and not numerals.vague(text, lower.start()):
        word = lower["join"].strip(" -–—").lower().split(" ")[0]
        low = numerals.value(lower["number"])
        if low is not None and (
            word not in ("and", "or") or _OPENED.search(text, max(0, lower.start() - 20), lower.start())
        ):
            low *= _scale(lower["short"]) if lower["short"] else (_range_scale(match.group()) if low < 1000 else 1.0)
            if low < value:
                return _Figure(value, lower.start(), end, low)
    return _Figure(value, match.start(), end)


def _range_scale(text: str) -> float:
    """The scale that the upper end is written with is meant for the lower end as well: `3 to 5 million dollars`."""
    words = [
        word for word in re.findall(r"[a-z]+", text.lower()) if word in numerals.SCALES or word in numerals.SHORT_SCALES
    ]
    return _scale(words[-1]) if words else 1.0


def _named(text: str, match: re.Match[str], free: int) -> tuple[str, _Figure] | None:
    """A currency's name with a figure before it."""
    currencies = _currencies()
    if match.group().lower() not in currencies.last_words:
        return None
    name, start = _longest_name(text, match)
    if name not in currencies.names:
        return None
    figure = _before(text, start, match.end(), free)
    if figure is None or _not_money(text, match, name, figure):
        return None
    code = currencies.names[name]
    if name in _COINAGE:
        return code, figure._replace(value=figure.value / 100)
    coins = _COINS.match(text, match.end())
    if coins is not None:
        figure = figure._replace(value=figure.value + (numerals.value(coins["number"]) or 0.0) / 100, end=coins.end())
    return code, figure


def _longest_name(text: str, match: re.Match[str]) -> tuple[str, int]:
    """`New Zealand dollars` rather than `dollars`: the longest name that ends here, and where it starts."""
    names = _currencies().names
    name, start = match.group().lower(), match.start()
    for words in re.finditer(r"(?<![\w.])(?=[A-Za-z])", text[max(0, start - 30) : start]):
        begins = max(0, start - 30) + words.start()
        longer = text[begins : match.end()].lower()
        if longer in names:
            return longer, begins
    return name, start


def _not_money(text: str, match: re.Match[str], name: str, figure: _Figure) -> bool:
    """A weight in pounds, a game that was won, a real thing: names that are also other words need a large figure."""
    large = figure.value >= 1e6
    if name in _currencies().shy:
        return not large
    if name in ("pound", "pounds"):
        hyphen = text[match.start() - 1 : match.start()] == "-"
        return not large and (hyphen or _WEIGHT.match(text, match.end()) is not None)
    return name in ("rand", "ether", "pula", "kina") and figure.value < 10


def _figure(figure: str) -> float:
    if re.fullmatch(r"\d{1,3},\d{1,2}", figure):
        return float(figure.replace(",", "."))
    return numerals.digits(figure.translate(_UNSPACED))


def _scale(words: str | None) -> float:
    value = 1.0
    for word in re.findall(r"[a-z]+", (words or "").lower()):
        value *= numerals.SCALES.get(word) or numerals.SHORT_SCALES.get(word, 1.0)
    return value
