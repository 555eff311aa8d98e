"""Energies of one potential at the structures that another one finds.

A cheap potential relaxes and finds paths, a dear one is asked once for each structure that it ended
with. What the two make together has an identity of its own, so that no number of one of them is
taken for theirs, nor theirs for one of them.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, NoReturn, TypeVar

import numpy as np
from pymatgen.core import Structure

from potentials.errors import PotentialError
from potentials.identity import PotentialIdentity
from potentials.potential import Potential
from potentials.protocol import (
    Band,
    Calculation,
    CellRelaxation,
    Engine,
    MinimumEnergyPath,
    OnCalculation,
    OnPath,
    StructureLike,
)

_WAITING_ATOMS = 1000
"""Atoms of finished structures that wait to be evaluated together: what a killed run loses."""

_Result = TypeVar("_Result", bound=Calculation | MinimumEnergyPath)


class FinalEnergiesPotential(Potential):
    """Structures, forces and stresses of one potential, energies of another."""

    def __init__(self, structures: Potential, energies: Potential) -> None:
        """Take the potential that moves atoms and the one that gives the energies at the end."""
        identity = _joined_identity(structures.identity, energies.identity)
        super().__init__(identity, structures.elements & energies.elements, structures.device)
        self._structures = structures
        self._energies = energies

    def ase_calculator(self) -> NoReturn:
        """None: forces that are not the slope of the energy would mislead whoever follows them.

        Raises:
            PotentialError: always.
        """
        raise PotentialError(
            f"calculator: {self.identity.name!r} is two potentials; take one of them, or the engine"
        )

    def engine(self, kind: str | None = None, **options: object) -> Engine:
        """The fastest engines of both.

        Raises:
            PotentialError: for a kind or an option; each of the two has its own.
        """
        if kind is not None or options:
            raise PotentialError("engine: two potentials take no kind and no options; leave it out")
        return FinalEnergiesEngine(
            self.identity, self._structures.engine(), self._energies.engine()
        )


class FinalEnergiesEngine:
    """`potentials.protocol.Engine`; a second one gives the energies of the first one's results.

    Forces and stresses stay those that the structures were found with, since it is their rest that
    says how far a relaxation came. What failed has no energy.
    """

    def __init__(self, identity: PotentialIdentity, structures: Engine, energies: Engine) -> None:
        """Take the engine that moves atoms and the one that gives the energies."""
        self._identity = identity
        self._structures = structures
        self._energies = energies

    @property
    def identity(self) -> PotentialIdentity:
        """The two potentials together."""
        return self._identity

    def evaluate(
        self, structures: Sequence[StructureLike], *, on_result: OnCalculation | None = None
    ) -> list[Calculation]:
        """As `potentials.protocol.Engine.evaluate`."""
        settled = _Settled(self._energies, _structure_of, _with_energy, on_result)
        self._structures.evaluate(structures, on_result=settled.add)
        return settled.all()

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
        """As `potentials.protocol.Engine.relax`."""
        settled = _Settled(self._energies, _structure_of, _with_energy, on_result)
        self._structures.relax(
            structures,
            fmax=fmax,
            max_steps=max_steps,
            cell=cell,
            normal_stress=normal_stress,
            on_result=settled.add,
        )
        return settled.all()

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
        """As `potentials.protocol.Engine.neb`; every image gets its energy, the ends too."""
        settled = _Settled(self._energies, _images_of, _with_energies, on_result)
        self._structures.neb(
            bands,
            n_images=n_images,
            fmax=fmax,
            max_steps=max_steps,
            climb=climb,
            spring_constant=spring_constant,
            on_result=settled.add,
        )
        return settled.all()

    def md(self, *_: object, **__: object) -> NoReturn:
        """None: dynamics has no structures that it ends with.

        Raises:
            PotentialError: always.
        """
        raise PotentialError(
            f"md: {self.identity.name!r} is two potentials; move atoms with one of them"
        )


class _Settled(Generic[_Result]):
    """Results that wait for their energies, and are evaluated together."""

    def __init__(
        self,
        energies: Engine,
        structures_of: Callable[[_Result], list[Structure]],
        settle: Callable[[_Result, Sequence[Calculation]], _Result],
        on_result: Callable[[int, _Result], None] | None,
    ) -> None:
        """Take what evaluates, what of a result is evaluated, and how it takes the energies."""
        self._energies = energies
        self._structures_of = structures_of
        self._settle = settle
        self._on_result = on_result
        self._waiting: dict[int, _Result] = {}
        self._atoms = 0
        self._done: dict[int, _Result] = {}

    def add(self, position: int, result: _Result) -> None:
        """Take the result of the system at ``position``."""
        self._waiting[position] = result
        self._atoms += sum(map(len, self._structures_of(result)))
        if self._atoms >= _WAITING_ATOMS:
            self._flush()

    def all(self) -> list[_Result]:
        """Every result, in the order of the systems."""
        self._flush()
        return [self._done[position] for position in sorted(self._done)]

    def _flush(self) -> None:
        asked = {position: self._structures_of(one) for position, one in self._waiting.items()}
        found = iter(self._energies.evaluate([one for each in asked.values() for one in each]))
        for position, result in self._waiting.items():
            settled = self._settle(result, [next(found) for _ in asked[position]])
            self._done[position] = settled
            if self._on_result is not None:
                self._on_result(position, settled)
        self._waiting, self._atoms = {}, 0


def _structure_of(result: Calculation) -> list[Structure]:
    return [] if result.failure else [result.structure]


def _images_of(result: MinimumEnergyPath) -> list[Structure]:
    return [] if result.failure else result.images


def _with_energy(result: Calculation, found: Sequence[Calculation]) -> Calculation:
    energy = found[0].energy if found else np.nan
    return replace(_spent(result, found), energy=energy)


def _with_energies(result: MinimumEnergyPath, found: Sequence[Calculation]) -> MinimumEnergyPath:
    energies = np.array([each.energy for each in found] or [np.nan] * max(len(result.images), 1))
    return replace(
        _spent(result, found),
        energies=energies,
        barrier=float(energies.max() - energies[0]),
        reverse_barrier=float(energies.max() - energies[-1]),
    )


def _spent(result: _Result, found: Sequence[Calculation]) -> _Result:
    """The result with what the energies cost, failed where one of them did."""
    problem = next((each.failure for each in found if each.failure), None)
    failure = result.failure or (f"final energy: {problem}" if problem else None)
    return replace(
        result,
        converged=failure is None,
        failure=failure,
        force_evaluations=result.force_evaluations + len(found),
        wall_time=result.wall_time + sum(each.wall_time for each in found),
    )


def _joined_identity(
    structures: PotentialIdentity, energies: PotentialIdentity
) -> PotentialIdentity:
    fields = [energies.fingerprint_fields, structures.fingerprint_fields]
    return PotentialIdentity(
        name=f"{energies.name} on {structures.name}",
        sha256=hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest(),
        head=energies.head,
        dtype=energies.dtype,
        dispersion=energies.dispersion,
        versions=tuple(sorted({*structures.versions, *energies.versions})),
        parts=f"energies: {_who(energies)}; structures and forces: {_who(structures)}",
    )


def _who(identity: PotentialIdentity) -> str:
    extras = [identity.dtype, identity.head, identity.dispersion, f"SHA-256 {identity.sha256}"]
    return ", ".join([identity.name, *(extra for extra in extras if extra)])
