"""Bytes from the web in, bytes that are safe to parse as XML out: decompressed within a limit, and not an XML bomb. Pure."""

from __future__ import annotations

import re
import zlib
from typing import Final

from pipeline.collect.entry import FeedError

UNPACKED_BYTES: Final = 52_428_800
"""The most bytes of a .gz file when decompressed: the limit of the sitemap format, taken for feeds too."""

_ENTITIES: Final = 300
"""The most entities a feed may declare. HTML has 253 names of characters, so more than that is something else."""


def decompress(body: bytes) -> bytes:
    """A file in, its content out if it is a .gz file, else the file itself.

    Raises:
        FeedError: the content is larger than `UNPACKED_BYTES`, or the .gz file is broken.
    """
    if not body.startswith(b"\x1f\x8b"):
        return body
    parts: list[bytes] = []
    left = UNPACKED_BYTES + 1
    try:
        while body.startswith(b"\x1f\x8b") and left > 0:
            packed = zlib.decompressobj(zlib.MAX_WBITS | 16)
            parts.append(packed.decompress(body, left))
            left -= len(parts[-1])
            if left > 0 and not packed.eof:
                raise FeedError("a broken .gz file: it ends too early")
            body = packed.unused_data
    except zlib.error as error:
        raise FeedError(f"a broken .gz file: {error}") from error
    if left <= 0:
        raise FeedError(f"refused: unpacks to more than {UNPACKED_BYTES:,} bytes")
    return b"".join(parts)


_LETTER = re.compile(rb"\s*(\"(?:&#\w{1,8};|[^&%\"]{0,64})\"|'(?:&#\w{1,8};|[^&%']{0,64})')\s*")
"""The value of a harmless entity: a character by its number, or a short text without entities."""

_PUBLIC_SET = re.compile(rb"\s*PUBLIC\s+[\"']-//W3C//[^\"'<>&%]{0,100}[\"']\s*[\"'][^\"'<>&%]{0,200}[\"']\s*")
"""The W3C's sets of named characters, which old RDF feeds refer to. They are never fetched."""


def refuse_bombs(body: bytes) -> None:
    """Refuse XML whose entities contain entities, are fetched from elsewhere, or are too many.

    Raises:
        FeedError: the document type declares such entities.
    """
    flat = body.replace(b"\x00", b"")  # UTF-16 has a zero byte in every ASCII letter
    if b"<!ENTITY" not in flat.upper():
        return
    declared = re.findall(rb"<!ENTITY\s+(%?)\s*[\w:.-]*\s*([^>]{0,2000})>?", flat, re.IGNORECASE)
    harmless = all((_PUBLIC_SET if percent else _LETTER).fullmatch(value) for percent, value in declared)
    if not harmless or len(declared) > _ENTITIES:
        raise FeedError("refused: its document type declares entities as an XML bomb does")
