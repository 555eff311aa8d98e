"""The engine over lists: `potentials.protocol.Engine` for MACE networks, in batches."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar, get_args

import numpy as np
import torch

from potentials.batched.evaluator import Evaluator, MaceNetwork
from potentials.batched.memory import BatchLimit
from potentials.batched.molecular_dynamics import (
    DynamicsResult,
    DynamicsSettings,
    Ensemble,
    OnDynamics,
    OnProgress,
    run_dynamics,
)
from potentials.batched.nudged_elastic_band import neb
from potentials.batched.relaxation import relax
from potentials.choices import check_choice, check_positive, check_whole
from potentials.conversion import free_directions, to_atoms
from potentials.errors import PotentialError
from potentials.identity import PotentialIdentity
from potentials.interpolation import way_between
from potentials.protocol import (
    Band,
    Calculation,
    CellRelaxation,
    MinimumEnergyPath,
    OnCalculation,
    OnPath,
    StructureLike,
)

Number = TypeVar("Number", int, float)


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
        """Molecular dynamics, from velocities drawn at ``temperature``.

        Frames go to ``folder`` as they come; a run that was killed goes on from the newest of them
        bit for bit, and one that is done there is not computed again, unless ``steps`` is more.

        Args:
            structures: starting points; frozen atoms do not move.
            folder: of this run alone; read it with `potentials.batched.trajectory.read_frames`.
            steps: time steps in all.
            ensemble: ``"nve"``; ``"nvt"`` (Langevin); or ``"normal-stress"``: Langevin with the
                in-plane cell fixed and its height free under ``normal_stress``, for interfaces
                without vacuum.
            timestep: fs.
            temperature: K; one for all, or one per structure.
            normal_stress: GPa, positive = compression; likewise.
            seed: likewise; a single one is counted up from structure to structure.
            friction: of the thermostat, 1/fs.
            interval: time steps between frames.
            fixed_centre_of_mass: keep systems without frozen atoms from drifting as a whole.
            on_result: called with (position in the list, result) the moment a system is done.
            on_progress: called with every file of frames.

        Raises:
            PotentialError: as `evaluate`; for a number out of range, frozen atoms under
                ``"normal-stress"``, or a ``folder`` that holds another run.
        """
        check_choice("ensemble", ensemble, get_args(Ensemble))
        check_whole("steps", steps, 0)
        check_whole("interval", interval, 1)
        check_positive("timestep", timestep, "fs")
        check_positive("friction", friction, "1/fs")
        n_systems = len(structures)
        temperatures = _for_each("temperature", temperature, n_systems)
        stresses = _for_each("normal_stress", normal_stress, n_systems)
        for value in temperatures:
            check_positive("temperature", value, "K")
        if any(stresses) and ensemble != "normal-stress":
            raise PotentialError(
                f"normal_stress: has no effect in ensemble {ensemble!r}; use 'normal-stress'"
            )
        seeds = range(seed, seed + n_systems) if isinstance(seed, int) else seed
        seeds = _for_each("seed", tuple(seeds), n_systems)
        for value in seeds:
            check_whole("seed", value, 0)
        self._check_elements(structures)
        if ensemble == "normal-stress" and not all(
            free_directions(structure).all() for structure in structures
        ):
            raise PotentialError(
                "ensemble: 'normal-stress' stretches all atoms' positions, but some are frozen;"
                " free them or use 'nvt'"
            )
        settings = DynamicsSettings(
            ensemble=ensemble,
            steps=steps,
            timestep=timestep,
            temperatures=temperatures,
            normal_stresses=stresses,
            seeds=seeds,
            friction=friction,
            interval=interval,
            fixed_centre_of_mass=fixed_centre_of_mass,
        )
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


def _for_each(field: str, value: Number | Sequence[Number], n_systems: int) -> tuple[Number, ...]:
    """One value per system."""
    values = (value,) * n_systems if isinstance(value, int | float) else tuple(value)
    if len(values) != n_systems:
        raise PotentialError(
            f"{field}: {len(values)} values for {n_systems} structures; give one, or one for each"
        )
    return values
