"""Miller indices and the bonds that their planes cut."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core.structure import Structure

from structures.crystal_library import crystal
from structures.errors import StructureError
from structures.miller import (
    broken_bonds,
    close_packed_index,
    distinct_miller_indices,
    miller_index,
    reduced_primitive_cell,
)

indices = st.tuples(*[st.integers(-6, 6)] * 3).filter(any)


@given(indices, st.integers(1, 5))
def test_common_factors_are_divided_out(index: tuple[int, int, int], factor: int) -> None:
    reduced = miller_index([factor * i for i in index])
    assert math.gcd(*reduced) == 1
    assert np.linalg.matrix_rank(np.array([reduced, index])) == 1
    assert np.dot(reduced, index) > 0


@settings(deadline=None)
@given(indices)
def test_four_indices_name_the_same_facet_as_three(index: tuple[int, int, int]) -> None:
    h, k, ell = index
    assert miller_index([h, k, -h - k, ell], crystal("Mg")) == miller_index(index)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([0, 0, 0], r"\[0, 0, 0\] names no facet"),
        ([0, 0, 0, 0], r"\[0, 0, 0\] names no facet"),
        ([1, 1], "three integers"),
        ([1, 1, 1, 1, 1], "three integers"),
        ([1, 0.5, 1], "three integers"),
        ([True, 0, 0], "three integers"),
        ("111", "three integers"),
        (None, "three integers"),
        ([1, 0, 0, 0], r"h \+ k \+ i = 0.*\[1, 0, -1, 0\]"),
    ],
)
def test_bad_index_is_one_line_with_the_mend(wrong: object, message: str) -> None:
    with pytest.raises(StructureError, match=f"miller_index: .*{message}") as error:
        miller_index(wrong, crystal("Mg"))
    assert "\n" not in str(error.value)


def test_four_indices_need_a_hexagonal_crystal() -> None:
    with pytest.raises(StructureError, match=r"Cu is not hexagonal; write \[1, 0, 1\]"):
        miller_index([1, 0, -1, 1], crystal("Cu"))


def test_families_of_cubic_and_hexagonal_crystals() -> None:
    assert set(distinct_miller_indices(crystal("Cu"), 1)) == {(1, 0, 0), (1, 1, 0), (1, 1, 1)}
    assert set(distinct_miller_indices(crystal("Cu"), 2)) == {
        *[(1, 0, 0), (1, 1, 0), (1, 1, 1)],
        *[(2, 1, 0), (2, 1, 1), (2, 2, 1)],
    }
    # (0001), both prisms and both pyramids.
    assert set(distinct_miller_indices(crystal("Mg"), 1)) == {
        *[(0, 0, 1), (1, 0, 0), (1, 1, 0), (1, 0, 1), (1, 1, 1)]
    }


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True])
def test_bad_max_index(wrong: object) -> None:
    with pytest.raises(StructureError, match="max_index"):
        distinct_miller_indices(crystal("Cu"), wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        *[(fcc, (1, 1, 1)) for fcc in ("Cu", "Ni", "Al", "Ag", "Au", "Li-fcc")],
        *[(bcc, (1, 1, 0)) for bcc in ("Li", "Fe", "Cr")],
        *[(hcp, (0, 0, 1)) for hcp in ("Mg", "Zn", "Ti", "graphite")],
        # Cleavage planes of diamond, rock salt and fluorite.
        *[("Si", (1, 1, 1)), ("LiF", (1, 0, 0)), ("MgO", (1, 0, 0)), ("Li2O", (1, 1, 1))],
    ],
)
def test_close_packed_facet(name: str, index: tuple[int, int, int]) -> None:
    assert close_packed_index(crystal(name)) == index


@pytest.mark.parametrize(
    ("index", "bonds_per_cell"), [((1, 1, 1), 3), ((1, 0, 0), 4), ((1, 1, 0), 6)]
)
def test_bonds_cut_in_fcc_are_the_textbook_count(
    index: tuple[int, int, int], bonds_per_cell: int
) -> None:
    # 3 per atom of (111), 4 of (100); 6 of (110), 5 of them in the top layer and 1 in the second.
    copper = crystal("Cu")
    cells = {(1, 1, 1): math.sqrt(3) / 4, (1, 0, 0): 1 / 2, (1, 1, 0): math.sqrt(2) / 2}
    area = cells[index] * copper.lattice.a**2
    _, bonds = broken_bonds(copper, index)
    assert bonds == pytest.approx([bonds_per_cell / area])


@pytest.mark.parametrize(
    ("name", "atoms"), [("Cu", 1), ("Li", 1), ("Mg", 2), ("Si", 2), ("LiF", 2), ("Sb", 2)]
)
def test_reduced_primitive_cell_keeps_volume_and_orientation(name: str, atoms: int) -> None:
    conventional = crystal(name)
    primitive = reduced_primitive_cell(conventional)
    assert len(primitive) == atoms
    assert primitive.volume / atoms == pytest.approx(conventional.volume / len(conventional))
    ratio = primitive.lattice.matrix @ np.linalg.inv(conventional.lattice.matrix)
    assert 6 * ratio == pytest.approx(np.rint(6 * ratio), abs=1e-6)
    # The same atoms: each primitive site lies on one of the conventional cell.
    fractional = conventional.lattice.get_fractional_coords(primitive.cart_coords)
    distances = conventional.lattice.get_all_distances(fractional, conventional.frac_coords)
    assert distances.min(axis=1) == pytest.approx(np.zeros(atoms), abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(indices)
def test_every_facet_of_copper_cuts_bonds(index: tuple[int, int, int]) -> None:
    copper: Structure = crystal("Cu")
    _, bonds = broken_bonds(copper, miller_index(index))
    close_packed = broken_bonds(copper, (1, 1, 1))[1].min()
    assert (bonds >= close_packed - 1e-9).all()
