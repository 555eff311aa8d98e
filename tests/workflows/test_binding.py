"""Where lithium binds on a facet: the site that it ended on, not the one that it started from."""

import numpy as np

from structures import adsorption_sites, facet
from tests.results.samples import relaxed
from workflows.collector_documents import binding_of
from workflows.packing import Built


def calculation(structure, energy, final=None):
    return relaxed(
        f"{structure.formula} {energy}",
        initial_structure=structure,
        final_structure=final or structure,
        forces=np.zeros((len(structure), 3)),
        energy_ev=energy,
    )


def test_the_best_site_is_where_lithium_ended():
    slab = facet("Cu", (1, 1, 1), min_thickness=6.0)
    sites = {one.label: one for one in adsorption_sites(slab, "Li", min_separation=5.0)}
    built, adatoms = Built(), []
    for label, energy in (("bridge", -1.3), ("hollow-fcc", -1.29), ("hollow-hcp", -1.2)):
        site = sites[label]
        built.add(0, site, site.structure, site.slab)
        reached = sites["hollow-fcc"] if label == "bridge" else site
        adatoms += [calculation(site.structure, energy, reached.structure)]
        adatoms += [calculation(site.slab, 0.0)]
    lithium = calculation(facet("Li", (1, 0, 0), min_thickness=3.0).structure, 0.0)
    found = binding_of(0, built, adatoms, lithium)
    assert found.values["li_binding_ev"] == -1.3
    assert found.values["li_binding_site"] == "hollow-fcc"
    bindings = found.values["li_binding_sites"]
    assert [(one.label, one.relaxed_label) for one in bindings] == [
        ("bridge", "hollow-fcc"),
        ("hollow-fcc", None),
        ("hollow-hcp", None),
    ]
