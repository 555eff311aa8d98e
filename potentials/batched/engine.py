"""The engine over lists: `potentials.protocol.Engine` for MACE networks, in batches."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from potentials.batched.evaluator import Evaluator, MaceNetwork
from potentials.batched.memory import BatchLimit
from potentials.batched.molecular_dynamics import checked_settings, run_dynamics
from potentials.batched.nudged_elastic_band import neb
from potentials.batched.relaxation import relax
from potentials.choices import check_choice, check_positive, check_whole
from potentials.conversion import to_atoms
from potentials.errors import PotentialError
from potentials.identity import PotentialIdentity
from potentials.interpolation import way_between
from potentials.protocol import (
    Band,
    Calculation,
    CellRelaxation,
    DynamicsResult,
    Ensemble,
    MinimumEnergyPath,
    OnCalculation,
    OnDynamics,
    OnPath,
    OnProgress,
    StructureLike,
)
from potentials.torch_state import same_bits_on


class BatchedEngine:
    """Evaluates, relaxes and finds paths of many structures in one MACE batch."""

    def __init__(self, potential: MaceNetwork, *, max_atoms_per_batch: int | None = None) -> None:
        """Take ``potential``'s network.

        Args:
            potential: a MACE potential.
            max_atoms_per_batch: atoms in one pass of the network; None leaves it to the memory.

        Raises:
            PotentialError: if ``max_atoms_per_batch`` is not a whole number over 0.
        """
        if max_atoms_per_batch is not None:
            check_whole("max_atoms_per_batch", max_atoms_per_batch, 1)
        self._network = potential
        limit = BatchLimit(torch.device(potential.device), max_atoms_per_batch)
        self._evaluator = Evaluator(potential, limit)

    @property
    def identity(self) -> PotentialIdentity:
        """The potential that gives the numbers."""
        return self._network.identity

    def evaluate(
        self, structures: Sequence[StructureLike], *, on_result: OnCalculation | None = None
    ) -> list[Calculation]:
        """Energy, forces and stress of each structure as it stands.

        Raises:
            PotentialError: for something that is no structure, or an element that the potential
                does not cover, before anything is computed.
        """
        self._check_elements(structures)
        return relax(self._evaluator, structures, fmax=np.inf, max_steps=0, on_result=on_result)

    def relax(
        self,
        structures: Sequence[StructureLike],
        *,
        fmax: float = 0.03,
        max_steps: int = 500,
        cell: CellRelaxation = "fixed",
        normal_stress: float = 0.0,
        on_result: OnCalculation | None = None,
    ) -> list[Calculation]:
        """Relax each structure until no free atom feels more than ``fmax`` (eV/Å).

        Where the cell moves, its residual stress is to be under
        `potentials.convergence.stress_tolerance` as well. ``normal_stress`` in GPa, positive =
        compression, with ``cell="normal"`` only.

        Raises:
            PotentialError: as `evaluate`; and for ``fmax``, ``max_steps``, ``cell`` or
                ``normal_stress`` out of range.
        """
        check_positive("fmax", fmax, "eV/Å")
        check_whole("max_steps", max_steps, 0)
        check_choice("cell", cell, get_args(CellRelaxation))
        if normal_stress and cell != "normal":
            raise PotentialError(f"normal_stress: has no effect with cell={cell!r}; use 'normal'")
        self._check_elements(structures)
        return relax(
            self._evaluator,
            structures,
            fmax=fmax,
            max_steps=max_steps,
            cell=cell,
            normal_stress=normal_stress,
            on_result=on_result,
        )

    def neb(
        self,
        bands: Sequence[Band],
        *,
        n_images: int = 5,
        fmax: float = 0.05,
        max_steps: int = 300,
        climb: bool = True,
        spring_constant: float = 0.1,
        on_result: OnPath | None = None,
    ) -> list[MinimumEnergyPath]:
        """Climbing-image NEB with ``n_images`` moving images per band, from an IDPP start.

        ``fmax`` in eV/Å, ``spring_constant`` in eV/Å². Of a path that a symmetry operation turns
        into its reverse only half of the images are evaluated.

        Raises:
            PotentialError: as `evaluate`; for a number out of range, or a band whose end states
                differ in cell or in the order of sites.
        """
        check_whole("n_images", n_images, 1)
        check_positive("fmax", fmax, "eV/Å")
        check_whole("max_steps", max_steps, 0)
        check_positive("spring_constant", spring_constant, "eV/Å²")
        self._check_elements(end for band in bands for end in (band.initial, band.final))
        for band in bands:
            way_between(to_atoms(band.initial), to_atoms(band.final))
        return neb(
            self._evaluator,
            bands,
            n_images=n_images,
            fmax=fmax,
            max_steps=max_steps,
            climb=climb,
            spring_constant=spring_constant,
            on_result=on_result,
        )

    def md(
        self,
        structures: Sequence[StructureLike],
        folder: Path | str,
        *,
        steps: int,
        ensemble: Ensemble = "nvt",
        timestep: float = 1.0,
        temperature: float | Sequence[float] = 300.0,
        normal_stress: float | Sequence[float] = 0.0,
        seed: int | Sequence[int] = 0,
        friction: float = 0.01,
        interval: int = 50,
        fixed_centre_of_mass: bool = True,
        on_result: OnDynamics | None = None,
        on_progress: OnProgress | None = None,
    ) -> list[DynamicsResult]:
        """As `potentials.protocol.Engine.md`.

        Raises:
            PotentialError: as `evaluate`; for a number out of range, frozen atoms under
                ``"normal-stress"``, or a ``folder`` that holds another run.
        """
        self._check_elements(structures)
        settings = checked_settings(
            structures,
            steps=steps,
            ensemble=ensemble,
            timestep=timestep,
            temperature=temperature,
            normal_stress=normal_stress,
            seed=seed,
            friction=friction,
            interval=interval,
            fixed_centre_of_mass=fixed_centre_of_mass,
        )
        with same_bits_on(self._network.device):
            return run_dynamics(
                self._evaluator, structures, settings, Path(folder), on_result, on_progress
            )

    def _check_elements(self, structures: Iterable[StructureLike]) -> None:
        known = set(self._network.atomic_numbers)
        for structure in structures:
            atoms = to_atoms(structure)
            lacking = sorted({atom.symbol for atom in atoms if atom.number not in known})
            if lacking:
                raise PotentialError(
                    f"elements: potential {self.identity.name!r} does not cover"
                    f" {', '.join(lacking)};"
                    " choose one that does (`lithiophile potentials list`)"
                )
