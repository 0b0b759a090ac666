"""Labelled articles: the briefs of a set in date order, and which news each is on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from bench.readings import HERE, NO_DATE, OWN, lines, load
from pipeline.operate import offline
from pipeline.records import Article, Brief, Document
from pipeline.track.brief import brief

LABELS = HERE / "train" / "stories" / "news.tsv"


def briefs(name: str, shared: Path, *, dated: bool = True) -> list[Brief]:
    """The briefs of a set of bench.readings, in date order; of an article that the path rejects, from its line alone.

    Those that are not `dated`, or of a set without dates, have no date of publication, as if no page told one.
    """
    rows = {str(row["id"]): row for row in lines(name, shared)}
    return [
        brief(_read(one.document, dated=dated and rows[one.id]["published"] != NO_DATE), one.events)
        if one.document is not None
        else offline.stub(_line(rows[one.id]))
        for one in load(name, shared)
    ]


def _read(document: Document, *, dated: bool) -> Document:
    return document if dated else msgspec.structs.replace(document, published_at=None)


def _line(row: dict[str, Any]) -> Article:
    fields = {key: value for key, value in row.items() if key in offline.ArticleLine.__struct_fields__}
    return offline.from_line(msgspec.convert(fields, offline.ArticleLine), last_at=offline.EPOCH)


def news(name: str, shared: Path) -> dict[str, str]:
    """The news that each article of a set is on, by the article's id."""
    rows = lines(name, shared)
    if name == "ecbplus":
        return {str(row["id"]): row["cluster"] for row in rows}
    if name in OWN:
        return {row["id"]: row["id"].rpartition("-")[0] for row in rows}
    labelled = dict(line.split("\t") for line in LABELS.read_text("utf-8").splitlines() if line and line[0] != "#")
    return {str(row["id"]): labelled.get(row["id"], row["id"]) for row in rows}
