import json

import numpy as np
import pytest
from monty.json import MontyDecoder, jsanitize
from pydantic import ValidationError

from results.documents import (
    CollectorDocument,
    Evidence,
    PathDocument,
    as_structure,
    parse_calculation,
    quantities,
)
from results.errors import ResultsError
from tests.results.samples import collector, path, relaxed, slab


@pytest.mark.parametrize("document", [relaxed(1), path(1)])
def test_a_calculation_survives_json(document):
    assert parse_calculation(json.loads(document.model_dump_json())) == document


@pytest.mark.parametrize("document", [relaxed(1), path(1), collector()])
def test_a_document_survives_a_job_store(document):
    stored = json.loads(json.dumps(jsanitize(document, strict=True)))
    assert MontyDecoder().process_decoded(stored) == document


def test_a_collector_survives_json():
    document = collector()
    assert CollectorDocument.model_validate_json(document.model_dump_json()) == document


def test_structures_come_back_with_their_frozen_atoms():
    structure = as_structure(relaxed(1, final_structure=slab(0.05)).final_structure)
    assert structure == slab(0.05)
    assert structure.site_properties == slab().site_properties


def test_a_structure_that_blew_up_is_missing_not_stored():
    blown = slab()
    blown.translate_sites([0], [np.nan, 0, 0], to_unit_cell=False)
    document = relaxed(1, final_structure=blown, converged=False, failure="diverged")
    assert document.final_structure is None
    fields = path(1).model_dump() | {"converged": False, "failure": "diverged"}
    assert PathDocument(**fields | {"images": [slab(), blown]}).images is None


def test_arrays_among_parameters_and_site_properties_become_lists():
    structure = slab().add_site_property("magmom", list(np.ones(3)))
    structure.add_site_property("forces", list(np.ones((3, 3))))
    document = relaxed(1, final_structure=structure, parameters={"a": (1, np.arange(2))})
    assert parse_calculation(json.loads(document.model_dump_json())) == document


def test_a_diverged_relaxation_has_no_energy():
    document = relaxed(
        1,
        energy_ev=np.nan,
        forces=np.full((3, 3), np.nan),
        max_force=np.inf,
        converged=False,
        failure="not a number",
    )
    assert (document.energy_ev, document.forces, document.max_force) == (None, None, None)
    assert parse_calculation(json.loads(document.model_dump_json())) == document


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"failure": "diverged"}, "converged: true beside failure"),
        ({"converged": False}, "say why"),
        ({"energy_ev": np.nan}, "not finite though converged"),
        ({"energy": -1.0}, "energy"),
        ({"fingerprint": "abc"}, "fingerprint"),
    ],
)
def test_a_calculation_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        relaxed(1, **changes)


def test_convergence_and_failures_follow_from_the_evidence():
    document = collector()
    assert not document.converged
    assert document.failures == ("adatom_barrier_ev: diverged in step 3",)
    dump = document.model_dump(mode="json")
    assert dump["converged"] is False
    assert dump["failures"] == ["adatom_barrier_ev: diverged in step 3"]


def test_properties_carry_value_unit_and_evidence():
    by_name = {item.name: item for item in collector().properties()}
    assert list(by_name) == ["li_binding", "adatom_barrier", "work_of_adhesion"]
    binding = by_name["li_binding"]
    assert (binding.value, binding.unit, binding.error) == (-0.2, "eV", 0.01)
    assert binding.reference_state == "bcc Li"
    assert by_name["adatom_barrier"].value is None
    assert by_name["adatom_barrier"].failure == "diverged in step 3"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"surface_energy_j_m2": 1.0}, "surface_energy_j_m2 has a value but no entry"),
        ({"work_of_adhesion_j_m2": None}, "neither value nor failure"),
        ({"evidence": {"colour": Evidence(converged=True)}}, "has a value but no entry"),
        (
            {
                "contact_angle_deg": 10.0,
                "evidence": collector().evidence | {"contact_angle_deg": Evidence(converged=True)},
            },
            "gamma_li_j_m2: missing",
        ),
    ],
)
def test_a_candidate_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        collector(**changes)


def test_every_quantity_says_its_formula_and_unit():
    suffixes = {"eV": "_ev", "J/m²": "_j_m2", "V": "_v", "°": "_deg", "1": ""}
    for field, (name, unit) in quantities(CollectorDocument).items():
        assert field == name + suffixes[unit]
        assert CollectorDocument.model_fields[field].description.endswith(f"; {unit}.")


def test_every_field_is_described():
    for document in (type(relaxed(1)), type(path(1)), CollectorDocument):
        for field, info in document.model_fields.items():
            assert info.description or field in ("kind", "screen"), field


def test_an_unknown_document_is_refused_on_one_line():
    with pytest.raises(ResultsError, match="document: whole"):
        parse_calculation({"kind": "poem"})


def test_times_without_a_zone_are_utc():
    """Stores of jobflow give them back so, and documents of both kinds stand in one report."""
    document = collector()
    bare = document.created_at.replace(tzinfo=None)
    again = type(document).model_validate(document.model_dump() | {"created_at": bare})
    assert again.created_at == document.created_at
