"""A rule and a story in, each condition with what it asks, what the story has, and whether it holds out. Pure, event time only.

`alert.evaluate` decides by these checks, and `dateline alerts test --explain` prints them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pipeline.alert import fields, rates
from pipeline.alert.rules import MoneyAtLeast, Rule, Where
from pipeline.alert.sides import between_states, sides
from pipeline.annotate.groups import known as known_groups
from pipeline.annotate.groups import led, members
from pipeline.records import Money, Party, Report, Story
from pipeline.track.line import in_words, named

LEADER: Final = re.compile(
    r"\b(?:presidents?|prime ministers?|premiers?|chancellors?|taoiseach|kings?|queens?|emperors?|emirs?|sultans?"
    r"|crown princes?|supreme leaders?|heads? of (?:state|government)|leaders?)\b(?!['’]s)",
    re.IGNORECASE,
)
NO_LEADER: Final = re.compile(
    r"\b(?:vice|deputy|former|ex|late|interim vice|bank|court|university|club|company|opposition|party|rebel|union|council"
    r"|federation|association|religious|spiritual|community|student)[- ]+(?:presidents?|prime ministers?|premiers?|chancellors?"
    r"|kings?|queens?|leaders?)\b|\bpresident(?:s)? of the (?:court|bank|club|council|commission|federation|association|union)"
    r"|\b(?:advis[eo]r|aide|delegation|emissary|envoy|representative|spokes\w+|son|wife)s? (?:for|of|to) (?:\w+ ){0,3}"
    r"(?:president|prime minister|premier|chancellor|king|queen|leader)",
    re.IGNORECASE,
)
LEADERS: Final = re.compile(
    r"\b(?:presidents|prime ministers|premiers|chancellors|kings|queens|emirs|sultans|crown princes"
    r"|heads of (?:state|government)|leaders)\b",
    re.IGNORECASE,
)
"""Titles of several people, which hold for each that is named behind them: `leaders from Benin, Kenya and Togo`."""
TITLE_WORDS: Final = 5
"""A title stands among the last so many words up to a name; what says that it is a former one may stand before them."""
SUMMIT: Final = re.compile(r"\bsummits?\b|\bG[- ]?(?:7|8|20)\b", re.IGNORECASE)
"""What says that a summit is one of states, and no congress of a party and no conference on a subject."""
NAMED_SUMMIT: Final = re.compile(r"(?:(?!The\b|This\b|That\b)[A-Z][\w-]+|\bG[- ]?(?:7|8|20))['’]?\s+[Ss]ummit")
"""A summit with the name of those who meet: `the NATO summit`."""
SIDES: Final = 2
"""A summit counts as a meeting of so many leaders, and of so many countries, even if none is named."""


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a rule checked against a story: what it asks, and what the story has."""

    condition: str
    wanted: str
    found: str
    holds: bool


def check(rule: Rule, story: Story) -> Iterator[Check]:
    """Yield a check for each condition of the rule."""
    yield from _check_kind(rule, story)
    yield from _check_parties(rule, story)
    yield from _check_weight(rule, story)
    yield from _check_fields(rule, story)
    yield from _check_age(rule, story)


def _check_kind(rule: Rule, story: Story) -> Iterator[Check]:
    for condition, wanted, found in (
        ("kinds", rule.kinds, story.kind),
        ("subtypes", rule.subtypes, story.subtype or ""),
        ("event_types", rule.event_types, story.event_type or ""),
        ("modalities", rule.modalities, story.modality),
        ("phases", rule.phases, story.phase),
    ):
        if wanted:
            yield Check(condition, " or ".join(wanted), found, found in wanted)
    if rule.text:
        # Not in the headline: Dateline wrote it, no report did.
        texts = [part for r in story.reports for part in (r.title, r.evidence)]
        yield Check("text", rule.text, story.headline, said(rule.text, " \n ".join(texts)))


