"""Bytes of a page in, its text out: the encoding by mark, header, meta tag or detection. Pure, and never fails.

The only importer of charset_normalizer.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip

_META = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{2,40})|<\?xml[^>]{0,100}encoding=[\"']([\w.-]{2,40})",
    re.IGNORECASE,
)
_HEADER = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)

_BROWSERS: Final = {
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252", "us-ascii": "cp1252",
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "shift-jis": "cp932", "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949", "iso-8859-9": "cp1254", "tis-620": "cp874", "big5": "big5hkscs", "windows-874": "cp874",
}  # fmt: skip
"""What browsers read where a page says the first: the larger set that is meant."""


def charset(content_type: str) -> str | None:
    """A Content-Type header in, the encoding that it names out, if Python knows it as one of text."""
    found = _HEADER.search(content_type)
    return known(found.group(1)) if found else None


def known(name: str) -> str | None:
    """The name of an encoding as the web writes it in, Python's name out; None for one that is not of text."""
    name = _BROWSERS.get(name.strip().lower(), name.strip().lower())
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # "hex" and "zip" are codecs too, and "idna" or "punycode" would be mischief
    return (
        info.name
        if getattr(info, "_is_text_encoding", False) and info.name not in ("idna", "punycode", "undefined")
        else None
    )


def text(body: bytes, content_type: str = "") -> str:
    """Bytes and their Content-Type in, text out; what cannot be read becomes U+FFFD.

    UTF-8 is believed where it fits, whatever is declared; then the header, the page's own word, and a guess.
    """
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace").replace("\x00", "")
    try:
        # no text of another encoding is valid UTF-8 by accident, except where both are ASCII
        return body.decode("utf-8").replace("\x00", "") if b"\x1b" not in body else _declared(body, content_type)
    except UnicodeDecodeError:
        return _declared(body, content_type)


def _declared(body: bytes, content_type: str) -> str:
    meta = _META.search(body[:4096])
    named = [charset(content_type), known((meta.group(1) or meta.group(2)).decode("ascii")) if meta else None]
    for encoding in named:
        if encoding is not None and encoding != "utf-8":
            return body.decode(encoding, "replace").replace("\x00", "")
    if _mostly_utf8(body):  # many pages that say UTF-8 are something else
        return body.decode("utf-8", "replace").replace("\x00", "")
    best = from_bytes(body[:50_000]).best()
    return body.decode(best.encoding if best is not None else "cp1252", "replace").replace("\x00", "")


def _mostly_utf8(body: bytes) -> bool:
    """Whether a few broken bytes (a page cut in the middle of a letter, one pasted quotation) are all that is wrong."""
    sample = body[:50_000]
    broken = sample.decode("utf-8", "replace").count("\ufffd")
    high = sum(1 for byte in sample if byte >= 0x80)
    return broken * 4 < high
