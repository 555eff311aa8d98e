"""The typed models that the builders give: facets, sites, hops and coherent interfaces.

They are MSONable, so that jobflow passes them from job to job; tuples come back as lists.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from monty.json import MSONable
from pymatgen.core import Structure

if TYPE_CHECKING:
    from structures.notebook import View

MillerIndex = tuple[int, int, int]
SiteKind = Literal["top", "bridge", "hollow"]


def in_plane_area(structure: Structure) -> float:
    """Area of the a-b plane of ``structure``, Å²."""
    a, b, _ = structure.lattice.matrix
    return float(np.linalg.norm(np.cross(a, b)))


class Viewable(MSONable):
    """What a notebook shows in 3D."""

    def view(self) -> "View":
        """In 3D where widgets run (extra ``notebooks``), as a still picture elsewhere."""
        from structures.notebook import show

        return show(self)


@dataclass(frozen=True)
class Facet(Viewable):
    """A slab cut along a facet, its normal along z, vacuum above and below.

    Attributes:
        structure: the slab; a and b in the x-y plane, c along z.
        host: name or reduced formula of the crystal it is cut from.
        miller_index: three-index (h, k, l) with respect to the conventional cell.
        termination: label unique among the terminations of this miller_index.
        symmetric: whether both faces are equivalent (by inversion or mirror).
        stoichiometric: whether the slab has the bulk's composition.
        bulk: the conventional bulk cell it was cut from.
    """

    structure: Structure
    host: str
    miller_index: MillerIndex
    termination: str
    symmetric: bool
    stoichiometric: bool
    bulk: Structure

    @property
    def area(self) -> float:
        """Area of one face, Å²."""
        return in_plane_area(self.structure)


@dataclass(frozen=True)
class AdsorptionSite(Viewable):
    """One symmetry-distinct place for an adatom on a facet.

    Attributes:
        structure: supercell of the facet with the adatom as its last site; the slab's lower layers
            frozen through ``selective_dynamics``.
        slab: the same supercell without the adatom, with the same frozen sites.
        kind: top, bridge or hollow, by coordination.
        label: kind, with a subsurface neighbour or a number where a facet has several, such as
            ``"hollow-fcc"``; unique on the facet.
        coverage: adatoms per surface atom of the top layer.
        multiplicity: symmetry-equivalent sites per primitive surface cell.
    """

    structure: Structure
    slab: Structure
    kind: SiteKind
    label: str
    coverage: float
    multiplicity: int


@dataclass(frozen=True)
class Hop(Viewable):
    """An adatom's move between two neighbouring stable sites.

    Attributes:
        initial: relaxed structure with the adatom on the first site, adatom last.
        final: the same slab with the adatom on the neighbouring site, same order of sites.
        initial_label: label of the first site.
        final_label: label of the second site.
        distance: straight distance between the two adatom positions, Å.
        images: the hop under every symmetry operation of the slab, each once: number of the place
            it leaves, number of the place it reaches (counted alike in all hops of a facet), and
            how many supercells along a and b that place is away from its image in the cell.
    """

    initial: Structure
    final: Structure
    initial_label: str
    final_label: str
    distance: float
    images: tuple[tuple[int, int, int, int], ...] = ()


@dataclass(frozen=True)
class InterfaceModel(Viewable):
    """A coherent interface between a film and a substrate in one in-plane cell, vacuum on top.

    Attributes:
        structure: substrate below, film above, normal along z.
        film: the film alone in the same cell, sites where they are in ``structure``.
        substrate: the substrate alone, likewise.
        free_film: the film alone without strain: the same atoms with the in-plane cell scaled back
            to that of its bulk, for the elastic energy of the strain.
        film_indices: positions of the film's sites in ``structure``.
        film_host: crystal of the film (Li in the collector screen).
        substrate_host: crystal of the substrate.
        film_miller_index: facet of the film.
        substrate_miller_index: facet of the substrate.
        termination: label of the pair of terminations, unique for this pair of facets.
        registry: in-plane shift of the film, fractions of the substrate's primitive cell vectors.
        gap: starting distance between the two nearest atomic planes, Å.
        film_strain: in-plane Green-Lagrange strain (xx, yy, xy) of the film against its bulk.
        substrate_strain: the same of the substrate.
    """

    structure: Structure
    film: Structure
    substrate: Structure
    free_film: Structure
    film_indices: tuple[int, ...]
    film_host: str
    substrate_host: str
    film_miller_index: MillerIndex
    substrate_miller_index: MillerIndex
    termination: str
    registry: tuple[float, float]
    gap: float
    film_strain: tuple[float, float, float]
    substrate_strain: tuple[float, float, float]

    @property
    def area(self) -> float:
        """Area of the contact, Å²."""
        return in_plane_area(self.structure)