def _check_parties(rule: Rule, story: Story) -> Iterator[Check]:
    if rule.parties == "states":
        yield Check("parties", "between states", ", ".join(sides(story)) or "no state", between_states(story))
    everybody = (*story.actors, *story.recipients)
    countries = countries_of(story)
    shown = ", ".join(countries) or "none"
    if rule.countries_any:
        wanted = members(rule.countries_any)
        held = bool(wanted & set(countries)) or _named(rule.countries_any, everybody)
        yield Check("countries_any", ", ".join(rule.countries_any), shown, held)
    if rule.countries_all:
        held = all(members((name,)) & set(countries) or _named((name,), everybody) for name in rule.countries_all)
        yield Check("countries_all", ", ".join(rule.countries_all), shown, held)
    if rule.countries_at_least:
        number = len({p.country or (p.name or p.text) for p in everybody if p.country or p.sector == "IGO"})
        number = max(number, SIDES if _is_summit(story) else 0)
        yield Check("countries_at_least", str(rule.countries_at_least), shown, number >= rule.countries_at_least)
    for condition, names, parties in (
        ("actors_any", rule.actors_any, story.actors),
        ("recipients_any", rule.recipients_any, story.recipients),
    ):
        if names:
            held = bool(members(names) & {p.country for p in parties}) or _named(names, parties)
            yield Check(condition, ", ".join(names), ", ".join(named(parties)) or "none", held)
    if rule.places_any:
        there = {p.country for p in story.places if p.country}
        yield Check(
            "places_any", ", ".join(rule.places_any), ", ".join(sorted(there)), bool(members(rule.places_any) & there)
        )
    if rule.leaders_at_least:
        number = leaders(story)
        yield Check("leaders_at_least", str(rule.leaders_at_least), str(number), number >= rule.leaders_at_least)


def _check_weight(rule: Rule, story: Story) -> Iterator[Check]:
    if (least := rule.money_at_least) is not None:
        yield _check_money(least, story.money)
    for unit, least_number in rule.quantity_at_least.items():
        most = max((q.value for q in story.quantities if q.unit == unit), default=0.0)
        yield Check("quantity_at_least", f"{least_number:g} {unit}", f"{most:g}", most >= least_number)
    if rule.sources_at_least > 1:
        held = story.source_count >= rule.sources_at_least
        yield Check("sources_at_least", str(rule.sources_at_least), str(story.source_count), held)
    if rule.floor and story.kind:
        sure = story.kind not in rule.kinds or any(report.kind in rule.kinds for report in story.reports if report.lead)
        found = f"{story.confidence:g} by {story.source_count}" + ("" if sure else ", its kind not sure")
        held = (story.confidence >= rule.floor and sure) or story.source_count > 1
        yield Check("floor", f"{rule.floor:g} or a second source", found, held)
    if rule.confidence_at_least:
        held = story.confidence >= rule.confidence_at_least
        yield Check("confidence_at_least", f"{rule.confidence_at_least:g}", f"{story.confidence:g}", held)


def _check_money(least: MoneyAtLeast, money: Iterable[Money]) -> Check:
    """Check the largest sum; a sum in another currency counts by its rough rate."""
    best: tuple[float, str] | None = None
    for sum_ in money:
        exact = sum_.currency == least.currency
        worth = rates.in_currency(sum_.value, sum_.currency, least.currency) if least.convert or exact else None
        if worth is not None and (best is None or worth > best[0]):
            told = in_words(sum_.value, sum_.currency)
            best = (worth, told if exact else f"{told}, about {in_words(float(f'{worth:.2g}'), least.currency)}")
    wanted = in_words(least.value, least.currency)
    if best is None:
        return Check("money_at_least", wanted, "no sum that can be compared", holds=False)
    return Check("money_at_least", wanted, best[1], best[0] >= least.value)


SHOWN: Final = 5
"""At most so many values of a field are shown."""


def _check_fields(rule: Rule, story: Story) -> Iterator[Check]:
    for path, where in rule.where.items():
        found = fields.values(story, path)
        shown = ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in found[:SHOWN]) or "nothing"
        for wanted, holds in _where(where, found):
            yield Check(f"where.{path}", wanted, shown, holds)


def _where(where: Where, found: tuple[str | float, ...]) -> Iterator[tuple[str, bool]]:
    """Yield each test of one field in words, with whether it holds for the values found."""
    texts = {str(value).lower() for value in found}
    numbers = [value for value in found if isinstance(value, int | float)]
    if where.any:
        yield " or ".join(where.any), any(word.lower() in texts for word in where.any)
    if where.none:
        yield "not " + " nor ".join(where.none), not any(word.lower() in texts for word in where.none)
    if where.text:
        yield f"text {where.text}", said(where.text, "\n".join(map(str, found)))
    if where.at_least is not None:
        yield f"{where.at_least:g} or more", max(numbers, default=-1e308) >= where.at_least
    if where.at_most is not None:
        yield f"{where.at_most:g} or less", bool(numbers) and min(numbers) <= where.at_most


