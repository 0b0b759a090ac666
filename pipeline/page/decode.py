"""A page's bytes in, its text out: the encoding by byte order mark, header, meta tag or detection. Pure, and never fails.

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
    "sjis": "cp932", "ms_kanji": "cp932", "windows-31j": "cp932", "ms932": "cp932", "shift_jisx0213": "shift_jisx0213",
    "euc_jp": "euc_jp", "eucjp": "euc_jp", "euc_kr": "cp949", "euckr": "cp949", "ksc5601": "cp949", "windows-949": "cp949",
    "euc-cn": "gb18030", "gb_2312-80": "gb18030", "gb2312-80": "gb18030", "cp936": "gb18030", "big5-hkscs": "big5hkscs",
    "cn-big5": "big5hkscs", "mac-cyrillic": "mac_cyrillic", "mac-roman": "mac_roman", "macintosh": "mac_roman",
    "cp-1250": "cp1250", "cp-1251": "cp1251", "cp-1252": "cp1252", "win-1250": "cp1250", "win-1251": "cp1251",
    "win-1252": "cp1252", "win1251": "cp1251", "ansi": "cp1252", "iso8859_1": "cp1252", "iso_8859-1": "cp1252",
    "iso-8859-8-i": "iso8859_8", "iso-8859-11": "cp874", "dos-874": "cp874", "koi": "koi8_r", "koi8": "koi8_r",
    "koi8-ru": "koi8_u", "unicode-1-1-utf-8": "utf-8", "utf8mb4": "utf-8",
}  # fmt: skip
"""The encoding that browsers use where a page declares the first: the larger set that is meant."""


def charset(content_type: str) -> str | None:
    """A Content-Type header in, the text encoding that it names out; None where Python does not know one."""
    found = _HEADER.search(content_type)
    return text_encoding(found.group(1)) if found else None


def text_encoding(name: str) -> str | None:
    """The web's name of an encoding in, Python's name out; None for one that is not a text encoding."""
    name = name.strip().lower()
    name = _BROWSERS.get(name) or _BROWSERS.get(name.removeprefix("x-")) or name
    if name.startswith("x-") and not is_codec(name):
        name = name.removeprefix("x-")
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # "hex" and "zip" are codecs too, and nobody means "idna" or "punycode" for a page
    return (
        info.name
        if getattr(info, "_is_text_encoding", False) and info.name not in ("idna", "punycode", "undefined")
        else None
    )


def is_codec(name: str) -> bool:
    """Whether Python itself knows the name of an encoding."""
    try:
        codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    return True


def text(body: bytes, content_type: str = "") -> str:
    """Bytes and their Content-Type in, text out; bytes that cannot be decoded become U+FFFD.

    Valid UTF-8 is read as UTF-8, whatever is declared. Otherwise the header counts, then the meta tag, then detection.
    """
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace").replace("\x00", "")
    try:
        # text of another encoding is practically never valid UTF-8, except where it is ASCII only
        return body.decode("utf-8").replace("\x00", "") if b"\x1b" not in body else _decode_declared(body, content_type)
    except UnicodeDecodeError:
        return _decode_declared(body, content_type)


def _decode_declared(body: bytes, content_type: str) -> str:
    """Decode bytes that are not valid UTF-8 by the header, the meta tag or detection."""
    meta = _META.search(body[:4096])
    declared = [
        charset(content_type),
        text_encoding((meta.group(1) or meta.group(2)).decode("ascii")) if meta else None,
    ]
    for encoding in declared:
        if encoding is not None and encoding != "utf-8":
            return body.decode(encoding, "replace").replace("\x00", "")
    if _mostly_utf8(body):  # many pages that declare UTF-8 are in another encoding
        return body.decode("utf-8", "replace").replace("\x00", "")
    best = from_bytes(body[:50_000]).best()
    return body.decode(best.encoding if best is not None else "cp1252", "replace").replace("\x00", "")


def _mostly_utf8(body: bytes) -> bool:
    """Whether the bytes are UTF-8 but for a few: a page cut inside a character, or one pasted quotation."""
    sample = body[:50_000]
    broken = sample.decode("utf-8", "replace").count("\ufffd")
    high = sum(1 for byte in sample if byte >= 0x80)
    return broken * 4 < high
