"""A page's bytes in, its text out: the encoding by byte order mark, header, meta tag or detection. Pure, and never fails.

The only importer of charset_normalizer.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip

"""Byte order marks and what they mark; the longer ones come first."""

_META = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{2,40})|<\?xml[^>]{0,100}encoding=[\"']([\w.-]{2,40})",
    re.IGNORECASE,
)
_HEADER = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)

_LABELS: Final = {
    "cp1252": "iso88591 iso885911987 latin1 l1 isolatin1 csisolatin1 ascii "
    "usascii ansi win1252 windows1252 cp1252 cp819 ibm819",
    "gb18030": "gb2312 gb231280 gbk euccn cp936 ms936 windows936 "
    "csgb2312 gb18030 gb180302000 gb180302005 isoir58 chinese hz936",
    "cp932": "shiftjis sjis mskanji windows31j cswindows31j csshiftjis ms932 cp932 mscp932 windows932",
    "shift_jisx0213": "shiftjisx0213 sjisjisx0213 sjisx0213",
    "shift_jis_2004": "shiftjis2004 sjis2004",
    "euc_jp": "eucjp eucjpms eucjpwin cp51932 cseucpkdfmtjapanese ujis",
    "iso2022_jp": "iso2022jp iso2022jpms csiso2022jp cp50220 cp50221",
    "cp949": "ksc56011987 ksc56011989 ksc5601 ksc euckr cseuckr windows949 ms949 uhc korean isoir149",
    "big5hkscs": "big5 big5hkscs cnbig5 big5eten csbig5 xbig5 cp950 ms950 windows950",
    "cp1250": "cp1250 win1250 windows1250",
    "cp1251": "cp1251 win1251 windows1251 cp1251windows",
    "cp1253": "win1253 windows1253",
    "cp1254": "iso88599 latin5 l5 win1254 windows1254",
    "cp1255": "win1255 windows1255",
    "cp1256": "win1256 windows1256",
    "cp1257": "win1257 windows1257",
    "cp1258": "win1258 windows1258",
    "cp874": "tis620 windows874 win874 dos874 iso885911",
    "iso8859_2": "latin2 l2 isolatin2",
    "iso8859_6": "iso88596i iso88596e arabic",
    "iso8859_8": "iso88598i iso88598e logical visual hebrew",
    "iso8859_15": "latin9 l9 isolatin9 csisolatin9",
    "koi8_r": "koi koi8 koi8r cskoi8r isoir111",
    "koi8_u": "koi8ru koi8u",
    "mac_roman": "macroman macintosh mac csmacintosh",
    "mac_cyrillic": "maccyrillic macukrainian",
    "mac_latin2": "macce maccentraleurope",
    "utf-8": "utf8mb3 utf8mb4 utf8bom unicode11utf8 "
    "unicode20utf8 utf8unicodeci utf8generalci utf8mb4unicodeci utf8mb4generalci",
}
"""What pages call an encoding, in letters and digits alone, under the one that browsers use: the larger set that is meant."""

_CODECS: Final = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}


def charset(content_type: str) -> str | None:
    """A Content-Type header in, the text encoding that it names out; None where Python does not know one."""
    found = _HEADER.search(content_type)
    return text_encoding(found.group(1)) if found else None


def text_encoding(name: str) -> str | None:
    """The web's name of an encoding in, Python's name out; None for one that is not a text encoding."""
    bare = re.sub(r"[^a-z0-9]", "", name.lower())
    known = next((_CODECS[form] for form in (bare, bare.lstrip("x")) if form in _CODECS), None)
    name = known or re.sub(r"^(?:x-)+", "", name.strip().lower())
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
    for mark, encoding in MARKS:
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
