"""Places where an adatom can sit on a facet."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.periodic_table import Element
from pymatgen.core.structure import Structure
from scipy.spatial import Delaunay

from structures.bonding import coordination
from structures.conversion import as_structure
from structures.errors import StructureError
from structures.in_plane import (
    FaceOperation,
    face_operations,
    in_plane_vectors,
    smallest_transform,
    supercell,
)
from structures.miller import LAYER_TOLERANCE
from structures.models import AdsorptionSite, Facet, SiteKind
from structures.slabs import with_frozen_bottom

MIN_SEPARATION = 7.0
EXPOSED = 0.85
"""Atoms that keep less than this fraction of the bulk's bonds belong to the surface."""
CONTACT = 0.95
"""Starting distance of an adatom from the surface, in units of the sum of atomic radii."""
SAME_SITE = 0.3
"""Two positions closer than this in the plane are one site, Å."""


@dataclass(frozen=True)
class _Place:
    """An in-plane position on the primitive slab, before it is named.

    Attributes:
        kind: top, bridge or hollow.
        position: fractional in-plane coordinates.
        corners: indices of the surface atoms around it.
        length: of the bridge, Å; 0 for other kinds.
        multiplicity: equivalent positions per primitive cell.
    """

    kind: SiteKind
    position: NDArray[np.float64]
    corners: tuple[int, ...]
    length: float
    multiplicity: int


@dataclass
class _Face:
    """A face of the mesh of surface atoms whose corners lie on one circle.

    Attributes:
        centre: of the circle, Å.
        corners: points of the mesh.
        edges: pairs of points that bound it.
        encloses_centre: whether the centre lies in the face, as a hollow's does.
    """

    centre: NDArray[np.float64]
    corners: set[int]
    edges: set[tuple[int, int]]
    encloses_centre: bool


def adsorption_sites(
    facet: Facet | Any,
    adatom: str = "Li",
    *,
    min_separation: float = MIN_SEPARATION,
) -> list[AdsorptionSite]:
    """The symmetry-distinct top, bridge and hollow sites on the upper face of a facet.

    Sites are the atoms, edges and faces of the Delaunay triangulation of the surface atoms; faces
    with one circumcircle are one hollow (four-fold on fcc(100)). The surface atoms are those of
    the top layer and those, as on a step, that lost at least 15 % of their bonds. The adatom starts
    where it touches the surface: no atom closer than 0.95 times the sum of the atomic radii
    (Slater, J. Chem. Phys. 41, 3199 (1964)). The lower half of the slab may not move; of a single
    sheet everything may.

    Args:
        facet: a Facet, or its slab as a pymatgen Structure or ASE Atoms with c along z.
        adatom: chemical symbol.
        min_separation: least distance between an adatom and its images, Å; the smallest supercell
            that keeps the face's symmetry is used.

    Returns:
        Sites sorted top, bridge, hollow.

    Raises:
        StructureError: unknown element, or a ``min_separation`` that is not above zero.
    """
    slab = facet.structure if isinstance(facet, Facet) else as_structure(facet)
    radius = atomic_radius(adatom)
    if not (math.isfinite(min_separation) and min_separation > 0):
        raise StructureError(f"min_separation: {min_separation} must be a length above 0 Å")
    thickness = float(np.ptp(slab.cart_coords[:, 2]))
    # A single sheet has no inside to hold on to.
    frozen = thickness / 2 if thickness > LAYER_TOLERANCE else -1.0
    transform = smallest_transform(slab, min_separation)
    large = with_frozen_bottom(supercell(slab, transform), frozen)
    cells = abs(round(float(np.linalg.det(transform))))
    places = _places(slab)
    sites = []
    for place, label in zip(places, _labels(slab, places), strict=True):
        # In-plane coordinates r = f A of the slab are f T^-1 (T A) of the supercell.
        fractional = place.position @ np.linalg.inv(transform)
        lateral = fractional @ in_plane_vectors(large)
        (z,) = contact_heights(large, fractional[None, :], np.array([radius]))
        with_adatom = large.copy()
        with_adatom.append(
            adatom,
            [*lateral, z],
            coords_are_cartesian=True,
            properties={"selective_dynamics": [True] * 3},
        )
        sites.append(
            AdsorptionSite(
                structure=with_adatom,
                slab=large,
                kind=place.kind,
                label=label,
                coverage=1 / (cells * len(_top_layer(slab))),
                multiplicity=place.multiplicity,
            )
        )
    return sites


