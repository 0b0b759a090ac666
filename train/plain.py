"""Labelled articles in a plain form, as people write them, to and from the lines of train/articles.

    python -m train.plain check FILE...             is all in order; else what is wrong, with file and line
    python -m train.plain lines PREFIX FILE...      the lines, with ids PREFIX-001 and so on
    python -m train.plain show FILE ID...           articles of a file of lines in the plain form

The form: `# title`; the lines `date: 2016-07-22`, `section: world`, `loud: yes` (it has a main event); an empty line; the
paragraphs; a line `---`; a row for each telling with twelve cells: paragraph (`T` is the title) | trigger | kind | modality |
main or minor | actors | recipients | places | date | money | said by | `=3` if it tells the same as row 3.

Spans are copied from their paragraph; several are parted by `;`, `-` is none. Of a span that stands there several times the one
nearest to the trigger is meant, or the second with `word#2`; a trigger needs the number.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pipeline.detect.kinds import KINDS
from train.reader.data import MODALITIES

CELLS: Final = 12
_STRAIGHT: Final = str.maketrans("’‘“”", "''\"\"")
_META: Final = {"date": r"\d{4}-\d\d-\d\d", "section": r"\S.*", "loud": r"yes|no"}
Span = tuple[int, int]


class PlainError(ValueError):
    """An article in the plain form is not in order; each line of the message names a line of the file."""


def read(raw: str) -> dict[str, Any]:
    """An article in the plain form in, its line (without an id) out.

    Raises:
        PlainError: something is not in order; all that is wrong is told at once.
    """
    head, parted, table = raw.translate(_STRAIGHT).replace("\r", "").strip("\n").partition("\n---")
    if not parted:
        raise PlainError("line 1: no line '---' between the article and its rows")
    first, *rest = head.split("\n")
    if not first.startswith("# "):
        raise PlainError("line 1: '# ' and the title were expected")
    meta: dict[str, str] = {}
    for name, pattern in _META.items():
        found = next((line.removeprefix(f"{name}: ").strip() for line in rest[:3] if line.startswith(f"{name}: ")), "")
        if not re.fullmatch(pattern, found):
            raise PlainError(f"line 2: '{name}: ...' is missing or not in order: {found!r}")
        meta[name] = found
    body = "\n".join(rest[3:]).strip("\n")
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", body) if part.strip()]
    title = first.removeprefix("# ").strip()
    events: list[dict[str, Any] | None] = []
    wrong = []
    for number, row in enumerate(table.split("\n"), start=head.count("\n") + 2):
        if not row.strip():
            continue
        try:
            events.append(_event(row, title, paragraphs, events))
        except PlainError as error:
            wrong.append(f"line {number}: {error}")
            events.append(None)
    if (meta["loud"] == "yes") != any(one and one["weight"] == "main" for one in events):
        wrong.append(
            f"line 2: 'loud: {meta['loud']}', but there is {'no' if meta['loud'] == 'yes' else 'a'} main event"
        )
    if wrong:
        raise PlainError("\n".join(wrong))
    return {
        "title": title, "text": "\n\n".join(paragraphs), "published": meta["date"], "section": meta["section"],
        "loud": meta["loud"] == "yes", "events": events,
    }  # fmt: skip


def _event(row: str, title: str, paragraphs: list[str], before: list[dict[str, Any] | None]) -> dict[str, Any]:
    cells = [cell.strip() for cell in row.split("|")]
    if len(cells) != CELLS:
        raise PlainError(f"{len(cells)} cells, {CELLS} were expected")
    place, trigger, kind, modality, weight, *spans, same = cells
    for value, known in ((kind, KINDS), (modality, MODALITIES), (weight, ("main", "minor"))):
        if value not in known:
            raise PlainError(f"{value!r} is none of {', '.join(known)}")
    if place != "T" and not (place.isdigit() and 1 <= int(place) <= len(paragraphs)):
        raise PlainError(f"there is no paragraph {place!r}")
    text = title if place == "T" else paragraphs[int(place) - 1]
    base = 0 if place == "T" else sum(len(part) + 2 for part in paragraphs[: int(place) - 1])
    at = _find(text, trigger)
    found = [[_moved(_find(text, one, at), base) for one in cell.split(";") if one.strip(" -")] for cell in spans]
    actors, recipients, places, date, money, said_by = found
    return {
        "type": KINDS[kind], "kind": kind, "modality": modality, "weight": weight,
        "section": "title" if place == "T" else "text", "trigger": _moved(at, base),
        "actors": actors, "recipients": recipients, "places": places,
        "date": next(iter(date), None), "money": next(iter(money), None), "said_by": next(iter(said_by), None),
        "same_as": _same(same, before),
    }  # fmt: skip


def _same(cell: str, before: list[dict[str, Any] | None]) -> int | None:
    """The row that tells the same first, counted from 0."""
    if cell in ("", "-"):
        return None
    number = int(cell.removeprefix("=")) - 1 if cell.removeprefix("=").isdigit() else -1
    if not 0 <= number < len(before):
        raise PlainError(f"{cell!r} is not '=' and the number of a row above")
    one = before[number]
    return number if one is None or one["same_as"] is None else int(one["same_as"])


def _find(text: str, words: str, near: Span | None = None) -> Span:
    bare, marked, which = words.strip().rpartition("#")
    bare, number = (bare, int(which)) if marked and which.isdigit() else (words.strip(), 0)
    edge = lambda at: r"\b" if bare[at].isalnum() else ""  # noqa: E731
    found = [match.span() for match in re.finditer(edge(0) + re.escape(bare) + edge(-1), text)] if bare else []
    if len(found) < max(1, number):
        raise PlainError(f"{bare!r} stands {len(found)} times in its paragraph")
    if number:
        return found[number - 1]
    if near is None and len(found) > 1:
        raise PlainError(f"{bare!r} stands {len(found)} times in its paragraph: write {bare}#1 or {bare}#2")
    return (
        found[0] if near is None else min(found, key=lambda span: min(abs(span[0] - near[1]), abs(near[0] - span[1])))
    )


def _moved(span: Span, base: int) -> list[int]:
    return [span[0] + base, span[1] + base]


def show(one: dict[str, Any]) -> str:
    """A line of train/articles in, the article in the plain form out."""
    starts = [0, *(match.end() for match in re.finditer("\n\n", one["text"]))]
    rows = []
    for event in one["events"]:
        text = one["title"] if event["section"] == "title" else one["text"]
        place = "T" if event["section"] == "title" else str(sum(at <= event["trigger"][0] for at in starts))
        told = lambda spans: "; ".join(text[a:b] for a, b in spans) or "-"  # noqa: B023, E731 - used at once
        single = [told([event[name]] if event[name] else []) for name in ("date", "money", "said_by")]
        sides = [told(event[name]) for name in ("actors", "recipients", "places")]
        same = "-" if event["same_as"] is None else f"={event['same_as'] + 1}"
        what = (told([event["trigger"]]), event["kind"], event["modality"], event["weight"])
        rows.append(" | ".join((place, *what, *sides, *single, same)))
    loud = "yes" if one["loud"] else "no"
    head = (
        f"# {one['title']}\ndate: {one['published']}\nsection: {one['section']}\nloud: {loud}\n\n{one['text']}\n---\n"
    )
    return head + "\n".join(rows) + "\n"


def lines(prefix: str, files: list[Path]) -> Iterator[str]:
    """Files in the plain form in, lines of JSON out. Raises PlainError with the file's name."""
    for number, path in enumerate(files, start=1):
        try:
            one = read(path.read_text("utf-8"))
        except PlainError as error:
            raise PlainError("\n".join(f"{path}: {told}" for told in str(error).split("\n"))) from error
        yield json.dumps({"id": f"{prefix}-{number:03d}", **one}, ensure_ascii=False)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("check", "lines", "show"))
    parser.add_argument("arguments", nargs="+")
    options = parser.parse_args()
    first, *others = options.arguments
    try:
        if options.what == "show":
            every = map(json.loads, Path(first).read_text("utf-8").splitlines())
            print("\n".join(show(one) for one in every if one["id"] in others))
        elif options.what == "lines":
            print("\n".join(lines(first, list(map(Path, others)))))
        else:
            print(f"{len(list(lines('x', list(map(Path, options.arguments)))))} articles in order")
    except PlainError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
