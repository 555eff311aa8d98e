"""Every crystal of the library against its own facts and against published densities."""

import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import spglib
from pymatgen.analysis.local_env import CovalentRadius
from pymatgen.core.composition import Composition

from structures.crystal_library import (
    crystal,
    crystal_fact,
    crystal_names,
    crystal_names_within,
)
from structures.errors import StructureError

ROLES = {
    "li",
    "collector",
    "seed",
    "alloy",
    "conversion",
    "electrolyte",
    "coating",
    "cathode",
    "competing",
}

# g/cm3. Elements and simple compounds: CRC Handbook of Chemistry and Physics, physical constants
# of inorganic compounds; the others as noted.
DENSITIES = {
    "Li": 0.534,
    "Cu": 8.96,
    "Ni": 8.90,
    "Al": 2.70,
    "Ag": 10.5,
    "Au": 19.3,
    "Pt": 21.5,
    "Pb": 11.3,
    "Fe": 7.87,
    "Cr": 7.15,
    "Ti": 4.506,
    "Mg": 1.74,
    "Zn": 7.134,
    "Cd": 8.69,
    "In": 7.31,
    "Sn": 7.287,
    "Si": 2.3296,
    "Ge": 5.3234,
    "Sb": 6.68,
    "Bi": 9.79,
    "graphite": 2.2,
    "Li2O": 2.013,
    "LiF": 2.640,
    "LiCl": 2.07,
    "LiBr": 3.464,
    "LiI": 4.06,
    "LiH": 0.78,
    "Li2S": 1.64,
    "Li3N": 1.27,
    "Li3P": 1.43,  # Materials Safety compilations; Brauer & Zintl 1937
    "Li3PO4": 2.46,
    "MgO": 3.6,
    "MgF2": 3.148,
    "Al2O3": 3.99,
    "SiO2": 2.648,
    "ZnO": 5.6,
    "ZnS": 4.04,
    "CuO": 6.31,
    "Mg3N2": 2.71,
    "gamma-Li3PO4": 2.43,  # Bondareva et al. 1978
    "Li3PS4": 1.93,  # Homma et al. 2011
    "Li6PS5Cl": 1.86,  # Boulineau et al., Solid State Ionics 221, 1 (2012)
    "InCl3": 3.46,
    "LiAl": 1.75,  # Hansen, Constitution of Binary Alloys
    "S": 2.07,
    "P": 2.69,
    "N2": 1.034,  # alpha at 0 K, 27.1 cm3/mol: Scott, Phys. Rep. 27, 89 (1976)
    "O2": 1.53,  # alpha, 20.9 cm3/mol: Freiman & Jodl, Phys. Rep. 401, 1 (2004)
    "LiN3": 1.83,
    "Li2O2": 2.31,
    "LiNO3": 2.38,
    "LiClO4": 2.43,
    "Li2SO4": 2.21,
    "P4S3": 2.03,
    "P2S5": 2.09,
    "PCl5": 2.1,
    "Ag2O": 7.2,
    "Ag2S": 7.23,
    "AgCl": 5.56,
    "AlCl3": 2.48,
    "AlN": 3.255,
    "AlP": 2.4,
    "AlPO4": 2.56,
    "B": 2.34,
    "B2O3": 2.55,
    "Ba": 3.62,
    "BaCO3": 4.2864,
    "BaCl2": 3.9,
    "BaO": 5.72,
    "BaS": 4.3,
    "BaSO4": 4.49,
    "Co": 8.86,
    "Co3O4": 6.11,
    "CoCl2": 3.36,
    "CoF2": 4.46,
    "CoO": 6.44,
    "Cu2O": 6.0,
    "CuCl": 4.14,
    "CuS": 4.76,
    "Fe2O3": 5.25,
    "Fe2P": 6.8,
    "Fe3O4": 5.17,
    "FeCl2": 3.16,
    "FeCl3": 2.9,
    "FeF2": 4.09,
    "FeF3": 3.87,
    "FeO": 6.0,
    "FeP": 6.07,
    "FeS2": 5.02,
    "GeS": 4.1,
    "In2O3": 7.18,
    "In2S3": 4.45,
    "InP": 4.81,
    "La": 6.15,
    "La2O3": 6.51,
    "La2S3": 4.9,
    "LaCl3": 3.84,
    "LaF3": 5.9,
    "Li2C2": 1.3,
    "Li2SiO3": 2.52,
    "LiBO2": 2.18,
    "LiOH": 1.45,
    "MgCl2": 2.325,
    "MgS": 2.68,
    "Mn": 7.3,
    "Mn2O3": 5.0,
    "Mn3O4": 4.84,
    "MnCl2": 2.977,
    "MnF2": 3.98,
    "MnO": 5.37,
    "MnO2": 5.08,
    "MnS": 4.0,
    "Mo": 10.2,
    "MoO2": 6.47,
    "MoO3": 4.7,
    "Nb": 8.57,
    "NbO": 7.3,
    "NbO2": 5.9,
    "Ni2P": 7.33,
    "NiCl2": 3.51,
    "NiF2": 4.7,
    "NiO": 6.72,
    "NiS": 5.5,
    "Sb2S3": 4.562,
    "SbCl3": 3.14,
    "SiS2": 2.04,
    "Sr": 2.64,
    "SrCO3": 3.785,
    "SrCl2": 3.052,
    "SrO": 5.1,
    "SrS": 3.7,
    "SrSO4": 3.96,
    "Ta": 16.4,
    "Ta2O5": 8.24,
    "Ti2O3": 4.486,
    "TiN": 5.21,
    "TiO2": 4.23,
    "V": 6.0,
    "V2O3": 4.87,
    "V2O5": 3.35,
    "VN": 6.13,
    "VO2": 4.339,
    "Y": 4.47,
    "Y2O3": 5.03,
    "YCl3": 2.61,
    "Zn3P2": 4.55,
    "ZnCl2": 2.907,
    "ZnF2": 4.9,
    "Zr": 6.52,
    "ZrCl4": 2.8,
    "ZrF4": 4.43,
    "ZrN": 7.09,
    "ZrO2": 5.68,
    "Cu3P": 7.147,
    "Si3N4": 3.17,
    "AlF3": 3.10,
    "SbF3": 4.38,
    "Li2CO3": 2.11,
    "LiAlO2": 2.55,
    "LiNbO3": 4.65,
    "BaTiO3": 6.02,
    "SrTiO3": 5.1,
    "MoS2": 5.06,
    "LiCoO2": 5.05,  # Orman & Wiseman, Acta Cryst. C 40, 12 (1984)
    "LiFePO4": 3.60,  # Streltsov et al., Acta Cryst. B 49, 147 (1993)
    "Te": 6.24,
    "Ga": 5.91,
    "Hg": 14.18,  # solid at its melting point, 234 K
}