def atomic_radius(symbol: str) -> float:
    """Radius of an atom in a bond, Å: Slater, J. Chem. Phys. 41, 3199 (1964).

    Raises:
        StructureError: unknown element, or one without a radius.
    """
    radius = Element(symbol).atomic_radius if Element.is_valid_symbol(symbol) else None
    if radius is None:
        raise StructureError(
            f"adatom: '{symbol}' is not an element with a known radius; give a symbol such as Li"
        )
    return float(radius)


def contact_heights(
    slab: Structure,
    fractional: NDArray[np.float64],
    radii: NDArray[np.float64],
    contact: float = CONTACT,
) -> NDArray[np.float64]:
    """Heights z at which atoms over a slab touch it.

    Args:
        slab: with c along z and reduced a and b.
        fractional: in-plane positions of the atoms, shape (n, 2).
        radii: of the atoms, Å, shape (n,).
        contact: distance of touching atoms in units of the sum of their radii.
    """
    vectors = in_plane_vectors(slab)
    below = np.array([atomic_radius(site.specie.symbol) for site in slab])
    heights = slab.cart_coords[:, 2]
    touching = []
    for position, radius in zip(fractional, radii, strict=True):
        distances = in_plane_distance(slab.frac_coords[:, :2], position, vectors)
        reach = contact * (radius + below)
        near = distances < reach
        contacts = heights[near] + np.sqrt(reach[near] ** 2 - distances[near] ** 2)
        touching.append(float(contacts.max(initial=heights.max())))
    return np.array(touching)


def _top_layer(slab: Structure) -> NDArray[np.int_]:
    heights = slab.cart_coords[:, 2]
    return np.flatnonzero(heights > heights.max() - LAYER_TOLERANCE)


def _surface_atoms(slab: Structure) -> NDArray[np.int_]:
    counts = coordination(slab)
    numbers = np.array(slab.atomic_numbers)
    full = {number: counts[numbers == number].max() for number in set(numbers.tolist())}
    kept = counts / np.array([full[number] for number in numbers])
    heights = slab.cart_coords[:, 2]
    exposed = (kept < EXPOSED) & (heights > heights.mean())
    exposed[_top_layer(slab)] = True
    return np.flatnonzero(exposed)


def _places(slab: Structure) -> list[_Place]:
    vectors = in_plane_vectors(slab)
    surface = _surface_atoms(slab)
    # Enough images around the cell that the middle of the triangulation is that of the lattice.
    shifts = np.array([[i, j] for i in range(-3, 4) for j in range(-3, 4)], dtype=float)
    mesh = (slab.frac_coords[surface, :2][:, None, :] + shifts[None, :, :]).reshape(-1, 2)
    atoms = np.repeat(surface, len(shifts))
    points = mesh @ vectors
    triangles = Delaunay(points).simplices
    found: list[tuple[SiteKind, NDArray[np.float64], tuple[int, ...], float]] = [
        ("top", slab.frac_coords[atom, :2], (int(atom),), 0.0) for atom in surface
    ]
    faces = _faces(points, triangles)
    inverse = np.linalg.inv(vectors)
    for first, second in sorted(set().union(*(face.edges for face in faces))):
        length = float(np.linalg.norm(points[first] - points[second]))
        corners = (int(atoms[first]), int(atoms[second]))
        middle = (points[first] + points[second]) / 2
        found.append(("bridge", middle @ inverse, corners, length))
    for face in faces:
        if face.encloses_centre:
            around = tuple(int(atoms[corner]) for corner in sorted(face.corners))
            found.append(("hollow", face.centre @ inverse, around, 0.0))
    inside = [entry for entry in found if (entry[1] > -0.01).all() and (entry[1] < 0.99).all()]
    return _distinct(inside, face_operations(slab), vectors)


_SLIVER = 1e-3
"""Triangles of less than half this area are rounding, Å²."""


