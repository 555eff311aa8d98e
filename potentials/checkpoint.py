"""What can be said of a torch checkpoint without loading it, which would run code."""

import zipfile
from pathlib import Path

from potentials.errors import PotentialError

_ZIP, _OLD_PICKLE = b"PK\x03\x04", b"\x80\x02"
_SMALLEST = 512


def check_checkpoint(path: Path) -> None:
    """Refuse a file that torch did not write, such as a web page, or one that is damaged.

    Raises:
        PotentialError: saying what the file is instead.
    """
    with path.open("rb") as file:
        start = file.read(64)
    size = path.stat().st_size
    if size < _SMALLEST or not start.startswith((_ZIP, _OLD_PICKLE)):
        page = "a web page, " if start.lstrip()[:1] == b"<" else ""
        raise PotentialError(
            f"file: {path} is {page}not a torch checkpoint ({size} bytes, starts with"
            f" {start[:16]!r}); give the file that mace wrote or published"
        )
    if start.startswith(_ZIP):
        try:
            with zipfile.ZipFile(path) as archive:
                damaged = archive.testzip()
                complete = any(name.endswith("data.pkl") for name in archive.namelist())
        except (zipfile.BadZipFile, OSError) as error:
            damaged, complete = str(error), True
        if damaged is not None or not complete:
            raise PotentialError(
                f"file: {path} is not a whole torch checkpoint ({damaged or 'no data.pkl'});"
                " fetch it again"
            )
