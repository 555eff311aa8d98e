"""Any ASE calculator behind the engine protocol, one structure at a time.

The reference that the batched engine is tested against. Relaxations by BFGS, cells through ASE's
Frechet cell filter (the deformation's matrix logarithm), paths by the climbing-image nudged elastic
band of Henkelman, Uberuaga and Jónsson, J. Chem. Phys. 113, 9901 (2000), with the improved tangent
of Henkelman and Jónsson, J. Chem. Phys. 113, 9978 (2000), from the image-dependent pair potential
of Smidstrup et al., J. Chem. Phys. 140, 214106 (2014).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator
from ase.filters import FrechetCellFilter
from ase.mep import NEB
from ase.mep.neb import idpp_interpolate
from ase.optimize import BFGS, FIRE2
from numpy.typing import NDArray

from potentials.choices import check_choice, check_positive, check_whole
from potentials.convergence import cell_divergence, divergence, largest_force, stress_tolerance
from potentials.conversion import free_directions, to_atoms, to_structure
from potentials.errors import PotentialError
from potentials.identity import PotentialIdentity
from potentials.interpolation import interpolated
from potentials.potential import Potential
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

_CLIMB_BELOW = 0.5
"""Largest NEB force, eV/Å, below which the highest image starts to climb: before, the highest image
is not yet the one nearest the saddle."""

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class _State:
    """One finite point of a relaxation."""

    atoms: Atoms
    energy: float
    forces: NDArray[np.float64]
    stress: NDArray[np.float64] | None


class AseEngine:
    """Evaluates, relaxes, finds paths and moves atoms with a potential's ASE calculator."""

    def __init__(self, potential: Potential) -> None:
        self._potential = potential
        self._calculator = potential.ase_calculator()

    @property
    def identity(self) -> PotentialIdentity:
        """The potential that gives the numbers."""
        return self._potential.identity

    def evaluate(
        self, structures: Sequence[StructureLike], *, on_result: OnCalculation | None = None
    ) -> list[Calculation]:
        """Energy, forces and stress of each structure as it stands.

        Raises:
            PotentialError: for something that is no structure, or an element that the potential
                does not cover, before anything is computed.
        """
        self._check(structures)
        return _each(structures, lambda structure: self._optimise(structure), on_result)

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

        Where the cell moves, its residual stress is to be under `stress_tolerance` as well.
        ``normal_stress`` in GPa, positive = compression, with ``cell="normal"`` only.

        Raises:
            PotentialError: as `evaluate`; and for ``fmax``, ``max_steps``, ``cell`` or
                ``normal_stress`` out of range.
        """
        check_positive("fmax", fmax, "eV/Å")
        check_whole("max_steps", max_steps, 0)
        check_choice("cell", cell, get_args(CellRelaxation))
        if normal_stress and cell != "normal":
            raise PotentialError(f"normal_stress: has no effect with cell={cell!r}; use 'normal'")
        self._check(structures)
        if cell == "normal":
            _check_in_plane(structures)
        return _each(
            structures,
            lambda structure: self._optimise(
                structure, fmax=fmax, max_steps=max_steps, cell=cell, normal_stress=normal_stress
            ),
            on_result,
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

        ``fmax`` in eV/Å, ``spring_constant`` in eV/Å². One optimiser state for the whole band.

        Raises:
            PotentialError: as `evaluate`; for a number out of range, or a band whose end states
                differ in cell or in the order of sites.
        """
        check_whole("n_images", n_images, 1)
        check_positive("fmax", fmax, "eV/Å")
        check_whole("max_steps", max_steps, 0)
        check_positive("spring_constant", spring_constant, "eV/Å²")
        for band in bands:
            self._check([band.initial, band.final])
            interpolated(band, 0)
        return _each(
            bands,
            lambda band: self._path(band, n_images, fmax, max_steps, climb, spring_constant),
            on_result,
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
        """As `potentials.protocol.Engine.md`; a calculator that raises gives its system up.

        A run that was killed goes on bit for bit where the calculator keeps nothing of earlier
        steps, else (a neighbour list in another order) to rounding.

        Raises:
            PotentialError: as `evaluate`; for a number out of range, frozen atoms under
                ``"normal-stress"``, or a ``folder`` that holds another run.
        """
        from potentials.ase_dynamics import CalculatorForces
        from potentials.batched.molecular_dynamics import checked_settings, run_dynamics
        from potentials.torch_state import same_bits_on

        self._check(structures)
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
        mover = CalculatorForces(self._potential)
        with same_bits_on(self._potential.device):
            return run_dynamics(mover, structures, settings, Path(folder), on_result, on_progress)

    def _check(self, structures: Sequence[StructureLike]) -> None:
        for structure in structures:
            self._potential.check_elements(to_atoms(structure).get_chemical_symbols())

    def _optimise(
        self,
        structure: StructureLike,
        *,
        fmax: float = np.inf,
        max_steps: int = 0,
        cell: CellRelaxation = "fixed",
        normal_stress: float = 0.0,
    ) -> Calculation:
        """Relax one structure; with the defaults, evaluate it."""
        started = time.perf_counter()
        atoms, free = to_atoms(structure), free_directions(structure)
        atoms.calc = self._calculator
        pressure = normal_stress * units.GPa
        start: _State | None = None
        state: _State | None = None
        failure: str | None = None
        evaluations = 0
        try:
            _check_finite(atoms)
            optimizer = BFGS(cast(Any, _movable(atoms, cell, pressure)), logfile=None)
            for _ in optimizer.irun(fmax=0.0, steps=max_steps):
                evaluations += 1
                reached = _state(atoms)
                start = start or reached
                failure = _divergence(reached, start)
                if failure:
                    break
                state = reached
                force = largest_force(state.forces, free)
                stress = _residual_stress(state.stress, cell, pressure)
                if force < fmax and stress < stress_tolerance(fmax):
                    break
            else:
                failure = _out_of_steps(max_steps, force, fmax, stress)
        except Exception as error:
            failure = _said(error)
        unknown = np.full((len(atoms), 3), np.nan)
        return Calculation(
            structure=to_structure(state.atoms if state else to_atoms(structure), structure),
            energy=state.energy if state else np.nan,
            forces=state.forces if state else unknown,
            stress=state.stress if state else None,
            converged=failure is None,
            failure=failure,
            max_force=largest_force(state.forces, free) if state else np.nan,
            steps=max(evaluations - 1, 0),
            force_evaluations=evaluations,
            wall_time=time.perf_counter() - started,
        )

    def _path(
        self,
        band: Band,
        n_images: int,
        fmax: float,
        max_steps: int,
        climb: bool,
        spring_constant: float,
    ) -> MinimumEnergyPath:
        started = time.perf_counter()
        images = interpolated(band, n_images)
        free = np.tile(free_directions(band.initial), (n_images, 1))
        energies = np.full(n_images + 2, np.nan)
        force, evaluations, steps = np.nan, 0, 0
        failure: str | None = None
        try:
            for end in (images[0], images[-1]):
                _check_finite(end)
                evaluations += 1
                self._freeze(end)
            for image in images[1:-1]:
                image.calc = self._potential.ase_calculator()
            path = NEB(images, k=spring_constant, method="improvedtangent")
            idpp_interpolate(path, traj=None, log=None, mic=True)
            optimizer = FIRE2(cast(Any, path), logfile=cast(Any, None))
            for _ in optimizer.irun(fmax=0.0, steps=max_steps):
                evaluations += n_images
                steps = optimizer.nsteps
                forces = path.get_forces()
                failure = _band_divergence(path)
                if failure:
                    break
                energies = np.array(path.energies)
                force = largest_force(forces, free)
                if climb and not path.climb and force < max(_CLIMB_BELOW, fmax):
                    path.climb = True
                    force = largest_force(path.get_forces(), free)
                if force < fmax:
                    break
            else:
                failure = _out_of_steps(max_steps, force, fmax)
        except Exception as error:
            failure = _said(error)
        return MinimumEnergyPath(
            images=[to_structure(image, band.initial) for image in images],
            energies=energies,
            barrier=float(energies.max() - energies[0]),
            reverse_barrier=float(energies.max() - energies[-1]),
            max_force=force,
            converged=failure is None,
            failure=failure,
            steps=steps,
            force_evaluations=evaluations,
            wall_time=time.perf_counter() - started,
        )

    def _freeze(self, atoms: Atoms) -> None:
        """Evaluate an end state once and for all."""
        atoms.calc = self._calculator
        state = _state(atoms)
        failure = _divergence(state, state)
        if failure:
            raise ArithmeticError(f"end state: {failure}")
        atoms.calc = SinglePointCalculator(atoms, energy=state.energy, forces=state.forces)


def _each(
    items: Sequence[Any],
    compute: Callable[[Any], _Result],
    on_result: Callable[[int, _Result], None] | None,
) -> list[_Result]:
    results = []
    for i, item in enumerate(items):
        results.append(compute(item))
        if on_result is not None:
            on_result(i, results[-1])
    return results


def _movable(atoms: Atoms, cell: CellRelaxation, pressure: float) -> Atoms | FrechetCellFilter:
    """``atoms``, or with the parts of its cell that move as further degrees of freedom."""
    if cell == "fixed":
        return atoms
    if cell == "volume":
        return FrechetCellFilter(atoms, hydrostatic_strain=True)
    if cell == "full":
        return FrechetCellFilter(atoms)
    return FrechetCellFilter(atoms, mask=[0, 0, 1, 0, 0, 0], scalar_pressure=pressure)


def _state(atoms: Atoms) -> _State:
    """Energy, unconstrained forces and stress of ``atoms`` as they stand."""
    forces = np.array(atoms.get_forces(apply_constraint=False), dtype=float)
    try:
        stress = np.array(atoms.get_stress(voigt=False), dtype=float)
    except PropertyNotImplementedError:
        stress = None
    kept = atoms.copy()
    return _State(kept, float(atoms.get_potential_energy()), forces, stress)


def _divergence(state: _State, start: _State) -> str | None:
    strongest, n_atoms = _strongest(state.forces), len(state.forces)
    return divergence(
        state.energy, strongest, n_atoms, start.energy, _strongest(start.forces)
    ) or cell_divergence(state.atoms.get_volume(), start.atoms.get_volume())


def _strongest(forces: NDArray[np.float64]) -> float:
    """Largest force norm of any atom, eV/Å."""
    return largest_force(forces, np.ones_like(forces, dtype=bool))


def _residual_stress(
    stress: NDArray[np.float64] | None, cell: CellRelaxation, pressure: float
) -> float:
    """Largest stress, eV/Å³, that what may move of the cell still feels."""
    if cell == "fixed" or stress is None:
        return 0.0
    if cell == "volume":
        return abs(float(np.trace(stress))) / 3
    if cell == "full":
        return float(np.abs(stress).max())
    return abs(float(stress[2, 2]) + pressure)


def _band_divergence(path: NEB) -> str | None:
    energies, real_forces = np.array(path.energies), np.array(path.real_forces)
    for energy, forces in zip(energies, real_forces, strict=True):
        failure = divergence(energy, _strongest(forces), len(forces), energies[0], 0.0)
        if failure:
            return failure
    return None


def _check_finite(atoms: Atoms) -> None:
    """Not left to the potential: a neighbour list of such positions may never end."""
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise ArithmeticError("positions or cell are not a number")


def _check_in_plane(structures: Sequence[StructureLike]) -> None:
    for structure in structures:
        if np.abs(to_atoms(structure).cell.array[:2, 2]).max() > 1e-6:
            raise PotentialError(
                "cell: 'normal' needs a and b in the x-y plane; rotate the structure"
            )


def _out_of_steps(max_steps: int, force: float, fmax: float, stress: float = 0.0) -> str:
    reached = f"largest force {force:.3g} eV/Å of {fmax:g} asked for"
    if stress >= stress_tolerance(fmax):
        reached += f", largest stress {stress / units.GPa:.3g} GPa"
    return f"not converged in {max_steps} steps: {reached}"


def _said(error: Exception) -> str:
    """One line of an exception of the calculator."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
