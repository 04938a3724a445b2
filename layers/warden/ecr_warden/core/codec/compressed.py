"""JSON objects, compressed: in the state bucket, and in a reply of the hub."""

import zlib

from ecr_warden.core.codec.base import CodecError, Json, dumps, loads
from ecr_warden.core.outside import MAX_BYTES

_GZIP = 16 + zlib.MAX_WBITS


def compress(value: Json) -> bytes:
    """Compress an object; equal objects give equal bytes. Raises CodecError for one that is too large to be read."""
    text = dumps(value).encode()
    if len(text) > MAX_BYTES:
        raise CodecError(f"{len(text)} bytes, at most {MAX_BYTES} are kept")
    made = zlib.compressobj(wbits=_GZIP)
    return made.compress(text) + made.flush()


def decompress(body: bytes) -> Json:
    """The object; raises CodecError for bytes that are not compressed, not a JSON object, or too long."""
    opened = zlib.decompressobj(wbits=_GZIP)
    try:
        text = opened.decompress(body, MAX_BYTES)
    except zlib.error as error:
        raise CodecError("not compressed") from error
    if not opened.eof:
        raise CodecError("cut off, or too long")
    return loads(text)
