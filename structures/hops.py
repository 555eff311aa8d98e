"""Moves of an adatom between the sites where it stays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.structure import Structure

from structures.adsorption import in_plane_distance
from structures.errors import StructureError
from structures.in_plane import FaceOperation, face_operations, in_plane_vectors
from structures.models import AdsorptionSite, Hop

SAME_PLACE = 0.4
"""Adatoms this close in the plane, after relaxation, are on the same place, Å."""

ENERGY_NOISE = 1e-3
"""Energies of relaxed adatoms closer than this are equal, eV."""


@dataclass(frozen=True)
class _Place:
    """One place of the adatom in the supercell.

    Attributes:
        site: index of the relaxed site that it is an image of.
        operation: takes the relaxed structure of that site here.
        position: fractional in-plane coordinates, wrapped into the cell.
    """

    site: int
    operation: FaceOperation
    position: NDArray[np.float64]


def adatom_hops(relaxed_sites: Sequence[AdsorptionSite], energies: Sequence[float]) -> list[Hop]:
    """The symmetry-distinct hops between neighbouring sites where the adatom is stable.

    A site whose relaxed adatom moved to where another one's is, seen through the symmetry of the
    bare slab, is that other site. By symmetry an adatom on a bridge or on top stays there however
    unstable: a place counts as stable only if no neighbouring place has a lower energy. Two places
    are neighbours if no third one is as near to the middle between them (the Gabriel graph).

    Args:
        relaxed_sites: the sites of one facet as `adsorption_sites` gave them, with ``structure``
            replaced by its relaxed form (same sites in the same order, adatom last); ``slab`` stays
            the bare supercell. Leave out those that did not converge.
        energies: of the relaxed structures, eV, in the same order.

    Returns:
        Hops, the shortest first. Both ends are images of relaxed structures under symmetry
        operations of the slab, in the order of sites of the initial one, so that neither needs
        relaxing again; no atom of the final one is more than half a cell from where it was.
        Empty if the only neighbours of a place are its own periodic images.

    Raises:
        StructureError: the list is empty, its length differs from that of ``energies``, or its
            sites belong to different slabs.
    """
    if not relaxed_sites:
        raise StructureError("relaxed_sites: the list is empty; relax at least one site first")
    if len(energies) != len(relaxed_sites):
        raise StructureError(
            f"energies: {len(energies)} values for {len(relaxed_sites)} sites; give one for each"
        )
    slab = relaxed_sites[0].slab
    for site in relaxed_sites:
        if len(site.slab) != len(slab) or len(site.structure) != len(slab) + 1:
            raise StructureError(
                f"relaxed_sites: {site.label} has {len(site.structure)} atoms but the slab of "
                f"{relaxed_sites[0].label} has {len(slab)}; give sites of one facet and supercell"
            )
    operations = face_operations(slab)
    vectors = in_plane_vectors(slab)
    places = _places(relaxed_sites, energies, operations)
    stable = _stable(places, energies, vectors)
    hops: list[Hop] = []
    seen: list[NDArray[np.float64]] = []
    for kept in dict.fromkeys(place.site for place in stable):
        home = next(place for place in stable if place.site == kept)
        for place, shift in _neighbours(home, stable, vectors):
            ends = np.array([home.position, place.position + shift])
            if any(_same_hop(ends, known, vectors) for known in seen):
                continue
            copies = [np.array([operation.apply(end) for end in ends]) for operation in operations]
            seen.extend(copies)
            hop = _hop(relaxed_sites, home, place, ends[1] - ends[0])
            hops.append(replace(hop, images=_images(copies, places, vectors)))
    return sorted(hops, key=lambda hop: hop.distance)


def site_reached(site: AdsorptionSite, relaxed: Structure, sites: Sequence[AdsorptionSite]) -> str:
    """Label of the site that an adatom is nearest to in the plane once it has relaxed.

    Args:
        site: where it started.
        relaxed: the structure of ``site``, relaxed; adatom last.
        sites: those of the facet as `adsorption_sites` gave them.
    """
    operations, vectors = face_operations(site.slab), in_plane_vectors(site.slab)
    position = relaxed.frac_coords[-1, :2]

    def apart(other: AdsorptionSite) -> float:
        start = other.structure.frac_coords[-1, :2]
        images = np.array([operation.apply(start) for operation in operations])
        return float(in_plane_distance(images, position, vectors).min())

    return min([site, *sites], key=apart).label


def _places(
    sites: Sequence[AdsorptionSite], energies: Sequence[float], operations: list[FaceOperation]
) -> list[_Place]:
    """All images of the distinct relaxed sites; of coinciding ones the best named is kept."""
    vectors = in_plane_vectors(sites[0].slab)
    order = sorted(range(len(sites)), key=lambda i: (_misnamed(sites[i]), energies[i]))
    places: list[_Place] = []
    for site in order:
        position = sites[site].structure.frac_coords[-1, :2]
        if _nearest(places, position, vectors) < SAME_PLACE:
            continue
        images: list[_Place] = []
        for operation in operations:
            image = np.mod(operation.apply(position), 1.0)
            if _nearest(images, image, vectors) > SAME_PLACE:
                images.append(_Place(site, operation, image))
        places.extend(images)
    return places


def _misnamed(site: AdsorptionSite) -> bool:
    """Whether the relaxed adatom has another coordination than its site is named for."""
    adatom = site.structure[-1]
    distances = np.array([n.nn_distance for n in site.structure.get_neighbors(adatom, 6.0)])
    contacts = int((distances < 1.15 * distances.min(initial=np.inf)).sum())
    return {"top": contacts != 1, "bridge": contacts != 2, "hollow": contacts < 3}[site.kind]


def _nearest(
    places: list[_Place], position: NDArray[np.float64], vectors: NDArray[np.float64]
) -> float:
    if not places:
        return float("inf")
    positions = np.array([place.position for place in places])
    return float(in_plane_distance(positions, position, vectors).min())


def _stable(
    places: list[_Place], energies: Sequence[float], vectors: NDArray[np.float64]
) -> list[_Place]:
    """The places without a neighbour of lower energy."""
    unstable = set()
    for site in {place.site for place in places}:
        home = next(place for place in places if place.site == site)
        lowest = min(
            (energies[place.site] for place, _ in _neighbours(home, places, vectors)),
            default=float("inf"),
        )
        if lowest < energies[site] - ENERGY_NOISE:
            unstable.add(site)
    return [place for place in places if place.site not in unstable]


def _neighbours(
    home: _Place, places: list[_Place], vectors: NDArray[np.float64]
) -> list[tuple[_Place, NDArray[np.float64]]]:
    """Neighbouring places of ``home`` with the lattice shift of the image that is next to it."""
    shifts = np.array(list(product((-1, 0, 1), repeat=2)), dtype=float)
    positions = np.array([place.position for place in places])
    images = (positions[:, None, :] + shifts[None, :, :]) @ vectors
    start = home.position @ vectors
    distances = np.linalg.norm(images - start, axis=2)
    found = []
    for index, place in enumerate(places):
        if place is home:
            continue
        # The path is drawn the short way round, so of all images only the nearest can be meant.
        for nearest in np.flatnonzero(distances[index] < distances[index].min() + 1e-3):
            middle = (start + images[index, nearest]) / 2
            radii = np.linalg.norm(images - middle, axis=2)
            between = radii < distances[index, nearest] / 2 + SAME_PLACE / 4
            between[index, nearest] = False
            between &= distances > 1e-6  # home itself
            if not between.any():
                found.append((place, shifts[nearest]))
    return sorted(found, key=lambda pair: _length(pair, home, vectors))


def _length(
    pair: tuple[_Place, NDArray[np.float64]], home: _Place, vectors: NDArray[np.float64]
) -> float:
    place, shift = pair
    return float(np.linalg.norm((place.position + shift - home.position) @ vectors))


def _same_hop(
    ends: NDArray[np.float64], known: NDArray[np.float64], vectors: NDArray[np.float64]
) -> bool:
    for other in (known, known[::-1]):
        delta = ends - other
        delta -= np.round(delta[0])
        if (np.linalg.norm(delta @ vectors, axis=1) < SAME_PLACE).all():
            return True
    return False


def _images(
    copies: list[NDArray[np.float64]], places: list[_Place], vectors: NDArray[np.float64]
) -> tuple[tuple[int, int, int, int], ...]:
    """Copies of a hop as places and lattice shift, each once."""
    found: dict[tuple[int, int, int, int], None] = {}
    for ends in copies:
        (first, origin), (last, reached) = (_at(end, places, vectors) for end in ends)
        shift = np.rint(reached - origin).astype(int)
        image = (first, last, int(shift[0]), int(shift[1]))
        # Walked from its end, a hop is the same one, but only between places of one kind is the
        # reverse among the copies.
        if (last, first, -image[2], -image[3]) not in found:
            found[image] = None
    return tuple(found)


def _at(
    position: NDArray[np.float64], places: list[_Place], vectors: NDArray[np.float64]
) -> tuple[int, NDArray[np.float64]]:
    """Number of the place at ``position`` and the lattice shift from its image in the cell."""
    delta = position - np.array([place.position for place in places])
    shifts = np.round(delta)
    nearest = int(np.linalg.norm((delta - shifts) @ vectors, axis=1).argmin())
    return nearest, shifts[nearest]


def _hop(
    sites: Sequence[AdsorptionSite], home: _Place, place: _Place, step: NDArray[np.float64]
) -> Hop:
    start, end = sites[home.site], sites[place.site]
    initial = start.structure
    coords = _carried(end, place.operation)
    delta = coords - initial.frac_coords
    delta -= np.round(delta)
    delta[-1, :2] = step
    final = Structure(
        initial.lattice,
        [site.species for site in initial],
        initial.frac_coords + delta,
        site_properties=initial.site_properties,
    )
    return Hop(
        initial=initial,
        final=final,
        initial_label=start.label,
        final_label=end.label,
        distance=float(np.linalg.norm(initial.lattice.get_cartesian_coords(delta[-1]))),
    )


def _carried(site: AdsorptionSite, operation: FaceOperation) -> NDArray[np.float64]:
    """Fractional coordinates of a relaxed site under ``operation``, in the slab's order of sites.

    An operation of the slab exchanges its atoms; each goes back to the place in the list of the
    atom of the bare slab onto which it falls.
    """
    slab = site.slab
    bare = slab.frac_coords.copy()
    bare[:, :2] = operation.apply(bare[:, :2])
    distances = slab.lattice.get_all_distances(bare, slab.frac_coords)
    target = distances.argmin(axis=1)
    carried = site.structure.frac_coords.copy()
    carried[:, :2] = operation.apply(carried[:, :2])
    ordered = carried.copy()
    ordered[target] = carried[:-1]
    return ordered
