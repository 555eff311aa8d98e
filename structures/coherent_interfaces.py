"""Coherent interfaces of two crystals: common cell, terminations, registries and gap."""

import math
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.structure import Structure

from structures.adsorption import atomic_radius, contact_heights
from structures.errors import StructureError
from structures.in_plane import face_operations, in_plane_vectors, slab_structure, supercell
from structures.lattice_match import LatticeMatch, lattice_matches
from structures.miller import LAYER_TOLERANCE
from structures.models import Facet, InterfaceModel, in_plane_area
from structures.slabs import facets, turned_over

MAX_STRAIN = 0.05
MAX_AREA = 200.0
"""Largest common cell that is looked for, Å²."""
MAX_ATOMS = 200
THICKNESS = 10.0
VACUUM = 15.0
FINEST_STEP = 0.4
"""Registries closer than this to each other are not told apart, Å."""
CLEARANCE = 0.8
"""Least start distance of atoms of film and substrate, in units of the sum of their radii."""
CLOSEST = 0.75
"""Atoms of film and substrate closer than this, in units of the sum of their radii, overlap."""


def interfaces(
    film: Any,
    substrate: Any,
    *,
    film_miller_index: tuple[int, ...] | None = None,
    substrate_miller_index: tuple[int, ...] | None = None,
    max_strain: float = MAX_STRAIN,
    max_atoms: int = MAX_ATOMS,
    film_thickness: float = THICKNESS,
    substrate_thickness: float = THICKNESS,
    vacuum: float = VACUUM,
    registries: int | tuple[int, int] = 3,
    gap: float | None = None,
) -> list[InterfaceModel]:
    """Coherent interfaces of two facets in their smallest common cell.

    The substrate keeps its own cell; all strain is put into the film. Of the common cells within
    the limits, at most 200 Å² large, the one with the fewest atoms is taken, and of those the least
    strained.

    Args:
        film: a Facet, whose face named by its termination is brought onto the substrate; or a
            crystal (pymatgen Structure, ASE Atoms, library name) with ``film_miller_index``, of
            which every termination is used.
        substrate: likewise; its named face carries the film.
        film_miller_index: facet of a film given as a crystal.
        substrate_miller_index: facet of a substrate given as a crystal.
        max_strain: limit on the relative change of any length in the film's plane.
        max_atoms: limit on the sites of the interface.
        film_thickness: of a film given as a crystal, Å; a Facet keeps its own.
        substrate_thickness: likewise.
        vacuum: empty height between the film and the image of the substrate, Å.
        registries: points of the grid of in-plane shifts, along each direction of the cell in
            which shifts differ at all: the smallest that holds every translation of film and of
            substrate. Shifts equivalent by symmetry, or less than 0.4 Å apart, are left out.
        gap: start distance between the facing atomic planes, Å. By default the mean height at
            which the film's lowest atoms touch the substrate (0.95 times the sum of the atomic
            radii). In either case wider where atoms would come closer than 0.8 times that sum;
            each model tells its own.

    Returns:
        For each pair of terminations, its registries. ``registry`` is the shift in fractions of
        the substrate's primitive a and b from where a lowest film atom is over a highest substrate
        atom.

    Raises:
        StructureError: a limit out of range, a facet that is missing, no common cell within the
            limits, or a built interface that fails its checks of cell, composition or distances.
    """
    _check_limits(max_strain, max_atoms, vacuum, gap)
    grid = _grid(registries)
    films = _facets("film", film, film_miller_index, film_thickness)
    substrates = _facets("substrate", substrate, substrate_miller_index, substrate_thickness)
    models = []
    for upper, lower in product(films, substrates):
        # Both faces of a symmetric slab are the named one.
        facing = upper.structure if upper.symmetric else turned_over(upper.structure)
        matches = lattice_matches(
            facing, lower.structure, max_strain=max_strain, max_area=MAX_AREA, max_atoms=max_atoms
        )
        if not matches:
            raise StructureError(
                f"interfaces: no common cell of {pair_name(upper, lower)} within max_strain "
                f"{max_strain}, max_atoms {max_atoms} and {MAX_AREA:g} Å²; raise one of the two or "
                "take thinner slabs"
            )
        models.extend(_registered(upper, facing, lower, matches[0], grid, vacuum, gap))
    return models


def pair_name(film: Facet, substrate: Facet) -> str:
    """Names of two facets as messages show them: ``Li(1, 1, 0) on Cu(1, 1, 1)``."""
    return f"{film.host}{film.miller_index} on {substrate.host}{substrate.miller_index}"


