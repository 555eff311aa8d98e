from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import add_adsorbate, bulk, fcc100, fcc111
from ase.calculators.calculator import all_changes
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from ase.filters import ExpCellFilter
from ase.mep import NEB
from ase.optimize import FIRE, LBFGS
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from potentials.ase_engine import AseEngine
from potentials.errors import PotentialError
from potentials.potential import CalculatorPotential
from potentials.protocol import Band, Calculation


def rattled(symbol: str = "Cu", seed: int = 1) -> Atoms:
    atoms = bulk(symbol, cubic=True)
    atoms.rattle(0.1, seed=seed)
    return atoms


def slab_with_gold(x: float) -> Atoms:
    """Au on Cu(100), ``x`` of the way from one hollow to the next, two lowest layers frozen."""
    slab = fcc100("Cu", (3, 2, 3), vacuum=6)
    add_adsorbate(slab, "Au", 1.7, "hollow")
    slab.positions[-1] += x * slab.cell[0] / 3
    slab.set_constraint(FixAtoms(mask=slab.get_tags() > 1))
    return slab


class Sick(EMT):
    """EMT that goes wrong after a few evaluations."""

    def __init__(self, how: str, after: int = 0) -> None:
        super().__init__()
        self.how, self.left = how, after

    def calculate(
        self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes
    ) -> None:
        super().calculate(atoms, properties or ["energy"], system_changes)
        self.left -= 1
        if self.left < 0:
            if self.how == "raises":
                raise RuntimeError("out of memory\nand a long trace")
            if self.how == "nan":
                self.results["forces"] = self.results["forces"] * np.nan
            if self.how == "explodes":
                self.results["forces"] = self.results["forces"] * 1e6
            if self.how == "falls":
                self.results["energy"] = self.results["energy"] - 1e4


def sick(how: str, after: int = 0) -> AseEngine:
    return AseEngine(CalculatorPotential(lambda: Sick(how, after), name=how, elements=("Cu", "Au")))


def test_evaluation_is_ases_own(emt: CalculatorPotential) -> None:
    atoms = rattled()
    (found,) = emt.engine().evaluate([atoms])
    atoms.calc = EMT()
    assert found.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-10)
    assert np.allclose(found.forces, atoms.get_forces(), atol=1e-10)
    assert found.stress is not None
    assert np.allclose(found.stress, atoms.get_stress(voigt=False), atol=1e-10)
    assert found.max_force == pytest.approx(np.linalg.norm(found.forces, axis=1).max())
    assert (found.converged, found.failure, found.steps, found.force_evaluations) == (
        True,
        None,
        0,
        1,
    )


def test_relaxation_goes_back_to_the_minimum_of_another_ase_optimiser(
    emt: CalculatorPotential,
) -> None:
    minimum = rattled("Cu")
    minimum.calc = emt.ase_calculator()
    assert LBFGS(minimum, logfile=None).run(fmax=1e-3, steps=500)
    pushed = minimum.copy()
    pushed.rattle(0.02, seed=2)
    (start,) = AseEngine(emt).evaluate([pushed])
    (found,) = AseEngine(emt).relax([pushed], fmax=1e-3)
    assert found.converged
    assert start.energy > minimum.get_potential_energy() + 1e-3
    assert found.energy == pytest.approx(minimum.get_potential_energy(), abs=1e-4)
    assert found.max_force < 1e-3
    assert found.structure.distance_matrix == pytest.approx(
        AseAtomsAdaptor.get_structure(minimum).distance_matrix, abs=0.01
    )


def test_given_structures_are_left_and_order_and_calls_kept(emt: CalculatorPotential) -> None:
    atoms, structure = rattled("Cu"), AseAtomsAdaptor.get_structure(rattled("Al", 2))
    before, frac = atoms.positions.copy(), structure.frac_coords.copy()
    seen: list[tuple[int, Calculation]] = []
    found = emt.engine().relax([atoms, structure], on_result=lambda *got: seen.append(got))
    assert [result.structure.formula for result in found] == ["Cu4", "Al4"]
    assert [i for i, _ in seen] == [0, 1]
    assert all(got is result for (_, got), result in zip(seen, found, strict=True))
    assert np.array_equal(atoms.positions, before)
    assert np.array_equal(structure.frac_coords, frac)
    assert found[0].force_evaluations == found[0].steps + 1 > 1
    assert emt.engine().relax([]) == []


