"""The collector screen on the embedded potential: physical sense, and the same numbers by hand.

The expectations are those of published DFT (orders and signs), and of ASE with the same potential.
"""

import numpy as np
import pytest
from ase import units
from ase.mep import NEB
from ase.optimize import FIRE
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore

from potentials import load_potential
from potentials.conversion import to_atoms
from results.database import open_database
from results.documents import CalculationDocument, CollectorDocument, PathDocument, as_structure
from results.quantities import EV_PER_A2_IN_J_PER_M2, work_of_adhesion
from structures import interfaces
from structures.models import in_plane_area
from workflows.collector_jobs import InterfaceLimits
from workflows.collectors import CollectorScreenMaker
from workflows.local import run_flow
from workflows.progress import StageEvent
from workflows.settings import StoreSettings

HOSTS = {"Cu": [[1, 1, 1], [1, 0, 0], [1, 1, 0]], "Au": "close_packed"}
CU_111, CU_100, CU_110, AU_111 = range(4)


def small_screen(database: str | None = None) -> CollectorScreenMaker:
    return CollectorScreenMaker(
        name="physics",
        stores=StoreSettings(database=database),
        interface_limits=InterfaceLimits(relaxed_registries=1),
    )


@pytest.fixture(scope="module")
def database_path(tmp_path_factory):
    return str(tmp_path_factory.mktemp("collectors") / "results.db")


@pytest.fixture(scope="module")
def documents(database_path) -> list[CollectorDocument]:
    return run_flow(small_screen(database_path).make(HOSTS), lambda _: None)


@pytest.fixture(scope="module")
def calculator():
    return load_potential("mini").ase_calculator()


def stored(database_path: str, fingerprint: str) -> CalculationDocument | PathDocument:
    with open_database(database_path) as database:
        return database.find([fingerprint])[fingerprint]


def test_every_facet_has_every_quantity(documents):
    assert [(d.host, d.miller_index) for d in documents] == [
        ("Cu", (1, 1, 1)),
        ("Cu", (1, 0, 0)),
        ("Cu", (1, 1, 0)),
        ("Au", (1, 1, 1)),
    ]
    for document in documents:
        assert document.failures == ()
        assert document.converged
        assert {item.name for item in document.properties()} >= {
            "surface_energy",
            "li_binding",
            "nucleation_overpotential",
            "adatom_barrier",
            "work_of_adhesion",
            "film_elastic_energy",
            "interface_energy",
            "contact_angle",
        }


def test_surface_energies_of_copper_are_in_the_published_order(documents):
    energies = [document.surface_energy_j_m2 for document in documents[:3]]
    assert 0 < energies[CU_111] < energies[CU_100] < energies[CU_110]


def test_lithium_binds_more_strongly_on_gold_than_on_copper(documents):
    assert documents[AU_111].li_binding_ev < documents[CU_111].li_binding_ev


def test_lithium_prefers_hollows_and_hops_easily_on_cu_111(documents):
    assert documents[CU_111].li_binding_site.startswith("hollow")
    assert 0 <= documents[CU_111].adatom_barrier_ev < 0.1
    assert documents[CU_111].adatom_barrier_ev < documents[CU_100].adatom_barrier_ev


def test_interfaces_are_bound(documents):
    for document in documents:
        assert document.work_of_adhesion_j_m2 > 0
        assert document.gamma_li_j_m2 > 0
        cosine = np.cos(np.radians(document.contact_angle_deg))
        expected = document.work_of_adhesion_j_m2 / document.gamma_li_j_m2 - 1
        assert cosine == pytest.approx(min(1, expected), abs=1e-9)
        assert document.film_elastic_energy_j_m2 > -0.01


def test_work_of_adhesion_follows_from_three_ase_energies(documents, database_path, calculator):
    document = documents[CU_100]
    found = [
        stored(database_path, key)
        for key in document.evidence["work_of_adhesion_j_m2"].fingerprints
    ]
    energies = {}
    for calculation in found:
        atoms = to_atoms(as_structure(calculation.final_structure))
        atoms.calc = calculator
        energies[len(atoms), *sorted(set(atoms.symbols))] = atoms.get_potential_energy()
    (joined,) = (energy for key, energy in energies.items() if len(key) == 3)
    film, substrate = (energy for key, energy in energies.items() if len(key) == 2)
    area = in_plane_area(as_structure(document.interface_structure))
    by_hand = (film + substrate - joined) / area * (1e20 * units._e)
    assert 1e20 * units._e == pytest.approx(EV_PER_A2_IN_J_PER_M2)
    assert document.work_of_adhesion_j_m2 == pytest.approx(by_hand, abs=1e-4)


@pytest.mark.slow
def test_barrier_is_that_of_ase(documents, database_path, calculator):
    document = documents[CU_100]
    path = stored(database_path, document.evidence["adatom_barrier_ev"].fingerprints[0])
    images = [to_atoms(as_structure(path.initial_structure)) for _ in range(len(path.images) - 1)]
    images.append(to_atoms(as_structure(path.final_structure)))
    band = NEB(images, climb=True, method="improvedtangent", allow_shared_calculator=True)
    band.interpolate("idpp", mic=True)
    for image in images:
        image.calc = calculator
    assert FIRE(band, logfile=None).run(fmax=0.03, steps=300)
    energies = [image.get_potential_energy() for image in images]
    assert document.adatom_barrier_ev == pytest.approx(max(energies) - energies[0], abs=5e-3)


@pytest.mark.slow
def test_a_slab_twice_as_thick_has_the_same_adhesion():
    engine = load_potential("mini").engine()
    adhesion = []
    for thickness in (10.0, 20.0):
        model = interfaces(
            "Li",
            "Cu",
            film_miller_index=(1, 1, 0),
            substrate_miller_index=(1, 0, 0),
            film_thickness=thickness,
            substrate_thickness=thickness,
            max_strain=0.04,
            registries=1,
        )[0]
        joined, film, substrate = engine.relax([model.structure, model.film, model.substrate])
        assert joined.converged
        assert film.converged
        assert substrate.converged
        adhesion.append(work_of_adhesion(film.energy, substrate.energy, joined.energy, model.area))
    assert adhesion[1] == pytest.approx(adhesion[0], rel=0.05)


def test_a_second_run_computes_nothing(documents, database_path):
    events: list[StageEvent] = []
    again = run_flow(small_screen(database_path).make(HOSTS), events.append)
    assert all(event.reused == event.done == event.total for event in events)
    assert [d.work_of_adhesion_j_m2 for d in again] == [d.work_of_adhesion_j_m2 for d in documents]


@pytest.mark.slow
def test_plain_jobflow_runs_the_flow_with_any_store():
    flow = CollectorScreenMaker(film_facets=[[1, 0, 0]]).make({"Cu": [[1, 0, 0]]})
    store = JobStore(MemoryStore())
    run_locally(flow, store=store, ensure_success=True, log=False)
    (document,) = flow.output.resolve(store)
    assert document.host == "Cu"
    assert document.converged
