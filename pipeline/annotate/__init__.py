"""Text -> Document: sentences, names, and the parties and places that they mean."""

from pipeline.annotate.parse import (
    BATCH,
    UNUSED,
    Mention,
    ModelError,
    Parsed,
    annotate,
    annotate_many,
    batches,
    cut,
    find_mentions,
    load,
    parse_many,
)

__all__ = [
    "BATCH",
    "UNUSED",
    "Mention",
    "ModelError",
    "Parsed",
    "annotate",
    "annotate_many",
    "batches",
    "cut",
    "find_mentions",
    "load",
    "parse_many",
]
