"""An answer's body, decompressed while it arrives and never longer than a limit."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiohttp

from pipeline.collect.fetch import FetchError

PACKED: Final = b"\x1f\x8b"
"""The first bytes of gzip."""

TIMES_PACKED: Final = 3
"""How often a body may be compressed: some servers do it again, or do not say that they do."""

_CODINGS: Final = frozenset({"gzip", "x-gzip", "deflate"})
_UNREADABLE: Final = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz"})
_COMPLETE: Final = re.compile(
    rb"</(?:html|rss|feed|channel|(?:\w{1,20}:)?rdf|urlset|sitemapindex)\s{0,20}>(?:\s|<!--[^<>]{0,400}-->){0,20}\Z",
    re.IGNORECASE,
)


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the body, decompressed in chunks, so that a decompression bomb is noticed before it has unfolded.

    It puts up with what browsers put up with: a body that is not compressed though its header says so, or is compressed once
    more; a name of something else in place of a compression; a length that is longer than a page with its end.

    Raises:
        FetchError: it is longer than `limit`, or cannot be decompressed.
    """
    too_long = f"larger than {limit:,} bytes"
    codings = _codings(response)
    length = response.headers.get("Content-Length", "")
    if not codings and length.isdigit() and int(length) > limit:
        raise FetchError("oversized", too_long)
    decompress = _decompressor(codings[-1] if codings else "identity")
    chunks: list[bytes] = []
    size = 0

    def add(packed: bytes) -> None:
        nonlocal size
        chunks.append(decompress(packed, limit - size + 1))
        size += len(chunks[-1])
        if size > limit:
            raise FetchError("oversized", too_long)

    try:
        async for packed in response.content.iter_chunked(65_536):
            add(packed)
    except aiohttp.ClientPayloadError:
        # the library keeps what came before the connection was closed, and has no public way to it
        add(response.content._read_nowait(-1))  # noqa: SLF001
        if _COMPLETE.search(b"".join(chunks)[-8000:]) is None:
            raise
    return _unpacked(b"".join(chunks), limit)


def _codings(response: aiohttp.ClientResponse) -> list[str]:
    """Return the compressions that an answer names, the outermost last.

    Raises:
        FetchError: one of them is not one of those that were offered.
    """
    named = [part.strip().lower() for part in response.headers.get("Content-Encoding", "").split(",")]
    if (strange := next((name for name in named if name in _UNREADABLE), None)) is not None:
        raise FetchError("broken", f"comes compressed as {strange!r}, which was not offered")
    return [name for name in named if name in _CODINGS]


def _unpacked(body: bytes, limit: int) -> bytes:
    """A body in, the same without further gzip around it out; as it is where that is broken, or too long."""
    for _ in range(TIMES_PACKED):
        if not body.startswith(PACKED):
            break
        try:
            inner = _decompressor("gzip")(body, limit + 1)
        except FetchError:
            break
        if len(inner) > limit:
            break
        body = inner
    return body


def _decompressor(coding: str) -> Callable[[bytes, int], bytes]:
    """A Content-Encoding in, a function from (compressed bytes, most bytes to return) to plain bytes out.

    A body that is not compressed at all is returned as it is.
    """
    if coding == "identity":
        return lambda packed, most: packed[:most]
    state = _Decompression(zlib.decompressobj(zlib.MAX_WBITS | 32))  # zlib or gzip, by its first bytes

    def decompress(packed: bytes, most: int) -> bytes:
        chunks: list[bytes] = []
        if state.plain:
            return packed[:most]
        while packed and most > 0:
            try:
                chunk = state.stream.decompress(packed, most)
            except zlib.error as error:
                if state.members:  # padding after the end
                    break
                if not state.started and coding == "deflate":
                    # deflate without its wrapper
                    state.stream, state.started = zlib.decompressobj(-zlib.MAX_WBITS), True
                    continue
                if not state.size and packed.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{", b"["):
                    state.plain = True
                    return packed[:most]
                raise FetchError("broken", f"its compression is broken ({error})") from error
            chunks.append(chunk)
            most -= len(chunk)
            state.size += len(chunk)
            state.started = True
            packed = b""
            if state.stream.eof:  # the next member of a gzip file begins
                packed = state.stream.unused_data
                state.stream, state.members = zlib.decompressobj(zlib.MAX_WBITS | 32), state.members + 1
        return b"".join(chunks)

    return decompress


@dataclass(slots=True)
class _Decompression:
    """The state of one body's decompression: its stream, whether it has taken and how many bytes it has given.

    `members` counts the gzip members that ended. `plain`: the body is not compressed.
    """

    stream: zlib._Decompress
    started: bool = False
    members: int = 0
    size: int = 0
    plain: bool = False
