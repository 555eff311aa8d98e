"""What fails behind works of adhesion and contact angles is told."""

import pytest

from results.documents import Evidence
from structures import facet
from tests.results.samples import relaxed
from workflows.adhesion import wetting_of
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
