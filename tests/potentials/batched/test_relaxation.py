"""Relaxations against ASE's, and the queue around them."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.units import GPa
from pymatgen.io.ase import AseAtomsAdaptor

from potentials.batched import BatchedEngine
from tests.potentials.batched.networks import (
    PlainPotential,
    ase_engine,
    gupta,
)
from tests.potentials.batched.systems import alloy, slab

SLABS = [
    slab(metal, facet, adatom, seed)
    for seed, (metal, facet, adatom) in enumerate(
        [
            ("Cu", "111", None),
            ("Cu", "100", "Ag"),
            ("Au", "110", None),
            ("Al", "111", "Cu"),
            ("Ni", "100", None),
            ("Ag", "110", "Au"),
        ]
    )
]


@pytest.fixture(scope="module")
def engine() -> BatchedEngine:
    return BatchedEngine(gupta())


def test_minima_of_ase_with_fewer_evaluations(engine: BatchedEngine) -> None:
    results = engine.relax(SLABS, fmax=0.005)
    references = ase_engine(gupta()).relax(SLABS, fmax=0.005)
    for result, reference in zip(results, references, strict=True):
        assert result.converged
        assert result.max_force < 0.005
        assert abs(result.energy - reference.energy) < 1e-3
        assert result.stress == pytest.approx(reference.stress, abs=5e-4)
    spent = sum(result.force_evaluations for result in results)
    assert spent < 0.6 * sum(reference.force_evaluations for reference in references)


@pytest.mark.parametrize("cell", ["volume", "full"])
def test_cells_of_ase(engine: BatchedEngine, cell: str) -> None:
    structures = [alloy(seed) for seed in range(2)]
    results = engine.relax(structures, fmax=0.005, cell=cell)
    references = ase_engine(gupta()).relax(structures, fmax=0.005, cell=cell)
    for result, reference in zip(results, references, strict=True):
        assert result.converged
        assert abs(result.energy - reference.energy) < 1e-3
        assert result.structure.volume == pytest.approx(reference.structure.volume, rel=1e-3)
        assert result.stress is not None


def test_volume_mode_keeps_the_shape(engine: BatchedEngine) -> None:
    atoms = alloy(4)
    (result,) = engine.relax([atoms], cell="volume")
    ratio = result.structure.lattice.matrix @ np.linalg.inv(atoms.cell.array)
    assert np.allclose(ratio, ratio[0, 0] * np.eye(3), atol=1e-9)


def test_normal_stress_is_held_and_the_in_plane_cell_kept(engine: BatchedEngine) -> None:
    atoms = Atoms("Cu4", cell=[3.7, 3.7, 3.5], pbc=True)
    atoms.set_scaled_positions([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    (result,) = engine.relax([atoms], cell="normal", normal_stress=3.0, fmax=0.002)
    assert result.converged
    assert np.allclose(result.structure.lattice.matrix[:2], atoms.cell.array[:2], atol=1e-12)
    assert -result.stress[2, 2] / GPa == pytest.approx(3.0, abs=0.01)
    reference = ase_engine(gupta()).relax([atoms], cell="normal", normal_stress=3.0, fmax=0.002)
    assert result.structure.lattice.c == pytest.approx(reference[0].structure.lattice.c, rel=1e-3)


def test_a_strained_crystal_relaxes_in_its_fixed_cell() -> None:
    """Its stress, which nothing gives way to, is reported and does not steer the optimiser."""
    atoms = alloy(1)
    atoms.set_cell(1.03 * atoms.cell, scale_atoms=True)
    (result,) = BatchedEngine(gupta()).relax([atoms], fmax=0.005)
    (reference,) = ase_engine(gupta()).relax([atoms], fmax=0.005)
    assert result.converged
    assert result.force_evaluations <= reference.force_evaluations
    assert result.energy == pytest.approx(reference.energy, abs=1e-3)
    assert abs(np.trace(result.stress)) > 0.03
    assert result.stress == pytest.approx(reference.stress, abs=5e-4)


def test_frozen_atoms_stay_and_are_not_judged(engine: BatchedEngine) -> None:
    atoms = slab("Cu", "100", "Ag")
    structure = AseAtomsAdaptor.get_structure(atoms)
    frozen = atoms.constraints[0].index
    for given in (atoms, structure):
        (result,) = engine.relax([given])
        assert result.converged
        assert np.allclose(
            result.structure.cart_coords[frozen], atoms.positions[frozen], atol=1e-10
        )
        kept = np.array(result.structure.site_properties["selective_dynamics"])
        assert (~kept.all(axis=1)).sum() == len(frozen)
    assert np.linalg.norm(result.forces[frozen], axis=1).max() > result.max_force


def test_one_direction_may_be_frozen(engine: BatchedEngine) -> None:
    atoms = slab("Cu", "100", "Ag")
    structure = AseAtomsAdaptor.get_structure(atoms)
    free = [[True, True, True]] * len(atoms)
    free[-1] = [False, False, True]
    structure.add_site_property("selective_dynamics", free)
    (result,) = engine.relax([structure])
    moved = result.structure.cart_coords[-1] - structure.cart_coords[-1]
    assert np.abs(moved[:2]).max() < 1e-10
    assert abs(moved[2]) > 1e-3


def test_order_and_company_do_not_matter() -> None:
    alone = [BatchedEngine(gupta()).relax([atoms])[0] for atoms in SLABS]
    together = BatchedEngine(gupta(), max_atoms_per_batch=45).relax(SLABS[::-1])
    for one, other in zip(alone, together[::-1], strict=True):
        assert one.steps == other.steps
        assert abs(one.energy - other.energy) < 1e-6
        assert np.abs(one.structure.cart_coords - other.structure.cart_coords).max() < 1e-4


def test_results_come_as_systems_finish_and_graphs_are_made_as_they_enter(monkeypatch) -> None:
    events: list[str] = []
    engine = BatchedEngine(gupta(), max_atoms_per_batch=40)
    read = engine._evaluator.read
    monkeypatch.setattr(
        engine._evaluator, "read", lambda structure: events.append("enter") or read(structure)
    )
    order = []

    def on_result(index: int, result) -> None:
        events.append("done")
        order.append((index, result))

    results = engine.relax(SLABS, on_result=on_result)
    assert sorted(index for index, _ in order) == list(range(len(SLABS)))
    assert all(results[index] is result for index, result in order)
    inside = np.cumsum([1 if event == "enter" else -1 for event in events])
    assert inside.max() <= 2
    assert inside[-1] == 0


def test_one_that_diverges_is_dropped_and_the_others_go_on() -> None:
    coincident, unknown = alloy(0), alloy(1)
    coincident.positions[1] = coincident.positions[0]
    unknown.positions[2] = np.nan
    results = BatchedEngine(gupta()).relax([alloy(0), coincident, unknown, alloy(2)])
    for result in (results[0], results[3]):
        assert result.failure is None
        assert result.converged
    assert not results[1].converged
    assert results[1].failure.startswith("diverged: force of")
    assert not results[2].converged
    assert "not a number" in results[2].failure
    assert np.isnan(results[2].energy)


class _Hole(torch.nn.Module):
    """Ever stronger attraction to a point: every system falls without end."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))

    def forward(self, data, compute_force=True, compute_stress=False):  # noqa: ARG002
        heights = data["positions"][:, 2]
        energy = torch.zeros(len(data["ptr"]) - 1, dtype=torch.float64)
        energy = energy.index_add(0, data["batch"], -torch.exp(heights))
        forces = torch.zeros_like(data["positions"])
        forces[:, 2] = torch.exp(heights)
        return {
            "energy": energy,
            "forces": forces,
            "stress": torch.zeros(len(energy), 3, 3, dtype=torch.float64),
        }


