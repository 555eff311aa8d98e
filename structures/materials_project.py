"""Crystals of the Materials Project by their id, through its own client, mp-api."""

import contextlib
import io
import os
import warnings

from pymatgen.core.structure import Structure

from structures.errors import StructureError
from structures.places import one_line


def fetch(identifier: str) -> tuple[Structure, str]:
    """The crystal with a Materials Project id, and where it is from.

    The key is that of ``MP_API_KEY``; ``MP_API_ENDPOINT`` names another server than
    api.materialsproject.org.

    Raises:
        StructureError: mp-api is not installed, no key, no answer, or no such id.
    """
    key = os.environ.get("MP_API_KEY")
    if not key:
        raise StructureError(
            f"crystal: '{identifier}' needs a key of the Materials Project; set MP_API_KEY to "
            "yours (https://next-gen.materialsproject.org/api)"
        )
    try:
        from mp_api.client import MPRester
    except ImportError as error:
        raise StructureError(
            f"crystal: '{identifier}' needs mp-api; `pip install 'lithiophile[materials-project]'`"
        ) from error
    # The client prints and warns about versions and settings of its own.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            with MPRester(
                key, endpoint=os.environ.get("MP_API_ENDPOINT"), mute_progress_bars=True
            ) as rester:
                found = rester.materials.summary.search(
                    material_ids=[identifier.lower()], fields=["material_id", "structure"]
                )
                version = rester.db_version
        # It raises its own errors, those of requests and, where a server answers amiss, any.
        except Exception as error:
            raise StructureError(
                f"crystal: '{identifier}' cannot be fetched from the Materials Project "
                f"({one_line(error)}); check network and MP_API_KEY, or give a CIF file"
            ) from error
    if not found:
        raise StructureError(f"crystal: '{identifier}' is no id of the Materials Project; check it")
    structure = found[0].structure
    return structure, f"Materials Project {identifier.lower()}, database {version}"
