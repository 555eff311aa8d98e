"""What jobs hand to each other comes back as it went."""

import json

import numpy as np
import pytest
from jobflow import Flow, JobStore, job, run_locally
from maggma.stores import MemoryStore

from structures import adsorption_sites, facet, interfaces
from workflows.packing import Built


@pytest.fixture(scope="module")
def built():
    slab = facet("Cu", (1, 0, 0))
    site = adsorption_sites(slab)[0]
    interface = interfaces("Li", slab, film_miller_index=(1, 0, 0), registries=1)[0]
    built = Built(failures={3: "no slab"})
    built.add(0, slab, slab.structure)
    built.add(1, site, site.structure)
    built.add(1, interface, interface.structure)
    return built


def same_structure(one, other):
    assert one.lattice == other.lattice
    assert one.species == other.species
    np.testing.assert_array_equal(one.frac_coords, other.frac_coords)
    assert one.site_properties == other.site_properties


def test_models_survive_a_job_store(built):
    @job
    def make():
        return built

    made = make()
    store = JobStore(MemoryStore())
    run_locally(Flow([made]), store=store, log=False, ensure_success=True)
    again = made.output.resolve(store)
    for one, other in zip(built.structures, again.structures, strict=True):
        same_structure(one, other)
    slab, site, interface = again.models
    assert slab.miller_index == (1, 0, 0)
    same_structure(slab.bulk, built.models[0].bulk)
    assert site.structure.site_properties["selective_dynamics"]
    assert site.label == built.models[1].label
    assert interface.film_strain == built.models[2].film_strain
    assert interface.film_indices == built.models[2].film_indices
    assert (again.owners, again.failures) == (built.owners, built.failures)


def test_a_packed_output_is_plain_json(built):
    assert isinstance(json.loads(json.dumps(built.as_dict()))["packed"], str)


def test_parts_are_what_was_computed_of_one_model():
    built = Built()
    for owner in range(2):
        built.add(owner, "model", "one structure", "another")
    assert built.parts(1, ["a", "b", "c", "d"]) == ["c", "d"]