def test_a_bottomless_fall_is_given_up_with_its_last_sound_state() -> None:
    with torch.no_grad():
        (result,) = BatchedEngine(PlainPotential(_Hole(), ("Cu",), 4.0)).relax(
            [slab("Cu")], max_steps=500
        )
    assert result.failure.startswith("diverged")
    assert not result.converged
    assert np.isfinite(result.energy)
    assert np.isfinite(result.forces).all()


class _Cliff(torch.nn.Module):
    """A valley whose far side is so steep that the first steps overshoot."""

    def __init__(self) -> None:
        super().__init__()
        self.steepness = torch.nn.Parameter(torch.tensor(60.0, dtype=torch.float64))

    def forward(self, data, compute_force=True, compute_stress=False):  # noqa: ARG002
        x = data["positions"][:, 2]
        wall = torch.exp(self.steepness * (x - 0.1))
        on_atoms = -x + wall
        energy = torch.zeros(len(data["ptr"]) - 1, dtype=torch.float64)
        forces = torch.zeros_like(data["positions"])
        forces[:, 2] = 1 - self.steepness * wall
        energy = energy.index_add(0, data["batch"], on_atoms)
        return {
            "energy": energy,
            "forces": forces,
            "stress": torch.zeros(len(energy), 3, 3, dtype=torch.float64),
        }


def test_a_step_that_leads_uphill_is_taken_back() -> None:
    """Against a wall the first steps overshoot by eight orders of magnitude."""
    atoms = Atoms("Cu2", positions=[[0, 0, -0.3], [0, 0, -0.25]], cell=[4, 4, 4], pbc=True)
    with torch.no_grad():
        (result,) = BatchedEngine(PlainPotential(_Cliff(), ("Cu",), 4.0)).relax([atoms], fmax=1e-3)
    assert result.converged
    bottom = 0.1 + np.log(1 / 60) / 60
    assert np.allclose(result.structure.cart_coords[:, 2], bottom, atol=1e-4)


def test_out_of_steps_is_a_failure_that_keeps_its_state(engine: BatchedEngine) -> None:
    (result,) = engine.relax([SLABS[1]], fmax=0.001, max_steps=3)
    assert result.failure.startswith("not converged in 3 steps: largest force")
    assert not result.converged
    assert result.steps == 3
    assert result.force_evaluations == 4
    assert np.isfinite(result.energy)


def test_nothing_given_nothing_back(engine: BatchedEngine) -> None:
    assert engine.relax([]) == []
    assert engine.evaluate([]) == []
