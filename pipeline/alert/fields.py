"""A record and a path in, the values of that field out: `article_count`, `reports.credit`. For the `where` of rules.

A path is checked against the types of the record when the rules are read, so a wrong one is reported then and not at the
first story.
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
    """Return the values at a path of a record; dates as ISO 8601, absent values left out."""
    found: list[Any] = [record]
    for name in path.split("."):
        found = [part for one in found for part in _parts(getattr(one, name))]
    return tuple(one.isoformat() if isinstance(one, dt.date) else one for one in found)


def _parts(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def is_number(path: str, record: type[msgspec.Struct] = Story) -> bool:
    """Return whether the values at a path are numbers (else they are text).

    Raises:
        PathError: the record has no such field, or the field has fields of its own.
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
    """Return the paths of a record to plain values, each with whether the value is a number."""
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
    """Return the X of `X | None` and of `tuple[X, ...]`; another type unchanged."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType, tuple):
        return _inner(next(part for part in typing.get_args(kind) if part not in (type(None), Ellipsis)))
    return kind
