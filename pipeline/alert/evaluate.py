"""Story -> Alerts: which rules raise an alert for this revision of a story. Pure, in event time only: a replay gives the same.

A story has *occasions* (new, phase:happened, spike:10, update:1 ...). A rule raises an alert for the latest occasion that is in
its `on`, at the first revision that meets all its conditions: a rule that needs two sources raises it when the second reports.
The alert's id is a hash of rule, story and occasion, so an alert whose id is known is not raised again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from pipeline.alert.conditions import Check, check, countries_of, leaders, said
from pipeline.alert.matters import Matter, matters
from pipeline.alert.rules import Channel, Rule, RuleSet, load_rules
from pipeline.annotate.groups import country_name
from pipeline.records import Alert, Report, Story, content_id
from pipeline.track.brief import shown_title
from pipeline.track.families import family
from pipeline.track.line import in_words

__all__ = [
    "Channel", "Check", "Rule", "RuleSet", "check", "countries_of", "evaluate", "leaders", "load_rules", "message", "said",
]  # fmt: skip


def evaluate(rules: Sequence[Rule], story: Story, known: Collection[str] = ()) -> tuple[Alert, ...]:
    """Return the alerts for a story's latest revision; those whose id is in `known` were raised before and are left out.

    A story that was merged into another raises none, and an alert raised for a happening is not raised again for the one that
    it was merged into, nor for another of the same parties on the same days (a visit, and the meeting there).
    """
    if story.merged_into:
        return ()
    seen, raised = tuple(matters(story)), dict[str, Alert]()
    for rule in rules:
        for matter in seen:
            occasion = occasion_of(rule, matter.story)
            if occasion is None or any(one in known or one in raised for one in _ids(rule, matter, occasion)):
                continue
            if all(c.holds for c in check(rule, matter.story)):
                one = _alert(rule, matter, occasion)
                raised[one.id] = one
    return tuple(raised.values())


def _ids(rule: Rule, matter: Matter, occasion: str) -> Iterator[str]:
    """Yield the ids that the alert has, or would have for a happening that is the same to a reader."""
    return (alert_id(rule, one, occasion) for one in matter.ids)


def alert_id(rule: Rule, about: str, occasion: str) -> str:
    """Return the id of the alert that a rule raises for a happening (or a story, by its id) on an occasion."""
    return content_id(rule.name, about, occasion)


def occasion_of(rule: Rule, story: Story) -> str | None:
    """Return the latest occasion of the story that is in the rule's `on`; None if there is none."""
    wanted = [occasion for occasion in story.occasions if occasion.partition(":")[0] in rule.on]
    return wanted[-1] if wanted else None


# --- text of an alert ------------------------------------------------------------------------------------------------


def _alert(rule: Rule, matter: Matter, occasion: str) -> Alert:
    story = matter.story
    best = best_report(story)
    parts = _parts(matter, rule, occasion)
    return Alert(
        id=alert_id(rule, matter.id, occasion),
        rule=rule.name,
        about=rule.about,
        story_id=story.id,
        story_revision=story.revision,
        occasion=occasion,
        raised_at=story.last_seen_at,
        headline=parts["headline"],
        message=rule.template.format_map(parts) if rule.template else message(parts),
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
        family=family(story),
        event_id=best.event_id if best is not None else "",
        article_id=best.article_id if best is not None else story.central_article,
        source_count=story.source_count,
        happening_id=matter.id if matter.id != story.id else "",
        parts=parts,
    )


PUBLISHERS_SHOWN: Final = 20
NAMED_IN_MESSAGE: Final = 4


def best_report(story: Story) -> Report | None:
    """Return the report to quote: by the story's modality, an article that is about it, its own kind, confidence, then time."""
    return min(
        story.reports,
        key=lambda r: (
            r.modality != story.modality,
            not r.lead,
            r.kind != story.kind,
            -r.confidence,
            r.seen_at,
            r.event_id,
        ),
        default=None,
    )


def message(parts: dict[str, str]) -> str:
    """Return the text of an alert from its parts: what, who, where, when, how sure, sources, evidence, link."""
    by = f" ({parts['publisher']})" if parts["publisher"] else ""
    lines = [f"{parts['occasion']}: {parts['headline']}{by}"]
    for label, key in (("What", "what"), ("Who", "who"), ("Where", "where"), ("When", "when"), ("Sum", "amount")):
        if parts[key]:
            lines.append(f"{label}: {parts[key]}")
    lines += [f"Sure: {parts['sure']} ({parts['sources']})"]
    if parts["uncertain"]:
        lines.append(f"Uncertain: {parts['uncertain']}")
    if parts["evidence"]:
        lines += [f"“{parts['evidence']}”", parts["link"]]
    return "\n".join(lines)


def _parts(matter: Matter, rule: Rule, occasion: str) -> dict[str, str]:
    story = matter.story
    best = best_report(story)
    headline, publisher = _headline(matter, best)
    numbers = ", ".join(f"{q.value:g} {q.unit}" for q in story.quantities[:NAMED_IN_MESSAGE])
    what = " ".join(w for w in (story.subtype or "", story.kind.replace("_", " ")) if w) or "news"
    return {
        "occasion": occasion.partition(":")[0].upper(),
        "headline": headline,
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
        "line": story.line,
        "publisher": publisher,
        "uncertain": "; ".join(_uncertain(matter)),
        "kind": story.kind,
        "phase": story.phase,
        "countries": ", ".join(country_name(code) for code in countries_of(story)),
        "id": alert_id(rule, matter.id, occasion),
        "story": story.id,
    }


def _headline(matter: Matter, best: Report | None) -> tuple[str, str]:
    """Return the title of an alert and its publisher: those of the story, else of the article that is quoted.

    The story's central article may tell another happening: `Moscow threatens Prague` for diplomats that Prague expelled.
    An article without a title, or with one that is only a date, has its first sentence.
    """
    story = matter.story
    told = {one.article_id for one in story.reports if one.lead} or {one.article_id for one in story.reports}
    if best is None or matter.id == story.id or story.central_article in told:
        return story.headline, story.publisher
    quoted = next((one.title for one in story.articles if one.id == best.article_id), best.title)
    return shown_title(quoted, best.evidence), best.publisher


def _uncertain(matter: Matter) -> Iterator[str]:
    """Yield in words what the reports leave open: sums and tolls that differ, and a story that nobody states as fact yet."""
    story = matter.story
    for one in story.differences:
        if one.happening == matter.id:
            yield f"{one.unit}: {' or '.join(f'{value:,.10g}' for value in one.values)}"
    if story.happenings and not (story.actors or story.recipients):
        yield "who took part"


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
