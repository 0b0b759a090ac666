"""The index templates and mappings that Dateline gives to Elasticsearch. Pure, but for the files of mappings/."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.index import actions
from pipeline.index.index_table import MAPPING_VERSION
from pipeline.settings import Settings

MAPPINGS: Final = Path(__file__).parent / "mappings"
OWN_REFRESH_MS: Final = 1000
"""How often Elasticsearch makes new documents searchable unless it is told otherwise."""


def mapping(name: str) -> dict[str, Any]:
    """Return the mapping of the indices `name` (for example `events`)."""
    found: dict[str, Any] = json.loads((MAPPINGS / f"{name}.json").read_text("utf-8"))
    return found


def template(name: str, settings: Settings) -> dict[str, Any]:
    """Return the index template of `name`. The first record of a month creates the index from it."""
    wanted = settings.elasticsearch
    milliseconds = round(wanted.refresh_seconds * 1000)
    return {
        "index_patterns": [actions.pattern(wanted.index_prefix, name)],
        "priority": 200,
        "version": MAPPING_VERSION,
        "template": {
            "aliases": {actions.alias(wanted.index_prefix, name): {}},
            "settings": {
                "number_of_shards": wanted.shards,
                "number_of_replicas": wanted.replicas,
                # Without it an index that nobody has searched for half a minute is left alone until its next search, which
                # waits for the refresh.
                **({"refresh_interval": f"{milliseconds}ms"} if milliseconds != OWN_REFRESH_MS else {}),
                **({"index.lifecycle.name": wanted.ilm_policy} if wanted.ilm_policy else {}),
            },
            "mappings": mapping(name),
        },
    }


def updates(
    existing: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what existing indices have to learn.

    Those of this version by their pattern, with all of it, so that the server refuses what contradicts it; each of another
    version with the fields that it lacks.
    """
    mark = f"-v{MAPPING_VERSION}-"
    for pattern in sorted({f"{index.partition(mark)[0]}{mark}*" for index in existing if mark in index}):
        yield pattern, wanted
    for index, has in existing.items():
        if mark not in index and (more := missing(has["mappings"], wanted)):
            yield index, more


def missing(existing: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Two mappings in, the part of `wanted` that the existing one lacks out; where they contradict, the existing one stays."""
    found: dict[str, Any] = {}
    for name, field in wanted.get("properties", {}).items():
        own = existing.get("properties", {}).get(name)
        if own is None:
            found[name] = field
        elif "properties" in own and (inner := missing(own, field)):
            found[name] = ({"type": own["type"]} if "type" in own else {}) | inner
    return {"properties": found} if found else {}
