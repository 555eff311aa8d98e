"""One potential moves the atoms, another gives the energies; ASE has the last word on both."""

import numpy as np
import pytest
from ase.build import bulk, fcc100, molecule
from ase.calculators.emt import EMT
from ase.calculators.morse import MorsePotential

import potentials.final_energies
from potentials.conversion import to_atoms
from potentials.errors import PotentialError
from potentials.final_energies import FinalEnergiesPotential
from potentials.potential import CalculatorPotential
from potentials.protocol import Band


def morse():
    return MorsePotential(epsilon=0.35, r0=2.6, rho0=4.0, rcut1=4.0, rcut2=5.0)


def emt_potential():
    return CalculatorPotential(EMT, name="emt", elements=["Cu", "Al", "N"])


def morse_potential():
    return CalculatorPotential(morse, name="morse", elements=["Cu", "Al", "Li"])


@pytest.fixture(scope="module")
def both():
    return FinalEnergiesPotential(emt_potential(), morse_potential())


def rattled(count=3):
    found = []
    for seed in range(count):
        atoms = bulk("Cu", cubic=True)
        atoms.rattle(0.1, seed=seed)
        found.append(atoms)
    return found


def morse_energy(structure):
    atoms = to_atoms(structure)
    atoms.calc = morse()
    return atoms.get_potential_energy()


@pytest.mark.parametrize("waiting", [1, 6, 1000])
def test_structures_and_forces_are_the_first_ones_and_energies_the_second_ones(
    both, waiting, monkeypatch
):
    monkeypatch.setattr(potentials.final_energies, "_WAITING_ATOMS", waiting)
    told = {}
    results = both.engine().relax(rattled(), fmax=0.02, on_result=told.__setitem__)
    alone = emt_potential().engine().relax(rattled(), fmax=0.02)
    assert [told[i] for i in range(3)] == results
    for result, other in zip(results, alone, strict=True):
        assert result.converged
        assert np.array_equal(result.structure.frac_coords, other.structure.frac_coords)
        assert np.array_equal(result.forces, other.forces)
        assert result.energy == pytest.approx(morse_energy(other.structure), abs=1e-12)
        assert abs(result.energy - other.energy) > 0.1
        assert result.force_evaluations == other.force_evaluations + 1
    (evaluated,) = both.engine().evaluate(rattled(1))
    assert evaluated.energy == pytest.approx(morse_energy(rattled(1)[0]), abs=1e-12)


def test_a_barrier_is_read_from_the_second_ones_energies_of_the_first_ones_images(both):
    slab = fcc100("Cu", (2, 2, 2), vacuum=6.0)
    ends = []
    for shift in (0.0, 0.5):
        atoms = slab.copy()
        hollow = slab.positions[4] + (slab.cell[0] + slab.cell[1]) / 4 + shift * slab.cell[0]
        atoms.extend(type(atoms)("Cu", [hollow + np.array([0.0, 0.0, 1.7])]))
        ends.append(atoms)
    band = Band(*(one.structure for one in emt_potential().engine().relax(ends, fmax=0.03)))
    (path,) = both.engine().neb([band], n_images=3, fmax=0.1)
    (alone,) = emt_potential().engine().neb([band], n_images=3, fmax=0.1)
    assert path.converged
    energies = [morse_energy(image) for image in alone.images]
    assert path.energies == pytest.approx(energies, abs=1e-12)
    assert path.barrier == pytest.approx(max(energies) - energies[0])
    assert path.reverse_barrier == pytest.approx(max(energies) - energies[-1])
    assert abs(path.barrier - alone.barrier) > 0.005


def test_what_failed_has_no_energy(both):
    stuck, fine = both.engine().relax([*rattled(1), bulk("Cu", cubic=True)], max_steps=0)
    assert "not converged" in stuck.failure
    assert np.isnan(stuck.energy)
    assert fine.converged
    band = Band(*rattled(2))
    (path,) = both.engine().neb([band], n_images=1, max_steps=0)
    assert path.failure
    assert np.isnan(path.barrier)


def test_a_final_energy_that_cannot_be_had_fails_its_system():
    class Nowhere(MorsePotential):
        def calculate(self, *arguments, **options):
            super().calculate(*arguments, **options)
            if len(self.atoms) == 1:
                self.results["energy"] = float("nan")

    energies = CalculatorPotential(Nowhere, name="nowhere", elements=["Cu"])
    engine = FinalEnergiesPotential(emt_potential(), energies).engine()
    lost, kept = engine.relax([bulk("Cu"), bulk("Cu", cubic=True)])
    assert lost.failure.startswith("final energy: ")
    assert not lost.converged
    assert kept.converged


def test_the_two_have_an_identity_of_their_own(both):
    swapped = FinalEnergiesPotential(morse_potential(), emt_potential())
    hashes = {one.identity.sha256 for one in (both, swapped, emt_potential(), morse_potential())}
    assert len(hashes) == 4
    assert both.identity.name == "morse on emt"
    for part in (emt_potential().identity, morse_potential().identity):
        assert f"{part.name}, float64, SHA-256 {part.sha256}" in both.identity.parts


def test_only_what_both_cover_is_covered(both):
    assert both.elements == {"Cu", "Al"}
    with pytest.raises(PotentialError, match="does not cover Li"):
        both.check_elements({"Cu", "Li"})
    with pytest.raises(PotentialError, match="cover N"):
        both.engine().evaluate([molecule("N2", vacuum=3.0)])
    with pytest.raises(PotentialError, match="two potentials"):
        both.ase_calculator()
    with pytest.raises(PotentialError, match="leave it out"):
        both.engine("ase")
