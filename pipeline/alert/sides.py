"""A story in, whether it is between states, bodies of states and armed groups out: what a rule asks for by default. Pure."""

from __future__ import annotations

from typing import Final

from pipeline.annotate.groups import country_name
from pipeline.records import Party, Story

PUBLIC: Final = frozenset({"GOV", "MIL", "COP", "JUD", "LEG", "SPY", "IGO", "REB"})
"""Sectors of states, their bodies, organisations of states, and armed groups."""

OUTWARD: Final = frozenset({"sanctions", "expulsion", "summit", "ceasefire", "arms_deal", "arms_procurement"})
"""Kinds that reach beyond one state by their definition (docs/events.md), whoever else the report names: the country of a firm
or person under sanctions is often not known, or wrong."""
UNADDRESSED: Final = frozenset({"SANCTION", "THREATEN"})
"""What a state does to another one also where the report names nobody."""


def sides(story: Story) -> tuple[str, ...]:
    """Return the states, organisations of states and armed groups that take part: country codes and names."""
    return tuple(dict.fromkeys(one for party in (*story.actors, *story.recipients) if (one := _side(party))))


def between_states(story: Story) -> bool:
    """Return whether a story is between states, bodies of states or armed groups of different sides.

    Two of them take part; or one does what reaches beyond a state (`OUTWARD`); or one acts on somebody or a place of another
    country, or threatens somebody whose country is not known. A state and its own people, or a firm and a firm, are not.
    """
    found = sides(story)
    if len(found) > 1 or (found and story.kind in OUTWARD):
        return True
    acting = {side for party in story.actors if (side := _side(party))}
    if not acting:  # `New tariffs on Russia`
        return story.event_type in UNADDRESSED and bool(found)
    abroad = {party.country for party in story.recipients} | {place.country for place in story.places}
    if any(code and code not in acting for code in abroad):
        return True
    return story.event_type in UNADDRESSED and not any(party.country in acting for party in story.recipients)


def _side(party: Party) -> str:
    """Return the side of a party; empty if it is a person, a firm, a club or a crowd."""
    if party.sector == "REB":
        return (party.name or party.text).lower()
    if party.country and (party.sector in PUBLIC or _is_land(party)):
        return party.country
    return (party.name or party.text).lower() if party.sector == "IGO" else ""


def _is_land(party: Party) -> bool:
    return party.country is not None and (party.name or party.text).lower() == country_name(party.country).lower()
