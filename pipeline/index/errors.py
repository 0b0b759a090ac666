"""The errors of the index: what a failed request to Elasticsearch means for the caller."""

from __future__ import annotations

from typing import Final

TEMPORARY_STATUSES: Final = frozenset({408, 429})
"""HTTP statuses below 500 after which the same request may succeed later."""


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