def _check_limits(max_strain: float, max_atoms: int, vacuum: float, gap: float | None) -> None:
    if not 0 < max_strain <= 0.3:
        raise StructureError(f"max_strain: {max_strain} must be above 0 and at most 0.3")
    for field, value in (("max_atoms", max_atoms), ("vacuum", vacuum)):
        if not (math.isfinite(value) and value > 0):
            raise StructureError(f"{field}: {value} must be above 0")
    if gap is not None and not (math.isfinite(gap) and gap > 0):
        raise StructureError(f"gap: {gap} must be a distance above 0 Å; leave it out for a guess")


def _grid(registries: int | tuple[int, int]) -> tuple[int, int]:
    counts = (registries, registries) if isinstance(registries, int) else tuple(registries)
    if len(counts) != 2 or not all(
        isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 1 for n in counts
    ):
        raise StructureError(
            f"registries: {registries!r} must be a whole number of at least 1, or two of them"
        )
    return counts[0], counts[1]


def _facets(role: str, given: Any, index: tuple[int, ...] | None, thickness: float) -> list[Facet]:
    if isinstance(given, Facet):
        return [given]
    if index is None:
        raise StructureError(
            f"{role}_miller_index: missing; name the facet of the {role}, such as (1, 1, 1)"
        )
    return facets(given, miller_indices=[index], min_thickness=thickness)


def _registered(
    upper: Facet,
    facing: Structure,
    lower: Facet,
    match: LatticeMatch,
    grid: tuple[int, int],
    vacuum: float,
    gap: float | None,
) -> list[InterfaceModel]:
    substrate = supercell(lower.structure, match.substrate_transform)
    free_film = supercell(facing, match.film_transform)
    strained = slab_structure(
        [site.species for site in free_film],
        in_plane_vectors(substrate),
        free_film.frac_coords[:, :2],
        free_film.cart_coords[:, 2],
        free_film.lattice.c,
    )
    # Sorting by strained positions may reorder sites; the unstrained film follows.
    free_film = slab_structure(
        [site.species for site in strained],
        in_plane_vectors(free_film),
        strained.frac_coords[:, :2],
        strained.cart_coords[:, 2],
        free_film.lattice.c,
        ordered=True,
    )
    on_top = _highest(substrate) - _highest(strained, sign=-1)
    models = []
    for shift in _distinct_shifts(substrate, strained, match, grid, on_top):
        model = _stacked(
            upper, lower, substrate, strained, free_film, match, on_top, shift, vacuum, gap
        )
        check_interface(model, upper, lower, match)
        models.append(model)
    return models


def _highest(slab: Structure, sign: int = 1) -> NDArray[np.float64]:
    """In-plane fractional position of a highest (sign 1) or lowest (sign -1) atom."""
    heights = sign * slab.cart_coords[:, 2]
    return np.array(slab.frac_coords[int(np.argmax(heights > heights.max() - 1e-3)), :2])


def _distinct_shifts(
    substrate: Structure,
    film: Structure,
    match: LatticeMatch,
    grid: tuple[int, int],
    on_top: NDArray[np.float64],
) -> list[NDArray[np.float64]]:
    """Shifts of the film from ``on_top``, in fractions of the common cell, one of each class."""
    vectors = in_plane_vectors(substrate)
    cell = _shift_cell(match)
    lengths = np.linalg.norm(cell @ vectors, axis=1)
    # A divisor of the number asked for keeps points of symmetry, such as thirds, in the grid.
    steps = [
        max(k for k in range(1, n + 1) if n % k == 0 and (k == 1 or length / k >= FINEST_STEP))
        for n, length in zip(grid, lengths, strict=True)
    ]
    changes = [
        (below.rotation, below.translation - above.translation)
        for below in face_operations(substrate)
        for above in face_operations(film)
        if np.array_equal(below.rotation, above.rotation)
    ]
    inverse = np.linalg.inv(cell)
    kept: list[NDArray[np.float64]] = []
    for fractions in product(*(np.arange(n) / n for n in steps)):
        shift = np.array(fractions) @ cell
        images = np.array([rotation @ (on_top + shift) + change for rotation, change in changes])
        for known in kept:
            apart = (images - on_top - known) @ inverse
            apart -= np.round(apart)
            if (np.linalg.norm(apart @ cell @ vectors, axis=1) < FINEST_STEP / 5).any():
                break
        else:
            kept.append(shift)
    return kept


def _shift_cell(match: LatticeMatch) -> NDArray[np.float64]:
    """Basis of all sums of film and substrate translations, in fractions of the common cell.

    Shifting the film by one of its own translations or by one of the substrate's changes nothing.
    """
    film_cells = round(abs(np.linalg.det(match.film_transform)))
    substrate_cells = round(abs(np.linalg.det(match.substrate_transform)))
    scale = film_cells * substrate_cells
    rows = np.vstack(
        [
            np.rint(np.linalg.inv(match.film_transform) * scale),
            np.rint(np.linalg.inv(match.substrate_transform) * scale),
        ]
    ).astype(int)
    return _integer_basis(rows) / scale


