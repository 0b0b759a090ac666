"""The kinds of events as data: kinds.toml in, each kind with its PLOVER type, mode and contexts out."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final, get_args

import msgspec

from pipeline.records import EventType

FILE: Final = Path(__file__).with_name("kinds.toml")
TYPES: Final[tuple[EventType, ...]] = get_args(EventType)


class Kind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind. `joint` ones list all sides as actors; `export` is how PLOVER codes an asserted one, where it differs."""

    kind: str
    type: EventType
    about: str
    example: str = ""
    mode: str | None = None
    cameo: str = ""
    export: str | None = None
    subtype: str | None = None
    joint: bool = False
    contexts: tuple[str, ...] = ()


@cache
def built_in() -> dict[str, Kind]:
    """The kinds of kinds.toml by name, in the order in which the model's heads count them."""
    rows = tomllib.loads(FILE.read_text("utf-8"))["kinds"]
    return {one.kind: one for one in msgspec.convert(rows, tuple[Kind, ...])}


KINDS: Final[dict[str, EventType]] = {name: one.type for name, one in built_in().items()}
