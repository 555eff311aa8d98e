"""The settings that DFT labels are computed with, by name."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from potentials.errors import PotentialError

VACUUM_GAP = 5.0
"""Empty height along c above which a cell is a slab, Å."""
MOMENTS = {"Ni": 1.0, "Fe": 3.0, "Cr": 1.5}
"""Elements that are computed spin-polarised, and the moment each atom starts with, Bohr magnetons.

Cr starts antiferromagnetic: the signs alternate in the order of the sites.
"""


@dataclass(frozen=True)
class DftSettings:
    """One set of numerical settings; with it, code and version the numbers are reproducible.

    Attributes:
        name: what it is asked for by.
        cutoff: kinetic-energy cutoff of the plane waves, eV.
        kpoint_spacing: largest distance between k-points, 1/Å (2π included); meshes hold Γ.
        smearing: width of the Fermi-Dirac occupations, eV.
        density_tolerance: change of the density at which it is self-consistent, electrons per
            valence electron.
        energy_tolerance: change of the energy likewise, eV per valence electron.
        max_iterations: steps after which a frame counts as not converged.
        functional: of exchange and correlation.
        cutoff_slopes: derivative of the energy by the cutoff, per atom of each element, measured in
            its crystal over 30 eV around the cutoff (F, O, Cl and S in their Li compounds); it
            gives the Pulay stress. A crystal with an element that is not here has no stress.
    """

    name: str
    cutoff: float
    kpoint_spacing: float
    smearing: float
    density_tolerance: float
    energy_tolerance: float
    max_iterations: int
    functional: str = "PBE"
    cutoff_slopes: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return asdict(self)


SETTINGS = {
    each.name: each
    for each in (
        DftSettings(
            name="pbe-quick",
            cutoff=500.0,
            kpoint_spacing=0.35,
            smearing=0.1,
            density_tolerance=1e-4,
            energy_tolerance=5e-4,
            max_iterations=100,
            cutoff_slopes={
                **{"Li": -5.0e-07, "F": -2.573e-03, "O": -6.612e-03, "Cl": -1.45e-04},
                **{"S": -4.0e-05, "Al": -2.2e-06, "Cu": -3.56e-04, "Ag": -6.2e-05},
                **{"Au": -1.77e-04, "Zn": -1.05e-04, "Mg": -1.66e-04, "Ni": -1.20e-04},
            },
        ),
        DftSettings(
            name="pbe-tight",
            cutoff=700.0,
            kpoint_spacing=0.20,
            smearing=0.1,
            density_tolerance=1e-5,
            energy_tolerance=1e-5,
            max_iterations=200,
        ),
    )
}


def dft_settings(name: str) -> DftSettings:
    """The settings of a name.

    Raises:
        PotentialError: for an unknown name, with the nearest one.
    """
    if name not in SETTINGS:
        near = difflib.get_close_matches(name, SETTINGS, n=1) or [" or ".join(SETTINGS)]
        raise PotentialError(f"settings: {name!r} is unknown; did you mean {near[0]}?")
    return SETTINGS[name]


def is_slab(atoms: Atoms) -> bool:
    """Whether the cell has more than `VACUUM_GAP` of empty height along c."""
    normal = atoms.get_volume() / float(np.linalg.norm(np.cross(*atoms.cell.array[:2])))
    return _widest_gap(atoms)[1] * normal > VACUUM_GAP


def middle_of_vacuum(atoms: Atoms) -> float:
    """Where the widest empty height along c has its middle, as a fraction of c."""
    start, width = _widest_gap(atoms)
    return (start + width / 2.0) % 1.0


def needs_dipole_correction(atoms: Atoms) -> bool:
    """Whether a slab's faces differ: no symmetry operation turns it over."""
    import spglib

    if not is_slab(atoms):
        return False
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    operations = spglib.get_symmetry(cell, symprec=1e-3)
    return operations is None or not any(r[2, 2] == -1 for r in operations["rotations"])


def kpoint_mesh(atoms: Atoms, spacing: float) -> tuple[int, int, int]:
    """Numbers of k-points at most ``spacing`` (1/Å) apart; one across the vacuum of a slab."""
    lengths = 2.0 * math.pi * np.linalg.norm(atoms.cell.reciprocal().array, axis=1)
    a, b, c = (max(1, math.ceil(length / spacing - 1e-6)) for length in lengths)
    return a, b, 1 if is_slab(atoms) else c


def starting_moments(atoms: Atoms) -> NDArray[np.float64] | None:
    """Moment that each atom starts with, shape (n_atoms,); None where nothing is magnetic."""
    symbols = atoms.get_chemical_symbols()
    if not set(symbols) & set(MOMENTS):
        return None
    moments = np.array([MOMENTS.get(symbol, 0.0) for symbol in symbols])
    chromium = [i for i, symbol in enumerate(symbols) if symbol == "Cr"]
    moments[chromium[1::2]] *= -1.0
    return moments


def _widest_gap(atoms: Atoms) -> tuple[float, float]:
    """Start and width of the widest empty height along c, fractions of c."""
    heights = np.sort(atoms.get_scaled_positions(wrap=True)[:, 2])
    gaps = np.diff(np.append(heights, heights[0] + 1.0))
    widest = int(gaps.argmax())
    return float(heights[widest]), float(gaps[widest])


def pulay_stress(atoms: Atoms, settings: DftSettings) -> float | None:
    """What the cutoff's incomplete plane waves leave out of the pressure, eV/Å³, to be added.

    (2/3) E_cut Σ dE/dE_cut / V (Francis and Payne, J. Phys.: Condens. Matter 2, 4395 (1990)); None
    where an element's slope is not tabled.
    """
    slopes = [settings.cutoff_slopes.get(symbol) for symbol in atoms.get_chemical_symbols()]
    known = [slope for slope in slopes if slope is not None]
    if len(known) < len(slopes):
        return None
    return 2.0 / 3.0 * settings.cutoff * sum(known) / atoms.get_volume()
