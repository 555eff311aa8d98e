"""Forces of an ASE calculator for the molecular dynamics of `potentials.batched`.

One system moves at a time, by the same integrator, into the same files of frames.
"""

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError

from potentials.batched.batch import GraphBatch, System, read_system
from potentials.batched.evaluator import Evaluation
from potentials.batched.memory import BatchLimit
from potentials.conversion import to_atoms
from potentials.identity import PotentialIdentity
from potentials.potential import Potential
from potentials.protocol import StructureLike


class CalculatorForces:
    """`potentials.batched.molecular_dynamics.Mover` with a potential's ASE calculator.

    Attributes:
        limit: one atom, so that systems do not wait for each other.
        device: of the positions; the calculator may compute elsewhere.
    """

    def __init__(self, potential: Potential) -> None:
        """Take one calculator of ``potential``."""
        self.limit = BatchLimit(torch.device("cpu"), 1)
        self.device = torch.device("cpu")
        self._identity = potential.identity
        self._calculator = potential.ase_calculator()

    @property
    def identity(self) -> PotentialIdentity:
        """The potential that gives the numbers."""
        return self._identity

    @property
    def cutoff(self) -> float:
        """0 Å: the calculator lists its pairs itself."""
        return 0.0

    def read(self, structure: StructureLike) -> System | None:
        """``structure``, its species as atomic numbers; None if it is not of finite numbers."""
        atoms = to_atoms(structure)
        if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
            return None
        return read_system(atoms, range(119), self.device)

    def __call__(
        self,
        batch: GraphBatch,
        *,
        stress: bool = False,
        isolate: bool = True,  # noqa: ARG002
    ) -> Evaluation:
        """As `potentials.batched.evaluator.Evaluator.__call__`; no system spoils another."""
        energies = torch.full((len(batch),), torch.nan, dtype=torch.float64)
        forces = torch.full((batch.n_atoms, 3), torch.nan, dtype=torch.float64)
        stresses = torch.full((len(batch), 3, 3), torch.nan, dtype=torch.float64)
        failures = {}
        for i, periodic in enumerate(batch.periodic):
            where = slice(*batch.span(i, i + 1))
            atoms = Atoms(
                numbers=batch.species[where].numpy(),
                positions=batch.positions[where].numpy(),
                cell=batch.cells[i].numpy(),
                pbc=periodic,
                calculator=self._calculator,
            )
            try:
                energies[i] = float(atoms.get_potential_energy())
                forces[where] = torch.as_tensor(atoms.get_forces(), dtype=torch.float64)
                if stress:
                    stresses[i] = _stress(atoms)
            except Exception as error:
                failures[i] = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return Evaluation(
            energies=energies,
            forces=forces,
            stresses=stresses if stress else None,
            neighbour_counts=torch.zeros(batch.n_atoms, dtype=torch.int64),
            failures=failures,
        )


def _stress(atoms: Atoms) -> torch.Tensor:
    """(3, 3), eV/Å³; not numbers where the calculator has none, which frames may hold."""
    try:
        return torch.as_tensor(atoms.get_stress(voigt=False), dtype=torch.float64)
    except PropertyNotImplementedError:
        return torch.full((3, 3), torch.nan, dtype=torch.float64)
