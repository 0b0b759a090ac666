"""The mappings and docs/fields.tsv in, docs/fields.md out: `python docs/build_fields.py`. A test compares the two."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.index import actions, templates

HERE: Final = Path(__file__).parent
FILE: Final = HERE / "fields.md"
HEAD: Final = """# Fields of the index

Written by docs/build_fields.py from the mappings in pipeline/index/mappings and the words in fields.tsv. Each index has an
alias: `news-events`, `news-stories` and so on (`elasticsearch.index_prefix`). A *nested* field keeps its parts together for one
question ("a party that is Russian and military"); Kibana cannot chart it, so the same values are there as flat fields:
`news.actor_names`, `news.actor_countries`, `news.amount_usd`, `news.dead`, `news.place_names`, `news.location` and others.
"""


def fields(properties: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and type of each field that has a value of its own."""
    for name, declared in properties.items():
        inner = declared.get("properties")
        if inner is None or declared.get("type") == "nested":
            kind = declared.get("type", "object") if declared.get("enabled", True) else "kept, not searchable"
            yield f"{path}{name}", kind
        if inner is not None:
            yield from fields(inner, f"{path}{name}.")


def words() -> dict[str, tuple[str, str]]:
    """Return what fields.tsv says of each field, and its example."""
    with (HERE / "fields.tsv").open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["field"]: (row["about"], row["example"] or "") for row in rows}


def text() -> str:
    """Return the page."""
    said, parts = words(), [HEAD]
    for name in actions.INDICES:
        parts.append(
            f"\n## {actions.alias('news', name)}\n\n| field | type | what it holds | example |\n|---|---|---|---|\n"
        )
        for path, kind in fields(templates.mapping(name)["properties"]):
            about, example = said[path]
            shown = f"`{example}`" if example else ""
            parts.append(f"| `{path}` | {kind} | {about} | {shown} |\n")
    return "".join(parts)


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8")
