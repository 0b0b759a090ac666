"""How the requests and answers of Elasticsearch are written and read, faster than by its client. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Final

import msgspec

from pipeline.index.errors import UnavailableError

MIME: Final = "application/vnd.elasticsearch+json"


class Json:
    """JSON by msgspec, which takes two thirds of the time of the standard library: most of a search's time here is that."""

    mimetype: ClassVar[str] = MIME

    def dumps(self, data: Any) -> bytes:
        """Return the body of a request."""
        return (
            data.encode() if isinstance(data, str) else data if isinstance(data, bytes) else msgspec.json.encode(data)
        )

    def loads(self, data: bytes) -> Any:
        """Return the decoded body of an answer.

        Raises:
            UnavailableError: it is no JSON, so it is not from Elasticsearch, or it is cut off.
        """
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnavailableError(f"an answer is no JSON: {error}") from error


class Undecoded(Json):
    """Leaves an answer as it is; an error is decoded, because the client makes its message of that."""

    def loads(self, data: bytes) -> Any:
        """Return the bytes of an answer, or a decoded error."""
        return super().loads(data) if data.lstrip().startswith(b'{"error"') else data


def requests(documents: Iterable[tuple[bytes, bytes]], most: int, most_bytes: int) -> Iterator[list[bytes]]:
    """Documents in, the lines of each bulk request out: at most so many documents and bytes, but one document at least."""
    lines: list[bytes] = []
    size = 0
    for document in documents:
        more = sum(map(len, document)) + len(document)  # each line gets an end
        if lines and (len(lines) == 2 * most or size + more > most_bytes):
            yield lines
            lines, size = [], 0
        lines += document
        size += more
    if lines:
        yield lines
