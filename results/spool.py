"""The spool: finished systems of a running stage, safe against a kill at any moment.

One line of JSON per finished system, ``{"sha256": "...", "document": {...}}``, where sha256 is the
hash of the document's text as it stands in the line. A line is flushed to the disk before `append`
returns, so what a killed process leaves behind is whole lines and at most one torn one.
"""

import hashlib
import json
import os
import warnings
from pathlib import Path

from results.documents import AnyCalculation, parse_calculation
from results.errors import ResultsError

_HEAD = b'{"sha256": "'
_MIDDLE = b'", "document": '
_TAIL = b"}"
_TEXT_START = len(_HEAD) + 64 + len(_MIDDLE)


class Spool:
    """An append-only file of calculation documents, written by one process at a time.

    Args:
        path: the file; it and its folder are made by the first `append`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def append(self, document: AnyCalculation) -> None:
        """Add one finished system; it is on the disk when this returns.

        Raises:
            ResultsError: the file cannot be written (no permission, no space).
        """
        text = document.model_dump_json().encode()
        line = _HEAD + _checksum(text) + _MIDDLE + text + _TAIL + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not self.path.exists()
            with self.path.open("ab+", buffering=0) as file:
                if _ends_torn(file.fileno()):
                    line = b"\n" + line
                # One write call in append mode; a short one (disk full) raises below.
                if file.write(line) != len(line):
                    raise OSError("the disk took only part of the line")
                os.fsync(file.fileno())
            if is_new:
                _sync_folder(self.path.parent)
        except OSError as error:
            raise ResultsError(
                f"spool: cannot write {self.path} ({error.strerror or error}); "
                "free the disk or give a folder that can be written"
            ) from error

    def load(self) -> dict[str, AnyCalculation]:
        """The documents by fingerprint, the last one where one was written twice.

        A damaged line is skipped with a warning: its system has to be computed again. No file, no
        documents.

        Raises:
            ResultsError: the file is there but cannot be read.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ResultsError(
                f"spool: cannot read {self.path} ({error.strerror}); check its permissions"
            ) from error
        documents = {}
        for number, line in enumerate(content.split(b"\n"), start=1):
            if not line:
                continue
            try:
                document = _read_line(line)
            except ValueError as problem:
                warnings.warn(
                    f"{self.path}, line {number}: {problem}; skipped, its system will be "
                    "computed again",
                    stacklevel=2,
                )
                continue
            documents[document.fingerprint] = document
        return documents


class SpoolReader:
    """Reads what another process appends to a spool, each document once.

    Args:
        spool: what is read.
    """

    def __init__(self, spool: Spool) -> None:
        self._path = spool.path
        self._offset = 0

    def read(self) -> list[AnyCalculation]:
        """The documents appended since the last time; a line still being written comes later.

        A damaged line is skipped with a warning. No file, or one that cannot be read now, gives
        none.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except OSError:
            return []
        content = content[: content.rfind(b"\n") + 1]
        self._offset += len(content)
        documents = []
        for line in content.split(b"\n"):
            if not line:
                continue
            try:
                documents.append(_read_line(line))
            except ValueError as problem:
                warnings.warn(
                    f"{self._path}: {problem}; skipped, its system will be computed again",
                    stacklevel=2,
                )
        return documents


def _read_line(line: bytes) -> AnyCalculation:
    text = line[_TEXT_START : -len(_TAIL)]
    if line != _HEAD + _checksum(text) + _MIDDLE + text + _TAIL:
        raise ValueError("torn or damaged")
    return parse_calculation(json.loads(text))


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()


def _ends_torn(descriptor: int) -> bool:
    """Whether the file ends in a line without its end, left by a process that was killed."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _sync_folder(folder: Path) -> None:
    """Put the new file's name on the disk, not only its content."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
