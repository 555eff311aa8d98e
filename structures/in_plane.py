"""The two-dimensional side of a slab: its in-plane lattice, supercells and symmetry."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from structures.conversion import SYMPREC

Matrix2 = NDArray[np.float64]


@dataclass(frozen=True)
class FaceOperation:
    """A symmetry operation of a slab that keeps its upper face on top.

    Attributes:
        rotation: shape (2, 2), acting on fractional in-plane coordinates, new = rotation @ old.
        translation: shape (2,), fractional.
    """

    rotation: Matrix2
    translation: NDArray[np.float64]

    def apply(self, fractional: NDArray[np.float64]) -> NDArray[np.float64]:
        """Images of in-plane fractional coordinates, shape (..., 2)."""
        return fractional @ self.rotation.T + self.translation


def face_operations(slab: Structure) -> list[FaceOperation]:
    """All symmetry operations of ``slab`` that keep its upper face on top."""
    dataset = SpacegroupAnalyzer(slab, symprec=5 * SYMPREC).get_symmetry_dataset()
    upright = dataset.rotations[:, 2, 2] == 1
    return [
        FaceOperation(rotation[:2, :2].astype(float), translation[:2])
        for rotation, translation in zip(
            dataset.rotations[upright], dataset.translations[upright], strict=True
        )
    ]


def in_plane_vectors(slab: Structure) -> Matrix2:
    """The x and y components of a and b, shape (2, 2), rows the vectors, Å."""
    return np.array(slab.lattice.matrix[:2, :2])


def slab_structure(
    species: list[Any],
    vectors: ArrayLike,
    fractional: NDArray[np.float64],
    heights: NDArray[np.float64],
    c: float,
    *,
    ordered: bool = False,
) -> Structure:
    """A slab with a along x, b in the x-y plane and c of length ``c`` along z.

    Args:
        species: of the sites.
        vectors: in-plane lattice vectors, shape (2, 2 or 3), right-handed seen from above, Å.
        fractional: in-plane coordinates, shape (n, 2).
        heights: z of the sites, Å.
        c: height of the cell, Å.
        ordered: keep the sites in the order given instead of sorting them from the bottom up.
    """
    a, b = np.asarray(vectors, dtype=float)
    length_a = float(np.linalg.norm(a))
    along = float(a @ b) / length_a
    across = float(np.sqrt(b @ b - along**2))
    lattice = Lattice([[length_a, 0, 0], [along, across, 0], [0, 0, c]])
    # A fraction of 0.9999999 is 0 with rounding noise; keep it from jumping to the far side.
    lateral = np.mod(np.round(fractional, 9), 1.0)
    coords = np.column_stack([lateral, heights / c])
    order = np.arange(len(coords))
    if not ordered:
        order = np.lexsort((lateral[:, 1], lateral[:, 0], np.round(heights, 3)))
    return Structure(lattice, [species[i] for i in order], coords[order])


def reduced_transform(vectors: Matrix2) -> NDArray[np.int_]:
    """Integer matrix that makes ``vectors`` the two shortest ones, obtuse and right-handed."""
    basis = np.array(vectors, dtype=float)
    transform = np.eye(2, dtype=int)
    while True:
        if np.linalg.norm(basis[0]) > np.linalg.norm(basis[1]) + 1e-9:
            basis, transform = basis[::-1], transform[::-1]
        steps = round(float(basis[0] @ basis[1] / (basis[0] @ basis[0])))
        if steps == 0:
            break
        shear = np.array([[1, 0], [-steps, 1]])
        longer = np.linalg.norm((shear @ basis)[1]) >= np.linalg.norm(basis[1]) - 1e-9
        if longer:
            break
        basis, transform = shear @ basis, shear @ transform
    if basis[0] @ basis[1] > 1e-9:
        transform = np.array([[1, 0], [0, -1]]) @ transform
    if np.linalg.det(transform @ vectors) < 0:
        transform = transform[::-1]
    return np.array(transform)


def supercell(slab: Structure, transform: ArrayLike) -> Structure:
    """In-plane supercell of ``slab``; rows of ``transform`` (2, 2) in terms of a and b.

    The sites go from the bottom up; a is along x again.
    """
    matrix = np.asarray(transform, dtype=int)
    full = np.eye(3, dtype=int)
    full[:2, :2] = matrix
    large = slab.make_supercell(full, in_place=False)
    return slab_structure(
        [site.species for site in large],
        matrix @ in_plane_vectors(slab),
        large.frac_coords[:, :2],
        large.cart_coords[:, 2],
        slab.lattice.c,
    )


def hermite_forms(determinant: int) -> list[NDArray[np.int_]]:
    """All distinct in-plane superlattices of ``determinant`` cells, in Hermite normal form."""
    return [
        np.array([[first, shift], [0, determinant // first]])
        for first in range(1, determinant + 1)
        if determinant % first == 0
        for shift in range(determinant // first)
    ]


def smallest_transform(slab: Structure, min_length: float) -> NDArray[np.int_]:
    """Transform to the smallest supercell with images ``min_length`` Å apart.

    Only superlattices that keep the rotations and mirrors of the slab's face count.
    """
    vectors = in_plane_vectors(slab)
    rotations = [operation.rotation for operation in face_operations(slab)]
    determinant = 0
    while True:
        determinant += 1
        best: tuple[float, NDArray[np.int_]] | None = None
        for form in hermite_forms(determinant):
            transform = reduced_transform(form @ vectors) @ form
            length = float(np.linalg.norm(transform @ vectors, axis=1).min())
            if length < min_length - 1e-6 or (best is not None and length <= best[0] + 1e-6):
                continue
            # A superlattice is kept by a rotation that maps its vectors to whole multiples.
            images = [transform @ rotation.T @ np.linalg.inv(transform) for rotation in rotations]
            if all(np.allclose(image, np.rint(image), atol=1e-6) for image in images):
                best = (length, transform)
        if best is not None:
            return best[1]
