"""Story -> Alerts: which rules ring for this revision of a story. Pure, and in event time only, so a replay rings the same.

A story writes down its *occasions* (new, phase:happened, spike:10, update:1 ...). A rule rings for the latest occasion that it
listens to, on the first revision at which all its conditions hold: a rule that wants two sources rings when the second
has come. The alert's id is made of rule, story and occasion, so whoever has seen the id never rings again.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.groups import country_name, members
from pipeline.groups import known as known_groups
from pipeline.groups import leaders as leading
from pipeline.headline import in_words, named
from pipeline.records import Alert, Party, Report, Story, content_id
from pipeline.rules import Channel, Rule, RuleSet, load_rules

__all__ = ["Channel", "Check", "Rule", "RuleSet", "check", "evaluate", "load_rules", "message"]

LEADER: Final = re.compile(
    r"\b(?:presidents?|prime ministers?|premiers?|chancellors?|taoiseach|kings?|queens?|emperors?|emirs?|sultans?"
    r"|crown princes?|supreme leaders?|heads? of (?:state|government)|leaders?)\b",
    re.IGNORECASE,
)
NO_LEADER: Final = re.compile(
    r"\b(?:vice|deputy|former|ex|late|interim vice|bank|court|university|club|company|opposition|party|rebel|union|council"
    r"|federation|association|religious|spiritual|community|student)[- ]+(?:presidents?|prime ministers?|premiers?|chancellors?"
    r"|kings?|queens?|leaders?)\b|\bpresident(?:s)? of the (?:court|bank|club|council|commission|federation|association|union)",
    re.IGNORECASE,
)
LEADER_KINDS: Final = frozenset({"summit"})
SIDES: Final = 2
"""A summit is a meeting of leaders by its name alone, of two at least."""


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a rule held against a story: what was wanted, what was there."""

    condition: str
    wanted: str
    found: str
    holds: bool


def evaluate(rules: Sequence[Rule], story: Story) -> tuple[Alert, ...]:
    """Rules and a story's latest revision in, the alerts that are due by now out; those with a known id have rung already."""
    return tuple(
        _alert(rule, story, occasion)
        for rule in rules
        if (occasion := occasion_of(rule, story)) is not None and all(c.holds for c in check(rule, story))
    )


def occasion_of(rule: Rule, story: Story) -> str | None:
    """The latest occasion of the story that the rule listens to."""
    wanted = [occasion for occasion in story.occasions if occasion.partition(":")[0] in rule.on]
    return wanted[-1] if wanted else None


def check(rule: Rule, story: Story) -> Iterator[Check]:
    """A rule and a story in, each of the rule's conditions with its verdict out: evaluate's and --explain's one code."""
    yield from _check_kind(rule, story)
    yield from _check_parties(rule, story)
    yield from _check_weight(rule, story)
    yield from _check_age(rule, story)


def _check_kind(rule: Rule, story: Story) -> Iterator[Check]:
    for condition, wanted, found in (
        ("kinds", rule.kinds, story.kind),
        ("subtypes", rule.subtypes, story.subtype or ""),
        ("event_types", rule.event_types, story.event_type),
        ("modalities", rule.modalities, story.modality),
        ("phases", rule.phases, story.phase),
    ):
        if wanted:
            yield Check(condition, " or ".join(wanted), found, found in wanted)
    if rule.text:
        texts = [
            part for r in story.reports for part in (r.title, r.evidence)
        ]  # the headline is ours, not said by anybody
        yield Check("text", rule.text, story.headline, said(rule.text, " \n ".join(texts)))


def _check_parties(rule: Rule, story: Story) -> Iterator[Check]:
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
        sums = [m for m in story.money if m.currency == least.currency]
        largest = max((m.value for m in sums), default=0.0)
        found = in_words(largest, least.currency) if sums else "no sum in this currency"
        yield Check("money_at_least", in_words(least.value, least.currency), found, largest >= least.value)
    for unit, least_number in rule.quantity_at_least.items():
        most = max((q.value for q in story.quantities if q.unit == unit), default=0.0)
        yield Check("quantity_at_least", f"{least_number:g} {unit}", f"{most:g}", most >= least_number)
    if rule.sources_at_least > 1:
        held = story.source_count >= rule.sources_at_least
        yield Check("sources_at_least", str(rule.sources_at_least), str(story.source_count), held)
    if rule.confidence_at_least:
        held = story.confidence >= rule.confidence_at_least
        yield Check("confidence_at_least", f"{rule.confidence_at_least:g}", f"{story.confidence:g}", held)


def _check_age(rule: Rule, story: Story) -> Iterator[Check]:
    """Told soon after it happened, and met soon after it was told; both in event time."""
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
    """The countries that take part in a story, in alphabetical order; where it happens is not taking part."""
    return tuple(sorted({p.country for p in (*story.actors, *story.recipients) if p.country}))


def leaders(story: Story) -> int:
    """How many leaders of states or governments take part, as far as names and evidence tell."""
    if story.kind in LEADER_KINDS:
        return SIDES
    titled = {
        p.country or (p.name or p.text) for p in (*story.actors, *story.recipients) if _is_leader(p, story.reports)
    }
    return len(titled)


