"""A story and its articles: an article opens it, each further one on the same news is added. Pure, in event time only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import msgspec

from pipeline.annotate import copies
from pipeline.records import Brief, Difference, Happening, Moment, Related, Story, StoryArticle, Trigger, content_id
from pipeline.track import happenings, subjects
from pipeline.track.central import central
from pipeline.track.claims import lead_articles
from pipeline.track.happening import PUBLISHERS_KEPT, TIMELINE_KEPT, TOLLS, added
from pipeline.track.scorer import Side
from pipeline.track.sources import publisher_name

ARTICLES_KEPT: Final = 200
"""Articles of a story with title and address: the first so many. Their ids are kept up to `IDS_KEPT`."""
IDS_KEPT: Final = 2000
"""A story with so many articles takes no further one: each revision carries all ids."""
NAMES_KEPT: Final = 60
"""Names of titles and leads kept of one story, those in most articles."""
DIFFERENCES_KEPT: Final = 20

LINE: Final = 0.25
LEAST: Final = 2
ENOUGH: Final = 10
"""A story has a line only if such a share of its articles are about its main happening, and two of them where it has two; ten
are enough of any. Set by reading the lines of our own articles and the newsstand."""

SPIKES: Final = (10, 30, 100)
"""Numbers of publishers at which a story is an occasion for `spike` rules, if it is not older than `SPIKE_WITHIN`."""
SPIKE_WITHIN: Final = dt.timedelta(days=2)

Rarity = Callable[[str], float]
MIRRORED: Final = (
    "kind", "event_type", "modality", "phase", "line", "subtype", "actors", "recipients", "places", "date", "money",
    "quantities", "items", "confidence", "reports", "phases",
)  # fmt: skip
"""What a story has of its main happening."""


def seen_at(brief: Brief) -> dt.datetime:
    """Return when an article was first fetched, so that a replay sees the same time."""
    return brief.first_seen_at


def id_of(article_id: str) -> str:
    """Return the id of the story that an article opens."""
    return content_id("story", article_id)


def begin(brief: Brief) -> Story:
    """Return the story that an article opens, without its words and happenings."""
    return Story(
        id=id_of(brief.id),
        revision=0,
        headline="",
        kind="",
        event_type=None,
        modality="asserted",
        phase="happened",
        first_seen_at=seen_at(brief),
        last_seen_at=seen_at(brief),
        opened_at=seen_at(brief),
        timeline=(Moment(at=seen_at(brief), what=f"first told by {publisher_name(brief.publisher, brief.url)}"),),
        occasions=("new",),
    )


def with_article(story: Story, brief: Brief, own: Side) -> Story:
    """Return a story with an article added: what is compared of it, its publisher, and the article that it is a copy of."""
    publisher = publisher_name(brief.publisher, brief.url)
    one = StoryArticle(
        id=brief.id,
        title=brief.title,
        seen_at=seen_at(brief),
        url=brief.url,
        publisher=publisher,
        credit=brief.credit,
        published_at=brief.published_at,
        copy_of=_original(story.articles, brief),
        fingerprint=brief.fingerprint,
    )
    return msgspec.structs.replace(
        story,
        first_seen_at=min(story.first_seen_at, seen_at(brief)),
        last_seen_at=max(story.last_seen_at, seen_at(brief)),
        articles=(*story.articles, one) if len(story.articles) < ARTICLES_KEPT else story.articles,
        article_ids=(*story.article_ids, brief.id),
        subject_ids=(*story.subject_ids, brief.id),
        article_count=story.article_count + 1,
        publishers=added(story.publishers, (publisher,), PUBLISHERS_KEPT),
        subject=subjects.added(story.subject, own.words),
        lead_words=subjects.added(story.lead_words, brief.lead, subjects.LEAD_KEPT),
        lead_names=subjects.added(story.lead_names, own.names, NAMES_KEPT),
        years=_years(story.years, own.years),
    )


def _years(ours: Mapping[int, int], theirs: Mapping[int, int]) -> dict[int, int]:
    """Return how many articles of both name each year as their latest."""
    return {year: ours.get(year, 0) + theirs.get(year, 0) for year in sorted({*ours, *theirs})}


def _original(articles: Sequence[StoryArticle], brief: Brief) -> str:
    """Return the id of the first article whose text this one repeats, or an empty string."""
    if not brief.fingerprint:
        return ""
    for one in articles:
        if not one.copy_of and copies.similar(one.fingerprint, brief.fingerprint) >= copies.COPY:
            return one.id
    return ""


def with_events(story: Story, brief: Brief, *, floor: float, reports_kept: int) -> Story:
    """Return a story with an article's events placed among its happenings."""
    known, touched = story.happenings, list[str]()
    for event in brief.events:
        known, changed = happenings.place(known, event, floor=floor, reports_kept=reports_kept)
        if changed:
            touched.append(changed)
    there = {one.id for one in known}
    return msgspec.structs.replace(
        story, happenings=known, touched=tuple(dict.fromkeys(one for one in touched if one in there))
    )


def _wanted(articles: int) -> float:
    """Return how many of a story's articles must be about its main happening for a line."""
    return min(max(LINE * articles, LEAST), ENOUGH, articles)


