"""When, where and how much: a telling's spans in, its date, places, sums, counts and items out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, TypeVar

import msgspec

from pipeline.annotate.groups import country_name
from pipeline.annotate.resolve import Resolver
from pipeline.detect.amounts import find_money, find_quantities
from pipeline.detect.date_after import Told, leaning
from pipeline.detect.dates import FoundDate, Prefer, date_at, find_dates, lows_of
from pipeline.detect.daywords import Span as Days
from pipeline.detect.persons import words
from pipeline.detect.telling import Span, Telling
from pipeline.records import Modality, Money, Party, Place, Quantity, When

MONEYED: Final = frozenset(("AID", "SANCTION", "AGREE", "COOPERATE", "ACCUSE"))
"""Types whose sentence may hold a sum of theirs."""
COUNTED: Final = frozenset(("ASSAULT", "AID", "MOBILIZE", "PROTEST", "COERCE", "RETREAT", "SANCTION", "ACCUSE"))
"""Types whose sentence may count people or things of theirs."""
SCHEDULED: Final = frozenset(("CONSULT", "PROTEST", "COOPERATE"))
"""Types that a date to come makes planned: what somebody says or imposes for next month is said and imposed now."""
OLD_DAYS: Final = 45
"""Older than this is history: docs/events.md."""
LONGEST_RECENT: Final = 31
"""Days: what `since February` spans may have begun long ago."""
SURE_OF_FACT: Final = 0.8
"""A fact with a date to come is a plan unless the reader is so sure: 96 of 100 labelled ones outside the test part are."""
NEAR: Final = 4
"""Characters by which a date may miss the span that the reader gives."""
PLACES_KEPT: Final = 3
OFF_MAP: Final = "in the country of its words or of the article"
"""The reason of a place that is on no map."""

ITEM_WORDS: Final = re.compile(
    r"\b(?:missiles?|rockets?|howitzers?|ammunition|tanks?|drones?|vehicles?|launchers?|weapons?|shells?|rounds?|boats?|systems?|"
    r"aircraft|jets?|helicopters?|artillery|mortars?|radars?|HIMARS|food|medicines?|tents?|blankets?|generators?|vaccines?|water|"
    r"armou?r|rifles?|grenades?|mines?|interceptors?|equipment|supplies|trucks?|ambulances?|fuel|grain)\b", re.IGNORECASE,
)  # fmt: skip
MILITARY: Final = words(
    "military weapon weapons weaponry ammunition missile missiles tank tanks arms howitzers howitzer himars defense "
    "defence lethal artillery jets drones security patriot javelin stinger munitions drawdown armed army soldiers troops "
    "armoured armored launchers rifles grenades mines shells carriers helicopters f-16 leopard abrams guns anti-tank"
)
HUMANITARIAN: Final = words(
    "humanitarian food medical relief emergency refugees medicine shelter disaster flood earthquake victims "
    "tents blankets hunger famine displaced civilians vaccines water generators ambulances hospital hospitals"
)
PROMISED: Final = re.compile(
    r"\b(?:pledg|promis|agree|vow|commit|announc|will |to provide|to send|to give)", re.IGNORECASE
)
"""What before the trigger says that help is only promised: PLOVER codes it AGREE."""

BOUGHT: Final = re.compile(
    r"\b(?:agree\w*|sign\w*|deals?|contracts?|accords?|plans?)\b.{0,60}?\b(?:to|on|for)\s+(?:\w+ly\s+)?"
    r"(?P<verb>buy|buying|purchase|purchasing|acquire|acquiring|procure|order|sell|selling|sale|supply|deliver)\b",
    re.IGNORECASE | re.DOTALL,
)
"""An agreement whose content is a sale: docs/events.md, an agreement to buy arms is aid."""
SOLD: Final = re.compile(r"(?:\S+\s+){0,8}?(?:sells?|sold|selling|sales?)\b", re.IGNORECASE)
"""Arms that are sold and not given: `approves $20 billion in weapon sales`."""
ORDERED: Final = re.compile(r"(?:re)?order(?:s|ed)?|buys?|bought|purchas\w+|procur\w+", re.IGNORECASE)
WEAPONS: Final = re.compile(
    r"\b(?:arms|weapons?|tanks?|howitzers?|missiles?|rockets?|ammunition|shells|rounds of|artillery|warplanes?|fighter jets?|"
    r"jets|helicopters|frigates?|submarines?|warships?|drones?|air[- ]defen[cs]e)\b", re.IGNORECASE,
)  # fmt: skip

_SPEAK: Final = re.compile(r"\s+(?:said|says?|told|added|confirmed)\b", re.IGNORECASE)
"""Behind counted people who only tell of the event: `two diplomats said`."""
SELLER: Final = re.compile(r"\bfrom\s+(?:the\s+)?([A-Z][\w.-]+(?:\s[A-Z][\w.-]+)*)")
_BORDER: Final = re.compile(r"\bborders?\s+(?:with|to)\s", re.IGNORECASE)
"""Before a land that something is beside, not in."""
_SORT: Final = re.compile(r"^.*\b(?:port|city|town|village|district|capital|suburb)\s+of\s+(?=[A-Z])", re.DOTALL)
"""Before the name of a place, what sort of place it is: `the Ukrainian port of Odesa`."""
_OF_NOUN: Final = re.compile(r"(?:\bthe|['’]s|\ba)\s+$", re.IGNORECASE)
_AL: Final = re.compile(r"(?:al|el|ad|ar|as|az)-[A-Z]")
"""How the name of a place may begin without a capital."""
_OF_PLACE: Final = re.compile(r"\s(?:of|in)\s(?:the\s)?")
_CAPITALS: Final = re.compile(r"[A-Z][\w’'-]+(?:\s[A-Z][\w’'-]+)*")
_OF_NO_STATE: Final = re.compile(r"\b(?:Sea|Ocean|Gulf|Strait|Straits|Channel|Border|border|North|South|East|West)\b")
"""Waters and parts of the world, which no country is given."""
_ITEM: Final = re.compile(r"[^,\s][^,]*")
_WILL: Final = re.compile(r"\b(?:will|won['’]t|would(?:n['’]t)?|shall|going to|not to)\b", re.IGNORECASE)
_OTHER_SIDE: Final = re.compile(r"\b(?:from|to|for)\s+(?:the\s+)?$", re.IGNORECASE)

Amount = TypeVar("Amount", Money, Quantity)


@dataclass(slots=True)
class Found:
    """What stands in one sentence, with offsets of the section: looked for when it is asked for, and then kept."""

    text: str
    base: int = 0
    published: dt.datetime | None = None
    _lows: list[str] | None = None
    _sums: tuple[Money, ...] | None = None
    _counts: tuple[Quantity, ...] | None = None
    _dates: tuple[FoundDate, ...] | None = None

    @property
    def lows(self) -> list[str]:
        """Words, numbers and signs in lower case."""
        if self._lows is None:
            self._lows = lows_of(self.text)
        return self._lows

    @property
    def money(self) -> tuple[Money, ...]:
        """The sums."""
        if self._sums is None:
            self._sums = tuple(_shift(one, self.base) for one in find_money(self.text, lows=self.lows))
        return self._sums

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The counted things."""
        if self._counts is None:
            sums = [_shift(one, -self.base) for one in self.money]
            self._counts = tuple(_shift(one, self.base) for one in find_quantities(self.text, sums, lows=self.lows))
        return self._counts

    @property
    def dates(self) -> tuple[FoundDate, ...]:
        """The dates, with offsets of the sentence."""
        if self._dates is None:
            self._dates = find_dates(self.text, self.published, lows=self.lows)
        return self._dates


