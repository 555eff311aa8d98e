"""Seeds and coatings with final energies: every number is that of the second potential.

Both potentials here leave every structure as it was built. So what the second one finds alone is
what the two have to find together, and not what the first one finds.
"""

from dataclasses import replace

import numpy as np
import pytest

from potentials.conversion import to_atoms, to_structure
from potentials.identity import PotentialIdentity
from potentials.interpolation import interpolated
from potentials.potential import Potential
from potentials.protocol import Calculation, MinimumEnergyPath
from structures import crystal
from workflows.coatings import CoatingScreenMaker
from workflows.collector_jobs import InterfaceLimits, SlabSize
from workflows.local import run_flow
from workflows.seeds import SeedScreenMaker
from workflows.settings import PotentialSettings, engine_for
from workflows.teacher_energies import primitive_crystal

MOVER, JUDGE = PotentialSettings("mover"), PotentialSettings("judge")
STRENGTH = {"mover": 0.10, "judge": 0.17}
"""Of a bond between unlike atoms, eV; between like ones it is half of that."""


class Still:
    """An engine that moves nothing; bonds have a Gaussian energy."""

    def __init__(self, name):
        self.strength = STRENGTH[name]

    def energy(self, structure):
        first, second, _, length = structure.get_neighbor_list(4.0)
        numbers = np.array(structure.atomic_numbers)
        unlike = numbers[first] != numbers[second]
        bonds = np.exp(-((length - 2.6) ** 2)) * np.where(unlike, 1.0, 0.5)
        return -self.strength * float(bonds.sum()) - 0.01 * float(numbers.sum())

    def evaluate(self, structures, *, on_result=None):
        found = []
        for position, given in enumerate(structures):
            structure = to_structure(to_atoms(given), given)
            nothing = np.zeros((len(structure), 3))
            energy = self.energy(structure)
            found.append(
                Calculation(
                    structure, energy, nothing, np.zeros((3, 3)), True, None, 0.0, 0, 1, 0.0
                )
            )
            if on_result is not None:
                on_result(position, found[-1])
        return found

    def relax(self, structures, *, on_result=None, **_):
        return self.evaluate(structures, on_result=on_result)

    def neb(self, bands, *, on_result, n_images=5, **_):
        for position, band in enumerate(bands):
            images = [to_structure(each, band.initial) for each in interpolated(band, n_images)]
            energies = np.array([self.energy(image) for image in images])
            up, down = energies.max() - energies[[0, -1]]
            on_result(
                position,
                MinimumEnergyPath(images, energies, up, down, 0.0, True, None, 0, 1, 0.0),
            )


class StillPotential(Potential):
    def __init__(self, name, **_):
        elements = ("Li", "Zn", "F", "Cl")
        super().__init__(PotentialIdentity(name, name, None, "float64", None, ()), elements)

    def ase_calculator(self):
        raise NotImplementedError

    def engine(self, *_):
        return Still(self.identity.name)


def seeds(potential):
    crystals = {name: crystal(name) for name in ("Li", "Zn", "LiZn")}
    maker = SeedScreenMaker(potential=potential, slab_size=SLAB, interface_limits=LIMITS)
    return run_flow(maker.make({"Zn": "close_packed"}, {"Zn": crystals}), lambda _: None)[0]


def coatings(potential):
    names = ("Li", "F2", "Cl2", "LiCl", "LiF")
    competing = {name: primitive_crystal(name) for name in names}
    crystals = {name: competing[name] for name in ("LiCl", "LiF")}
    maker = CoatingScreenMaker(
        potential=potential, funnel=None, slab_size=SLAB, interface_limits=LIMITS
    )
    flow = maker.make(["LiCl"], ["LiF"], crystals, competing)
    return run_flow(flow, lambda _: None)[1]


SLAB = SlabSize(thickness=5.0, vacuum=10.0)
LIMITS = InterfaceLimits(max_strain=0.08, registries=2, relaxed_registries=1)


@pytest.mark.parametrize(
    ("screen", "changed"),
    [
        (
            seeds,
            {
                *("first_lithiation_voltage", "substitution_energy", "vacancy_barrier"),
                *("li_binding", "work_of_adhesion", "lithiated_adhesion"),
            },
        ),
        pytest.param(
            coatings,
            {"oxidation_limit", "migration_barrier", "work_of_adhesion", "electrolyte_adhesion"},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_every_number_is_the_second_potentials(screen, changed, monkeypatch):
    monkeypatch.setattr("potentials.loading.load_potential", StillPotential)
    engine_for.cache_clear()
    both, alone, first = (
        {one.name: one.value for one in document.properties()}
        for document in map(screen, (replace(MOVER, final_energies=JUDGE), JUDGE, MOVER))
    )
    engine_for.cache_clear()
    assert both == pytest.approx(alone, nan_ok=True)
    for name in changed:
        assert abs(both[name] - first[name]) > 1e-3, name
