"""JSON objects, compressed: in the state bucket, and in a reply of the hub."""

import zlib

from ecr_warden.model.codec.base import CodecError, Json, dumps, loads

MAX_BYTES = 64 * 1024 * 1024
"""Of an object's JSON: what is longer was not written by this version, and is not read."""
_GZIP = 16 + zlib.MAX_WBITS


def compress(value: Json) -> bytes:
    """The same bytes for the same object; raises CodecError for one that would not be read again."""
    text = dumps(value).encode()
    if len(text) > MAX_BYTES:
        raise CodecError(f"{len(text)} bytes, at most {MAX_BYTES} are kept")
    made = zlib.compressobj(wbits=_GZIP)
    return made.compress(text) + made.flush()


def decompress(body: bytes) -> Json:
    """Raises CodecError for what is not compressed, not a JSON object, or too long."""
    opened = zlib.decompressobj(wbits=_GZIP)
    try:
        text = opened.decompress(body, MAX_BYTES)
    except zlib.error as error:
        raise CodecError("not compressed") from error
    if not opened.eof:
        raise CodecError("cut off, or too long")
    return loads(text)
