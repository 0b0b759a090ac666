"""The reports of a happening and their sources: which count once, how sure they make it, which are kept. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import msgspec

from pipeline.annotate import copies
from pipeline.records import Event, Report
from pipeline.track.claims import claims

SECOND_SOURCE: Final = 0.5
"""The share of the remaining doubt that each further independent source removes, times its own confidence."""
MOST_SURE: Final = 0.99


def seen_at(event: Event) -> dt.datetime:
    """Return when the event's article was first fetched, so that a replay sees the same time."""
    moment = event.first_seen_at or event.published_at
    return moment if moment is not None else dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def publisher_name(publisher: str, url: str) -> str:
    """Return a publisher's name, or the host of the article's address if there is none."""
    host = urlsplit(url).hostname or ""
    return publisher or host.removeprefix("www.") or "unknown"


def report_of(event: Event, others: Iterable[Report]) -> Report:
    """Return the report for an event; if it repeats one of `others`, it gets that one's source."""
    report = Report(
        event_id=event.id,
        article_id=event.article_id,
        article_url=event.article_url,
        publisher=publisher_name(event.publisher, event.article_url),
        evidence=event.evidence,
        modality=event.modality,
        confidence=event.confidence,
        seen_at=seen_at(event),
        published_at=event.published_at,
        credit=event.credit,
        fingerprint=event.fingerprint,
        title=event.article_title,
        attributed_to=event.attributed_to,
        language=event.language,
        trigger=event.trigger,
        event_mode=event.event_mode,
        contexts=event.contexts,
        **claims(event),
    )
    original = next((other for other in others if one_source(other, report)), None)
    source = original.source if original is not None else (report.credit or report.publisher).lower()
    return msgspec.structs.replace(report, source=source)


def one_source(a: Report, b: Report) -> bool:
    """Return whether two reports count once: the same publisher, the same agency credited, or copies of one text."""
    if a.publisher == b.publisher or (a.credit and b.credit and a.credit.lower() == b.credit.lower()):
        return True
    if (a.credit or "").lower() == b.publisher.lower() or (b.credit or "").lower() == a.publisher.lower():
        return True
    return bool(a.fingerprint and b.fingerprint) and copies.similar(a.fingerprint, b.fingerprint) >= copies.COPY


def confidence(reports: Iterable[Report]) -> float:
    """Return the confidence in a story: that of its surest source, and more with each further independent one."""
    best: dict[str, float] = {}
    for report in reports:
        best[report.source] = max(best.get(report.source, 0.0), report.confidence)
    ranked = sorted(best.values(), reverse=True)
    total = ranked[0] if ranked else 0.0
    for further in ranked[1:]:
        total += (1 - total) * SECOND_SOURCE * further
    return round(min(total, MOST_SURE), 4)


def without_one(reports: tuple[Report, ...], kept: int) -> tuple[Report, ...]:
    """Return the reports with one less if there are more than `kept`.

    The first and the last stay. Of the others the least sure goes, first of all one whose source has another report.
    """
    if len(reports) <= kept:
        return reports
    counts: dict[str, int] = {}
    for report in reports:
        counts[report.source] = counts.get(report.source, 0) + 1
    number = min(
        range(1, max(2, len(reports) - 1)),
        key=lambda n: (counts[reports[n].source] == 1, reports[n].confidence, -n),
    )
    return reports[:number] + reports[number + 1 :]
