"""Records for tests: every field has a sensible default, and what a test is about is what it writes down."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pipeline.records import (
    Alert,
    Article,
    Document,
    Event,
    Export,
    Failure,
    Feedback,
    Happening,
    Money,
    Party,
    Place,
    Quantity,
    Report,
    Story,
    When,
    content_id,
)

NOW = dt.datetime(2024, 5, 14, 9, 0, tzinfo=dt.UTC)
"""A Tuesday: the present of the tests."""

RUSSIA = Party(text="Russia", name="Russia", country="RUS", sector="GOV")
CHINA = Party(text="China", name="China", country="CHN", sector="GOV")
UKRAINE = Party(text="Ukraine", name="Ukraine", country="UKR", sector="GOV")
USA = Party(text="The US", name="United States", country="USA", sector="GOV")
PUTIN = Party(text="President Vladimir Putin", name="Vladimir Putin", country="RUS", sector="GOV")
XI = Party(text="President Xi Jinping", name="Xi Jinping", country="CHN", sector="GOV")
MOSCOW = Place(text="Moscow", name="Moscow", country="RUS", lat=55.75, lon=37.62)
KYIV = Place(text="Kyiv", name="Kyiv", country="UKR", lat=50.45, lon=30.52)


def make_article(text: str = "Russia and China agreed on gas. Nothing else.", **changes: Any) -> Article:
    """An article of plain text, fetched at NOW from one of many feeds."""
    url = changes.pop("url", f"https://news.example/{content_id(text, size=8)}")
    fields: dict[str, Any] = {
        "id": content_id(url),
        "url": url,
        "feed_id": "wire",
        "fetched_at": NOW,
        "first_seen_at": NOW,
        "content_hash": content_id(text),
        "html": text,
        "content_type": "text/plain",
        "title": "A title",
        "publisher": "The Paper",
        "published_at": NOW - dt.timedelta(minutes=5),
        "language": "en",
    }
    return Article(**fields | changes)


def make_document(text: str = "Russia and China agreed on gas.", **changes: Any) -> Document:
    """What an article says, before anybody looked for events in it."""
    url = changes.pop("url", f"https://news.example/{content_id(text, size=8)}")
    fields: dict[str, Any] = {
        "id": content_id(url),
        "url": url,
        "feed_id": "wire",
        "title": "A title",
        "text": text,
        "first_seen_at": NOW,
        "fetched_at": NOW,
        "content_hash": content_id(text),
        "published_at": NOW - dt.timedelta(minutes=5),
        "publisher": "The Paper",
        "language": "en",
    }
    return Document(**fields | changes)


def make_event(kind: str = "meeting", event_type: str = "CONSULT", **changes: Any) -> Event:
    """An asserted event of today. Its id follows from all that is given, unless one is given."""
    evidence = changes.setdefault("evidence", "Putin and Xi met in Moscow on Tuesday")
    publisher = changes.setdefault("publisher", "The Paper")
    seen_at = changes.setdefault("first_seen_at", NOW)
    article_id = changes.setdefault("article_id", content_id(publisher, evidence, seen_at))
    fields: dict[str, Any] = {
        "id": content_id(article_id, kind, sorted((name, repr(value)) for name, value in changes.items())),
        "kind": kind,
        "event_type": event_type,
        "modality": "asserted",
        "start": 0,
        "end": len(evidence),
        "trigger": evidence.split()[0],
        "export": Export(plover=event_type, cameo="04"),
        "confidence": 0.7,
        "rule": f"{kind}.test",
        "article_url": f"https://news.example/{article_id}",
        "article_title": "",
        "language": "en",
        "published_at": seen_at - dt.timedelta(minutes=5),
    }
    return Event(**fields | changes)


def make_meeting(**changes: Any) -> Event:
    """Putin and Xi meet in Moscow today."""
    return make_event(**{"actors": (PUTIN, XI), "places": (MOSCOW,), "date": make_day(NOW.date())} | changes)


def make_sanctions(**changes: Any) -> Event:
    """The US imposes sanctions on Russia today."""
    defaults: dict[str, Any] = {
        "actors": (USA,),
        "recipients": (RUSSIA,),
        "date": make_day(NOW.date()),
        "evidence": "The US imposed sanctions on Russia on Tuesday",
    }
    return make_event("sanctions", "SANCTION", **defaults | changes)


def make_aid(dollars: float = 350e6, **changes: Any) -> Event:
    """The US announces military aid for Ukraine."""
    defaults: dict[str, Any] = {
        "actors": (USA,),
        "recipients": (UKRAINE,),
        "subtype": "military",
        "money": (make_money(dollars),),
        "evidence": "The US announced a military aid package for Ukraine",
    }
    return make_event("aid_package", "AID", **defaults | changes)


def make_day(day: dt.date, text: str = "Tuesday") -> When:
    """A date that is exact to the day."""
    return When(text=text, start=day, end=day, precision="day")


def make_money(value: float, currency: str = "USD") -> Money:
    """An amount."""
    return Money(text=f"{value:.0f} {currency}", value=value, currency=currency)


def make_quantity(value: float, unit: str = "dead") -> Quantity:
    """A counted thing."""
    return Quantity(text=f"{value:.0f} {unit}", value=value, unit=unit)


def make_report(**changes: Any) -> Report:
    """One report of a story."""
    fields: dict[str, Any] = {
        "event_id": "e1",
        "article_id": "a1",
        "article_url": "https://news.example/a1",
        "publisher": "The Paper",
        "evidence": "Putin and Xi met in Moscow on Tuesday",
        "modality": "asserted",
        "confidence": 0.7,
        "seen_at": NOW,
        "published_at": NOW - dt.timedelta(minutes=5),
    }
    return Report(**fields | changes)


def make_story(**changes: Any) -> Story:
    """A story of one report: Putin and Xi meet in Moscow."""
    fields: dict[str, Any] = {
        "id": content_id("e1"),
        "revision": 1,
        "headline": "Putin and Xi meet in Moscow",
        "kind": "meeting",
        "event_type": "CONSULT",
        "modality": "asserted",
        "phase": "happened",
        "first_seen_at": NOW,
        "last_seen_at": NOW,
        "actors": (PUTIN, XI),
        "places": (MOSCOW,),
        "date": make_day(NOW.date()),
        "publishers": ("The Paper",),
        "source_count": 1,
        "article_count": 1,
        "confidence": 0.7,
        "event_ids": ("e1",),
        "article_ids": ("a1",),
        "reports": (make_report(),),
        "phases": ("happened",),
        "occasions": ("new",),
    }
    return Story(**fields | changes)


def make_happening(**changes: Any) -> Happening:
    """What the story of `make_story` tells: Putin and Xi meet in Moscow."""
    story = make_story()
    fields = {name: getattr(story, name) for name in Happening.__struct_fields__ if hasattr(story, name)}
    return Happening(**fields | changes)


def make_alert(**changes: Any) -> Alert:
    """An alert of the rule `leaders-meet`, for the terminal."""
    story = changes.pop("story", None) or make_story()
    fields: dict[str, Any] = {
        "id": content_id("leaders-meet", story.id, "new"),
        "rule": "leaders-meet",
        "about": "Leaders of two countries meet",
        "story_id": story.id,
        "story_revision": story.revision,
        "occasion": "new",
        "raised_at": NOW,
        "headline": story.headline,
        "message": "Putin and Xi meet in Moscow\nWhen: 14 May 2024",
        "kind": story.kind,
        "event_type": story.event_type,
        "modality": story.modality,
        "evidence": story.reports[0].evidence,
        "url": story.reports[0].article_url,
        "confidence": story.confidence,
        "first_seen_at": story.first_seen_at,
        "countries": ("CHN", "RUS"),
        "publishers": story.publishers,
        "channels": ("terminal",),
    }
    return Alert(**fields | changes)


def make_feedback(**changes: Any) -> Feedback:
    """A rule that is muted from NOW on."""
    fields: dict[str, Any] = {
        "id": content_id("mute", "leaders-meet"),
        "verdict": "mute",
        "target": "rule",
        "name": "leaders-meet",
        "at": NOW,
    }
    return Feedback(**fields | changes)


def make_failure(**changes: Any) -> Failure:
    """A record that could not be read."""
    fields: dict[str, Any] = {
        "id": content_id("detect", "news.articles", 0, 7),
        "stage": "detect",
        "error_type": "RecordError",
        "error": "article: not JSON",
        "topic": "news.articles",
        "failed_at": NOW,
        "partition": 0,
        "offset": 7,
        "key": b"k",
        "raw": b"\xffgarbage",
        "version": "0.1.0",
    }
    return Failure(**fields | changes)
