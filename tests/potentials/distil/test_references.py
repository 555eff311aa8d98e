import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from potentials.distil.references import fit_references, fit_shifts

TRUE = {3: -1.9, 29: -3.7, 79: -3.1}


def frames() -> list[Atoms]:
    found = []
    rng = np.random.default_rng(0)
    for _ in range(40):
        numbers = rng.choice([3, 29], size=rng.integers(1, 9))
        atoms = Atoms(numbers=numbers, positions=np.zeros((len(numbers), 3)))
        atoms.calc = SinglePointCalculator(atoms, energy=sum(TRUE[int(z)] for z in numbers))
        found.append(atoms)
    return found


def test_energies_that_are_sums_over_elements_are_found():
    found = fit_references(frames(), [3, 29], {3: 0.0, 29: 0.0}, ridge=1e-9)
    assert found == pytest.approx([-1.9, -3.7], abs=1e-6)


def test_an_element_without_frames_keeps_its_prior():
    found = fit_references(frames(), [3, 29, 79], {3: 0.0, 29: 0.0, 79: -2.5}, ridge=1.0)
    assert found[2] == pytest.approx(-2.5)


def test_shift_between_two_zeros_is_found():
    given = frames()
    predicted = [frame.get_potential_energy() for frame in given]
    wanted = [
        e + 0.5 * (f.numbers == 3).sum() - 2.0 * (f.numbers == 29).sum()
        for e, f in zip(predicted, given, strict=True)
    ]
    assert fit_shifts(given, wanted, predicted, [3, 29, 79]) == pytest.approx(
        [0.5, -2.0, 0.0], abs=1e-3
    )


def test_a_few_frames_that_the_network_is_bad_at_do_not_shift_their_elements():
    """Surfaces: every sixth frame's energy is 0.3 eV/atom off."""
    given = frames()
    predicted = [frame.get_potential_energy() for frame in given]
    wanted = [
        energy + 0.5 * len(frame) + (0.3 * len(frame) if i % 6 == 0 else 0.0)
        for i, (energy, frame) in enumerate(zip(predicted, given, strict=True))
    ]
    assert fit_shifts(given, wanted, predicted, [3, 29]) == pytest.approx([0.5, 0.5], abs=0.01)