# Published volume per formula unit, Å3, of the crystals whose cell is published and whose atoms are
# ordered here.
PUBLISHED_VOLUMES = {
    "Li6PS5Br": 9.98**3 / 4,  # Rao & Adams, Phys. Status Solidi A 208, 1804 (2011)
    "Li6PS5I": 10.142**3 / 4,
    "Li3YCl6": 11.2217**2 * math.sqrt(0.75) * 6.05517 / 3,  # Asano et al., 2018
    "Li3InCl6": 6.432 * 11.093 * 6.398 * math.sin(math.radians(109.8)) / 2,  # Li et al., 2019
    "LiLaTi2O6": 3.8688**2 * 7.7462,  # doi:10.1016/s0167-2738(00)00761-x
    "LiMn2O4": 8.2442**3 / 8,  # Igawa et al.
    "Li10GeP2S12": 8.694**2 * 12.599 / 2,  # Kamaya et al., Nat. Mater. 10, 682 (2011)
    "Li7La3Zr2O12": 13.134**2 * 12.663 / 8,  # Awaka et al., J. Solid State Chem. 182, 2046 (2009)
    "cubic-Li7La3Zr2O12": 12.9727**3 / 8,  # doi:10.1039/c1cp22108f
    "LiGe2(PO4)3": 8.287**2 * math.sqrt(0.75) * 20.475 / 6,  # doi:10.1002/chin.199345017
}