def _is_leader(party: Party, reports: Iterable[Report]) -> bool:
    if LEADER.search(party.text):
        return not NO_LEADER.search(party.text)
    if (party.name or "").lower() in leading():
        return True
    name = (party.name or party.text).split()
    if not name:
        return False
    before = re.compile(rf"(?:\S+\s+){{0,4}}\b{re.escape(name[-1])}\b")
    for report in reports:
        for match in before.finditer(report.evidence):
            if LEADER.search(match.group()) and not NO_LEADER.search(match.group()):
                return True
    return False


def _named(names: Iterable[str], parties: Iterable[Party]) -> bool:
    """Whether a party is called by one of the names, or is the organisation of a group so named."""
    wanted: set[str] = set()
    for name in names:
        group = known_groups().group.get(name)
        wanted.update(n.lower() for n in (group.names if group is not None else (name,)))
    return any(name.lower() in wanted for party in parties for name in (party.name or "", party.text) if name)


def said(query: str, text: str) -> bool:
    """A text query and a text in, whether it is met out.

    Words all must occur, `a|b` one of them, `-a` not, "a b" as a phrase, `a*` as a beginning. Case does not matter.
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


# --- what an alert says ----------------------------------------------------------------------------------------------


def _alert(rule: Rule, story: Story, occasion: str) -> Alert:
    best = best_report(story)
    return Alert(
        id=content_id(rule.name, story.id, occasion),
        rule=rule.name,
        about=rule.about,
        story_id=story.id,
        story_revision=story.revision,
        occasion=occasion,
        raised_at=story.last_seen_at,
        headline=story.headline,
        message=message(story, rule, occasion),
        kind=story.kind,
        event_type=story.event_type,
        modality=story.modality,
        evidence=best.evidence if best is not None else "",
        url=best.article_url if best is not None else "",
        confidence=story.confidence,
        first_seen_at=story.first_seen_at,
        opened_at=story.opened_at or story.first_seen_at,
        countries=countries_of(story),
        publishers=story.publishers[:PUBLISHERS_SHOWN],
        channels=rule.channels,
    )


PUBLISHERS_SHOWN: Final = 20
NAMED_IN_MESSAGE: Final = 4


def best_report(story: Story) -> Report | None:
    """The report that says it best: of the story's own modality, the surest, then the earliest."""
    return min(
        story.reports,
        key=lambda r: (r.modality != story.modality, -r.confidence, r.seen_at, r.event_id),
        default=None,
    )


def message(story: Story, rule: Rule, occasion: str) -> str:
    """A story in, the text of an alert out: what, who, where, when, how sure, sources, evidence, link."""
    parts = _parts(story, rule, occasion)
    if rule.template:
        return rule.template.format_map(parts)
    lines = [f"{parts['occasion']}: {parts['headline']}"]
    for label, key in (("What", "what"), ("Who", "who"), ("Where", "where"), ("When", "when"), ("Sum", "amount")):
        if parts[key]:
            lines.append(f"{label}: {parts[key]}")
    lines += [f"Sure: {parts['sure']} ({parts['sources']})"]
    if parts["evidence"]:
        lines += [f"“{parts['evidence']}”", parts["link"]]
    return "\n".join(lines)


def _parts(story: Story, rule: Rule, occasion: str) -> dict[str, str]:
    best = best_report(story)
    numbers = ", ".join(f"{q.value:g} {q.unit}" for q in story.quantities[:NAMED_IN_MESSAGE])
    what = " ".join(w for w in (story.subtype or "", story.kind.replace("_", " ")) if w)
    return {
        "occasion": occasion.partition(":")[0].upper(),
        "headline": story.headline,
        "what": f"{what}, {story.phase}" + (f"; {numbers}" if numbers else ""),
        "who": _who(story),
        "where": "; ".join(dict.fromkeys(_place(p.name or p.text, p.country) for p in story.places[:NAMED_IN_MESSAGE])),
        "when": _when(story),
        "amount": " or ".join(dict.fromkeys(in_words(m.value, m.currency) for m in story.money[:NAMED_IN_MESSAGE])),
        "sure": f"{story.confidence:.0%}",
        "sources": _sources(story),
        "evidence": best.evidence if best is not None else "",
        "link": best.article_url if best is not None else "",
        "about": rule.about,
        "rule": rule.name,
    }


def _who(story: Story) -> str:
    sides = [
        ", ".join(dict.fromkeys(_place(p.name or p.text, p.country) for p in parties[:NAMED_IN_MESSAGE]))
        for parties in (story.actors, story.recipients)
    ]
    return " → ".join(side for side in sides if side)


def _place(name: str, country: str | None) -> str:
    land = country_name(country) if country else ""
    return f"{name} ({land})" if land and land.lower() not in name.lower() else name


def _when(story: Story) -> str:
    if story.date is None:
        return f"told {story.first_seen_at:%-d %B %Y}"
    start, end = story.date.start, story.date.end
    if start == end:
        return f"{start:%-d %B %Y}"
    return f"{start:%-d %B} to {end:%-d %B %Y}" if start.year == end.year else f"{start:%-d %B %Y} to {end:%-d %B %Y}"


def _sources(story: Story) -> str:
    shown = ", ".join(story.publishers[:NAMED_IN_MESSAGE])
    more = len(story.publishers) - NAMED_IN_MESSAGE
    number = f"{story.source_count} independent source{'s' if story.source_count != 1 else ''}"
    return f"{number}: {shown}" + (f" and {more} more" if more > 0 else "")