def _check_age(rule: Rule, story: Story) -> Iterator[Check]:
    """Check that it was reported soon after it happened, and fetched soon after it was reported; both in event time."""
    told = min((r.published_at or r.seen_at for r in story.reports), default=story.first_seen_at)
    if story.date is not None:
        days = (told.date() - story.date.end).days
        yield Check(
            "happened_within_days", str(rule.happened_within_days), str(days), days <= rule.happened_within_days
        )
    if rule.told_within_hours is not None:
        ages = [(r.seen_at - r.published_at) / HOUR for r in story.reports if r.published_at is not None]
        fresh = len(ages) < len(story.reports) or min(ages, default=0.0) <= rule.told_within_hours
        yield Check("told_within_hours", str(rule.told_within_hours), f"{min(ages, default=0.0):.0f}", fresh)


HOUR: Final = dt.timedelta(hours=1)


def countries_of(story: Story) -> tuple[str, ...]:
    """Return the countries of a story's actors and recipients, sorted; the places of the event do not count."""
    return tuple(sorted({p.country for p in (*story.actors, *story.recipients) if p.country}))


def leaders(story: Story) -> int:
    """Return how many leaders of states or governments take part, as far as names and evidence show."""
    if _is_summit(story):
        return SIDES
    titled = {
        p.country or (p.name or p.text)
        for p in (*story.actors, *story.recipients)
        if _is_leader(p, story.reports, story.first_seen_at.date())
    }
    return len(titled)


def _is_summit(story: Story) -> bool:
    """Return whether a story is on a summit of states: it tells of leaders or names it, or two countries take part."""
    parties = (*story.actors, *story.recipients)
    lands = {one.country for one in parties if one.country} | {one.country for one in story.places if one.country}
    several = len(lands) >= SIDES or any(party.sector == "IGO" for party in parties)
    told = [f"{report.title} {report.evidence}" for report in story.reports]
    return story.kind == "summit" and any(
        LEADERS.search(one) or NAMED_SUMMIT.search(one) or (several and SUMMIT.search(one)) for one in told
    )


def _is_leader(party: Party, reports: Iterable[Report], on: dt.date) -> bool:
    if LEADER.search(party.text):
        return not NO_LEADER.search(party.text)
    if led(party.name or "", on):
        return True
    name = (party.name or party.text).split()
    if not name:
        return False
    last = rf"\b{re.escape(name[-1])}\b"
    several, one = re.compile(rf"(?:\S+\s+){{0,8}}{last}"), re.compile(rf"(?:[^\s,;:]+\s+){{0,6}}{last}")
    for report in reports:
        if any(LEADERS.search(near) and not NO_LEADER.search(near) for near in several.findall(report.evidence)):
            return True
        for near in one.findall(report.evidence):
            own = near.rpartition(" and ")[2]
            if LEADER.search(" ".join(own.split()[-TITLE_WORDS:])) and not NO_LEADER.search(own):
                return True
    return False


def _named(names: Iterable[str], parties: Iterable[Party]) -> bool:
    """Return whether a party has one of the names, or is the organisation of a group in `names`."""
    wanted: set[str] = set()
    for name in names:
        group = known_groups().group.get(name)
        wanted.update(n.lower() for n in (group.names if group is not None else (name,)))
    return any(name.lower() in wanted for party in parties for name in (party.name or "", party.text) if name)


def said(query: str, text: str) -> bool:
    """Return whether a text matches a query.

    All words must occur; of `a|b` one must; `-a` must not; "a b" is a phrase; `a*` is a prefix. Case does not matter.
    """
    for sign, phrase, word in re.findall(r'(-?)(?:"([^"]+)"|(\S+))', query):
        choices = [phrase] if phrase else [choice for choice in word.split("|") if choice]
        found = any(_occurs(choice, text) for choice in choices)
        if found == bool(sign):
            return False
    return True


def _occurs(words: str, text: str) -> bool:
    pattern = r"\s+".join(re.escape(w).replace(r"\*", r"\w*") for w in words.split())
    return re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE) is not None
