"""Limited-memory BFGS for many systems at once, one state per system.

Method: Nocedal and Wright, Numerical Optimization, 2nd ed., algorithm 7.4 with the scaling (7.20),
its two loops written as the products of matrices that they are (Byrd, Nocedal and Schnabel, Math.
Program. 63, 129 (1994)): for systems of this size a loop's time is that of starting its operations.
There is no line search, so that a step costs one evaluation: the longest move is capped, and a step
that led clearly uphill is taken back and tried again, half as long at most.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

MEMORY = 25
LONGEST_MOVE = 0.2
"""Å, of any atom in one step."""
SHORTEST_CAP = 0.002
"""Å; not worth another try: energies and forces must disagree."""
UPHILL = 5e-3
"""eV; more than the noise of single precision, less than a step that goes wrong."""
FIRST_STIFFNESS = 20.0
"""eV/Å², a typical curvature of metals and ionic crystals, for the first step only."""


class Lbfgs:
    """Quasi-Newton steps of systems that are padded to one shape.

    All arrays are (n_systems, n_rows, 3); a system's rows after its last are zero.
    """

    def __init__(self, device: torch.device) -> None:
        """No systems yet.

        Args:
            device: where the state lives.
        """
        rows = torch.zeros((0, 0, 3), dtype=torch.float64, device=device)
        self._coordinates, self._forces = rows, rows
        # What past steps taught of the curvature, oldest first: by how much the coordinates moved
        # and the forces fell, (n_systems, n_steps, n_rows, 3); zero where it is of no use.
        self._moves = rows.new_zeros((0, 0, 0, 3))
        self._changes = self._moves
        self._scale, self._caps, self._values = (rows.new_zeros(0) for _ in range(3))

    def keep(self, staying: Sequence[int]) -> None:
        """Forget all systems but those at ``staying``."""
        chosen = torch.tensor(staying, dtype=torch.int64, device=self._forces.device)
        self._coordinates, self._forces = self._coordinates[chosen], self._forces[chosen]
        self._moves, self._changes = self._moves[chosen], self._changes[chosen]
        self._scale = self._scale[chosen]
        self._caps, self._values = self._caps[chosen], self._values[chosen]

    def forget(self, which: Tensor) -> None:
        """Start the systems where ``which``, (n_systems,), is true afresh: their forces changed."""
        known = which[: len(self._scale), None, None, None]
        self._moves = torch.where(known, 0.0, self._moves)
        self._changes = torch.where(known, 0.0, self._changes)

    def step(self, coordinates: Tensor, forces: Tensor, values: Tensor | None = None) -> Tensor:
        """The next move of every system.

        Systems that joined since the last call stand behind the others and start afresh.

        Args:
            coordinates: (n_systems, n_rows, 3), Å.
            forces: (n_systems, n_rows, 3), eV/Å, zero where nothing may move.
            values: (n_systems,), eV, what the forces are the slope of; None where there is nothing,
                and no step is taken back.

        Returns:
            What to add to ``coordinates``.
        """
        self._make_room(coordinates, forces)
        moved = coordinates - self._coordinates
        self._learn(moved, self._forces - forces)
        back = torch.zeros_like(coordinates)
        if values is not None:
            worse = (values > self._values + UPHILL) & (self._caps > SHORTEST_CAP)
            back = torch.where(worse[:, None, None], -moved, 0.0)
            forces = torch.where(worse[:, None, None], self._forces, forces)
            self._values = torch.where(worse, self._values, values)
            grown = (2 * self._caps).clamp(max=LONGEST_MOVE)
            self._caps = torch.where(worse, _longest(moved) / 2, grown)
        self._coordinates, self._forces = coordinates + back, forces
        moves = self._direction(forces)
        shortened = self._caps / torch.maximum(_longest(moves), self._caps)
        return back + moves * shortened[:, None, None]

    def _make_room(self, coordinates: Tensor, forces: Tensor) -> None:
        """Bring the state to the shape of ``coordinates``; a newcomer's last move is none."""
        n_systems, n_rows, _ = coordinates.shape
        known, known_rows, _ = self._coordinates.shape
        if (n_systems, n_rows) == (known, known_rows):
            return
        rows = (0, 0, 0, n_rows - known_rows)  # negative where the largest system has left
        joining = n_systems - known
        self._coordinates = torch.cat([_pad(self._coordinates, rows), coordinates[known:]])
        self._forces = torch.cat([_pad(self._forces, rows), forces[known:]])
        room = (*rows, 0, 0, 0, joining)
        self._moves, self._changes = _pad(self._moves, room), _pad(self._changes, room)
        self._scale = _pad(self._scale, (0, joining), 1 / FIRST_STIFFNESS)
        self._caps = _pad(self._caps, (0, joining), LONGEST_MOVE)
        self._values = _pad(self._values, (0, joining), torch.inf)

    def _learn(self, move: Tensor, change: Tensor) -> None:
        """Note the newest step; one without positive curvature is of no use."""
        curvature = (move * change).sum(dim=(1, 2))
        useful = curvature > 0
        of_use = useful[:, None, None]
        self._moves = _with(self._moves, torch.where(of_use, move, 0.0))
        self._changes = _with(self._changes, torch.where(of_use, change, 0.0))
        self._scale = torch.where(useful, curvature / change.square().sum(dim=(1, 2)), self._scale)

    def _direction(self, forces: Tensor) -> Tensor:
        """Inverse Hessian times forces."""
        moves, changes = self._moves.flatten(2), self._changes.flatten(2)
        products = moves @ changes.mT
        curvatures = products.diagonal(dim1=1, dim2=2)
        # Of each step with the later ones; one where nothing was learnt keeps it invertible.
        later = products.triu() + torch.where(curvatures == 0, 1.0, 0.0).diag_embed()
        direction = forces.flatten(1)[:, :, None]
        shares = torch.linalg.solve_triangular(later, moves @ direction, upper=True)
        direction = (direction - changes.mT @ shares) * self._scale[:, None, None]
        lacking = curvatures[:, :, None] * shares - changes @ direction
        lacking = torch.linalg.solve_triangular(later.mT, lacking, upper=False)
        return (direction + moves.mT @ lacking).view_as(forces)


def _with(steps: Tensor, newest: Tensor) -> Tensor:
    """``steps``, (n_systems, n_steps, n_rows, 3), and ``newest``; without the oldest if need be."""
    return torch.cat([steps[:, -(MEMORY - 1) :], newest[:, None]], dim=1)


def _longest(moves: Tensor) -> Tensor:
    """Longest move of a row of each system, (n_systems,), Å."""
    return torch.linalg.vector_norm(moves, dim=2).amax(dim=1)


def _pad(values: Tensor, room: tuple[int, ...], fill: float = 0.0) -> Tensor:
    return torch.nn.functional.pad(values, room, value=fill)