def _integer_basis(rows: NDArray[np.int_]) -> NDArray[np.int_]:
    """Two rows that span the same plane lattice as ``rows``, by Euclid's algorithm."""
    remaining = [row.copy() for row in rows]
    basis = []
    for column in range(2):
        while True:
            active = sorted(
                (row for row in remaining if row[column]), key=lambda row: abs(row[column])
            )
            if len(active) == 1:
                break
            pivot = active[0]
            for row in active[1:]:
                row -= row[column] // pivot[column] * pivot
        basis.append(active[0])
        remaining = [row for row in remaining if row is not active[0]]
    return np.array(basis)


def _stacked(
    upper: Facet,
    lower: Facet,
    substrate: Structure,
    film: Structure,
    free_film: Structure,
    match: LatticeMatch,
    on_top: NDArray[np.float64],
    shift: NDArray[np.float64],
    vacuum: float,
    gap: float | None,
) -> InterfaceModel:
    vectors = in_plane_vectors(substrate)
    bottom = substrate.cart_coords[:, 2] - substrate.cart_coords[:, 2].min() + vacuum / 2
    above = film.cart_coords[:, 2] - film.cart_coords[:, 2].min()
    lateral = film.frac_coords[:, :2] + on_top + shift
    gap = _gap(substrate, film, lateral, above, gap)
    heights = np.concatenate([bottom, above + bottom.max() + gap])
    species = [site.species for site in substrate] + [site.species for site in film]
    fractional = np.vstack([substrate.frac_coords[:, :2], lateral])
    c = float(heights.max() + vacuum / 2)
    structure = slab_structure(species, vectors, fractional, heights, c, ordered=True)
    size = len(substrate)
    film_indices = tuple(range(size, len(structure)))
    registry = shift @ match.substrate_transform
    return InterfaceModel(
        structure=structure,
        film=Structure.from_sites(structure[size:]),
        substrate=Structure.from_sites(structure[:size]),
        free_film=free_film,
        film_indices=film_indices,
        film_host=upper.host,
        substrate_host=lower.host,
        film_miller_index=upper.miller_index,
        substrate_miller_index=lower.miller_index,
        termination=f"{upper.termination}|{lower.termination}",
        registry=(float(np.round(registry[0] % 1, 6) % 1), float(np.round(registry[1] % 1, 6) % 1)),
        gap=gap,
        film_strain=match.strain,
        substrate_strain=(0.0, 0.0, 0.0),
    )


def _gap(
    substrate: Structure,
    film: Structure,
    lateral: NDArray[np.float64],
    above: NDArray[np.float64],
    wanted: float | None,
) -> float:
    """Start distance of the facing planes; ``above`` are heights over the film's lowest atom, Å."""
    radii = np.array([atomic_radius(site.specie.symbol) for site in film])
    top = substrate.cart_coords[:, 2].max()
    if wanted is None:
        lowest = above < LAYER_TOLERANCE
        wanted = float((contact_heights(substrate, lateral[lowest], radii[lowest]) - top).mean())
    free = contact_heights(substrate, lateral, radii, contact=CLEARANCE) - top - above
    return max(wanted, float(free.max()))


def check_interface(model: InterfaceModel, upper: Facet, lower: Facet, match: LatticeMatch) -> None:
    """Compare what was built with what was matched.

    Args:
        model: the interface.
        upper: facet that the film was made of.
        lower: facet that the substrate was made of.
        match: their common cell.

    Raises:
        StructureError: cell, composition or distances differ; the message names the pair.
    """
    name = f"interfaces: {pair_name(upper, lower)}, termination {model.termination}"
    for role, facet, part, transform in (
        ("film", upper, model.film, match.film_transform),
        ("substrate", lower, model.substrate, match.substrate_transform),
    ):
        cells = abs(round(float(np.linalg.det(transform))))
        if part.composition != facet.structure.composition * cells:
            raise StructureError(
                f"{name}: the {role} is built as {part.composition.formula}, not {cells} times "
                f"{facet.structure.composition.formula}"
            )
    expected = in_plane_area(lower.structure) * abs(np.linalg.det(match.substrate_transform))
    if abs(model.area / expected - 1) > 1e-4:
        raise StructureError(
            f"{name}: its area is {model.area:.3f} Å², not the {expected:.3f} Å² that were matched"
        )
    radii = np.array([atomic_radius(site.specie.symbol) for site in model.structure])
    size = len(model.substrate)
    distances = model.structure.distance_matrix[:size, size:]
    overlap = distances / (radii[:size, None] + radii[None, size:])
    if overlap.min() < CLOSEST:
        i, j = np.unravel_index(overlap.argmin(), overlap.shape)
        raise StructureError(
            f"{name}: {model.structure[int(i)].specie} and {model.structure[size + int(j)].specie} "
            f"are {distances[i, j]:.2f} Å apart at a gap of {model.gap:.2f} Å; give a larger gap"
        )