def finished(
    before: Story | None, story: Story, *, floor: float, rarity: Rarity, related: Sequence[Related] = ()
) -> Story:
    """Return the next revision of a story: with its headline, main happening, change, and what its reports differ on."""
    main = happenings.main_of(story.happenings, floor)
    best = central(story.articles, story.lead_words, rarity, _about(main))
    mirrored = {name: getattr(main, name) for name in MIRRORED} if main is not None else {}
    if main is not None and lead_articles(main) < _wanted(len(story.article_ids)):
        mirrored["line"] = ""  # what a few of many articles are about does not say what the story is
    occasions, change, lines = _news(before, story)
    return msgspec.structs.replace(
        story,
        **mirrored,
        revision=story.revision + 1,
        headline=best.title,
        title=best.title,
        publisher=best.publisher,
        central_article=best.id,
        source_count=max(main.source_count if main is not None else 1, _sources(story)),
        event_ids=tuple(dict.fromkeys(event_id for one in story.happenings for event_id in one.event_ids)),
        differences=_differences(story.happenings),
        related=tuple(related) or story.related,
        change=change,
        occasions=occasions,
        timeline=(*story.timeline, *lines)[:TIMELINE_KEPT],
    )


def _about(main: Happening | None) -> Collection[str]:
    """Return the articles that are about the main happening, by their titles and leads; where none is, those that tell it."""
    if main is None:
        return ()
    return {one.article_id for one in main.reports if one.lead} or main.article_ids


def _sources(story: Story) -> int:
    """Return how many independent sources tell a story: copies and articles that credit one agency count once."""
    return len({(one.credit or one.publisher).lower() for one in story.articles if not one.copy_of})


def _news(before: Story | None, after: Story) -> tuple[tuple[str, ...], Trigger, list[Moment]]:
    """Return the occasions of a revision, its change, and the new lines of the timeline."""
    if before is None:
        return after.occasions, "new", []
    crossed = [n for n in SPIKES if len(before.publishers) < n <= len(after.publishers)]
    if crossed and after.last_seen_at - after.first_seen_at <= SPIKE_WITHIN:
        line = Moment(at=after.last_seen_at, what=f"told by {crossed[-1]} publishers")
        return added(after.occasions, (f"spike:{crossed[-1]}",), 9), "spike", [line]
    changes = {one.change for one in after.happenings if one.id in after.touched}
    known = {one.id for one in before.happenings}
    fresh = [one for one in after.happenings if one.id not in known and not one.background]
    lines = [Moment(at=one.first_seen_at, what=one.line) for one in fresh if one.line]
    return after.occasions, "phase" if "phase" in changes else "update", lines


def _differences(known: Sequence[Happening]) -> tuple[Difference, ...]:
    """Return the sums and tolls of the happenings on which reports differ."""
    found: list[Difference] = []
    for one in known:
        if one.background:
            continue
        amounts = [(m.currency, m.value) for m in one.money]
        amounts += [(q.unit, q.value) for q in one.quantities if q.unit in TOLLS]
        for unit in dict.fromkeys(unit for unit, _ in amounts):
            values = sorted({value for name, value in amounts if name == unit})
            if len(values) > 1:
                found.append(Difference(happening=one.id, unit=unit, values=tuple(values)))
    return tuple(found[:DIFFERENCES_KEPT])


def absorb(story: Story, other: Story, *, floor: float, reports_kept: int) -> Story:
    """Return `story` with everything that is in `other`, a story on the same news."""
    known = happenings.joined(story.happenings, other.happenings, floor=floor, reports_kept=reports_kept)
    before = {one.id: one for one in story.happenings}
    what = Moment(at=other.last_seen_at, what=f"one with the story {other.id}")
    articles = sorted((*story.articles, *other.articles), key=lambda one: (one.seen_at, one.id))
    ids = added(story.article_ids, other.article_ids, 2 * IDS_KEPT)
    return msgspec.structs.replace(
        story,
        first_seen_at=min(story.first_seen_at, other.first_seen_at),
        last_seen_at=max(story.last_seen_at, other.last_seen_at),
        articles=tuple(articles[:ARTICLES_KEPT]),
        article_ids=ids,
        subject_ids=ids,
        article_count=len(ids),
        publishers=added(story.publishers, other.publishers, PUBLISHERS_KEPT),
        subject=subjects.added(story.subject, other.subject),
        lead_words=subjects.added(story.lead_words, other.lead_words, subjects.LEAD_KEPT),
        lead_names=subjects.added(story.lead_names, other.lead_names, NAMES_KEPT),
        years=_years(story.years, other.years),
        happenings=known,
        touched=tuple(one.id for one in known if before.get(one.id) is not one),
        merged_ids=(*story.merged_ids, other.id, *other.merged_ids),
        timeline=(*story.timeline, what)[:TIMELINE_KEPT],
    )


def absorbed(other: Story, into: Story) -> Story:
    """Return the last revision of a story that was merged into another."""
    what = Moment(at=into.last_seen_at, what=f"merged into {into.id}")
    return msgspec.structs.replace(
        other,
        revision=other.revision + 1,
        change="update",
        merged_into=into.id,
        touched=(),
        timeline=(*other.timeline, what)[:TIMELINE_KEPT],
    )
