"""The errors of the index: what a failed request to Elasticsearch means for the caller."""

from __future__ import annotations

from typing import Final

TEMPORARY_STATUSES: Final = frozenset({408, 429})
"""HTTP statuses below 500 after which the same request may succeed later."""


_OF_THE_INDEX: Final = frozenset(
    {
        "cluster_block_exception",  # read-only, or its disk is full
        "index_closed_exception",
        "index_create_block_exception",
        "index_not_found_exception",
        "validation_exception",  # no more shards or indices may be created
    }
)
"""Errors that Elasticsearch reports for a document and that lie with its index or the cluster: all others would fail alike."""

_REASONS_OF_THE_INDEX: Final = ("no write index is defined", "pipeline with id [", "Limit of total fields [")
"""The same for errors whose type (illegal_argument_exception) says nothing: an alias that leads nowhere, an ingest pipeline
that is gone, an index that has no room for another field."""


def lies_with_index(kind: str, reason: str) -> bool:
    """Return whether an error of this type and reason lies with the index or the cluster, and not with the document."""
    return kind in _OF_THE_INDEX or any(text in reason for text in _REASONS_OF_THE_INDEX)


class RefusedError(Exception):
    """Elasticsearch refuses this client or this configuration. A retry is useless; an operator must act."""


class UnavailableError(Exception):
    """Elasticsearch cannot take a request now. `connection_lost` is true if it was not reached at all."""

    def __init__(self, problem: str, *, connection_lost: bool = False) -> None:
        super().__init__(problem)
        self.connection_lost = connection_lost


class RequestError(Exception):
    """A request as a whole is wrong or too large, because of one of its documents."""


class DocumentError(Exception):
    """Elasticsearch cannot index this document; the message is its reason."""


class StoppedError(Exception):
    """The process was asked to stop while it waited for Elasticsearch; the batch is read again at the next start."""
