"""What fails behind works of adhesion and contact angles is told."""

import pytest
from pymatgen.core import Lattice, Structure

from results.documents import Evidence
from structures import facet
from tests.results.samples import relaxed
from workflows.adhesion import reaction_in, wetting_of
from workflows.collector_jobs import FILM, InterfaceLimits, SlabSize, join_interfaces
from workflows.evidence import Quantities
from workflows.packing import Built

SURFACE, W = "surface_energy_j_m2", "work_of_adhesion_j_m2"
LOST = {"converged": False, "failure": "diverged"}


def found(name, value, failure=None):
    evidence = Evidence(converged=failure is None, failure=failure)
    return Quantities({} if failure else {name: value}, {name: evidence})


def angle(**film_energies):
    """Contact angle at W = 0.5 J/m², by the facets of lithium."""
    films = {tuple(map(int, index[1:])): one for index, one in film_energies.items()}
    wetted = wetting_of(Quantities({}, {}), found(W, 0.5), films)
    return wetted.values.get("contact_angle_deg"), wetted.evidence["contact_angle_deg"]


def test_the_lowest_facet_of_lithium_counts():
    degrees, evidence = angle(_110=found(SURFACE, 0.5), _100=found(SURFACE, 0.6))
    assert degrees == pytest.approx(90)
    assert evidence.converged


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (found(SURFACE, None, "out of steps"), "Li (1, 0, 0): out of steps"),
        (found(SURFACE, -0.1), "Li (1, 0, 0): its surface energy is not positive"),
    ],
)
def test_a_facet_of_lithium_that_failed_might_have_been_the_lowest(other, reason):
    degrees, evidence = angle(_110=found(SURFACE, 0.5), _100=other)
    assert degrees == pytest.approx(90)
    assert evidence.failure == reason


@pytest.fixture(scope="module")
def facets():
    built = Built()
    for owner, host, index in ((0, "Li", (1, 1, 0)), (0, "Li", (1, 0, 0)), (1, "Cu", (1, 1, 1))):
        built.add(owner, facet(host, index, min_thickness=3.0))
    return built


def joined(facets, *slabs):
    limits = InterfaceLimits(max_atoms=60, max_strain=0.1, registries=1)
    return join_interfaces.original(facets, list(slabs), 2, limits, SlabSize(vacuum=10.0))


def test_films_that_converged_leave_no_failure(facets):
    built = joined(facets, *map(relaxed, range(3)))
    assert {model.film_miller_index for model in built.models} == {(1, 1, 0), (1, 0, 0)}
    assert built.failures == {}


def test_a_film_that_failed_might_have_adhered_best(facets):
    built = joined(facets, relaxed(0), relaxed(1, **LOST), relaxed(2))
    assert {model.film_miller_index for model in built.models} == {(1, 1, 0)}
    assert built.failures == {2: "Li (1, 0, 0): diverged"}


def test_without_lithium_the_reason_is_lithiums(facets):
    copper = Built(facets.models[2:], [], [1], {FILM: "bulk Li: diverged"})
    assert joined(copper, relaxed(2)).failures == {0: "bulk Li: diverged"}


def relaxation(**moves):
    """Li2S under Li, each atom named with its way along z in Å."""
    lattice, species = Lattice.orthorhombic(4, 4, 20), ["S", "Li", "Li"]
    heights = [2.0, 4.0, 6.5]
    places = [
        [[1, 1, z + move] for z, move in zip(heights, way, strict=True)]
        for way in ([0.0] * 3, [moves.get(name, 0.0) for name in ("sulfur", "lithium", "film")])
    ]
    start, end = (Structure(lattice, species, at, coords_are_cartesian=True) for at in places)
    return relaxed(str(moves), initial_structure=start.as_dict(), final_structure=end.as_dict())


@pytest.mark.parametrize(
    "moves",
    [
        {"sulfur": 2.5},
        {"film": 7.0},  # lithium may go where it likes
        {"sulfur": 5.0, "lithium": 5.0, "film": 5.0},  # both sides together
        {"sulfur": 19.0, "lithium": -1.0, "film": -1.0},  # through the cell's boundary
    ],
)
def test_a_contact_that_only_relaxes_is_no_reaction(moves):
    assert reaction_in(relaxation(**moves)) is None


def test_an_anion_that_left_its_place_is_a_reaction():
    assert reaction_in(relaxation(sulfur=3.5)).startswith("the contact reacts: S moved 3.5 Å")
