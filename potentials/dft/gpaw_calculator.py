"""GPAW (Mortensen et al., J. Chem. Phys. 160, 092503 (2024)) behind an ASE calculator."""

from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes

from potentials.dft.settings import (
    DftSettings,
    is_slab,
    kpoint_mesh,
    middle_of_vacuum,
    needs_dipole_correction,
    pulay_stress,
    starting_moments,
)

MOST_DRIFT = 0.15
"""Largest sum of all forces, eV/Å, that the grid may leave; more says that something is wrong."""


class GpawCalculator(Calculator):
    """Plane-wave GPAW with named settings, set up anew for each structure.

    Mesh, spin and dipole correction follow the structure. The energy is that extrapolated to zero
    width of the occupations; forces and stress are derivatives of the free energy. The stress of a
    crystal holds the Pulay term (`pulay_stress`). Slabs have no stress: vacuum would enter it.

    What the grid leaves of the sum of all forces is taken off evenly. A density that does not
    become self-consistent raises GPAW's exception, forces that do not balance an ArithmeticError.
    """

    def __init__(self, settings: DftSettings, log: str | None = None) -> None:
        """Compute with ``settings``.

        Args:
            settings: numerical settings.
            log: file for GPAW's own output of the last structure; None keeps none.
        """
        super().__init__()
        self.implemented_properties = ["energy", "free_energy", "forces", "stress"]
        self._settings = settings
        self._log = log

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = ("energy",),
        system_changes: Any = all_changes,
    ) -> None:
        """Energy and forces, and stress of a crystal, eV, eV/Å and eV/Å³."""
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None
        copy = self.atoms.copy()
        copy.set_constraint()
        copy.calc = self._code(copy)
        energy = float(copy.get_potential_energy())
        forces = np.array(copy.get_forces())
        drift = forces.sum(axis=0)
        if np.abs(drift).max() > MOST_DRIFT:
            raise ArithmeticError(
                f"forces do not balance: {np.abs(drift).max():.2f} eV/Å left over"
            )
        self.results = {
            "energy": energy,
            "free_energy": float(copy.get_potential_energy(force_consistent=True)),
            "forces": forces - drift / len(copy),
        }
        if is_slab(copy):
            return
        pulay = pulay_stress(copy, self._settings)
        if pulay is not None:
            stress = np.array(copy.get_stress(voigt=True))
            stress[:3] += pulay
            self.results["stress"] = stress

    def get_property(
        self, name: str, atoms: Atoms | None = None, allow_calculation: bool = True
    ) -> Any:
        """As ASE's; a stress that is not given is said so at once, not computed for again."""
        unchanged = bool(self.results) and (atoms is None or not self.check_state(atoms))
        if unchanged and name not in self.results:
            raise PropertyNotImplementedError(f"{name} is not given for this structure")
        return super().get_property(name, atoms, allow_calculation)

    def _code(self, atoms: Atoms) -> Any:
        """GPAW for ``atoms``, whose magnetic moments and periodicity are set."""
        from gpaw import GPAW, PW

        settings = self._settings
        moments = starting_moments(atoms)
        if moments is not None:
            atoms.set_initial_magnetic_moments(moments)
        atoms.pbc = True
        options: dict[str, Any] = {}
        if needs_dipole_correction(atoms):
            atoms.pbc = (True, True, False)
            # the dipole layer lies at the cell's edge, which has to be in the middle of the vacuum
            atoms.positions -= middle_of_vacuum(atoms) * atoms.cell.array[2]
            atoms.wrap(pbc=True)
            options["poissonsolver"] = {"dipolelayer": "xy"}
        return GPAW(
            mode=PW(settings.cutoff),
            xc=settings.functional,
            kpts={"size": kpoint_mesh(atoms, settings.kpoint_spacing), "gamma": True},
            occupations={"name": "fermi-dirac", "width": settings.smearing},
            convergence={
                "density": settings.density_tolerance,
                "energy": settings.energy_tolerance,
            },
            symmetry={"tolerance": 1e-4},
            # a sixth less time than the default for cells of a few atoms, and the same energies
            eigensolver="davidson",
            maxiter=settings.max_iterations,
            txt=self._log,
            **options,
        )
