"""The state of the service, the names that filters take, and who asks."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, get_args

import msgspec

from pipeline.alert import rates, rules
from pipeline.annotate import groups
from pipeline.console.api import Call, Endpoint, Role
from pipeline.console.desk import Desk
from pipeline.index.items import kind_name
from pipeline.operate import status as status_
from pipeline.process import VERSION
from pipeline.records import EventType, Modality, Phase
from pipeline.settings import read_toml


class KindName(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of events: its name in filters, as people read it, its type, and an example."""

    value: str
    label: str
    type: str = ""
    about: str = ""
    example: str = ""


class NamesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The names that filters and rules take."""

    kinds: list[KindName]
    types: list[str]
    modalities: list[str]
    phases: list[str]
    countries: dict[str, str]
    groups: dict[str, list[str]]
    currencies: list[str]
    rates_as_of: str


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, until when a browser is logged in (null for a program, and without users), and the version that answers."""

    name: str
    role: Role
    until: dt.datetime | None
    version: str


def names(desk: Desk, _call: Call) -> NamesAnswer:
    """Return the names that filters take."""
    files = (rules.KINDS, *(desk.settings.path(name) for name in desk.settings.detect.kinds))
    kinds = [
        KindName(value=kind["kind"], label=kind_name(kind["kind"]), type=kind.get("type", ""), about=kind.get("about", ""),
                 example=kind.get("example", ""))
        for file in files
        for kind in read_toml(file).get("kinds", ())
    ]  # fmt: skip
    known = groups.known()
    return NamesAnswer(
        kinds=kinds, types=list(get_args(EventType)), modalities=list(get_args(Modality)), phases=list(get_args(Phase)),
        countries=known.country, groups={name: group.members.split() for name, group in known.group.items()},
        currencies=sorted(rates.known().dollars), rates_as_of=rates.known().as_of,
    )  # fmt: skip


def status(desk: Desk, _call: Call) -> dict[str, Any]:
    """Return the state of processes, lag, feeds and index."""
    return status_.gather(desk.settings, now=desk.now()).table()


def me(_desk: Desk, call: Call) -> Me:
    """Return who asks."""
    return Me(name=call.user.name, role=call.user.role, until=call.user.until, version=VERSION)


ENDPOINTS: Final = (
    Endpoint(method="GET", path="/status", about="The state of the service.", call=status, answer=dict[str, Any]),
    Endpoint(
        method="GET", path="/names", about="The names that filters and rules take.", call=names, answer=NamesAnswer
    ),
    Endpoint(method="GET", path="/me", about="Who asks.", call=me, answer=Me),
)
