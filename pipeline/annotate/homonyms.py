"""Names that two countries have, told apart by the others of the text: `Georgia` beside American names is a state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from pipeline.records import Party

GEORGIA: Final = "Georgia"
UNITED_STATES: Final = "United States"
"""Has a part in the news of most countries: places and persons of it are what news of an American state names."""
AROUND: Final = frozenset(("RUS", "ARM", "AZE", "UKR", "MDA", "TUR", "BLR"))
"""Countries that news of the country Georgia names."""


def settled(parties: Sequence[Party]) -> list[Party]:
    """The parties of a text's names in, the same out; Georgia is the state where only names of America stand beside it."""
    if not any(_is_georgia(party) for party in parties):
        return list(parties)
    named = {party.country for party in parties if party.country and party.name != UNITED_STATES}
    own = any(party.country == "GEO" and not _is_georgia(party) for party in parties)  # Tbilisi, Georgian, an office
    if "USA" not in named or own or named & AROUND:
        return list(parties)
    return [
        msgspec.structs.replace(party, country="USA", sector=None) if _is_georgia(party) else party for party in parties
    ]


def _is_georgia(party: Party) -> bool:
    return party.country == "GEO" and party.name == GEORGIA and party.text.removeprefix("the ") == GEORGIA
