"""L-BFGS on problems whose solution is known, in padded batches."""

import numpy as np
import torch

from potentials.batched.optimisers import FIRST_STIFFNESS, LONGEST_MOVE, MEMORY, Lbfgs

CPU = torch.device("cpu")


def quadratic(n_rows: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A positive definite Hessian with stiffnesses from 0.5 to 50 eV/Å², and a minimum."""
    generator = torch.Generator().manual_seed(seed)
    random = torch.randn((3 * n_rows, 3 * n_rows), generator=generator, dtype=torch.float64)
    axes, _ = torch.linalg.qr(random)
    stiffness = torch.logspace(-0.3, 1.7, 3 * n_rows, dtype=torch.float64)
    minimum = 0.3 * torch.randn((n_rows, 3), generator=generator, dtype=torch.float64)
    return axes @ torch.diag(stiffness) @ axes.T, minimum


def forces_at(coordinates: torch.Tensor, problems) -> torch.Tensor:
    forces = torch.zeros_like(coordinates)
    for i, (hessian, minimum) in enumerate(problems):
        n_rows = len(minimum)
        away = (coordinates[i, :n_rows] - minimum).flatten()
        forces[i, :n_rows] = -(hessian @ away).view(-1, 3)
    return forces


def test_finds_the_minima_of_padded_problems_together() -> None:
    problems = [quadratic(4, 0), quadratic(7, 1), quadratic(2, 2)]
    coordinates = torch.zeros((3, 7, 3), dtype=torch.float64)
    optimiser = Lbfgs(CPU)
    for _ in range(50):
        coordinates = coordinates + optimiser.step(coordinates, forces_at(coordinates, problems))
    assert forces_at(coordinates, problems).norm(dim=2).max() < 1e-5
    for i, (_, minimum) in enumerate(problems):
        assert (coordinates[i, : len(minimum)] - minimum).abs().max() < 1e-4
        assert coordinates[i, len(minimum) :].abs().max() == 0 if len(minimum) < 7 else True


def test_each_system_moves_as_if_it_were_alone_whoever_comes_and_goes() -> None:
    problems = [quadratic(4, 0), quadratic(7, 1), quadratic(5, 3)]
    alone, optimiser = [torch.zeros((1, 7, 3), dtype=torch.float64)], Lbfgs(CPU)
    for _ in range(6):
        forces = forces_at(alone[-1], problems[1:2])
        alone.append(alone[-1] + optimiser.step(alone[-1], forces))
    together, optimiser = torch.zeros((2, 7, 3), dtype=torch.float64), Lbfgs(CPU)
    for _ in range(3):
        together = together + optimiser.step(together, forces_at(together, problems[:2]))
    optimiser.keep([1])
    together = torch.cat([together[1:], torch.zeros((1, 7, 3), dtype=torch.float64)])
    for _ in range(3):
        together = together + optimiser.step(together, forces_at(together, problems[1:]))
    assert torch.allclose(together[0], alone[-1][0], atol=1e-12)


def two_loops(
    steps: list[tuple[np.ndarray, np.ndarray]], force: np.ndarray, first_stiffness: float
) -> np.ndarray:
    """Nocedal and Wright, algorithm 7.4, as it stands in the book."""
    useful = [(move, fall) for move, fall in steps if move @ fall > 0]
    direction, shares = force.copy(), []
    for move, fall in reversed(useful):
        shares.append(move @ direction / (move @ fall))
        direction -= shares[-1] * fall
    move, fall = useful[-1] if useful else (np.ones(1), first_stiffness * np.ones(1))
    direction *= (move @ fall) / (fall @ fall)
    for (move, fall), share in zip(useful, reversed(shares), strict=True):
        direction += (share - fall @ direction / (move @ fall)) * move
    return direction


def test_directions_are_those_of_the_two_loops_of_the_textbook() -> None:
    random = np.random.default_rng(3)
    n_steps = MEMORY + 8
    moves = 0.01 * random.normal(size=(2, n_steps, 4, 3))
    stiffness = 5 + 20 * random.random((2, 1, 4, 3))
    stiffness = np.where(random.random((2, n_steps, 1, 1)) < 0.2, -stiffness, stiffness)
    forces = random.normal(size=(2, 4, 3)) * 0.01
    coordinates = np.zeros((2, 4, 3))
    optimiser = Lbfgs(CPU)
    optimiser.step(torch.tensor(coordinates), torch.tensor(forces))
    for k in range(n_steps):
        coordinates += moves[:, k]
        forces -= stiffness[:, k] * moves[:, k]
        step = optimiser.step(torch.tensor(coordinates), torch.tensor(forces)).numpy()
        for i in range(2):
            known = [
                (moves[i, j].ravel(), (stiffness[i, j] * moves[i, j]).ravel())
                for j in range(max(0, k + 1 - MEMORY), k + 1)
            ]
            expected = two_loops(known, forces[i].ravel(), FIRST_STIFFNESS).reshape(4, 3)
            longest = np.linalg.norm(expected, axis=1).max()
            expected *= LONGEST_MOVE / max(longest, LONGEST_MOVE)
            assert np.allclose(step[i], expected, rtol=1e-8, atol=1e-12)


def test_no_atom_moves_further_than_allowed() -> None:
    coordinates = torch.zeros((1, 2, 3), dtype=torch.float64)
    forces = torch.tensor([[[100.0, 0.0, 0.0], [0.0, 1.0, 0.0]]], dtype=torch.float64)
    moves = Lbfgs(CPU).step(coordinates, forces)
    assert torch.allclose(moves.norm(dim=2).max(), torch.tensor(LONGEST_MOVE).double())
    assert torch.allclose(moves[0, 1, 1] / moves[0, 0, 0], torch.tensor(0.01).double())


def test_forgotten_history_gives_a_first_step_again() -> None:
    problems = [quadratic(3, 5)]
    coordinates, optimiser = torch.zeros((1, 3, 3), dtype=torch.float64), Lbfgs(CPU)
    for _ in range(4):
        forces = forces_at(coordinates, problems)
        coordinates = coordinates + optimiser.step(coordinates, forces)
    optimiser.forget(torch.tensor([True]))
    forces = forces_at(coordinates, problems)
    # Only the newest pair is known: the step lies in the plane of the force and that pair.
    pair = optimiser._coordinates
    move = optimiser.step(coordinates, forces)
    plane = torch.stack([forces.flatten(), (coordinates - pair).flatten()]).T
    last = (forces_at(pair, problems) - forces).flatten()[:, None]
    space = torch.cat([plane, last], dim=1)
    fit = torch.linalg.lstsq(space, move.flatten()[:, None]).solution
    assert (space @ fit - move.flatten()[:, None]).abs().max() < 1e-10
