import warnings
from itertools import pairwise

import pytest
from pymatgen.analysis.interface_reactions import (
    GrandPotentialInterfacialReactivity,
    InterfacialReactivity,
)
from pymatgen.core.composition import Composition

from results.errors import ResultsError
from results.thermodynamics.reactions import closed_reaction, open_diagram, open_reaction
from tests.results.thermodynamics.hulls import hull, random_hull

METAL = Composition("Li")


def test_lithium_and_a_thiophosphate_as_computed_by_hand():
    # Li3PS4 + 8 Li -> Li3P + 4 Li2S: 11.8 eV, 16 atoms of reactants.
    found = closed_reaction(hull(), Composition("Li3PS4"), METAL)
    assert found.energy == pytest.approx(-11.8 / 16)
    assert found.fraction == pytest.approx(0.5)
    assert found.products == ("Li2S", "Li3P")
    assert found.potential is None


def test_the_order_and_the_amounts_of_the_reactants_do_not_matter():
    there = closed_reaction(hull(), Composition("Li3PS4"), Composition("LiP"))
    back = closed_reaction(hull(), Composition("Li5P5"), Composition("Li9P3S12"))
    assert there.energy == pytest.approx(back.energy)
    assert there.fraction == pytest.approx(1 - back.fraction)
    assert there.products == back.products


@pytest.mark.parametrize("formula", ["LiCl", "Li2S", "Li3P"])
def test_what_is_stable_against_lithium_does_not_react_with_it(formula):
    found = closed_reaction(hull(), Composition(formula), METAL)
    assert found.energy == 0
    assert found.products == (formula,)


def test_a_compound_does_not_react_with_itself():
    found = closed_reaction(hull(), Composition("Li3PS4"), Composition("Li6P2S8"))
    assert found.energy == 0


def test_open_reaction_leaves_out_what_each_does_alone():
    # In lithium metal both have decomposed to Li3P, Li2S and LiCl already: nothing more is gained.
    diagram = hull()
    found = open_reaction(
        diagram, open_diagram(diagram, 0.0), Composition("Li3PS4"), Composition("LiCl")
    )
    assert found.energy == 0
    assert found.potential == pytest.approx(0.0)


def test_contact_with_the_reservoir_gives_the_others_own_products():
    diagram = hull()
    opened = open_diagram(diagram, 0.0)
    for pair in ((Composition("Li3PS4"), METAL), (METAL, Composition("Li3PS4"))):
        found = open_reaction(diagram, opened, *pair)
        assert found.energy == 0
        assert found.products == ("Li2S", "Li3P")
    assert open_reaction(diagram, opened, METAL, METAL).products == ("Li",)


def test_open_reaction_of_compounds_of_one_other_element():
    diagram = hull()
    opened = open_diagram(diagram, 1.0)
    assert open_reaction(diagram, opened, Composition("Li2S"), Composition("S")).energy == 0


@pytest.mark.parametrize("seed", range(4))
def test_closed_reactions_agree_with_pymatgen(seed):
    diagram, compounds = random_hull(seed)
    for one, other in pairwise(compounds):
        pymatgens = InterfacialReactivity(one, other, diagram, use_hull_energy=True)
        fraction, energy = pymatgens.minimum
        found = closed_reaction(diagram, one, other)
        assert found.energy == pytest.approx(energy, abs=1e-6)
        if energy < -1e-6:
            assert found.fraction == pytest.approx(fraction, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("potential", [0.0, 1.3])
def test_open_reactions_agree_with_pymatgen(seed, potential):
    diagram, compounds = random_hull(seed)
    opened = open_diagram(diagram, potential)
    compared = 0
    for one, other in zip(compounds, compounds[2:], strict=False):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                pymatgens = GrandPotentialInterfacialReactivity(one, other, opened, diagram)
                kinks = pymatgens.get_kinks()
            except (ZeroDivisionError, ValueError, KeyError):
                continue
        solid = [1 - each.get_atomic_fraction("Li") for each in (one, other)]
        # pymatgen gives eV per atom that is not lithium.
        energy = min(e * (x * solid[0] + (1 - x) * solid[1]) for _, x, e, _, _ in kinks)
        found = open_reaction(diagram, opened, one, other)
        assert found.energy == pytest.approx(energy, abs=1e-6)
        compared += 1
    assert compared > 5


def test_an_element_without_a_reference_is_named():
    with pytest.raises(ResultsError, match="no reference for O of Li2O"):
        closed_reaction(hull(), Composition("Li2S"), Composition("Li2O"))
