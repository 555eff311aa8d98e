"""Enumerated orderings held to the published numbers of them."""

import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher

from structures import StructureError
from structures.decorations import decorations, distinct_occupations

PUBLISHED = {2: 2, 3: 6, 4: 19, 5: 28}
"""Derivative structures of a cubic Bravais lattice with two colours, counted at both compositions
(Hart & Forcade, Phys. Rev. B 77, 224115 (2008))."""


@pytest.mark.parametrize("parent", ["bcc", "fcc"])
@pytest.mark.parametrize("size", PUBLISHED)
def test_there_are_as_many_as_published(parent, size):
    assert len(distinct_occupations(parent, size)) == PUBLISHED[size]


def test_no_two_are_the_same_crystal():
    found = [one.structure for one in decorations(("Li", "Ag"), (20.0, 17.0), "fcc", 3)]
    assert len(StructureMatcher(scale=False).group_structures(found)) == len(found) == 8


def test_the_well_known_ones_are_among_them():
    groups = {
        (one.structure.composition.reduced_formula, one.structure.get_space_group_info()[1])
        for parent in ("bcc", "fcc")
        for one in decorations(("Li", "Al"), (20.0, 16.6), parent, 4)
    }
    # CsCl, CuAu, NaTl and BiF3 type on bcc; AuCu3 on fcc.
    assert {
        ("LiAl", 221),
        ("LiAl", 123),
        ("LiAl", 227),
        ("Li3Al", 225),
        ("Li3Al", 221),
        ("LiAl3", 221),
    } <= groups


def test_volumes_follow_those_of_the_elements():
    for one in decorations(("Li", "Ag"), (20.0, 17.0), "bcc", 3):
        amounts = one.structure.composition
        assert one.structure.volume == pytest.approx(20.0 * amounts["Li"] + 17.0 * amounts["Ag"])


def test_names_are_unique():
    names = [one.name for one in decorations(("Li", "Ag"), (20.0, 17.0), "bcc", 4)]
    assert len(set(names)) == len(names) == 27
    assert names[0] == "bcc-LiAg-1"


@pytest.mark.parametrize(
    ("parent", "size", "message"),
    [("hcp", 4, "choose from bcc, fcc"), ("bcc", 1, "give 2 to 6"), ("bcc", 20, "give 2 to 6")],
)
def test_bad_input_is_one_line(parent, size, message):
    with pytest.raises(StructureError, match=message):
        decorations(("Li", "Ag"), (20.0, 17.0), parent, size)
