"""JSON objects, compressed: in the state bucket, and in a reply of the hub."""

import zlib

from ecr_warden.core.codec.base import CodecError, Json, dumps, loads

MAX_BYTES = 32 * 1024 * 1024
"""The limit for an object's JSON: longer texts are neither written nor read.

A survey has two of them, and takes some 165 MB for objects of this size whose policies are text: a named error is
better than a killed process, which takes other jobs with it.
"""
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
