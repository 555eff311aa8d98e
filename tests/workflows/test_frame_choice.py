import numpy as np
import pytest
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT

from potentials.potential import CalculatorPotential
from tests.workflows.emt_potential import load_emt
from workflows.errors import WorkflowError
from workflows.frame_choice import SAME, choose_frames, descriptor, disagreements


class ScaledEMT(EMT):
    """EMT with every force made larger by a factor."""

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results["forces"] = 1.5 * self.results["forces"]


def scaled():
    return CalculatorPotential(ScaledEMT, name="scaled", elements=["Cu", "Au"], sha256="1" * 64)


def shaken(size: float, seed: int = 0, symbol: str = "Cu"):
    atoms = bulk(symbol, cubic=True)
    atoms.rattle(size, seed=seed)
    atoms.info["system"] = symbol
    return atoms


def test_disagreement_is_the_spread_of_the_committees_forces():
    frames = [bulk("Cu", cubic=True), shaken(0.05), shaken(0.2)]
    found = disagreements(frames, [load_emt("emt"), scaled()])
    for frame, value in zip(frames, found, strict=True):
        frame.calc = EMT()
        norms = np.linalg.norm(frame.get_forces(), axis=1)
        # two members at F and 1.5 F stand a quarter of F from their mean
        assert value == pytest.approx(0.25 * norms.max(), abs=1e-9)
    with pytest.raises(WorkflowError, match="one potential cannot disagree"):
        disagreements(frames, [scaled()])


def test_a_frame_that_a_member_fails_on_is_never_chosen():
    broken = shaken(0.05)
    broken.positions[0] = np.nan
    found = disagreements([broken, shaken(0.05)], [load_emt("emt"), scaled()])
    assert np.isnan(found[0])
    chosen = choose_frames([broken, shaken(0.05)], found, [1.0, 1.0], 10.0)
    assert [choice.position for choice in chosen] == [1]


def test_systems_take_turns_each_with_its_most_disagreed_frame():
    frames = [shaken(0.02 * (i + 1), i) for i in range(4)]
    frames += [shaken(0.02 * (i + 1), i, "Au") for i in range(2)]
    disagreement = np.array([0.1, 0.4, 0.3, 0.2, 0.05, 0.01])
    chosen = choose_frames(frames, disagreement, [1.0] * 6, 4.0)
    assert [choice.position for choice in chosen] == [1, 4, 2, 5]
    assert chosen[0].disagreement == 0.4


def test_the_limit_holds_and_is_filled_with_what_still_fits():
    frames = [shaken(0.1, seed) for seed in range(4)]
    chosen = choose_frames(frames, np.array([4.0, 3.0, 2.0, 1.0]), [50.0, 60.0, 30.0, 20.0], 100.0)
    assert [choice.position for choice in chosen] == [0, 2, 3]


def test_doubles_of_chosen_and_of_known_frames_are_left_out():
    one, other = shaken(0.1, 0), shaken(0.1, 1)
    turned = one.copy()
    turned.rotate(30.0, "z", rotate_cell=True)
    turned = turned[[2, 0, 3, 1]]
    chosen = choose_frames([one, turned, other], np.array([3.0, 2.0, 1.0]), [1.0] * 3, 10.0)
    assert [choice.position for choice in chosen] == [0, 2]
    chosen = choose_frames([one, other], np.array([3.0, 1.0]), [1.0] * 2, 10.0, known=[turned])
    assert [choice.position for choice in chosen] == [1]
    # a supercell holds nothing new
    assert not choose_frames([one * (2, 1, 1)], np.array([1.0]), [1.0], 10.0, known=[one])


def test_the_descriptor_tells_apart_what_differs_by_more_than_noise():
    crystal = bulk("Cu", cubic=True)
    noisy, moved, strained = crystal.copy(), crystal.copy(), crystal.copy()
    noisy.rattle(0.005, seed=3)
    moved.rattle(0.1, seed=3)
    strained.set_cell(crystal.cell * 1.02, scale_atoms=True)
    apart = [np.linalg.norm(descriptor(each) - descriptor(crystal)) for each in (noisy, moved)]
    assert apart[0] < SAME < apart[1]
    assert np.linalg.norm(descriptor(strained) - descriptor(crystal)) > SAME
    slab = fcc111("Cu", (1, 1, 3), vacuum=5.0)
    slab.pbc = True
    assert np.linalg.norm(descriptor(slab) - descriptor(crystal)) > 10 * SAME
