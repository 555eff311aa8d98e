"""Structures written to files: by the user's choice of name, or all of one result."""

from pathlib import Path
from typing import Any

from results.documents import CandidateDocument, as_structure
from results.errors import nearest
from screen.errors import CampaignError

FORMATS = {".cif": "cif", ".vasp": "vasp", ".xyz": "extxyz", ".extxyz": "extxyz", ".json": "json"}
"""File endings and the ASE format written under each; ``POSCAR`` is the VASP format too."""


def write_structure(structure: Any, path: Path) -> None:
    """Write one pymatgen Structure in the format that the file's name tells.

    Raises:
        CampaignError: for an unknown ending, or a file that cannot be written.
    """
    from ase.io import write
    from pymatgen.io.ase import AseAtomsAdaptor

    kind = "vasp" if path.name.startswith("POSCAR") else FORMATS.get(path.suffix)
    if kind is None:
        raise CampaignError(f"--output = '{path}': unknown ending; {nearest(path.suffix, FORMATS)}")
    try:
        write(path, AseAtomsAdaptor.get_atoms(structure), format=kind)
    except OSError as error:
        raise CampaignError(
            f"--output = '{path}': {error.strerror or error}; give another path"
        ) from error


def save_structures(document: CandidateDocument, folder: Path) -> list[Path]:
    """Write a result's structures, such as its best interface, as CIF, and pictures of them as PNG.

    Args:
        document: the result.
        folder: made here; may exist if it is empty.

    Returns:
        The files written.

    Raises:
        CampaignError: for a folder that holds something already, or cannot be written.
    """
    from structures.view import picture_png

    try:
        folder.mkdir(exist_ok=True)
        if any(folder.iterdir()):
            raise CampaignError(f"--save = '{folder}': is not empty; name a new folder")
    except OSError as error:
        raise CampaignError(
            f"--save = '{folder}': {(error.strerror or str(error)).lower()}; give another path"
        ) from error
    written = []
    for field in type(document).model_fields:
        name, is_structure, _ = field.partition("_structure")
        data = getattr(document, field) if is_structure else None
        if data is not None:
            structure = as_structure(data)
            write_structure(structure, folder / f"{name}.cif")
            (folder / f"{name}.png").write_bytes(picture_png(structure))
            written += [folder / f"{name}.cif", folder / f"{name}.png"]
    return written