def _shift(value: Amount, base: int) -> Amount:
    return msgspec.structs.replace(value, start=(value.start or 0) + base, end=(value.end or 0) + base)


def _touches(start: int, end: int, spans: list[Span], slack: int = 0) -> bool:
    return any(start < b + slack and end > a - slack for a, b in spans)


def date_of(one: Telling, found: Found, modality: Modality, before: Sequence[Found] = ()) -> When | None:
    """The date at the telling's date span; of an open one (`Tuesday`) the past or, for what is to come, the coming one.

    `before` are the sentences before, the nearest first, on which `the next day` leans.
    """
    to_come = modality in ("planned", "hypothetical") or (modality == "denied" and _to_come(one, found))
    prefer: Prefer = "future" if to_come else "past"
    for date in found.dates:
        if _touches(date.start + found.base, date.end + found.base, one.spans["date"], NEAR):
            return date.read("future" if date.relation == "from" else prefer)
    for start, end in one.spans["date"]:
        bare = date_at(found.text, start - found.base, end - found.base, found.published)
        if bare is not None:
            return bare.read(prefer)
        said = found.text[start - found.base : end - found.base]
        told = [*_told(found, start - found.base), *chain(*map(_told, before))]
        if not to_come and found.published is not None:  # a fact does not lean on the day of what is to come
            told = [one for one in told if one.days.start <= found.published.date()]
        if (leant := leaning(said, told)) is not None:
            return leant
    return None