def test_frozen_atoms_stay_and_do_not_count(emt: CalculatorPotential) -> None:
    slab = slab_with_gold(0.0)
    slab.positions[0] += 0.3
    (found,) = emt.engine().relax([slab], fmax=0.02)
    frozen = slab.get_tags() > 1
    assert found.converged
    assert np.allclose(found.structure.cart_coords[frozen], slab.positions[frozen])
    assert np.linalg.norm(found.forces[frozen], axis=1).max() > 0.02  # as computed, not zeroed
    assert found.structure.site_properties["selective_dynamics"][0] == [False] * 3


@pytest.mark.parametrize("cell", ["volume", "full"])
def test_bulk_cell_relaxes_to_emts_lattice_parameter(emt: CalculatorPotential, cell: Any) -> None:
    strained = bulk("Cu", cubic=True, a=3.75)
    (found,) = emt.engine().relax([strained], fmax=0.01, cell=cell)
    scan = np.linspace(3.5, 3.7, 41)
    energies = []
    for a in scan:
        atoms = bulk("Cu", cubic=True, a=a)
        atoms.calc = EMT()
        energies.append(atoms.get_potential_energy())
    minimum = np.polynomial.Polynomial.fit(scan, energies, 4).deriv().roots()
    best = float(minimum[np.isreal(minimum) & (abs(minimum - 3.6) < 0.1)].real[0])
    assert found.structure.lattice.a == pytest.approx(best, abs=2e-3)
    assert found.stress is not None
    assert np.abs(found.stress).max() < 1e-4


def test_full_cell_agrees_with_ases_other_cell_filter(emt: CalculatorPotential) -> None:
    sheared = rattled()
    sheared.set_cell(sheared.cell.array @ (np.eye(3) + 0.03 * np.eye(3, k=1)), scale_atoms=True)
    (found,) = emt.engine().relax([sheared], fmax=0.002, cell="full")
    sheared.calc = EMT()
    LBFGS(ExpCellFilter(sheared), logfile=None).run(fmax=0.002, steps=500)
    assert found.energy == pytest.approx(sheared.get_potential_energy(), abs=1e-4)
    assert found.structure.volume == pytest.approx(sheared.get_volume(), rel=1e-3)


def test_normal_stress_is_reached_with_the_plane_held(emt: CalculatorPotential) -> None:
    atoms = bulk("Cu", cubic=True)
    (found,) = emt.engine().relax([atoms], fmax=0.01, cell="normal", normal_stress=2.0)
    assert found.converged
    assert found.stress is not None
    assert found.stress[2, 2] == pytest.approx(-2.0 * units.GPa, abs=1e-4)
    assert found.structure.lattice.matrix[:2] == pytest.approx(atoms.cell.array[:2])
    assert found.structure.lattice.matrix[2, 2] < atoms.cell[2, 2]


def test_unconverged_is_a_failure_with_its_last_state(emt: CalculatorPotential) -> None:
    (start,) = emt.engine().evaluate([rattled()])
    (found,) = emt.engine().relax([rattled()], fmax=1e-4, max_steps=2)
    assert not found.converged
    assert found.failure is not None
    assert found.failure.startswith("not converged in 2 steps: largest force")
    assert found.steps == 2
    assert found.energy < start.energy
    assert found.max_force > 1e-4


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("nan", "not a number"),
        ("raises", "RuntimeError: out of memory"),
        ("explodes", "diverged: force"),
        ("falls", "diverged: energy fell"),
    ],
)
def test_failure_in_mid_relaxation_keeps_the_last_good_state(how: str, says: str) -> None:
    (start,) = sick(how, after=1).evaluate([rattled()])
    (found,) = sick(how, after=3).relax([rattled()], fmax=1e-4)
    assert start.failure is None
    assert not found.converged
    assert found.failure is not None
    assert says in found.failure
    assert "\n" not in found.failure
    assert np.isfinite(found.energy)
    assert np.isfinite(found.forces).all()
    assert found.energy <= start.energy


def test_failure_at_once_has_no_energy_and_the_others_go_on(emt: CalculatorPotential) -> None:
    lost = rattled()
    lost.positions[0] = np.nan
    found = emt.engine().relax([lost, rattled()])
    assert found[0].failure is not None
    assert np.isnan(found[0].energy)
    assert found[0].forces.shape == (4, 3)
    assert found[1].converged


