"""Slabs of a crystal: every facet asked for, all its terminations, with thickness in Å."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core.composition import Composition
from pymatgen.core.structure import Structure
from pymatgen.core.surface import SlabGenerator
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from structures.conversion import SYMPREC, conventional_cell, host_name
from structures.errors import StructureError
from structures.in_plane import in_plane_vectors, slab_structure
from structures.miller import (
    LAYER_TOLERANCE,
    broken_bonds,
    close_packed_index,
    distinct_miller_indices,
    miller_index,
    primitive_index,
    reduced_primitive_cell,
)
from structures.models import Facet, MillerIndex, in_plane_area

MIN_THICKNESS = 10.0
MIN_VACUUM = 15.0
SHEET_GAP = 8.0
"""An empty gap along c above this makes a crystal a single sheet, Å (graphite's is 3.35 Å)."""


def facets(
    structure: Any,
    max_index: int = 1,
    *,
    miller_indices: Sequence[Sequence[int]] | None = None,
    close_packed: bool = False,
    min_thickness: float = MIN_THICKNESS,
    min_vacuum: float = MIN_VACUUM,
    symmetric: bool = True,
    host: str | None = None,
) -> list[Facet]:
    """All terminations of the facets asked for, those that cut the fewest bonds first.

    Args:
        structure: a pymatgen Structure, ASE Atoms or the name of a library crystal. Miller indices
            refer to its conventional cell; a primitive cell is brought to spglib's standard one.
        max_index: every family of facets with indices up to this.
        miller_indices: only these facets instead, each with three or four indices; common factors
            are divided out.
        close_packed: only the facet that cuts the fewest bonds per area instead.
        min_thickness: thickness of crystal, Å: the smallest whole number of lattice planes whose
            spacings add up to it.
        min_vacuum: empty height between a slab and its image, Å.
        symmetric: where both faces of a stoichiometric slab differ, take layers off its underside
            until they agree (``stoichiometric`` is then False). A slab that no cut makes symmetric,
            and every such slab where this is False, is given twice, once with each face on top;
            in an ionic crystal it is polar.
        host: name written into the facets, where ``structure`` is not a library name.

    Returns:
        Facets in the order of the indices, terminations within each by broken bonds.

    Raises:
        StructureError: bad index or length, an empty list, or an index other than (0, 0, 1) of a
            single sheet.
    """
    bulk = conventional_cell(structure)
    if miller_indices is not None:
        indices = listed_miller_indices(miller_indices, bulk)
    elif close_packed:
        indices = [(0, 0, 1) if _is_sheet(bulk) else close_packed_index(bulk)]
    elif _is_sheet(bulk):
        indices = [(0, 0, 1)]
    else:
        indices = distinct_miller_indices(bulk, max_index)
    name = host or host_name(structure)
    return [
        found
        for index in indices
        for found in _terminations(bulk, index, name, min_thickness, min_vacuum, symmetric)
    ]


def facet(
    structure: Any,
    miller_index: Sequence[int],
    *,
    min_thickness: float = MIN_THICKNESS,
    min_vacuum: float = MIN_VACUUM,
    host: str | None = None,
) -> Facet:
    """The termination of one facet that cuts the fewest bonds; arguments as for `facets`."""
    return facets(
        structure,
        miller_indices=[miller_index],
        min_thickness=min_thickness,
        min_vacuum=min_vacuum,
        host=host,
    )[0]


def facet_set(structure: Any, spec: Any, **options: Any) -> list[Facet]:
    """Facets of one host by what a campaign's ``facets`` says of it.

    Args:
        structure: as for `facets`.
        spec: ``"close_packed"``, ``{"max_index": n}`` or a list of Miller indices.
        options: keyword arguments of `facets` (thickness, vacuum, symmetric, host).

    Raises:
        StructureError: ``spec`` is none of these.
    """
    if spec == "close_packed":
        return facets(structure, close_packed=True, **options)
    if isinstance(spec, Mapping) and set(spec) == {"max_index"}:
        return facets(structure, spec["max_index"], **options)
    if isinstance(spec, Sequence) and not isinstance(spec, str):
        return facets(structure, miller_indices=spec, **options)
    raise StructureError(
        f"facets: {spec!r} is not understood; give a list of Miller indices such as [[1, 1, 1]], "
        "close_packed, or {max_index: 1}"
    )


def listed_miller_indices(
    miller_indices: Iterable[Sequence[int]], bulk: Structure
) -> list[MillerIndex]:
    """The indices of a user's list, checked against ``bulk``, repeats dropped.

    Raises:
        StructureError: the list is empty, or one index is bad.
    """
    indices = list(dict.fromkeys(miller_index(index, bulk) for index in miller_indices))
    if not indices:
        raise StructureError("facets: the list is empty; name at least one, such as [[1, 1, 1]]")
    return indices


def with_frozen_bottom(structure: Structure, thickness: float) -> Structure:
    """Copy of a slab whose sites within ``thickness`` Å of its lowest atom may not move.

    Sites are marked through the ``selective_dynamics`` site property (False: fixed).
    """
    heights = structure.cart_coords[:, 2]
    free = heights > heights.min() + thickness + LAYER_TOLERANCE
    frozen = structure.copy()
    frozen.add_site_property("selective_dynamics", [[bool(f)] * 3 for f in free])
    return frozen


def faces_equivalent(slab: Structure) -> bool:
    """Whether a symmetry operation maps the upper face of ``slab`` onto the lower one."""
    rotations = SpacegroupAnalyzer(slab, symprec=5 * SYMPREC).get_symmetry_dataset().rotations
    return bool((rotations[:, 2, 2] == -1).any())


def turned_over(slab: Structure) -> Structure:
    """The slab rotated by half a turn about y, other face on top."""
    a, b = in_plane_vectors(slab) * np.array([-1.0, 1.0])
    heights = slab.cart_coords[:, 2]
    # The rotated a and b are left-handed seen from above: take them in the other order.
    return slab_structure(
        _species(slab),
        np.array([b, a]),
        slab.frac_coords[:, [1, 0]],
        heights.max() - heights,
        slab.lattice.c,
    )


def _terminations(
    bulk: Structure,
    index: MillerIndex,
    host: str,
    min_thickness: float,
    min_vacuum: float,
    symmetric: bool,
) -> list[Facet]:
    for field, value in (("min_thickness", min_thickness), ("min_vacuum", min_vacuum)):
        if not (math.isfinite(value) and value > 0):
            raise StructureError(f"{field}: {value} must be a length above 0 Å")
    if _is_sheet(bulk) and index[:2] != (0, 0):
        raise StructureError(
            f"miller_index: {list(index)} cuts through {host}, which is a single sheet; its only "
            "facet is [0, 0, 1]"
        )
    cell = _oriented_cell(bulk, index)
    spacing = cell.volume / in_plane_area(cell)
    planes = max(1, math.ceil(min_thickness / spacing - 1e-6))
    slabs: list[tuple[Structure, bool, bool]] = []
    for shift, slab in _distinct_cuts(cell, planes):
        if faces_equivalent(slab):
            slabs.append((slab, True, True))
            continue
        for turn in (_as_is, turned_over):
            found = _symmetrized(cell, shift, planes, turn, min_thickness) if symmetric else None
            if found is None:
                slabs.append((turn(slab), False, True))
            else:
                slabs.append((found, True, _same_composition(found, bulk)))
    labels = _unique([_top_layer(slab) for slab, _, _ in slabs])
    return [
        Facet(
            structure=_with_vacuum(slab, min_vacuum),
            host=host,
            miller_index=index,
            termination=label,
            symmetric=is_symmetric,
            stoichiometric=stoichiometric,
            bulk=bulk,
        )
        for label, (slab, is_symmetric, stoichiometric) in zip(labels, slabs, strict=True)
    ]


def _distinct_cuts(cell: Structure, planes: int) -> list[tuple[float, Structure]]:
    """Shift and stoichiometric slab of each distinct cut, fewest broken bonds first."""
    cuts, bonds = broken_bonds(cell, (0, 0, 1))
    shifts = cuts / (cell.volume / in_plane_area(cell))
    matcher = StructureMatcher(
        ltol=0.01, stol=0.01, angle_tol=0.5, primitive_cell=False, scale=False
    )
    distinct: list[tuple[float, Structure]] = []
    for shift in shifts[np.lexsort((cuts, np.round(bonds, 6)))]:
        slab = _cut(cell, float(shift), planes)
        if not any(matcher.fit(slab, known) for _, known in distinct):
            distinct.append((float(shift), slab))
    return distinct


def _cut(cell: Structure, shift: float, planes: int) -> Structure:
    """Slab of ``planes`` repeats of an oriented cell, cut ``shift`` of its height above zero."""
    spacing = cell.volume / in_plane_area(cell)
    generator = SlabGenerator(
        cell,
        (0, 0, 1),
        min_slab_size=(planes - 0.5) * spacing,
        min_vacuum_size=MIN_VACUUM,
        primitive=False,
    )
    return _upright(generator.get_slab(shift=shift))


def _oriented_cell(bulk: Structure, index: MillerIndex) -> Structure:
    """Primitive cell with its shortest a and b in the facet and c one lattice plane up."""
    primitive = reduced_primitive_cell(bulk)
    plane = np.array(primitive_index(bulk, primitive, index))
    reach = max(2, int(np.abs(plane).max()))
    vectors = np.array([v for v in product(range(-reach, reach + 1), repeat=3) if any(v)])
    lengths = np.linalg.norm(primitive.lattice.get_cartesian_coords(vectors), axis=1)
    vectors = vectors[np.lexsort((*(-vectors.T), np.round(lengths, 6)))]
    levels = vectors @ plane
    in_plane = vectors[levels == 0]
    a = in_plane[0]
    b = next(v for v in in_plane[1:] if np.cross(a, v).any())
    lattice = primitive.lattice
    if lattice.get_cartesian_coords(a) @ lattice.get_cartesian_coords(b) > 1e-6:
        b = -b
    c = vectors[levels == 1][0]
    matrix = np.array([a, b, c])
    if np.linalg.det(matrix) < 0:
        # Turning the plane over keeps a, b and the angle between them.
        matrix = np.array([b, a, c])
    return primitive.make_supercell(matrix, in_place=False)


def _upright(slab: Structure) -> Structure:
    """The same atoms with a along x, b in the x-y plane, c along z, lowest atom at z = 0."""
    a, b, _ = slab.lattice.matrix
    normal = np.cross(a, b)
    normal /= np.linalg.norm(normal)
    heights = slab.cart_coords @ normal
    in_plane = slab.cart_coords - heights[:, None] * normal
    fractional = np.linalg.lstsq(np.array([a, b]).T, in_plane.T, rcond=None)[0].T
    heights = heights - heights.min()
    return slab_structure(
        _species(slab), np.array([a, b]), fractional, heights, heights.max() + MIN_VACUUM
    )


def _with_vacuum(slab: Structure, vacuum: float) -> Structure:
    """``slab`` in the middle of a cell with ``vacuum`` Å between it and its image."""
    heights = slab.cart_coords[:, 2]
    return slab_structure(
        _species(slab),
        in_plane_vectors(slab),
        slab.frac_coords[:, :2],
        heights - heights.min() + vacuum / 2,
        float(np.ptp(heights)) + vacuum,
    )


def _species(structure: Structure) -> list[Any]:
    return [site.species for site in structure]


def _symmetrized(
    cell: Structure,
    shift: float,
    planes: int,
    turn: Callable[[Structure], Structure],
    min_thickness: float,
) -> Structure | None:
    """The thinnest slab of at least ``min_thickness`` with the upper face of a cut on both sides.

    It is found by taking layers off the underside of a stoichiometric one.
    """
    spacing = cell.volume / in_plane_area(cell)
    for count in (planes, planes + 1):
        slab = turn(_cut(cell, shift, count))
        gap = count * spacing - float(np.ptp(slab.cart_coords[:, 2]))
        heights = slab.cart_coords[:, 2]
        levels = np.sort(heights)
        edges = levels[1:][np.diff(levels) > LAYER_TOLERANCE]
        for edge in edges[edges < heights.max() + gap - min_thickness + 1e-6]:
            kept = Structure.from_sites([slab[int(i)] for i in np.flatnonzero(heights >= edge)])
            if set(kept.composition) == set(slab.composition) and faces_equivalent(kept):
                return kept
    return None


def _as_is(slab: Structure) -> Structure:
    return slab


def _same_composition(slab: Structure, bulk: Structure) -> bool:
    return bool(slab.composition.reduced_composition == bulk.composition.reduced_composition)


def _top_layer(slab: Structure) -> str:
    heights = slab.cart_coords[:, 2]
    top = np.flatnonzero(heights > heights.max() - LAYER_TOLERANCE)
    counts = Counter(slab[int(i)].specie.symbol for i in top)
    return Composition(counts).reduced_formula if len(counts) > 1 else next(iter(counts))


def _unique(labels: list[str]) -> list[str]:
    totals = Counter(labels)
    seen: Counter[str] = Counter()
    numbered = []
    for label in labels:
        seen[label] += 1
        numbered.append(f"{label}-{seen[label]}" if totals[label] > 1 else label)
    return numbered


def _is_sheet(bulk: Structure) -> bool:
    heights = np.sort(np.mod(bulk.frac_coords[:, 2], 1.0))
    spacing = bulk.volume / in_plane_area(bulk)
    return float(np.diff(heights, append=heights[0] + 1.0).max()) * spacing > SHEET_GAP