# Volume that one lithium atom adds to an alloy, Obrovac, Christensen, Le & Dahn, J. Electrochem.
# Soc. 154, A849 (2007): 8.9 ml/mol for lithium in Si, Sn, Al, Ag, Zn, ...
LITHIUM_IN_ALLOYS = 14.8


@pytest.mark.parametrize("name", crystal_names())
def test_space_group_and_wyckoff_sites_are_those_of_the_fact(name: str) -> None:
    fact, structure = crystal_fact(name), crystal(name)
    cell = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
    dataset = spglib.get_symmetry_dataset(cell, symprec=0.01, angle_tolerance=5)
    assert dataset.number == fact.space_group_number
    orbits = Counter(dataset.crystallographic_orbits)
    found = Counter(
        (structure[orbit].specie.symbol, f"{count}{dataset.wyckoffs[orbit]}")
        for orbit, count in orbits.items()
    )
    assert found == Counter((site.element, site.wyckoff) for site in fact.sites)


@pytest.mark.parametrize("name", crystal_names())
def test_composition_and_shortest_distance(name: str) -> None:
    fact, structure = crystal_fact(name), crystal(name)
    assert structure.composition.reduced_formula == Composition(fact.formula).reduced_formula
    centres, neighbours, _, lengths = structure.get_neighbor_list(4.6)
    radii = np.array([CovalentRadius.radius[site.specie.symbol] for site in structure])
    relative = lengths / (radii[centres] + radii[neighbours])
    nearest = np.array([relative[centres == atom].min() for atom in range(len(structure))])
    # Cordero's radii give bonds to some 20 %: multiple bonds (N2, V=O) are shorter than the single
    # ones they are taken from, metals' and salts' contacts longer.
    assert nearest.min() > 0.7
    assert nearest.max() < 1.42


@pytest.mark.parametrize("name", sorted(DENSITIES))
def test_density_is_the_published_one(name: str) -> None:
    # Cells relaxed by DFT keep its error in volume.
    relaxed = crystal_fact(name).source.startswith("Materials Project")
    assert float(crystal(name).density) == pytest.approx(
        DENSITIES[name], rel=0.09 if relaxed else 0.035
    )


@pytest.mark.parametrize("name", crystal_names("alloy"))
def test_volume_of_an_alloy_is_that_of_its_metal_and_lithium(name: str) -> None:
    structure = crystal(name)
    amounts = structure.composition.get_el_amt_dict()
    lithium = amounts.pop("Li")
    ((metal, count),) = amounts.items()
    host, pure = crystal("graphite" if metal == "C" else metal), crystal("Li")
    # Lithium and magnesium are one bcc solid solution, in which lithium keeps its own volume.
    added = pure.volume / len(pure) if metal == "Mg" else LITHIUM_IN_ALLOYS
    expected = lithium * added + count * host.volume / len(host)
    assert structure.volume == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("name", sorted(PUBLISHED_VOLUMES))
def test_volume_of_an_approximant_is_the_published_one(name: str) -> None:
    structure = crystal(name)
    _, units = structure.composition.get_reduced_composition_and_factor()
    relaxed = crystal_fact(name).source.startswith("Materials Project")
    assert structure.volume / units == pytest.approx(
        PUBLISHED_VOLUMES[name], rel=0.05 if relaxed else 1e-3
    )


def test_every_measured_cell_has_a_published_density_to_be_compared_with() -> None:
    measured = {
        name
        for name in crystal_names()
        if not crystal_fact(name).source.startswith("Materials Project")
    }
    compared = set(DENSITIES) | set(PUBLISHED_VOLUMES) | set(crystal_names("alloy"))
    # Phases of lithium other than bcc, and a sheet, have no density in handbooks; that of boron
    # nitride there is of its powder.
    assert measured - compared == {"Li-fcc", "Li-hcp", "graphene", "BN"}


@pytest.mark.parametrize("name", ["Li-fcc", "Li-hcp"])
def test_other_phases_of_lithium_are_as_dense_as_bcc(name: str) -> None:
    volumes = [crystal(n).volume / len(crystal(n)) for n in (name, "Li")]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.03)


