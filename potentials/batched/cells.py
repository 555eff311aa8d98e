"""Coordinates in which atoms and cell relax together.

A cell that may move is its first cell deformed by F, and an atom stands at u F (row vectors), so
the optimiser moves the rows of F, scaled, and the undeformed positions u. Forces on them follow
from the network's forces f and stress: f F^T on u, and -V F^-T (stress + held stress) on F (Tadmor
et al., Phys. Rev. B 59, 235 (1999); the same coordinates as in ASE's UnitCellFilter).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from potentials.batched.batch import GraphBatch
from potentials.batched.evaluator import Evaluation
from potentials.protocol import CellRelaxation

CELL_ROWS = 3


class CellCoordinates:
    """The optimiser's rows for every system of a batch: three of the cell, then the atoms.

    F is scaled by the square root of the number of atoms, times 1 Å: then its stiffness,
    volume times elastic constants, is near that of the atoms.
    """

    def __init__(self, mode: CellRelaxation, normal_stress: float, device: torch.device) -> None:
        """No systems yet.

        Args:
            mode: what of the cells may move.
            normal_stress: eV/Å³, positive = compression, held where ``mode`` is ``"normal"``.
            device: where the state lives.
        """
        self._mode = mode
        self._held = normal_stress if mode == "normal" else 0.0
        self._first_cells = torch.zeros((0, 3, 3), dtype=torch.float64, device=device)
        self._deformations = self._first_cells

    @property
    def moves_cell(self) -> bool:
        """Whether the stress is among what is relaxed."""
        return self._mode != "fixed"

    def join(self, batch: GraphBatch) -> None:
        """Take up the systems of ``batch`` that stand behind the known ones."""
        cells = batch.cells[len(self._first_cells) :]
        unity = torch.eye(3, dtype=cells.dtype, device=cells.device).expand_as(cells)
        self._first_cells = torch.cat([self._first_cells, cells])
        self._deformations = torch.cat([self._deformations, unity])

    def keep(self, staying: Sequence[int]) -> None:
        """Forget all systems but those at ``staying``."""
        chosen = torch.tensor(staying, dtype=torch.int64, device=self._first_cells.device)
        self._first_cells = self._first_cells[chosen]
        self._deformations = self._deformations[chosen]

    def rows(self, batch: GraphBatch) -> Tensor:
        """Where the systems are, (n_systems, 3 + most_atoms, 3), Å."""
        deformations = self._deformations
        undeformed = batch.padded(batch.positions)
        if self.moves_cell:
            undeformed = torch.linalg.solve_ex(deformations, undeformed, left=False).result
        return torch.cat([deformations * self._scale(batch), undeformed], dim=1)

    def forces(self, batch: GraphBatch, evaluation: Evaluation) -> Tensor:
        """What pulls at the rows, (n_systems, 3 + most_atoms, 3), eV/Å."""
        deformations = self._deformations
        on_atoms = batch.padded(evaluation.forces) @ deformations.mT
        on_atoms = torch.where(batch.padded(batch.free), on_atoms, 0.0)
        on_cell = torch.zeros_like(deformations)
        if self.moves_cell:
            assert evaluation.stresses is not None
            volumes = torch.linalg.det(batch.cells).abs()[:, None, None]
            pull = volumes * self.residual_stress(batch, evaluation.stresses)
            on_cell = -torch.linalg.solve_ex(deformations.mT, pull).result
            on_cell = (on_cell + on_cell.mT) / 2 / self._scale(batch)
        return torch.cat([on_cell, on_atoms], dim=1)

    def enthalpies(self, batch: GraphBatch, evaluation: Evaluation) -> Tensor:
        """What `forces` are the slope of, (n_systems,), eV."""
        if not self._held:
            return evaluation.energies
        return evaluation.energies + self._held * torch.linalg.det(batch.cells).abs()

    def residual_stress(self, batch: GraphBatch, stresses: Tensor) -> Tensor:
        """The part of the stress that the cell can still give way to, (n_systems, 3, 3), eV/Å³."""
        unity = torch.eye(3, dtype=stresses.dtype, device=stresses.device)
        if self._mode == "full":
            return stresses
        if self._mode == "volume":
            mean = stresses.diagonal(dim1=1, dim2=2).mean(dim=1)
            return mean[:, None, None] * unity
        normals = torch.linalg.cross(batch.cells[:, 0], batch.cells[:, 1])
        normals = normals / torch.linalg.vector_norm(normals, dim=1, keepdim=True)
        across = torch.einsum("si,sij,sj->s", normals, stresses, normals) + self._held
        return across[:, None, None] * torch.einsum("si,sj->sij", normals, normals)

    def move(self, batch: GraphBatch, rows: Tensor) -> None:
        """Bring the systems to ``rows``."""
        if self.moves_cell:
            self._deformations = rows[:, :CELL_ROWS] / self._scale(batch)
            batch.cells = self._first_cells @ self._deformations
        batch.positions = batch.flat(rows[:, CELL_ROWS:] @ self._deformations)

    def _scale(self, batch: GraphBatch) -> Tensor:
        return batch.atom_counts.to(torch.float64).sqrt()[:, None, None]
