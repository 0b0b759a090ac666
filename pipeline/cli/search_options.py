"""The options of the commands that search: a dataclass of filters in, `Filters` out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Any, get_args

import typer

Names = list[str] | None


def _many(name: str, text: str, metavar: str) -> Any:
    return typer.Option(name, help=f"{text} Repeat it for one of several.", metavar=metavar)


Kinds = Annotated[Names, _many("--kind", "Only events of this kind: aid_package.", "KIND")]
Types = Annotated[Names, _many("--type", "Only events of this type: AID, SANCTION, ASSAULT ...", "TYPE")]
Actors = Annotated[Names, _many("--actor", "Who acts: a country (France, FRA), a group (EU, G7) or a name.", "WHO")]
Recipients = Annotated[Names, _many("--recipient", "Towards whom: a country, a group or a name.", "WHOM")]
Places = Annotated[Names, _many("--place", "Where: a country, a group or a place.", "WHERE")]
Sources = Annotated[Names, _many("--source", "Only reports of this publisher.", "NAME")]
Money = Annotated[
    float | None, typer.Option("--money-at-least", help="The least sum, in US dollars.", metavar="USD", min=0)
]
Dead = Annotated[int | None, typer.Option("--dead-at-least", help="The least number of dead.", metavar="N", min=0)]
Until = Annotated[str | None, typer.Option("--until", help="Until when: as --since.", metavar="WHEN")]


def filters(text: str, **given: Any) -> Any:
    """Return the filters of a search; options that are not given are left out.

    Raises:
        SearchError: a value does not fit.
    """
    import msgspec  # noqa: PLC0415 - `dateline --help` is fast

    from pipeline.index.filters import Filters, SearchError  # noqa: PLC0415
    from pipeline.records.understanding import EventType  # noqa: PLC0415

    table = {name: value for name, value in given.items() if value not in (None, [], "")}
    try:
        return msgspec.convert({"q": text, **table}, Filters)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$.")
        hint = suggestion(what.partition("'")[2].rpartition("'")[0], get_args(EventType)) if "enum" in what else ""
        raise SearchError(f"--{path.strip('`').split('[')[0].replace('_', '-')}: {what}{hint}") from None


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """A wrong name and those that are known in, ", did you mean ...?" out, or the known ones where none is near."""
    names = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(wrong.casefold(), names, n=1)
    return f", did you mean {names[near[0]]!r}?" if near else f"; known: {', '.join(sorted(names.values()))}"
