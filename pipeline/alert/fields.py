"""Any field of a record by its path: `article_count`, `reports.credit`, `places.country`. For the `where` of rules.

A path is checked once, against the types of the record, so that a wrong one is told when the rules are read and not when
the first story comes.
"""

from __future__ import annotations

import datetime as dt
import difflib
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from pipeline.records import Story


class PathError(ValueError):
    """There is no such field; the message names the nearest one."""


def values(record: Any, path: str) -> tuple[str | float, ...]:
    """A record and a path in, every value that is there out; dates as ISO 8601, absent ones left out."""
    found: list[Any] = [record]
    for name in path.split("."):
        found = [part for one in found for part in _parts(getattr(one, name))]
    return tuple(one.isoformat() if isinstance(one, dt.date) else one for one in found)


def _parts(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def is_number(path: str, record: type[msgspec.Struct] = Story) -> bool:
    """A path in, whether what stands there is a number out (else it is text).

    Raises:
        PathError: the record has no such field, or what stands there has fields of its own.
    """
    known = paths(record)
    if path in known:
        return known[path]
    inside = sorted(p for p in known if p.startswith(f"{path}."))
    if inside:
        raise PathError(f"{path!r} has fields of its own: {', '.join(inside)}")
    near = difflib.get_close_matches(path, known, n=1, cutoff=0.5)
    raise PathError(f"unknown field {path!r}" + (f", did you mean {near[0]!r}?" if near else ""))


@cache
def paths(record: type[msgspec.Struct] = Story) -> dict[str, bool]:
    """Every path of a record to a plain value -> whether that is a number."""
    return dict(_paths(record, ""))


def _paths(kind: Any, before: str) -> Iterator[tuple[str, bool]]:
    hints = typing.get_type_hints(kind)
    for name in kind.__struct_fields__:
        inner = _inner(hints[name])
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from _paths(inner, f"{before}{name}.")
        elif inner in (int, float, str, dt.date, dt.datetime) or typing.get_origin(inner) is typing.Literal:
            yield f"{before}{name}", inner in (int, float)


def _inner(kind: Any) -> Any:
    """What a type holds: of `X | None` and `tuple[X, ...]` the X."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType, tuple):
        return _inner(next(part for part in typing.get_args(kind) if part not in (type(None), Ellipsis)))
    return kind
