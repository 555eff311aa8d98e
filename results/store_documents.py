"""Documents of jobflow's stores as JSON that every database takes, large parts apart.

JSON holds neither dates nor numbers that are not finite, and PostgreSQL's refuses some characters.
What JSON lacks becomes an object with the key ``$`` that says what it is: ``{"$": "date", "value":
"2026-01-31T12:00:00.000"}``. A list or text that is large as JSON becomes a blob, and ``{"$":
"blob", "value": <sha256>}`` in its place, so that asking for a small field never reads the large
ones beside it.
"""

import base64
import hashlib
import json
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId

from results.blobs import unpack
from results.errors import ResultsError

MARK = "$"
"""The key of an object that stands for something else."""
BLOB_SIZE = 4096
"""Letters of JSON from which a list or text is stored apart."""

_LARGEST_INTEGER = 2**63


@dataclass
class Encoded:
    """A document as it is stored.

    Attributes:
        content: JSON types.
        blobs: compressed large parts by their SHA-256 (hex).
    """

    content: Any = None
    blobs: dict[str, bytes] = field(default_factory=dict)


def encode(document: Mapping[str, Any]) -> Encoded:
    """A document of JSON types, datetimes, ObjectIds and bytes as it is stored.

    Raises:
        ResultsError: a value of another type, or a document with a key that cannot be one.
    """
    encoded = Encoded()
    encoded.content = _encode(dict(document), encoded.blobs)
    if MARK in encoded.content:
        raise ResultsError(f"store: a document's own keys may not be {MARK!r} or hold NUL; rename")
    return encoded


def decode(content: Any, blob: Callable[[str], bytes]) -> Any:
    """What `encode` was given.

    Args:
        content: JSON types.
        blob: gives a large part by its SHA-256.

    Raises:
        ResultsError: a damaged blob.
    """
    if isinstance(content, list):
        return [decode(item, blob) for item in content]
    if not isinstance(content, dict):
        return content
    if MARK not in content:
        return {key: decode(value, blob) for key, value in content.items()}
    value = content["value"]
    match content[MARK]:
        case "date":
            return datetime.fromisoformat(value)
        case "id":
            return ObjectId(value)
        case "bytes":
            return base64.b64decode(value)
        case "number":
            return float(value)
        case "integer":
            return int(value)
        case "text":
            return json.loads(base64.b64decode(value))
        case "object":
            return {decode(key, blob): decode(item, blob) for key, item in value}
        case _:
            return decode(unpack(blob(value), f"blob {value}"), blob)


def blobs_in(content: Any) -> Iterator[str]:
    """SHA-256 of each blob that a stored document points to."""
    if isinstance(content, list):
        for item in content:
            yield from blobs_in(item)
    elif isinstance(content, dict):
        if content.get(MARK) == "blob":
            yield content["value"]
        else:
            for item in content.values():
                yield from blobs_in(item)


def date_text(moment: datetime) -> str:
    """A moment as it is stored: UTC without zone, whole milliseconds, as MongoDB has it."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds")


def _encode(value: Any, blobs: dict[str, bytes] | None) -> Any:
    """Without ``blobs`` everything stays in place."""
    match value:
        case None | bool():
            return value
        case int():
            return value if abs(value) < _LARGEST_INTEGER else _marked("integer", str(value))
        case float():
            return value if math.isfinite(value) else _marked("number", repr(value))
        case str():
            return _apart(_text(value), blobs) if len(value) >= BLOB_SIZE else _text(value)
        case dict():
            if MARK in value or any(not _is_plain(key) for key in value):
                pairs = [[_text(key), _encode(item, blobs)] for key, item in value.items()]
                return _marked("object", pairs)
            return {key: _encode(item, blobs) for key, item in value.items()}
        case list() | tuple():
            return _apart([_encode(item, None) for item in value], blobs)
        case datetime():
            return _marked("date", date_text(value))
        case ObjectId():
            return _marked("id", str(value))
        case bytes():
            return _marked("bytes", base64.b64encode(value).decode())
    raise ResultsError(
        f"store: a value of type {type(value).__name__} cannot be stored; "
        "give JSON types, arrays, dates or MSONable objects"
    )


def _apart(encoded: Any, blobs: dict[str, bytes] | None) -> Any:
    """The encoded value, or what points to it where it is large."""
    if blobs is None:
        return encoded
    text = json.dumps(encoded, separators=(",", ":"))
    if len(text) < BLOB_SIZE:
        return encoded
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    blobs[sha256] = zlib.compress(text.encode(), 1)
    return _marked("blob", sha256)


def _text(value: str) -> Any:
    if _is_plain(value):
        return value
    return _marked("text", base64.b64encode(json.dumps(value).encode()).decode())


def _is_plain(text: str) -> bool:
    """Whether PostgreSQL takes the text: no NUL and no half of a surrogate pair."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _marked(kind: str, value: Any) -> dict[str, Any]:
    return {MARK: kind, "value": value}
