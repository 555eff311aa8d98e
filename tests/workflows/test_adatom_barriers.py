"""The barrier of travel over a facet, put together from hops whose heights are given."""

import pytest
from pymatgen.core import Lattice, Structure

from results.documents import PathDocument, Potential
from structures.models import Hop
from workflows.collector_documents import _barrier
from workflows.packing import Built

POTENTIAL = Potential(name="none", sha256="0" * 64, head=None, dtype="float64", dispersion=None)
A = 4.0


def adatom(x, y):
    return Structure(Lattice.orthorhombic(A, A, 20.0), ["Li"], [[x, y, 0.5]])


def hop(start, end, images):
    return Hop(adatom(*start), adatom(*end), "hollow", "bridge", 1.0, tuple(images))


def path(number, first, top, last, failure=None):
    """A path over three images with the energies given, eV, and a force of 0.02 eV/Å left."""
    start, end = adatom(0, 0), adatom(0.5, 0)
    return PathDocument(
        fingerprint=f"{number:064x}",
        task="neb",
        parameters={},
        potential=POTENTIAL,
        initial_structure=start,
        final_structure=end,
        max_force=0.02,
        converged=failure is None,
        failure=failure,
        steps=1,
        force_evaluations=1,
        wall_time_s=0.0,
        images=[start, adatom(0.25, 0), end],
        energies_ev=[first, top, last],
        barrier_ev=top - first,
        reverse_barrier_ev=top - last,
    )


def barrier(hops, paths):
    built = Built()
    for one in hops:
        built.add(0, one, one.initial, one.final)
    return _barrier(0, built, paths)


TO_AND_FRO = hop((0, 0), (0.5, 0), [(0, 1, 0, 0)])
ALONG = hop((0.5, 0), (1, 0), [(1, 0, 1, 0)])
ACROSS = hop((0, 0), (0, 1), [(0, 0, 0, 1), (1, 1, 0, 1)])


def test_a_low_hop_to_and_fro_is_no_way_across():
    found = barrier(
        [TO_AND_FRO, ALONG, ACROSS],
        [path(1, 0.0, 0.05, 0.02), path(2, 0.02, 0.20, 0.0), path(3, 0.0, 0.60, 0.0)],
    )
    assert found.values["adatom_lowest_hop_ev"] == pytest.approx(0.05)
    assert found.values["adatom_barrier_ev"] == pytest.approx(0.20)
    assert found.values["adatom_barrier_across_ev"] == pytest.approx(0.60)
    assert found.values["adatom_anisotropy"] == pytest.approx(3.0)
    assert found.values["adatom_direction_deg"] == pytest.approx(0.0)
    assert found.values["adatom_profile"].energies_ev[0] == 0.0
    residual = 0.02 * A / 4  # force times the mean distance of the images
    assert found.evidence["adatom_barrier_ev"].error == pytest.approx(residual)
    relative = ((residual / 0.2) ** 2 + (residual / 0.6) ** 2) ** 0.5
    assert found.evidence["adatom_anisotropy"].error == pytest.approx(3 * relative)
    assert all(one.converged for one in found.evidence.values())


def test_one_direction_only_says_so():
    found = barrier([TO_AND_FRO, ALONG], [path(1, 0.0, 0.05, 0.02), path(2, 0.02, 0.20, 0.0)])
    assert found.values["adatom_barrier_ev"] == pytest.approx(0.20)
    assert "adatom_barrier_across_ev" not in found.values
    assert "one direction only" in found.evidence["adatom_barrier_across_ev"].failure


def test_nowhere_to_go_says_so():
    found = barrier([TO_AND_FRO], [path(1, 0.0, 0.05, 0.02)])
    assert found.values == {"adatom_lowest_hop_ev": pytest.approx(0.05)}
    assert "lead nowhere" in found.evidence["adatom_barrier_ev"].failure


def test_a_hop_that_failed_takes_the_trust_from_what_is_left():
    found = barrier(
        [TO_AND_FRO, ALONG, ACROSS],
        [
            path(1, 0.0, 0.05, 0.02),
            path(2, 0.02, 0.20, 0.0),
            path(3, 0.0, 0.60, 0.0, failure="diverged"),
        ],
    )
    assert found.values["adatom_barrier_ev"] == pytest.approx(0.20)
    assert not found.evidence["adatom_barrier_ev"].converged
    assert "diverged" in found.evidence["adatom_barrier_ev"].failure
