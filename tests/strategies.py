"""Hypothesis strategies for records: small worlds, so that the interesting coincidences happen often."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from pipeline.records import Money, Party, Place, Quantity, When, content_id
from tests.make import NOW, make_event

COUNTRIES = ("RUS", "UKR", "USA", "CHN", "FRA", "KEN")
KINDS = (
    ("meeting", "CONSULT"),
    ("summit", "CONSULT"),
    ("call", "CONSULT"),
    ("sanctions", "SANCTION"),
    ("aid_package", "AID"),
    ("strike", "ASSAULT"),
    ("clash", "ASSAULT"),
    ("ceasefire", "AGREE"),
    ("accusation", "ACCUSE"),
    ("threat", "THREATEN"),
    ("protest", "PROTEST"),
    ("arrest", "COERCE"),
)
TOWNS = (
    Place(text="Moscow", name="Moscow", country="RUS", lat=55.75, lon=37.62),
    Place(text="Kyiv", name="Kyiv", country="UKR", lat=50.45, lon=30.52),
    Place(text="Nairobi", name="Nairobi", country="KEN", lat=-1.28, lon=36.82),
    Place(text="France", name="France", country="FRA"),
)
SENTENCES = (
    "The two presidents met in the Kremlin on Tuesday",
    "Sanctions were imposed on three banks and a shipyard",
    "A drone hit the oil depot near the harbour and killed seven",
    "The ministry accused its neighbour of laying mines",
    "Thousands marched against the pension reform",
    "The package holds artillery shells and air defence missiles",
)
PUBLISHERS = ("The Paper", "The Post", "Harbour Wire", "Northern Ledger", "")

moments = st.integers(0, 40 * 24).map(lambda hours: NOW + dt.timedelta(hours=hours))
parties = st.sampled_from(COUNTRIES).map(
    lambda code: Party(text=code.title(), name=code.title(), country=code, sector="GOV")
)
sides = st.lists(parties, max_size=2, unique=True).map(tuple)
places = st.lists(st.sampled_from(TOWNS), max_size=2, unique=True).map(tuple)
SUBJECTS = (
    {},
    {f"grain{n}": 1.5 for n in range(24)},
    {f"grain{n}": 1.5 for n in range(12)} | {f"quake{n}": 1.0 for n in range(12)},
    {f"quake{n}": 1.5 for n in range(60)},
)
fingerprints = st.one_of(st.just(()), st.sampled_from([tuple(range(n, n + 32)) for n in (0, 100, 200)]))


@st.composite
def days(draw):
    """A date near NOW, exact or a range."""
    start = NOW.date() + dt.timedelta(days=draw(st.integers(-10, 40)))
    length = draw(st.sampled_from((0, 0, 0, 6, 29)))
    precision = {0: "day", 6: "week", 29: "month"}[length]
    return When(text="then", start=start, end=start + dt.timedelta(days=length), precision=precision)


@st.composite
def events(draw, modalities=("asserted", "asserted", "asserted", "planned", "hypothetical", "denied", "historical")):
    """Any event of a small world, from one of a handful of papers."""
    kind, event_type = draw(st.sampled_from(KINDS))
    seen_at = draw(moments)
    evidence = draw(st.sampled_from(SENTENCES))
    return make_event(
        kind,
        event_type,
        evidence=evidence,
        modality=draw(st.sampled_from(modalities)),
        publisher=draw(st.sampled_from(PUBLISHERS)),
        credit=draw(st.sampled_from((None, None, "AP", "Harbour Wire"))),
        first_seen_at=seen_at,
        published_at=draw(st.sampled_from((None, seen_at - dt.timedelta(minutes=5)))),
        actors=draw(sides),
        recipients=draw(sides),
        places=draw(places),
        date=draw(st.one_of(st.none(), days())),
        confidence=draw(st.sampled_from((0.4, 0.6, 0.8, 0.95))),
        money=draw(st.lists(st.sampled_from((1e6, 2.5e8, 3e8)), max_size=1).map(lambda v: tuple(map(_dollars, v)))),
        quantities=draw(st.lists(st.sampled_from((7, 11, 60)), max_size=1).map(lambda v: tuple(map(_dead, v)))),
        fingerprint=draw(fingerprints),
        subject=draw(st.sampled_from(SUBJECTS)),
        article_id=content_id(draw(st.integers(0, 20)), seen_at),
    )


def _dollars(value):
    return Money(text=f"${value:.0f}", value=value, currency="USD")


def _dead(value):
    return Quantity(text=f"{value} dead", value=value, unit="dead")


def unique(drawn):
    """A list of events, each id once."""
    return list({event.id: event for event in drawn}.values())
