"""A TOML file in, a typed record out; what is wrong is named with its place. Used for every file of configs/."""

from __future__ import annotations

import difflib
import functools
import tomllib
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec


class SettingsError(ValueError):
    """The configuration cannot be used; the message names file and key, or the environment variable."""


def read_toml(file: Path) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Raises:
        SettingsError: the file is missing, unreadable or not TOML; the message names file and line.
    """
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: {error}") from error


S = typing.TypeVar("S", bound=msgspec.Struct)


def convert(table: object, kind: type[S], *, where: str) -> S:
    """Return a table as a Struct of type `kind`. Used for every file of configs/.

    Raises:
        SettingsError: names `where`, the path of the wrong key and, for an unknown key, the nearest known one.
    """
    for path, key, known in _unknown_keys(table, kind, ""):
        near = difflib.get_close_matches(key, known, n=1)
        hint = f", did you mean {near[0]!r}?" if near else f"; known here: {', '.join(sorted(known))}"
        raise SettingsError(f"{where}: {path}: unknown key{hint}")
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        what, _, path = str(error).strip("`").partition(" - at `$")
        raise SettingsError(f"{where}: {path[1:] or 'top level'}: {what}{_example(kind, path[1:])}") from error


def _example(kind: type[msgspec.Struct], path: str) -> str:
    """Return ", for example ..." with the default of the option at a path, or an empty string if it has none."""
    try:
        default = functools.reduce(getattr, path.split("."), kind())
    except (AttributeError, TypeError):  # the path is in a list, or the table has keys without a default
        return ""
    shown = isinstance(default, bool | int | float | str | tuple) and default not in ("", ())
    return f", for example {path.rpartition('.')[2]} = {msgspec.json.encode(default).decode()}" if shown else ""


def _unknown_keys(table: object, kind: Any, path: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (path, key, known keys) of every key, at any depth, that the type does not have."""
    struct = _struct_in(kind)
    if isinstance(table, list):
        for number, item in enumerate(table):
            yield from _unknown_keys(item, kind, f"{path}[{number}]")
    elif isinstance(table, dict) and struct is not None:
        hints = typing.get_type_hints(struct)
        fields = {field.encode_name: hints[field.name] for field in msgspec.structs.fields(struct)}
        for key, value in table.items():
            here = f"{path}.{key}".lstrip(".")
            if key not in fields:
                yield here, key, list(fields)
            else:
                yield from _unknown_keys(value, fields[key], here)


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """Return the one Struct of a type (itself, or inside a tuple, list or union); None if there is none or several."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    if typing.get_origin(kind) in (tuple, list, typing.Union, types.UnionType, Annotated):
        found = {struct for part in typing.get_args(kind) if (struct := _struct_in(part)) is not None}
        return found.pop() if len(found) == 1 else None
    return None
