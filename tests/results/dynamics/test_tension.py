"""Surface tensions against energies of films that are stretched."""

import numpy as np
import pytest
from ase import Atoms

from potentials.batched import BatchedEngine
from results.dynamics.tension import surface_tension, tension_series
from results.errors import ResultsError
from results.quantities import EV_PER_A2_IN_J_PER_M2
from tests.potentials.batched.networks import gupta


def soft_film(seed):
    """A disordered film of Cu, random enough that no two directions are alike."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in (4, 4, 3)), indexing="ij"), -1)
    places = grid.reshape(-1, 3) * 2.5 + rng.normal(0, 0.15, (48, 3)) + [0, 0, 5.0]
    return Atoms("Cu48", positions=places, cell=[[10, 0, 0], [3, 9.5, 0], [1, 2, 24]], pbc=True)


def test_it_is_half_the_energy_per_area_at_constant_volume():
    """γ = ½ dE/dA while the volume stays: the thermodynamic way to the mechanical number."""
    engine = BatchedEngine(gupta())
    atoms = soft_film(0)
    (here,) = engine.evaluate([atoms])
    told = tension_series(here.stress[None], atoms.cell.array[None])[0]
    step = 1e-4
    energies, areas = [], []
    for sign in (-1, 1):
        stretch = np.diag([1 + sign * step, 1 + sign * step, (1 + sign * step) ** -2])
        stretched = atoms.copy()
        stretched.set_cell(atoms.cell.array @ stretch, scale_atoms=False)
        stretched.positions = atoms.positions @ stretch
        energies.append(engine.evaluate([stretched])[0].energy)
        areas.append(np.linalg.norm(np.cross(*stretched.cell.array[:2])))
    slope = (energies[1] - energies[0]) / (areas[1] - areas[0])
    assert abs(told) > 0.1
    assert told == pytest.approx(slope / 2 * EV_PER_A2_IN_J_PER_M2, rel=1e-4)


def test_a_turned_film_has_the_same():
    stress = np.array([[0.02, 0.001, 0.0], [0.001, 0.01, 0.003], [0.0, 0.003, 0.004]])
    cell = np.array([[12.0, 0, 0], [3, 11, 0], [1, 2, 40]])
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    upright = tension_series(stress[None], cell[None])
    assert upright == pytest.approx(20 * (0.015 - 0.004) * EV_PER_A2_IN_J_PER_M2)
    assert tension_series((turn.T @ stress @ turn)[None], (cell @ turn)[None]) == pytest.approx(
        upright
    )


def test_the_error_covers_a_known_mean():
    """Noise with a memory about a known tension: inside two errors in about 95 % of 100 runs."""
    n_frames, memory, known = 600, 0.6, 0.4
    cells = np.tile(np.diag([15.0, 15.0, 40.0]), (n_frames, 1, 1))
    inside = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        noise = np.zeros(n_frames)
        for frame in range(1, n_frames):
            noise[frame] = memory * noise[frame - 1] + rng.normal(0, 0.1)
        stresses = np.zeros((n_frames, 3, 3))
        stresses[:, 2, 2] = -(known + noise) / EV_PER_A2_IN_J_PER_M2 / 20
        found = surface_tension(stresses, cells, rng.normal(size=n_frames))
        assert found.reason is None
        inside += abs(found.value - known) < 2 * found.error
    assert 86 <= inside <= 100


def test_what_tells_nothing_says_so():
    cells = np.tile(np.eye(3) * 20, (5, 1, 1))
    short = surface_tension(np.zeros((5, 3, 3)), cells, np.zeros(5))
    assert "too short" in short.reason
    with pytest.raises(ResultsError, match="shape"):
        tension_series(np.zeros((5, 6)), cells)
    with pytest.raises(ResultsError, match="not numbers"):
        surface_tension(np.full((5, 3, 3), np.nan), cells, np.zeros(5))
