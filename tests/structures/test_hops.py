"""Hops on facets where the places of an adatom are known, with EMT as the potential."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from ase.calculators.emt import EMT
from ase.mep import NEB
from ase.optimize import FIRE
from pymatgen.core.structure import Structure

from structures.adsorption import adsorption_sites
from structures.conversion import as_atoms
from structures.errors import StructureError
from structures.hops import adatom_hops, site_reached
from structures.in_plane import face_operations
from structures.models import AdsorptionSite
from structures.slabs import facet


@cache
def relaxed(index: tuple[int, int, int]) -> tuple[list[AdsorptionSite], list[float]]:
    """Copper adatoms on copper, relaxed with EMT."""
    sites, energies = [], []
    slab = facet("Cu", index, min_thickness=6.0)
    for site in adsorption_sites(slab, "Cu", min_separation=5.0):
        atoms = as_atoms(site.structure)
        atoms.calc = EMT()
        FIRE(atoms, logfile=None).run(fmax=0.02, steps=300)
        moved = Structure(
            site.structure.lattice,
            site.structure.species,
            atoms.get_positions(),
            coords_are_cartesian=True,
            site_properties=site.structure.site_properties,
        )
        sites.append(replace(site, structure=moved))
        energies.append(float(atoms.get_potential_energy()))
    return sites, energies


@pytest.mark.parametrize("reached", ["top", "bridge", "hollow-fcc", "hollow-hcp"])
def test_an_adatom_is_on_the_site_that_it_moved_to(reached: str) -> None:
    """Whichever of its copies that is, and a little beside it."""
    sites = {
        site.label: site
        for site in adsorption_sites(
            facet("Cu", (1, 1, 1), min_thickness=6.0), "Cu", min_separation=5.0
        )
    }
    start = sites["bridge"]
    for operation in face_operations(start.slab)[::5]:
        place = operation.apply(sites[reached].structure.frac_coords[-1, :2]) + 0.02
        moved = start.structure.copy()
        moved.replace(len(moved) - 1, "Cu", [*place, moved.frac_coords[-1, 2]])
        assert site_reached(start, moved, list(sites.values())) == reached


def energy(structure: Structure) -> float:
    atoms = as_atoms(structure)
    atoms.calc = EMT()
    return float(atoms.get_potential_energy())


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        # Between the two hollows; from hollow to the next hollow; along and across the trough.
        ((1, 1, 1), [({"hollow-fcc", "hollow-hcp"}, 3.6149 / np.sqrt(6))]),
        ((1, 0, 0), [({"hollow"}, 3.6149 / np.sqrt(2))]),
        ((1, 1, 0), [({"hollow"}, 3.6149 / np.sqrt(2)), ({"hollow"}, 3.6149)]),
    ],
)
def test_hops_of_known_facets(
    index: tuple[int, int, int], expected: list[tuple[set[str], float]]
) -> None:
    sites, energies = relaxed(index)
    hops = adatom_hops(sites, energies)
    assert [{hop.initial_label, hop.final_label} for hop in hops] == [e[0] for e in expected]
    assert [hop.distance for hop in hops] == pytest.approx([e[1] for e in expected], abs=0.02)


@pytest.mark.parametrize("index", [(1, 1, 1), (1, 0, 0), (1, 1, 0)])
def test_both_ends_are_relaxed_and_joined_the_short_way(index: tuple[int, int, int]) -> None:
    sites, energies = relaxed(index)
    by_label = dict(zip((site.label for site in sites), energies, strict=True))
    for hop in adatom_hops(sites, energies):
        assert energy(hop.initial) == pytest.approx(by_label[hop.initial_label], abs=1e-6)
        assert energy(hop.final) == pytest.approx(by_label[hop.final_label], abs=1e-6)
        assert hop.final.species == hop.initial.species
        flags = [s.site_properties["selective_dynamics"] for s in (hop.initial, hop.final)]
        assert flags[0] == flags[1]
        # Only the adatom goes far; no atom of the slab changes places with another.
        moved = hop.final.cart_coords - hop.initial.cart_coords
        steps = np.linalg.norm(moved, axis=1)
        assert steps[-1] == pytest.approx(hop.distance)
        assert steps[:-1].max() < 0.3
        frozen = ~np.array(flags[0])[:, 0]
        assert steps[frozen] == pytest.approx(0, abs=1e-6)


def test_band_between_the_ends_goes_over_the_bridge() -> None:
    sites, energies = relaxed((1, 0, 0))
    (hop,) = adatom_hops(sites, energies)
    band = [as_atoms(hop.initial) for _ in range(6)] + [as_atoms(hop.final)]
    for image in band:
        image.calc = EMT()
    neb = NEB(band, climb=True, method="improvedtangent")
    neb.interpolate(mic=False)
    FIRE(neb, logfile=None).run(fmax=0.05, steps=100)
    heights = [image.get_potential_energy() for image in band]
    labels = [site.label for site in sites]
    bridge = energies[labels.index("bridge")] - energies[labels.index("hollow")]
    assert max(heights) - heights[0] == pytest.approx(bridge, abs=0.005)


def test_unstable_sites_take_no_part() -> None:
    sites, energies = relaxed((1, 1, 1))
    used = {
        label
        for hop in adatom_hops(sites, energies)
        for label in (hop.initial_label, hop.final_label)
    }
    assert used == {"hollow-fcc", "hollow-hcp"}


def test_site_that_slid_to_another_is_that_other() -> None:
    sites, energies = relaxed((1, 0, 0))
    by_label = {site.label: i for i, site in enumerate(sites)}
    hollow, bridge = by_label["hollow"], by_label["bridge"]
    slid = replace(sites[bridge], structure=sites[hollow].structure)
    (hop,) = adatom_hops([slid, sites[hollow]], [energies[hollow] - 1e-5, energies[hollow]])
    assert (hop.initial_label, hop.final_label) == ("hollow", "hollow")


def test_only_one_hollow_stable_hops_to_its_images() -> None:
    sites, energies = relaxed((1, 1, 1))
    only = [i for i, site in enumerate(sites) if site.label == "hollow-fcc"]
    hops = adatom_hops([sites[i] for i in only], [energies[i] for i in only])
    # Two ways to the next one, over a bridge and an hcp hollow or over the bridge beyond it, are
    # mirror images.
    assert [hop.distance for hop in hops] == [pytest.approx(3.6149 / np.sqrt(2), abs=0.02)]


@pytest.mark.parametrize("change", [lambda s: s[::-1], lambda s: s[1:] + s[:1]])
def test_hops_do_not_depend_on_the_order_of_sites(
    change: Callable[[list], list],
) -> None:
    sites, energies = relaxed((1, 1, 1))
    hops = adatom_hops(change(list(sites)), change(list(energies)))
    assert len(hops) == 1
    assert hops[0].distance == pytest.approx(adatom_hops(sites, energies)[0].distance, abs=1e-3)


def test_bad_input_is_named() -> None:
    sites, energies = relaxed((1, 0, 0))
    with pytest.raises(StructureError, match="the list is empty"):
        adatom_hops([], [])
    with pytest.raises(StructureError, match="2 values for 3 sites"):
        adatom_hops(sites, energies[:2])
    other = relaxed((1, 1, 1))
    with pytest.raises(StructureError, match="give sites of one facet"):
        adatom_hops([*sites, *other[0]], [*energies, *other[1]])
