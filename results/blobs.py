"""Large arrays and structures as compressed blobs with a checksum."""

import hashlib
import json
import zlib
from typing import Any

from results.errors import ResultsError


def pack(value: Any) -> bytes:
    """Compress JSON types; zlib's own checksum guards them."""
    return zlib.compress(_text(value))


def unpack(blob: bytes, owner: str) -> Any:
    """What `pack` was given.

    Raises:
        ResultsError: a damaged blob; ``owner`` says whose it is.
    """
    try:
        return json.loads(zlib.decompress(blob))
    except (zlib.error, ValueError) as error:
        raise ResultsError(
            f"database: the arrays of {owner} are damaged ({error}); restore a backup"
        ) from error


def content_hash(value: Any) -> str:
    """SHA-256 (hex) of JSON types, independent of the order of keys."""
    return hashlib.sha256(_text(value)).hexdigest()


def hash_and_pack(value: Any) -> tuple[str, bytes]:
    """What `content_hash` and `pack` give, the text made once."""
    text = _text(value)
    return hashlib.sha256(text).hexdigest(), zlib.compress(text)


def _text(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
