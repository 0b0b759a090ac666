"""What all records have in common, and their encoding on the wire."""

from __future__ import annotations

import hashlib
from typing import Final, TypeVar

import msgspec

SCHEMA: Final = 1


class RecordError(ValueError):
    """The bytes are not the expected record; the message names the path of the wrong field."""


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag=str.lower):
    """The base of all records: a name on the wire and a schema version."""

    schema: int = SCHEMA


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """The base of the parts of records, which have no name on the wire."""


R = TypeVar("R", bound=Record)
_encoder = msgspec.json.Encoder()
_decoders: dict[type[Record], msgspec.json.Decoder[Record]] = {}


def encode(record: Record) -> bytes:
    """A record in, its JSON out."""
    return _encoder.encode(record)


def decode(raw: bytes | None, kind: type[R]) -> R:
    """JSON in, a record of type `kind` out.

    Raises:
        RecordError: the bytes are missing, are not JSON, or do not fit; the message names the path.
    """
    decoder = _decoders.get(kind) or _decoders.setdefault(kind, msgspec.json.Decoder(kind))
    if raw is None:
        raise RecordError(f"{kind.__name__.lower()}: the message has no value")
    try:
        record = decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{kind.__name__.lower()}: {error}") from error
    if record.schema > SCHEMA:
        raise RecordError(f"{kind.__name__.lower()}: schema {record.schema} is newer than {SCHEMA}, which is read here")
    assert isinstance(record, kind)
    return record


def content_id(*parts: object, size: int = 20) -> str:
    """Values in, a stable id out: the first `size` hex digits of SHA-256 over the values, with a separator between them."""
    joined = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:size]
