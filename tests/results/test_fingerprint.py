import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import DummySpecies, Lattice, Species, Structure

from results.errors import ResultsError
from results.fingerprint import calculation_fingerprint, structure_fingerprint
from tests.results.samples import slab

POTENTIAL = {"name": "m", "sha256": "0" * 64, "head": None, "dtype": "float64", "dispersion": None}
PARAMETERS = {"fmax": 0.03, "cell": "fixed", "steps": 500, "shift": [0.5, 1 / 3]}


def relaxation(structure=None, task="relax", parameters=None, potential=None):
    return calculation_fingerprint(
        structure or slab(), task, parameters or PARAMETERS, potential or POTENTIAL
    )


def moved(vector):
    structure = slab()
    return Structure(
        structure.lattice,
        structure.species,
        structure.frac_coords + vector,
        site_properties=structure.site_properties,
    )


def test_another_process_agrees():
    code = "from tests.results.test_fingerprint import relaxation; print(relaxation())"
    other = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "12345"},
        cwd=Path(__file__).parents[2],
    )
    assert other.stdout.strip() == relaxation()


def test_is_pinned():
    """A change here makes every database forget: raise the format's number if it is meant."""
    cubic = Structure(Lattice.cubic(3.5), ["Li"], [[0, 0, 0]])
    assert structure_fingerprint(cubic) == PINNED


PINNED = "43efd4fa84742d6526f7786301eb54f534562665de6a0d5466bd42f4bc2297a0"


@given(st.lists(st.floats(-1e-10, 1e-10), min_size=9, max_size=9))
def test_noise_of_floating_point_size_does_not_matter(noise):
    shifts = np.reshape(noise, (3, 3))
    assert structure_fingerprint(moved(shifts)) == structure_fingerprint(slab())


@given(st.lists(st.integers(-2, 2), min_size=9, max_size=9))
def test_lattice_translations_of_atoms_do_not_matter(cells):
    shifts = np.reshape(cells, (3, 3)) + 0.0
    assert structure_fingerprint(moved(shifts)) == structure_fingerprint(slab())


@pytest.mark.parametrize("coordinate", [0.0, -0.0, 1.0, -1e-13, 1 - 1e-13, 1 + 1e-13])
def test_the_cells_border_is_one_place(coordinate):
    at_zero = Structure(Lattice.cubic(3), ["Li"], [[0, 0, 0]])
    there = Structure(Lattice.cubic(3), ["Li"], [[coordinate, 0, 0]])
    assert structure_fingerprint(there) == structure_fingerprint(at_zero)


@given(st.integers(1, 60).flatmap(lambda d: st.tuples(st.integers(0, d), st.just(d))))
def test_special_positions_are_away_from_the_edges_of_bins(fraction):
    numerator, denominator = fraction
    exact = Structure(Lattice.cubic(3), ["Li"], [[numerator / denominator, 0, 0]])
    for noise in (-1e-9, 1e-9):
        near = Structure(Lattice.cubic(3), ["Li"], [[numerator / denominator + noise, 0, 0]])
        assert structure_fingerprint(near) == structure_fingerprint(exact)


def rebuilt(**changes):
    """The slab with another lattice, species or site properties."""
    base = slab()
    parts = {
        "lattice": base.lattice,
        "species": base.species,
        "coords": base.frac_coords,
        "site_properties": base.site_properties,
    }
    return Structure(**(parts | changes))


def changed_structures():
    matrix = slab().lattice.matrix
    yield "moved", moved([[0, 0, 0], [0, 0, 0], [0, 0, 1e-4]])
    yield "strained", rebuilt(lattice=Lattice(matrix * 1.0001))
    yield "other element", rebuilt(species=["Cu", "Cu", "Na"])
    yield "thawed", rebuilt(site_properties=None)
    yield "other order", Structure.from_sites([slab()[position] for position in (1, 0, 2)])
    yield "not periodic", rebuilt(lattice=Lattice(matrix, pbc=(True, True, False)))


@pytest.mark.parametrize(("what", "structure"), changed_structures())
def test_what_changes_the_numbers_changes_it(what, structure):
    assert structure_fingerprint(structure) != structure_fingerprint(slab()), what


def test_what_a_potential_does_not_see_does_not_matter():
    bare = Structure(Lattice.cubic(3), ["Li"], [[0, 0, 0]])
    dressed = Structure(
        Lattice.cubic(3),
        [Species("Li", 1)],
        [[0, 0, 0]],
        labels=["Li_a"],
        site_properties={"magmom": [1.0], "selective_dynamics": [[True, True, True]]},
    )
    assert structure_fingerprint(dressed) == structure_fingerprint(bare)


def test_the_order_of_keys_and_the_kind_of_number_do_not_matter():
    same = {
        "shift": (np.float64(0.5), 1 / 3 + 1e-16),
        "steps": np.int64(500),
        "cell": "fixed",
        "fmax": 0.03 + 1e-17,
    }
    assert relaxation(parameters=same) == relaxation()
    assert relaxation(parameters=PARAMETERS | {"steps": 500.0}) == relaxation()


@pytest.mark.parametrize(
    "change",
    [
        {"task": "evaluate"},
        {"parameters": PARAMETERS | {"fmax": 0.031}},
        {"parameters": PARAMETERS | {"climb": None}},
        {"parameters": PARAMETERS | {"steps": True}},
        {"potential": POTENTIAL | {"sha256": "1" * 64}},
        {"potential": POTENTIAL | {"head": "omat"}},
        {"potential": POTENTIAL | {"dtype": "float32"}},
        {"potential": POTENTIAL | {"dispersion": "d3"}},
    ],
)
def test_task_parameters_and_potential_change_it(change):
    assert relaxation(**change) != relaxation()


def test_versions_of_the_potentials_packages_do_not_matter():
    assert relaxation(potential=POTENTIAL | {"versions": {"torch": "9"}}) == relaxation()


def test_a_band_is_not_its_reverse():
    there = calculation_fingerprint([slab(), slab(0.1)], "neb", {}, POTENTIAL)
    back = calculation_fingerprint([slab(0.1), slab()], "neb", {}, POTENTIAL)
    assert there != back
    assert calculation_fingerprint([slab()], "relax", PARAMETERS, POTENTIAL) == relaxation()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: calculation_fingerprint([], "relax", {}, POTENTIAL), "empty list"),
        (lambda: relaxation(parameters={"fmax": float("nan")}), "parameters.fmax: nan"),
        (lambda: relaxation(parameters={"path": object()}), "parameters.path: object"),
        (lambda: relaxation(parameters={"a": {1: 2}}), "parameters.a: key 1"),
        (lambda: relaxation(potential={"name": "m"}), "'sha256' is missing"),
        (
            lambda: structure_fingerprint(
                Structure(Lattice.cubic(3), [{"Li": 0.5, DummySpecies("X"): 0.5}], [[0, 0, 0]])
            ),
            "partial occupancies",
        ),
        (
            lambda: structure_fingerprint(
                Structure(Lattice.cubic(3), ["Li"], [[float("nan"), 0, 0]])
            ),
            "not numbers",
        ),
    ],
)
def test_what_has_no_fingerprint_is_refused_on_one_line(call, message):
    with pytest.raises(ResultsError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
