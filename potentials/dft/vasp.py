"""VASP: complete input sets through pymatgen, results read back."""

import warnings
from pathlib import Path
from typing import Any, cast

import ase.io
from ase import Atoms

from potentials.conversion import to_structure
from potentials.dft.settings import (
    DftSettings,
    kpoint_mesh,
    needs_dipole_correction,
    starting_moments,
)
from potentials.errors import PotentialError

NO_POTCAR = (
    "POTCAR: not written, PMG_VASP_PSP_DIR is not set; POTCAR.spec names the files of your VASP "
    "licence that belong together (`pmg config -p`, then `pmg config --add PMG_VASP_PSP_DIR`)"
)


def write_vasp(atoms: Atoms, settings: DftSettings, folder: Path) -> str | None:
    """INCAR, KPOINTS, POSCAR and POTCAR of a static calculation.

    pymatgen's MatPES set (Kaplan et al., arXiv:2503.04070), with cutoff, mesh, smearing, spin and
    dipole correction of ``settings``. Atoms keep their order: sites are not sorted.

    Args:
        atoms: the frame.
        settings: numerical settings; the cutoff is at least VASP's own 520 eV for Li and O.
        folder: where the files go; made if it is not there.

    Returns:
        A line on what is missing, None where nothing is.

    Raises:
        PotentialError: the files cannot be written, or the licence's lack an element's potential.
    """
    from pymatgen.core import SETTINGS as PYMATGEN
    from pymatgen.io.vasp.inputs import Kpoints
    from pymatgen.io.vasp.sets import MatPESStaticSet

    mesh = kpoint_mesh(atoms, settings.kpoint_spacing)
    moments = starting_moments(atoms)
    structure = to_structure(atoms, atoms.copy())
    if moments is not None:
        structure.add_site_property("magmom", moments.tolist())
    changes = {
        "ENCUT": max(settings.cutoff, _LEAST_CUTOFF),
        "EDIFF": settings.energy_tolerance * _EDIFF_PER_TOLERANCE * len(atoms),
        "ISMEAR": -1,
        "SIGMA": settings.smearing,
        "NELM": settings.max_iterations,
        "ISPIN": 1 if moments is None else 2,
        "KSPACING": None,
        "LAECHG": None,
        "LCHARG": False,
        "LORBIT": None,
    }
    if needs_dipole_correction(atoms):
        changes |= {"LDIPOL": True, "IDIPOL": 3}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inputs = MatPESStaticSet(
            structure,
            user_incar_settings=changes,
            user_kpoints_settings=cast(Any, Kpoints(kpts=[mesh])),
            sort_structure=False,
        )
        licensed = bool(PYMATGEN.get("PMG_VASP_PSP_DIR"))
        try:
            inputs.write_input(str(folder), potcar_spec=not licensed)
        except (OSError, ValueError) as error:
            raise PotentialError(
                f"POTCAR: {error}; check that PMG_VASP_PSP_DIR holds the PBE_64 files"
            ) from error
    return None if licensed else NO_POTCAR


def read_vasp(folder: Path) -> Atoms:
    """The frame with energy (zero width of the occupations), forces and stress.

    Raises:
        PotentialError: there is no result, or it is not self-consistent.
    """
    from pymatgen.io.vasp.outputs import Vasprun

    path = folder / "vasprun.xml"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run = Vasprun(path, parse_dos=False, parse_eigen=False, parse_potcar_file=False)
            atoms = ase.io.read(path, format="vasp-xml")
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        raise PotentialError(f"{path}: cannot be read ({said}); run VASP again") from error
    if not run.converged_electronic:
        raise PotentialError(f"{path}: not self-consistent; raise NELM or change ALGO")
    assert isinstance(atoms, Atoms)
    return atoms


_LEAST_CUTOFF = 520.0
_EDIFF_PER_TOLERANCE = 2e-3
"""EDIFF is for the cell: 1e-6 eV per atom with pbe-quick's tolerance."""