def test_graphene_is_one_sheet_with_the_bond_of_graphite() -> None:
    sheet = crystal("graphene")
    assert crystal_fact("graphene").sheet
    assert sheet.get_distance(0, 1) == pytest.approx(1.421, abs=1e-3)


@pytest.mark.parametrize("name", crystal_names())
def test_fact_is_complete(name: str) -> None:
    fact = crystal_fact(name)
    assert fact.source
    assert fact.roles
    assert set(fact.roles) <= ROLES
    assert fact.tier in (1, 2)


def test_library_holds_what_the_screens_name() -> None:
    collectors = {"Cu", "Ni", "Al", "Fe", "Cr", "Ti", "graphene"}
    assert collectors <= set(crystal_names("collector"))
    assert {"Ag", "Au", "Zn", "Mg", "Al", "In", "Sn", "Si"} <= set(crystal_names("seed"))
    assert {"Li2O", "LiF", "Li3N", "Li2S"} <= set(crystal_names("conversion"))
    coatings = {"LiF", "Li2O", "Li3N", "Li2S", "LiCl", "Li3P", "Li3PO4"}
    coatings |= {"LiI", "LiBr", "Li2CO3", "LiAlO2", "Al2O3", "LiNbO3", "Li2ZrO3", "Li3BO3"}
    coatings |= {"Li4Ti5O12", "LiTaO3", "Li7TaO6", "LiPO3", "LiH2PO4", "BaTiO3", "SrTiO3"}
    coatings |= {"BN", "MoS2", "VS2"}
    assert coatings <= set(crystal_names("coating"))
    assert {"Li3PS4", "Li6PS5Cl"} <= set(crystal_names("electrolyte"))
    assert "Li" in crystal_names("li")


def test_crystals_within_elements_are_those_of_every_subsystem() -> None:
    within = crystal_names_within(["Li", "P", "S"])
    assert {"Li", "P", "S", "Li2S", "Li3P", "LiP", "P2S5", "P4S3", "Li3PS4"} <= set(within)
    for name in within:
        assert set(crystal(name).symbol_set) <= {"Li", "P", "S"}
    assert "graphene" not in crystal_names_within(["C"])


@pytest.mark.parametrize(
    "elements", [("Li", "P", "S", "Cl"), ("Li", "P", "O"), ("Li", "N"), ("Li", "F"), ("Li", "Cl")]
)
def test_hull_of_tier_1_has_a_reference_for_every_element(elements: tuple[str, ...]) -> None:
    for element in elements:
        assert any(
            crystal(name).symbol_set == (element,) for name in crystal_names_within([element])
        )


def test_documentation_knows_every_approximant_and_how_many_crystals_there_are() -> None:
    text = (Path(__file__).parents[2] / "docs" / "crystals.md").read_text(encoding="utf-8")
    assert f"{len(crystal_names())} crystals" in text
    table = text.split("### Ordered approximants")[1].split("###")[0]
    named = set(re.findall(r"[A-Za-z0-9()-]+", table))
    assert {name for name in crystal_names() if "approximant" in crystal_fact(name).note} <= named


def test_aliases_name_the_same_crystal() -> None:
    assert crystal_fact("copper") is crystal_fact("Cu")
    assert crystal("gamma-Li3PS4") == crystal("Li3PS4")


def test_each_call_gives_its_own_structure() -> None:
    crystal("Cu").remove_sites([0])
    assert len(crystal("Cu")) == 4


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("Cuu", "Cu"), ("LI2O", "Li2O"), ("coper", "copper"), ("li", "Li")]
)
def test_unknown_name_gives_the_nearest(wrong: str, nearest: str) -> None:
    with pytest.raises(StructureError, match=rf"crystal: '{wrong}'.*{nearest}") as error:
        crystal(wrong)
    assert "\n" not in str(error.value)


def test_nothing_near_points_to_the_list() -> None:
    with pytest.raises(StructureError, match="lithiophile structures"):
        crystal("xyzzy-123-q")
