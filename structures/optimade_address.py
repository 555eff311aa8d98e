"""Crystals of any database that speaks OPTIMADE, by the address of their entry.

Through the client of optimade-python-tools: the one that the specification's authors keep, and that
reads partly occupied sites and unknown elements from an entry as they are meant.
"""

import contextlib
import io
import re
from typing import Any

from pymatgen.core.structure import Structure

from structures.errors import StructureError
from structures.places import one_line

_TIMEOUT = 30.0
"""Seconds that a server may take to answer."""


def fetch(address: str) -> tuple[Structure, str]:
    """The crystal at an OPTIMADE address, ``https://.../v1/structures/ID``, and where it is from.

    Raises:
        StructureError: the client is not installed, no answer, or no such entry.
    """
    try:
        from optimade.adapters import Structure as Entry
        from optimade.client import OptimadeClient
    except ImportError as error:
        raise StructureError(
            f"crystal: '{address}' needs the client of OPTIMADE; "
            "`pip install 'lithiophile[optimade]'`"
        ) from error
    base, identifier = address.rsplit("/structures/", 1)
    base = re.sub(r"/v1(\.\d+)*$", "", base)
    query = f'id="{identifier}"'
    try:
        # The client prints what goes wrong, however silent it is asked to be.
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            client = OptimadeClient(
                base_urls=[base],
                use_async=False,
                silent=True,
                max_attempts=1,
                http_timeout=_TIMEOUT,
            )
            found = client.get(query, endpoint="structures")
        answer: dict[str, Any] = found["structures"][query][base]
    except (Exception, SystemExit) as error:
        raise _unreachable(address, one_line(error)) from error
    if answer["errors"]:
        raise _unreachable(address, one_line(RuntimeError(str(answer["errors"][0]))))
    if not answer["data"]:
        raise StructureError(f"crystal: '{address}': {base} has no structure '{identifier}'")
    entry = answer["data"][0]
    try:
        structure = Entry(entry).as_pymatgen
    # The adapter raises what the entry's validation does.
    except Exception as error:
        raise StructureError(
            f"crystal: '{address}' is no entry that can be read ({one_line(error)})"
        ) from error
    if not isinstance(structure, Structure):
        raise StructureError(f"crystal: '{address}' is not periodic in three dimensions")
    modified = entry["attributes"].get("last_modified")
    return structure, f"OPTIMADE {address}" + (f", modified {modified}" if modified else "")


def _unreachable(address: str, reason: str) -> StructureError:
    return StructureError(
        f"crystal: '{address}' cannot be fetched ({reason}); check network and address, or give "
        "a CIF file"
    )