def test_path_equals_ases_own_band(emt: CalculatorPotential) -> None:
    engine = emt.engine()
    initial, final = engine.relax([slab_with_gold(0.0), slab_with_gold(1.0)], fmax=0.01)
    assert isinstance(final.structure, Structure)
    final.structure.translate_sites([18], [-1, 0, 0], frac_coords=True, to_unit_cell=False)
    (found,) = engine.neb([Band(initial.structure, final.structure)], n_images=3, fmax=0.02)

    ends = [slab_with_gold(0.0), slab_with_gold(1.0)]
    for end, relaxed in zip(ends, (initial, final), strict=True):
        end.positions = relaxed.structure.cart_coords
    ends[1].positions[18] += ends[1].cell[0]
    images = [ends[0], *(ends[0].copy() for _ in range(3)), ends[1]]
    for image in images:
        image.calc = EMT()
    band = NEB(images, climb=True, method="improvedtangent")
    band.interpolate("idpp")
    assert FIRE(band, logfile=None).run(fmax=0.02, steps=400)
    energies = [image.get_potential_energy() for image in images]

    assert found.converged
    assert found.failure is None
    assert found.barrier == pytest.approx(max(energies) - energies[0], abs=0.005)
    assert found.reverse_barrier == pytest.approx(max(energies) - energies[-1], abs=0.005)
    assert found.max_force < 0.02
    assert found.force_evaluations == 2 + 3 * (found.steps + 1)
    assert len(found.images) == len(found.energies) == 5
    frozen = slab_with_gold(0.0).get_tags() > 1
    for image in found.images:
        assert np.allclose(image.cart_coords[frozen], found.images[0].cart_coords[frozen])
    middle = found.images[2].cart_coords[18] - found.images[0].cart_coords[18]
    half_way = slab_with_gold(0.5).positions[18] - slab_with_gold(0.0).positions[18]
    assert middle[:2] == pytest.approx(half_way[:2], abs=0.02)


@pytest.mark.parametrize("how", ["nan", "raises"])
def test_band_that_fails_does_not_raise(how: str, emt: CalculatorPotential) -> None:
    ends = emt.engine().relax([slab_with_gold(0.0), slab_with_gold(1.0)])
    band = Band(ends[0].structure, ends[1].structure)
    seen = []
    found = sick(how, after=4).neb([band, band], on_result=lambda i, _: seen.append(i))
    assert [path.converged for path in found] == [False, False]
    assert all(path.failure for path in found)
    assert seen == [0, 1]


def test_band_out_of_steps_says_so(emt: CalculatorPotential) -> None:
    ends = emt.engine().relax([slab_with_gold(0.0), slab_with_gold(1.0)])
    (found,) = emt.engine().neb(
        [Band(ends[0].structure, ends[1].structure)], fmax=1e-4, max_steps=3
    )
    assert found.failure is not None
    assert found.failure.startswith("not converged in 3 steps")
    assert np.isfinite(found.barrier)
    assert found.max_force > 1e-4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"fmax": 0.0}, "fmax: 0.0"),
        ({"fmax": float("nan")}, "fmax: nan"),
        ({"max_steps": -1}, "max_steps: -1"),
        ({"cell": "ful"}, "cell: 'ful' is unknown; did you mean full"),
        ({"normal_stress": 1.0}, "normal_stress"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_computed(
    arguments: dict[str, Any], says: str
) -> None:
    with pytest.raises(PotentialError, match=says) as raised:
        sick("raises").relax([rattled()], **arguments)
    assert "\n" not in str(raised.value)


def test_uncovered_elements_and_unfit_bands_are_refused(emt: CalculatorPotential) -> None:
    engine = emt.engine()
    with pytest.raises(PotentialError, match="'emt' does not cover Fe"):
        engine.evaluate([rattled(), bulk("Fe")])
    with pytest.raises(PotentialError, match="order"):
        engine.neb([Band(bulk("Cu"), bulk("Al", "fcc", a=3.61))])
    with pytest.raises(PotentialError, match="cells differ"):
        engine.neb([Band(bulk("Cu"), bulk("Cu", a=3.7))])
    with pytest.raises(PotentialError, match="x-y plane"):
        engine.relax([bulk("Cu")], cell="normal")
    with pytest.raises(PotentialError, match="takes no options"):
        emt.engine("ase", max_atoms_per_batch=10)
    with pytest.raises(PotentialError, match="no batched engine"):
        emt.engine("batched")


def test_thin_slab_in_vacuum_under_normal_stress_keeps_its_plane(emt: CalculatorPotential) -> None:
    slab = fcc111("Cu", (1, 1, 4), vacuum=None, periodic=True)
    slab.center(axis=2, vacuum=0.0)
    slab.cell[2, 2] += 2.0
    (found,) = emt.engine().relax([slab], cell="normal", fmax=0.02)
    assert found.converged
    assert found.structure.lattice.matrix[:2] == pytest.approx(slab.cell.array[:2])