def _faces(points: NDArray[np.float64], triangles: NDArray[np.int_]) -> list[_Face]:
    """The triangles, those with one circumcentre put together to a rectangle or hexagon."""
    faces: list[_Face] = []
    for triangle in triangles:
        p, q, r = points[triangle]
        sides = np.array([q - p, r - p])
        if abs(np.linalg.det(sides)) < _SLIVER:
            continue  # on the rim of the mesh, where rounding puts points on a line beside it
        centre = p + np.linalg.solve(2 * sides, (sides**2).sum(axis=1))
        legs = np.array([[q - p, r - p], [p - q, r - q], [p - r, q - r]])
        acute = bool(((legs[:, 0] * legs[:, 1]).sum(axis=1) > -1e-2).all())
        corners = {int(corner) for corner in triangle}
        edges = {(i, j) for i in corners for j in corners if i < j}
        for face in faces:
            if np.linalg.norm(face.centre - centre) < SAME_SITE:
                face.corners |= corners
                face.edges ^= edges  # The edge that two triangles of a face share is inside it.
                face.encloses_centre |= acute
                break
        else:
            faces.append(_Face(centre, corners, edges, acute))
    return faces


def _distinct(
    found: list[tuple[SiteKind, NDArray[np.float64], tuple[int, ...], float]],
    operations: list[FaceOperation],
    vectors: NDArray[np.float64],
) -> list[_Place]:
    places: list[_Place] = []
    orbits: list[NDArray[np.float64]] = []
    for kind, position, corners, length in found:
        if any(
            place.kind == kind and (in_plane_distance(orbit, position, vectors) < SAME_SITE).any()
            for place, orbit in zip(places, orbits, strict=True)
        ):
            continue
        orbit: list[NDArray[np.float64]] = []
        for operation in operations:
            image = operation.apply(position)
            if not orbit or in_plane_distance(np.array(orbit), image, vectors).min() > SAME_SITE:
                orbit.append(image)
        places.append(_Place(kind, position, corners, length, len(orbit)))
        orbits.append(np.array(orbit))
    return places


def in_plane_distance(
    positions: NDArray[np.float64], position: NDArray[np.float64], vectors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shortest in-plane distances between fractional positions (n, 2) and one (2,), Å.

    ``vectors`` must be reduced, as those of every facet and supercell here are.
    """
    delta = positions - position
    delta -= np.round(delta)
    images = np.array([[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)])
    cartesian = (delta[:, None, :] + images[None, :, :]) @ vectors
    return np.linalg.norm(cartesian, axis=2).min(axis=1)


def _labels(slab: Structure, places: list[_Place]) -> list[str]:
    """Names that are unique on the facet."""
    names: list[str] = []
    for place in places:
        peers = [other for other in places if other.kind == place.kind]
        name = str(place.kind)
        elements = {slab[corner].specie.symbol for other in peers for corner in other.corners}
        if len(peers) == 2 and place.kind == "bridge" and _differ([p.length for p in peers]):
            name += "-short" if place.length < max(p.length for p in peers) - 0.05 else "-long"
        elif len(peers) == 2 and place.kind == "hollow" and len(place.corners) == 3:
            below = _below(slab, place)
            if [_below(slab, peer) for peer in peers].count(True) == 1:
                name += "-hcp" if below else "-fcc"
        elif len(peers) > 1 and place.kind == "top" and len(elements) > 1:
            name += f"-{slab[place.corners[0]].specie.symbol}"
        names.append(name)
    totals = Counter(names)
    seen: Counter[str] = Counter()
    labels = []
    for name in names:
        seen[name] += 1
        labels.append(f"{name}-{seen[name]}" if totals[name] > 1 else name)
    return labels


def _differ(lengths: list[float]) -> bool:
    return max(lengths) - min(lengths) > 0.05


def _below(slab: Structure, place: _Place) -> bool:
    """Whether an atom of the second layer lies right below a place."""
    heights = slab.cart_coords[:, 2]
    lower = heights[heights < heights.max() - LAYER_TOLERANCE]
    if not len(lower):
        return False
    second = np.flatnonzero(np.abs(heights - lower.max()) < LAYER_TOLERANCE)
    distances = in_plane_distance(
        slab.frac_coords[second, :2], place.position, in_plane_vectors(slab)
    )
    return bool(distances.min() < 2 * SAME_SITE)
