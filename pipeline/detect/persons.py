"""Words for people and bodies, and what can be asked of a party: is it known, is it the same as another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from pipeline.annotate.groups import country_name
from pipeline.records import Party


def words(text: str) -> frozenset[str]:
    """Words separated by spaces in, the set of them out: how long word lists are written in this package."""
    return frozenset(text.split())


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
PERSON_PRONOUNS: Final = frozenset(("he", "him", "his", "she", "her", "himself", "herself", "hers"))
THING_PRONOUNS: Final = frozenset(("it", "its", "itself"))
PLURAL_PRONOUNS: Final = frozenset(("they", "them", "their", "themselves", "theirs", "both"))
FIRST_PRONOUNS: Final = frozenset(("we", "us", "our", "i", "me", "my", "ours"))
ALONE: Final = frozenset(("i", "me", "my"))
"""Of these, those that mean the speaker alone."""
MALE_PRONOUNS: Final = frozenset(("he", "him", "his", "himself"))
PRONOUNS: Final = PERSON_PRONOUNS | THING_PRONOUNS | PLURAL_PRONOUNS | FIRST_PRONOUNS
BACK: Final = {
    "court": "JUD", "country": "country", "nation": "country", "government": "country", "president": "person", "group": "REB",
    "minister": "person", "leader": "person", "organisation": "org", "organization": "org", "bloc": "org", "alliance": "org",
    "agency": "org", "ministry": "country", "kingdom": "country", "republic": "country", "regime": "country", "movement": "REB",
    "premier": "person", "king": "person", "chancellor": "person", "army": "country", "military": "country", "council": "org",
    "militants": "REB", "union": "org", "commission": "org", "committee": "org", "fund": "org",
}  # fmt: skip
"""A common noun with `the` that leads back to a name of that sort."""

APART: Final = words(
    "critic critics opponent opponents foe foes enemy enemies rival rivals supporter supporters backers follower followers "
    "loyalist loyalists victims relatives family families wife widow husband son sons daughter daughters brother sister "
    "mother father lawyer lawyers attorney attorneys aide aides adviser advisers"
)
"""Heads of phrases that name somebody else than the name in them: `Smith's critics`."""
NEXT: Final = words("future incoming new next")
"""Words before an office whose bearer is not yet in our list: `the new president`."""
PRIVATE: Final = words(
    "activists associations banks businesses charities citizens clubs companies corporations exporters families fans firms "
    "foundations groups importers investors manufacturers nationals ngos organisations organizations papers parties people "
    "refugees students teams tourists traders universities women workers"
)
"""Whom a people's adjective describes and who do not act for the state: `three Russian groups`."""
BARE: Final = words("police authorities officials prosecutors lawmakers parliament government congress soldiers troops")
"""Nouns that mean known ones without an article too: `Police said`."""
GROUND: Final = words(
    "airbase airfield airport base bases bridge bridges building buildings church depot depots dam factory facility "
    "facilities grid headquarters hospital hospitals house houses home homes infrastructure market mosque pipeline plant "
    "plants port refinery school schools station stations substation town tower village warehouse warehouses"
)
"""What is hit where it stands: a place of an attack, nobody that is attacked."""
OFFICIAL: Final = words(
    "president vice-president premier minister ministers secretary chancellor general gen colonel col major maj captain "
    "capt lieutenant lt admiral commander sergeant brigadier marshal justice judge magistrate prosecutor attorney senator "
    "sen lawmaker congressman congresswoman governor gov mayor superintendent inspector mp legislator parliamentarian "
    "speaker candidate opposition king queen prince princess party councillor police army ministry parliament "
    "ombudsman"
)
"""Words of an office or of a body that is of the country that the article is about, unless another one stands beside them."""
HOME: Final = words(
    "army ministry government authorities police officials court parliament prosecutors military navy opposition lawmakers"
)
"""Bodies that are at home where they are: `the army in X` is of X, and an embassy or troops in X need not be."""
KINGDOMS: Final = words("BEL BHR BTN DNK ESP GBR JOR KHM LSO MAR MYS NLD NOR SAU SWE SWZ THA TON")
"""Countries that are called a kingdom."""
ABROAD: Final = words(
    "allies ally colleague colleagues counterpart counterparts countries country foreigners nation nations neighbor "
    "neighbors neighbour neighbours partner partners rival rivals states"
)
"""Who is of another country than the one that speaks of them."""
OF_SEVERAL: Final = words(
    "ambassador ambassadors consulate consulates delegation delegations diplomat diplomats embassies embassy envoy envoys "
    "governments leaders ministers presidents"
)
"""Who may be of several countries, `the leaders condemned North Korea`, or of another one than where they are."""
DOMESTIC: Final = frozenset(("COP", "CVL", "OPP", "REB", "JUD", "LEG", "MIL", "GOV", "SPY"))
"""Sectors of sides that are of some country, named or not."""
NATIONAL: Final = re.compile(
    r"\b(?:(?:vice |deputy )?(?:foreign|defen[cs]e|prime|interior|finance) minister|president|premier)\s+$",
    re.IGNORECASE,
)
"""Offices that only a state has."""


def words_of(text: str) -> list[str]:
    """A phrase in, its words in lower case out, without possessives and signs."""
    return [word.strip(".,'’").removesuffix("'s").removesuffix("’s") for word in text.casefold().split()]


def known(party: Party) -> bool:
    """Whether the party is somebody, rather than just words."""
    return bool(party.name or party.country)


def is_person(party: Party) -> bool:
    """Whether the party's name is written like a person's: two words or more in capitals, no office, no body, no country."""
    if party.name is None or party.sector not in (None, "GOV") or party.name == country_name(party.country or ""):
        return False
    parts = party.name.split()
    return len(parts) > 1 and all(part[:1].isupper() and part.casefold() not in SECTORS for part in parts)


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


def is_state(party: Party) -> bool:
    """Whether the party is a country as such, not one of its bodies."""
    return party.country is not None and party.name == country_name(party.country)


def is_described(party: Party, text: str) -> bool:
    """Whether a party has no name but the words that describe it, or its state: `the Trump campaigns` are Trump's."""
    return is_state(party) or (party.name or "-") in text.replace("’", "'")


def lent(others: Sequence[Party], about: str | None, firm: str | None) -> str | None:
    """The country that a side without one has of the other side, else of the sentence, else of the article.

    A state that is the other side lends nothing: `the new president thanked Iran` does not tell of Iran's president.
    """
    states = {p.country for p in others if is_state(p)}
    theirs = {p.country for p in others if p.country} - states
    if len(theirs) == 1 and not states:
        return theirs.pop()
    return about if about not in states else firm if firm not in states else None


_FOR: Final = re.compile(
    r"(?:spokes(?:man|woman|person)|officials?|representatives?|executives?)\s+(?:for|of|at|from)\s+(?:the\s+|an?\s+)?[a-z-]+$",
    re.IGNORECASE,
)
"""Who speaks for something that has no name: `a spokesman for the fund`."""


def settle(parties: Sequence[Party], country: str | None) -> tuple[Party, ...]:
    """Sides of a domestic sort without a country are given that of the event's place or other side."""
    if country is None:
        return tuple(parties)
    return tuple(msgspec.structs.replace(p, country=country) if _is_domestic(p) else p for p in parties)


def _is_domestic(party: Party) -> bool:
    """Whether a party without a name and a country is of the country that its event is told of."""
    if party.country or party.name:
        return False
    last = words_of(party.text)[-1]
    apart = last in OF_SEVERAL | ABROAD or (_FOR.search(party.text) and last not in SECTORS)
    return not apart and (party.sector in DOMESTIC or last == "parties")
