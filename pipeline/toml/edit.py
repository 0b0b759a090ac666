"""A TOML file that people write by hand in, the same file with one table of an array more, less or changed out.

Only the lines of that table change, so comments and the order of the others stay. The result is read again and compared: a
file that this cannot edit is left as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pipeline.toml.read import SettingsError

_HEADER: Final = re.compile(r"^\s*\[\[?\s*([A-Za-z0-9_.\"' -]+?)\s*\]\]?\s*(#.*)?$")


def blocks(text: str, name: str) -> list[str]:
    """Return the text of each [[name]] table with its own sub-tables, in the order of the file.

    Raises:
        SettingsError: the file is not TOML, or its tables cannot be told apart line by line.
    """
    lines = text.splitlines(keepends=True)
    return ["".join(lines[start:end]) for start, end in _ranges(lines, name, len(_tables(text, name)))]


def append(file: Path, block: str, *, check: Callable[[Path], object]) -> None:
    """Add a table at the end of the file. `check` reads the new file, and raises SettingsError if it is wrong.

    Raises:
        SettingsError: the new file would be wrong; the old one is kept.
        OSError: the file cannot be written.
    """
    before = file.read_text("utf-8") if file.exists() else ""
    _write(file, f"{before.rstrip()}\n\n{block.strip()}\n".lstrip(), check)


def replace(file: Path, name: str, number: int, block: str, *, check: Callable[[Path], object]) -> None:
    """Put another text in the place of the [[name]] table with this number; an empty text removes it. As `append`."""
    text = file.read_text("utf-8")
    lines, tables = text.splitlines(keepends=True), _tables(text, name)
    start, end = _ranges(lines, name, len(tables))[number]
    new = "".join([*lines[:start], f"{block.strip()}\n" if block.strip() else "", *lines[end:]])
    others = [table for at, table in enumerate(tables) if at != number]
    kept = _tables(new, name)
    if [table for at, table in enumerate(kept) if not block.strip() or at != number] != others:
        raise SettingsError(
            f"{file}: {name}[{number}] cannot be changed without touching others; edit the file by hand"
        )
    _write(file, new, check)


def _write(file: Path, text: str, check: Callable[[Path], object]) -> None:
    draft = file.with_name(f".{file.name}.new")
    try:
        draft.write_text(text, "utf-8")
        try:
            check(draft)
        except SettingsError as error:
            raise SettingsError(str(error).replace(str(draft), str(file))) from error
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _tables(text: str, name: str) -> list[Any]:
    try:
        return list(tomllib.loads(text).get(name, ()))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"not TOML: {error}") from error


def _ranges(lines: list[str], name: str, expected: int) -> list[tuple[int, int]]:
    """Return the first line and the line after the last of each table; comments before the next table belong to that one."""
    headers = [
        (at, found[1].replace(" ", ""), "[[" in line) for at, line in enumerate(lines) if (found := _HEADER.match(line))
    ]
    starts = [at for at, key, array in headers if key == name and array]
    if len(starts) != expected:
        raise SettingsError(f"the tables [[{name}]] cannot be told apart; edit the file by hand")
    ranges = []
    for start in starts:
        end = next((at for at, key, _ in headers if at > start and not key.startswith(f"{name}.")), len(lines))
        while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
            end -= 1
        ranges.append((start, end))
    return ranges


def file_stamp(file: Path) -> object:
    """Return a value that changes when the file does. Links are followed, as mounted volumes use them."""
    try:
        seen = file.stat()
    except OSError as error:
        return error.errno
    return seen.st_mtime_ns, seen.st_size, seen.st_ino