def _told(found: Found, until: int | None = None) -> Iterator[Told]:
    """The dates of a sentence that are those of something, up to a place in it, the last one first."""
    for date in reversed(found.dates):
        of_noun = _OF_NOUN.search(found.text, 0, date.start) and date.text[:1].isupper()  # `the November 27 agreement`
        if date.relation in ("on", "since", "from") and not of_noun and (until is None or date.end <= until):
            when = date.read("past")
            yield Told(Days(when.start, when.start if date.relation == "since" else when.end), when.precision)


def _to_come(one: Telling, found: Found) -> bool:
    """Whether the words before the trigger say that it was not to happen, rather than that it did not."""
    before = one.start - found.base
    return _WILL.search(found.text[max(0, before - 40) : before]) is not None


def money_of(one: Telling, found: Found, *, alone: bool) -> tuple[Money, ...]:
    """The sums at the telling's money span; where aid names none and is alone in its sentence, the sentence's sums."""
    spans = one.spans["money"]
    if spans:
        return tuple(m for m in found.money if _touches(m.start or 0, m.end or 0, spans, NEAR))
    return found.money if one.type == "AID" and alone else ()


def quantities_of(one: Telling, found: Found, *, alone: bool) -> tuple[Quantity, ...]:
    """The counted people and things of the sentence, where the telling is the only one there that has such."""
    if one.type not in COUNTED or not alone:
        return ()
    return tuple(q for q in found.quantities if not _SPEAK.match(found.text, (q.end or 0) - found.base))


def places_of(
    spans: Sequence[Span], text: str, resolver: Resolver, hints: list[str], home: str | None = None
) -> tuple[Place, ...]:
    """Spans of a text in, the places out; `hints` are countries that tell Birmingham in England from Alabama's.

    `home` is the country that the article is surely about: there is a place of which nothing else is known.
    """
    found: list[Place] = []
    inside = [span for span in spans if not _BORDER.search(text, max(0, span[0] - 20), span[1])]
    told = [part for span in inside for part in _listed(span, text, resolver)]
    for start, end in told[:PLACES_KEPT]:
        words_ = text[start:end]
        sort = _SORT.match(words_) or re.match(r"(?:the|a|an)\s+", words_, re.IGNORECASE)
        cut = sort.end() if sort is not None else 0
        name = words_[cut:]
        beside = [*hints, home] if home else hints
        place = resolver.place(name, beside) or _unmapped(name, resolver, beside, home)
        if place is not None and place.name not in {p.name for p in found}:
            found.append(msgspec.structs.replace(place, text=name, start=start + cut, end=end))
    return tuple(found)


def _listed(span: Span, text: str, resolver: Resolver) -> list[Span]:
    """A span as it is, or the towns that it lists: `Dortmund, Bremen`."""
    if "," not in text[slice(*span)]:
        return [span]
    parts = [match.span() for match in _ITEM.finditer(text, *span)]
    return parts if all(resolver.place(text[start:end]) for start, end in parts) else [span]


def _unmapped(name: str, resolver: Resolver, hints: list[str], home: str | None) -> Place | None:
    """A place that is not on the map: the country in its words, `northwest Pakistan`, else its name, if it has one.

    Its country is that of a town in its words, `Paris police headquarters`, else `home`, unless it is of several.
    """
    proper = name[:1].isupper() or _AL.match(name) is not None
    if not proper and " " not in name:
        return None
    known = resolver.find(name)
    country = next((n.country for n in known if n.kind in ("country", "adjective", "people")), None)
    if country is not None:
        return resolver.place(country_name(country))
    if not proper:
        return None
    if any(n.kind in ("region", "org") for n in known) or _OF_NO_STATE.search(name):
        return Place(text=name, name=name)
    parts = [*_OF_PLACE.split(name)[:0:-1], name]  # `the Roe quarter of Havana` is in Havana
    capitals = [match[0] for part in parts for match in _CAPITALS.finditer(part) if match[0] != name]
    towns = [town for words_ in capitals if (town := resolver.place(words_, hints)) is not None and town.country]
    land = next((town.country for town in towns if town.country in hints), towns[0].country if towns else home)
    return Place(text=name, name=name, country=land, reason=OFF_MAP if land else None)


