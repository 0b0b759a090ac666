"""An answer's body, decompressed while it arrives and never longer than a limit."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from pipeline.collect.fetch import FetchError


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the body, decompressed in chunks, so that a decompression bomb is noticed before it has unfolded.

    Raises:
        FetchError: it is longer than `limit`, or cannot be decompressed.
    """
    too_long = f"larger than {limit:,} bytes"
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    length = response.headers.get("Content-Length", "")
    if coding == "identity" and length.isdigit() and int(length) > limit:
        raise FetchError("oversized", too_long)
    decompress = _decompressor(coding)
    chunks: list[bytes] = []
    size = 0
    async for packed in response.content.iter_chunked(65_536):
        chunk = decompress(packed, limit - size + 1)
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise FetchError("oversized", too_long)
    return b"".join(chunks)


def _decompressor(coding: str) -> Callable[[bytes, int], bytes]:
    """A Content-Encoding in, a function from (compressed bytes, most bytes to return) to plain bytes out.

    Raises:
        FetchError: the encoding is not one of those that were offered.
    """
    if coding in ("identity", ""):
        return lambda packed, most: packed[:most]
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise FetchError("broken", f"comes compressed as {coding!r}, which was not offered")
    state = _Decompression(zlib.decompressobj(zlib.MAX_WBITS | 32))  # zlib or gzip, by its first bytes

    def decompress(packed: bytes, most: int) -> bytes:
        chunks: list[bytes] = []
        while packed and most > 0:
            try:
                chunk = state.stream.decompress(packed, most)
            except zlib.error as error:
                if state.members:  # padding after the end
                    break
                if state.started or coding != "deflate":
                    raise FetchError("broken", f"its compression is broken ({error})") from error
                state.stream, state.started = zlib.decompressobj(-zlib.MAX_WBITS), True  # deflate without its wrapper
                continue
            chunks.append(chunk)
            most -= len(chunk)
            state.started = True
            packed = b""
            if state.stream.eof:  # the next member of a gzip file begins
                packed = state.stream.unused_data
                state.stream, state.members = zlib.decompressobj(zlib.MAX_WBITS | 32), state.members + 1
        return b"".join(chunks)

    return decompress


@dataclass(slots=True)
class _Decompression:
    """The state of one body's decompression: its stream, whether it has given bytes, and the gzip members that ended."""

    stream: zlib._Decompress
    started: bool = False
    members: int = 0
