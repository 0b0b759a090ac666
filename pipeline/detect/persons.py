"""Words for people and bodies, and what can be asked of a party: is it known, is it named, is it the same as another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.detect.forms import words
from pipeline.records import Party

SECTORS: Final[dict[str, str]] = {
    word: sector
    for sector, words in {
        "GOV": "government ministry minister ministers premiers mayors governors "
               "president officials official premier cabinet administration regime authorities "
               "authority leader leaders diplomat diplomats ambassador ambassadors envoy envoys delegation spokesman "
               "spokeswoman spokesperson embassy chancellor secretary negotiator negotiators governor mayor junta king emir",
        "MIL": "forces force army troops troop military soldiers soldier navy marines warship warships jets jet warplanes "
               "warplane aircraft helicopter helicopters drone drones missile missiles artillery tanks general commander "
               "commanders peacekeepers fleet airstrike airstrikes strike strikes bombers gunboats servicemen reservists",
        "COP": "police policemen officers policeman gendarmes guards border-guards",
        "REB": "rebels rebel militants militant insurgents insurgent guerrillas guerrilla fighters fighter militia militias "
               "militiamen gunmen bomber bombers attackers attacker assailants pirates "
               "tribesmen warlord warlords separatists jihadists extremists terrorists "
               "paramilitaries militiaman group bandits",
        "JUD": "court judge judges tribunal prosecutor prosecutors magistrate judiciary",
        "LEG": "parliament lawmakers lawmaker congress senate assembly legislature senators senator mps deputies "
               "legislators duma bundestag knesset",
        "OPP": "opposition dissidents dissident coalition faction factions",
        "CVL": "protesters demonstrators civilians civilian people residents citizens citizen students student workers "
               "women children villagers refugees refugee migrants families activists activist settlers farmers prisoners "
               "detainees hostages nationals supporters crowd crowds men teachers women's monks monk nuns priests clerics "
               "relatives mothers laureates youths youth union unions lawyers doctors "
               "nurses miners drivers truckers exiles survivors pensioners leftists "
               "fishermen tourists pilgrims rioters mob",
        "MED": "press newspaper newspapers media journalists journalist reporters reporter broadcaster television tv agency",
        "BUS": "company companies firm firms bank banks businessman businessmen oligarch oligarchs entities exporters",
    }.items()
    for word in words.split()
}  # fmt: skip
"""What the head of a phrase says about the sector of its party."""

OFFICIAL: Final = frozenset(("GOV", "MIL", "IGO", "LEG", "JUD", "COP", "SPY"))
"""Sectors of those who act for a state or a body of states."""

PERSONS: Final = words(
    "president minister leader chancellor premier king queen prince emir sultan pope secretary spokesman "
    "spokeswoman envoy ambassador general mayor governor senator counterpart diplomat official commander chief "
    "director"
)
CALENDAR: Final = words(
    "january february march april may june july august september october november december monday tuesday "
    "wednesday thursday friday saturday sunday"
)
PLACE_NOUNS: Final = words(
    "city town village district province region capital border island area territory camp base site zone "
    "neighbourhood neighborhood suburb peninsula state county country"
)
PERSON_PRONOUNS: Final = frozenset(("he", "him", "his", "she", "her", "himself", "herself", "hers"))
THING_PRONOUNS: Final = frozenset(("it", "its", "itself"))
PLURAL_PRONOUNS: Final = frozenset(("they", "them", "their", "themselves", "theirs", "both"))
FIRST_PRONOUNS: Final = frozenset(("we", "us", "our", "i", "me", "my", "ours"))
PRONOUNS: Final = PERSON_PRONOUNS | THING_PRONOUNS | PLURAL_PRONOUNS | FIRST_PRONOUNS
MEDIA: Final = words("media agency agencies newspaper newspapers daily dailies broadcaster television radio press")
"""Who only reports: a pronoun in a report stands for somebody of whom it is told."""

COLLECTIVES: Final = words(
    "leaders presidents sides countries ministers two nations governments parties pair men neighbours "
    "neighbors allies officials"
)
BACK: Final = {
    "court": "JUD", "country": "country", "nation": "country", "government": "country", "president": "person", "group": "REB",
    "minister": "person", "leader": "person", "organisation": "org", "organization": "org", "bloc": "org", "alliance": "org",
    "agency": "org", "ministry": "country", "kingdom": "country", "republic": "country", "regime": "country", "movement": "REB",
    "premier": "person", "king": "person", "chancellor": "person", "army": "country", "military": "country", "council": "org",
    "militants": "REB", "union": "org",
}  # fmt: skip
"""A common noun with `the` that leads back to a name of that sort."""

INNER: Final = frozenset(("of", "from", "in", "for", "at"))
"""Prepositions whose noun says whose the head is: forces of Sudan, militants in Yemen."""

THINGS: Final = words(
    "airstrike airstrikes strike strikes bomb bombs mine mines landmine landmines explosion explosions blast blasts device "
    "devices shelling rocket rockets attack attacks raid raids operation operations bombing bombings bombardment clash "
    "clashes fighting violence drone drones missile missiles shell shells"
)
"""What kills but is nobody: without an owner's name it is no doer, however well its place is known."""

HEAD_DEPS: Final = frozenset(("compound", "amod", "nmod", "poss", "nummod", "conj", "appos"))

ARMED_HEADS: Final = frozenset(
    word for word, sector in SECTORS.items() if sector in ("MIL", "REB") and word not in ("group", "general")
)
ARMING: Final = words(
    "armed militant terrorist terror jihadist separatist islamist insurgent splinter breakaway resistance"
)
"""Words before `group` that arm it."""

CLASS_OF: Final = {
    **dict.fromkeys(PERSON_PRONOUNS, PERSON_PRONOUNS),
    **dict.fromkeys(THING_PRONOUNS, THING_PRONOUNS),
    **dict.fromkeys(PLURAL_PRONOUNS, PLURAL_PRONOUNS),
    **dict.fromkeys(FIRST_PRONOUNS, FIRST_PRONOUNS),
}


def known(party: Party) -> bool:
    """Whether the party is somebody, rather than just words."""
    return bool(party.name or party.country)


def named(party: Party) -> bool:
    """Is somebody named, if only by an unknown name: `Jane Doe`, `the Ruritanian government`."""
    if known(party):
        return True
    words = party.text.split()
    if len(words) == 1 and words[0].casefold() in SECTORS:
        return False  # `Doctors` with a capital only because it begins the sentence
    if any(word[:1].isupper() for word in words[-1:]):
        return True
    return party.sector in OFFICIAL and any(word[:1].isupper() for word in words[:-1])


def distinct(parties: Sequence[Party]) -> tuple[Party, ...]:
    """Parties in, without those that are the same again out; unknown ones are told apart by their words."""
    seen: set[tuple[str | None, ...]] = set()
    kept = []
    for party in parties:
        key = (party.name or party.text.casefold(), party.country, None if party.name else party.sector)
        if key not in seen:
            seen.add(key)
            kept.append(party)
    return tuple(kept)