def timed(modality: Modality, one: Telling, date: When | None, published: dt.datetime | None) -> Modality:
    """How real a telling is once its date is known: a meeting of next week is planned, what is long past is history.

    What the reader takes for history is none if its day is of these weeks.
    """
    if date is None or published is None or date.precision == "unknown":
        return modality
    age = (published.date() - date.end).days
    if modality == "historical":
        exact = date.precision in ("instant", "day", "week", "month") and (date.end - date.start).days <= LONGEST_RECENT
        return "asserted" if exact and 0 <= age <= OLD_DAYS else modality
    if modality != "asserted":
        return modality
    if date.start > published.date():
        to_come = one.type in SCHEDULED or one.kind == "election" or one.modality_share < SURE_OF_FACT
        return "planned" if to_come else modality
    return "historical" if age > OLD_DAYS else modality


def subtype_of(one: Telling, evidence: str, *, money: bool) -> str | None:
    """Of aid: military, humanitarian or financial, by the words of its sentence."""
    if one.type != "AID":
        return None
    if one.kind != "aid_package":
        return "military"
    said = {word.strip(".,;:\"'“”()").casefold() for word in evidence.split()}
    if said & MILITARY and not {"humanitarian", "food"} & said:
        return "military"
    return "humanitarian" if said & HUMANITARIAN else "financial" if money else "humanitarian"


def items(text: str) -> tuple[str, ...]:
    """The sentence of an aid package in, what it holds out: what is listed behind `including`, and what looks like an item."""
    match = re.search(
        r"\b(?:including|includes?|such as|consisting of|comprising|namely|of)\b(?P<list>.+)", text, re.DOTALL
    )
    if match is None:
        return ()
    parts = re.split(r",|;|\band\b|\bplus\b|\bas well as\b|\bmore\b", match["list"])
    kept = []
    for part in parts:
        piece = part.strip(" .,;:")
        if piece and len(piece) <= 80 and ITEM_WORDS.search(piece):
            kept.append(piece)
    return tuple(dict.fromkeys(kept))


def settled(one: Telling, text: str, sentence: Span) -> Telling:
    """A telling as it is, but an agreement to buy or sell arms, an order or a sale as the purchase or sale that it is.

    Who is named behind `from`, `to` or `for` is the other side: the seller of what is bought, the buyer of what is sold.
    """
    said = text[slice(*sentence)]
    if one.kind == "aid_package" and WEAPONS.search(said):
        if ORDERED.fullmatch(text, one.start, one.end):
            one = replace(one, kind="arms_procurement", kind_share=one.type_share)
        elif SOLD.match(text, one.start, sentence[1]):
            one = replace(one, kind="arms_deal", kind_share=one.type_share)
    if one.kind != "agreement" or not WEAPONS.search(said) or (sale := BOUGHT.search(said)) is None:
        return _with_seller(one, text, sentence)
    sold = sale["verb"].casefold().startswith(("sell", "sale", "supply", "deliver"))
    other = [span for span in one.spans["actors"] if _OTHER_SIDE.search(text[max(0, span[0] - 12) : span[0]])]
    spans = {
        **one.spans,
        "actors": [span for span in one.spans["actors"] if span not in other],
        "recipients": [*one.spans["recipients"], *other],
    }
    made = replace(
        one, kind="arms_deal" if sold else "arms_procurement", type="AID", spans=spans, kind_share=one.type_share
    )
    return _with_seller(made, text, sentence)


def _with_seller(one: Telling, text: str, sentence: Span) -> Telling:
    """A purchase of arms with the name behind `from` as its other side, where the reader gives none."""
    if one.kind != "arms_procurement" or one.spans["recipients"]:
        return one
    seller = SELLER.search(text, one.end, sentence[1])
    return one if seller is None else replace(one, spans={**one.spans, "recipients": [seller.span(1)]})


def only_promised(text: str, sentence: Span, one: Telling) -> bool:
    """Whether the words before the trigger say that help is promised, agreed on or announced."""
    return one.type == "AID" and PROMISED.search(text[max(sentence[0], one.start - 80) : one.end]) is not None


def country_of(parties: tuple[Party, ...]) -> str | None:
    """The country that all parties with one share, if there is just one."""
    found = {p.country for p in parties if p.country}
    return found.pop() if len(found) == 1 else None
