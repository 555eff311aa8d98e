"""Vacancies in crystals with mini: published barriers, and hops that are not there."""

import json

import pytest

from results.documents import CalculationDocument
from structures import crystal
from tests.workflows.coating_samples import calculation
from tests.workflows.test_coating_judging import judged, of
from workflows.coating_documents import add_migration
from workflows.coating_judging import Candidates
from workflows.migration import add_vacancies, join_ends, migration_of
from workflows.packing import Built
from workflows.settings import PotentialSettings, StoreSettings
from workflows.stages import last_structure, path_stage, relax_stage

MINI = PotentialSettings()
NOWHERE = StoreSettings()


def relaxed(structures, **parameters) -> list[CalculationDocument]:
    return relax_stage("relax", structures, parameters, MINI, NOWHERE)


def hops_of(*names) -> Built:
    cells = [crystal(name).get_primitive_structure() for name in names]
    built = Built()
    for owner, bulk in enumerate(relaxed(cells, fmax=0.005, cell="full")):
        add_vacancies(built, owner, last_structure(bulk))
    return built


@pytest.fixture(scope="module")
def lithium():
    """Hops, relaxed ends, joined hops and paths of bcc lithium."""
    hops = hops_of("Li")
    ends = relaxed(hops.structures, fmax=0.03)
    joined = join_ends.original(hops, ends)
    pairs = list(zip(joined.structures[::2], joined.structures[1::2], strict=True))
    paths = path_stage("paths", pairs, {"n_images": 3, "fmax": 0.05}, MINI, NOWHERE)
    return hops, ends, joined, paths


def test_a_vacancy_in_lithium_hops_as_published(lithium):
    """0.055 eV to the nearest neighbour, LDA: Frank, Breier, Elsässer & Fähnle, Phys. Rev. Lett.
    77, 518 (1996). Tolerance: 0.05 eV."""
    found = migration_of(0, *lithium)
    assert found.barrier_ev == pytest.approx(0.055, abs=0.05)
    assert (found.dimensions, len(found.hops), found.evidence.converged) == (3, 1, True)
    (hop,) = found.hops
    assert hop.barrier_ev == pytest.approx(hop.reverse_barrier_ev, abs=1e-3)
    assert set(hop.fingerprints) == set(found.evidence.fingerprints)
    assert hop.decisive
    assert max(hop.profile.energies_ev) == pytest.approx(hop.barrier_ev)
    assert len(hop.profile.distance) == 5
    # The path counts the moves of all atoms: more than the hopping one's, not by much.
    assert 1 < hop.profile.distance[-1] / hop.distance < 1.3


def test_hops_travel_between_jobs(lithium):
    hops, ends, joined, paths = lithium
    again = Built.from_dict(json.loads(json.dumps(hops.as_dict())))
    assert again.models[0].initial == hops.models[0].initial
    found = migration_of(0, again, ends, joined, paths)
    assert found == migration_of(0, hops, ends, joined, paths)


def test_a_path_that_failed_is_told_and_not_walked(lithium):
    hops, ends, joined, (path,) = lithium
    broken = path.model_copy(update={"converged": False, "failure": "diverged"})
    found = migration_of(0, hops, ends, joined, [broken])
    assert found.barrier_ev is None
    assert found.evidence.failure == "Li 2a to Li 2a: diverged"


@pytest.mark.parametrize(
    ("energies", "barrier", "reason"),
    [
        ((0.0, -0.2, 0.3, -0.3, 0.0), 0.6, "rearranges on the way, 0.30 eV below both ends"),
        ((0.0, 0.2, 0.5, 0.1, -0.4), 0.9, "two equivalent ends are 0.40 eV apart"),
        ((0.0, -0.05, 0.3, 0.1, 0.0), 0.35, None),
    ],
)
def test_a_crystal_that_rearranges_is_told(lithium, energies, barrier, reason):
    """The barrier counts from the bottom of the valley, wherever on the path that is."""
    hops, ends, joined, (path,) = lithium
    found = migration_of(0, hops, ends, joined, [path.model_copy(update={"energies_ev": energies})])
    assert found.barrier_ev == pytest.approx(barrier)
    assert found.evidence.converged == (reason is None)
    assert (reason or "") in (found.evidence.failure or "")


def test_ends_where_the_vacancy_does_not_stay_are_no_hop(lithium):
    hops, ends, *_ = lithium
    swapped = [ends[1], ends[0]]
    joined = join_ends.original(hops, swapped)
    assert joined.models == []
    found = migration_of(0, hops, swapped, joined, [])
    assert "vacancy on Li 2a: does not stay there" in str(found.evidence.failure)


def test_a_crystal_without_lithium_says_so():
    built = Built()
    add_vacancies(built, 0, crystal("Al"))
    found = migration_of(0, built, [], Built(), [])
    assert "holds no Li" in str(found.evidence.failure)
    assert found.hops == ()


def test_a_way_that_failed_might_have_been_the_easier_one(lithium):
    """Of vacancies (owner 0) and extra ions (owner 1) the lower barrier counts."""
    one, ends, joined, (path,) = lithium
    hops = Built(one.models * 2, one.structures * 2, [0, 1])
    bands = Built([0, 1], joined.structures * 2, [0, 1])
    passed = Candidates([of(judged(), "Li2S")], calculation("Li", 0.0))

    def barrier_of(extra):
        step = (passed, None, Built(), [], hops, ends * 2, bands, [path, extra])
        document = add_migration.original(*step).documents[0]
        assert document.migration_barrier_ev == document.vacancy_barrier_ev
        return document.evidence["migration_barrier_ev"]

    assert barrier_of(path).converged
    broken = path.model_copy(update={"converged": False, "failure": "diverged"})
    assert barrier_of(broken).failure == "interstitial Li 2a to Li 2a: diverged"
