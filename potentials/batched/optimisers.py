"""Limited-memory BFGS for many systems at once, one state per system.

Method: Nocedal and Wright, Numerical Optimization, 2nd ed., algorithm 7.4 with the scaling (7.20).
There is no line search, so that a step costs one evaluation: the longest move is capped, and a step
that led clearly uphill is taken back and tried again, half as long at most.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class _Pair:
    """What one step of every system taught of its curvature.

    Attributes:
        moves: (n_systems, n_rows, 3), Å.
        changes: (n_systems, n_rows, 3), eV/Å, by which the forces fell.
        weights: (n_systems,), 1/eV, one over moves times changes; zero if it is of no use.
    """

    moves: Tensor
    changes: Tensor
    weights: Tensor

    def keep(self, chosen: Tensor) -> "_Pair":
        return _Pair(self.moves[chosen], self.changes[chosen], self.weights[chosen])

    def padded(self, rows: tuple[int, ...], joining: int) -> "_Pair":
        room = (*rows, 0, joining)
        return _Pair(
            _pad(self.moves, room), _pad(self.changes, room), _pad(self.weights, (0, joining))
        )

    def without(self, which: Tensor) -> "_Pair":
        return _Pair(self.moves, self.changes, torch.where(which, 0.0, self.weights))


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
        self._pairs: deque[_Pair] = deque(maxlen=MEMORY)
        self._scale, self._caps, self._values = (rows.new_zeros(0) for _ in range(3))

    def keep(self, staying: Sequence[int]) -> None:
        """Forget all systems but those at ``staying``."""
        chosen = torch.tensor(staying, dtype=torch.int64, device=self._forces.device)
        self._coordinates, self._forces = self._coordinates[chosen], self._forces[chosen]
        self._replace_pairs(pair.keep(chosen) for pair in self._pairs)
        self._scale = self._scale[chosen]
        self._caps, self._values = self._caps[chosen], self._values[chosen]

    def forget(self, which: Tensor) -> None:
        """Start the systems where ``which``, (n_systems,), is true afresh: their forces changed."""
        known = which[: len(self._scale)]
        self._replace_pairs(pair.without(known) for pair in self._pairs)

    def _replace_pairs(self, pairs: Iterable[_Pair]) -> None:
        self._pairs = deque(pairs, maxlen=MEMORY)

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
        self._replace_pairs(pair.padded(rows, joining) for pair in self._pairs)
        self._scale = _pad(self._scale, (0, joining), 1 / FIRST_STIFFNESS)
        self._caps = _pad(self._caps, (0, joining), LONGEST_MOVE)
        self._values = _pad(self._values, (0, joining), torch.inf)

    def _learn(self, move: Tensor, change: Tensor) -> None:
        """Note the newest pair; one without positive curvature gets no weight."""
        curvature = _dot(move, change)
        useful = curvature > 0
        self._pairs.append(_Pair(move, change, torch.where(useful, 1 / curvature, 0.0)))
        self._scale = torch.where(useful, curvature / change.square().sum(dim=(1, 2)), self._scale)

    def _direction(self, forces: Tensor) -> Tensor:
        """Inverse Hessian times forces, by the two-loop recursion."""
        direction = forces
        shares: list[Tensor] = []
        for pair in reversed(self._pairs):
            share = pair.weights * _dot(pair.moves, direction)
            direction = torch.addcmul(direction, share[:, None, None], pair.changes, value=-1)
            shares.append(share)
        direction = direction * self._scale[:, None, None]
        for pair, share in zip(self._pairs, reversed(shares), strict=True):
            share = share - pair.weights * _dot(pair.changes, direction)
            direction = torch.addcmul(direction, share[:, None, None], pair.moves)
        return direction


def _dot(one: Tensor, other: Tensor) -> Tensor:
    """Product of each system's rows, (n_systems,)."""
    return (one * other).sum(dim=(1, 2))


def _longest(moves: Tensor) -> Tensor:
    """Longest move of a row of each system, (n_systems,), Å."""
    return torch.linalg.vector_norm(moves, dim=2).amax(dim=1)


def _pad(values: Tensor, room: tuple[int, ...], fill: float = 0.0) -> Tensor:
    return torch.nn.functional.pad(values, room, value=fill)
