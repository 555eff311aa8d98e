import pytest
from pymatgen.core.composition import Composition
from pymatgen.core.periodic_table import Element

from results.errors import ResultsError
from results.thermodynamics.windows import (
    decomposition_at,
    electrochemical_window,
    height_above,
    hull_level,
)
from tests.results.thermodynamics.hulls import LEVELS, hull, random_hull


def window(formula: str):
    return electrochemical_window(hull(), Composition(formula))


def test_a_binary_stands_from_lithium_to_its_formation_voltage():
    found = window("Li2S")
    assert found.reduction_limit == pytest.approx(0.0, abs=1e-9)
    assert found.oxidation_limit == pytest.approx(4.2 / 2)
    assert found.reduction_products == ("Li2S",)
    assert found.oxidation_products == ("S",)


def test_window_and_products_of_a_thiophosphate_as_computed_by_hand():
    # Li3PS4 + 5 Li -> P + 4 Li2S: (4 * 4.2 - 8.0) / 5 = 1.76 V.
    # Li3PS4 -> 1/2 P2S5 + 3/2 S + 3 Li: (8.0 - 1.0) / 3 V.
    found = window("Li3PS4")
    assert found.reduction_limit == pytest.approx(1.76)
    assert set(found.reduction_products) == {"P", "Li2S"}
    assert found.oxidation_limit == pytest.approx(7 / 3)
    assert set(found.oxidation_products) == {"P2S5", "S"}


def test_decomposition_at_0_v_as_computed_by_hand():
    found = decomposition_at(hull(), Composition("Li3PS4"), 0.0)
    assert found.energy == pytest.approx(-(3.0 + 4 * 4.2 - 8.0) / 8)
    assert found.lithium == pytest.approx(8.0)
    assert found.products == ("Li2S", "Li3P")


def test_decomposition_at_a_potential_pays_for_the_lithium():
    # Five Li at 1.2 V each are paid from the 8.8 eV of P + 4 Li2S.
    found = decomposition_at(hull(), Composition("Li3PS4"), 1.2)
    assert found.energy == pytest.approx(-(8.8 - 5 * 1.2) / 8)
    assert set(found.products) == {"P", "Li2S"}


@pytest.mark.parametrize("potential", [1.8, 2.0, 2.3])
def test_nothing_happens_inside_the_window(potential):
    found = decomposition_at(hull(), Composition("Li3PS4"), potential)
    assert found.energy == 0
    assert found.lithium == 0
    assert found.products == ("Li3PS4",)


def test_an_unstable_composition_is_taken_to_lie_on_the_hull():
    # On the tie plane of Li3PS4, Li2S and LiCl: Li2S is oxidised first, Li3PS4 reduced first.
    found = window("Li6PS5Cl")
    assert found.reduction_limit == pytest.approx(1.76)
    assert set(found.reduction_products) == {"P", "Li2S", "LiCl"}
    assert found.oxidation_limit == pytest.approx(2.1)
    assert set(found.oxidation_products) == {"Li3PS4", "S", "LiCl"}
    at_zero = decomposition_at(hull(), Composition("Li6PS5Cl"), 0.0)
    assert at_zero.products == ("Li2S", "Li3P", "LiCl")


def test_a_composition_between_kinks_exchanges_lithium_at_one_potential():
    found = window("Li4PS4")
    assert found.reduction_limit == pytest.approx(1.76)
    assert found.oxidation_limit == pytest.approx(1.76)
    assert found.oxidation_products == ("Li3PS4",)


def test_what_holds_no_lithium_has_no_upper_limit():
    # P2S5 + 15/4 Li -> 5/4 Li3PS4 + 3/4 P: (10.0 - 2.0) / 3.75 V.
    found = window("P2S5")
    assert found.oxidation_limit is None
    assert found.oxidation_products == ()
    assert found.reduction_limit == pytest.approx(8 / 3.75)


@pytest.mark.parametrize("seed", range(5))
def test_windows_agree_with_pymatgens_element_profile(seed):
    diagram, compounds = random_hull(seed)
    metal = diagram.el_refs[Element("Li")].energy_per_atom
    for composition in compounds:
        profile = diagram.get_element_profile(Element("Li"), composition)
        at_zero = decomposition_at(diagram, composition, 0.0)
        atoms = composition.reduced_composition.num_atoms
        if at_zero.energy < 0:
            taken = at_zero.lithium * composition.num_atoms / atoms
            assert taken == pytest.approx(profile[0]["evolution"], abs=1e-6)
        found = electrochemical_window(diagram, composition)
        lower = [stage for stage in profile if stage["evolution"] > 1e-6]
        higher = [stage for stage in profile if stage["evolution"] < -1e-6]
        own = [stage for stage in profile if abs(stage["evolution"]) < 1e-6]
        if not lower and not own:  # lithium metal beside the phases of the hull
            limits = [found.reduction_limit, found.oxidation_limit]
            assert limits == pytest.approx([0.0, 0.0], abs=1e-6)
            continue
        # pymatgen's potential of a stage is where it begins, coming from lithium metal.
        begins = own or higher[:1]
        if lower:
            assert found.reduction_limit == pytest.approx(metal - begins[0]["chempot"], abs=1e-6)
            products = {entry.composition.reduced_formula for entry in lower[-1]["entries"]}
            assert set(found.reduction_products) == products
        if higher:
            assert found.oxidation_limit == pytest.approx(metal - higher[0]["chempot"], abs=1e-6)
        else:
            assert found.oxidation_limit is None


@pytest.mark.parametrize("potential", [0.0, 0.7, 2.4])
def test_decomposition_energies_agree_with_pymatgens_grand_potential(potential):
    from results.thermodynamics.reactions import open_diagram

    diagram, compounds = random_hull(3)
    opened = open_diagram(diagram, potential)
    level = LEVELS["Li"] - potential
    for composition in compounds:
        rest = Composition({e: n for e, n in composition.items() if e.symbol != "Li"})
        grand = opened.get_hull_energy(rest)
        own = diagram.get_hull_energy(composition) - level * composition["Li"]
        found = decomposition_at(diagram, composition, potential)
        assert found.energy == pytest.approx((grand - own) / composition.num_atoms, abs=1e-6)


def test_energy_above_the_hull_is_per_atom_of_the_phase():
    diagram = hull()
    formula = Composition("Li6PS5Cl")
    on_hull = -8.0 - 4.2 - 4.0 + sum(n * LEVELS[e.symbol] for e, n in formula.items())
    level = hull_level(diagram, formula * 2)
    assert level == pytest.approx(on_hull / 13)
    assert height_above(level, (on_hull + 0.13) / 13) == pytest.approx(0.13 / 13)
    assert height_above(hull_level(diagram, Composition("Li2S")), (-4.2 - 2 * 1.9 - 4.1) / 3) == 0


@pytest.mark.parametrize(
    ("formula", "message"),
    [("Li", "lithium alone"), ("LiF", "no reference for F of LiF"), ("Li3N", "no reference for N")],
)
def test_refusals_say_what_is_missing(formula, message):
    with pytest.raises(ResultsError, match=message):
        electrochemical_window(hull(), Composition(formula))
