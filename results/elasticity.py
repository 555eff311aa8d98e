"""Elastic constants and moduli from stresses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from pymatgen.analysis.elasticity import ElasticTensor

from results.errors import ResultsError

EV_PER_A3_IN_GPA = 160.2176634
"""1 eV/Å³ in GPa: 1.602176634e-19 J (exact, SI 2019) over 1e-30 m³, times 1e-9."""
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@dataclass(frozen=True)
class Moduli:
    """Voigt-Reuss-Hill averages of a crystal's stiffness, GPa.

    Attributes:
        bulk: K.
        shear: G.
    """

    bulk: float
    shear: float


def stiffness(stresses: Sequence[ArrayLike], strain: float) -> ElasticTensor:
    """Stiffness from the stresses under plus and minus each Voigt strain, GPa.

    Central differences, so that a stress left in the unstrained cell drops out. Source: de Jong et
    al., Sci. Data 2, 150009 (2015).

    Args:
        stresses: twelve of shape (3, 3), eV/Å³, positive under tension, atoms relaxed under each
            strain: plus and minus xx, then yy, zz, yz, xz, xy.
        strain: size of each strain; of the shears the engineering strain.

    Raises:
        ResultsError: another number of stresses, or a strain that is not positive.
    """
    if len(stresses) != 2 * len(_VOIGT):
        raise ResultsError(f"stresses: {len(stresses)} given; give 12, two for each Voigt strain")
    if not strain > 0:
        raise ResultsError(f"strain: {strain} is not positive; give the size of the strains")
    components = np.array([[np.asarray(each)[i, j] for i, j in _VOIGT] for each in stresses])
    columns = (components[0::2] - components[1::2]) / (2 * strain) * EV_PER_A3_IN_GPA
    return ElasticTensor.from_voigt((columns + columns.T) / 2)


def moduli(tensor: ElasticTensor) -> Moduli:
    """Bulk and shear modulus of a polycrystal. Source: Hill, Proc. Phys. Soc. A 65, 349 (1952).

    Raises:
        ResultsError: a stiffness that is not positive definite, which belongs to no stable crystal.
    """
    lowest = float(np.linalg.eigvalsh(tensor.voigt).min())
    if lowest <= 0:
        raise ResultsError(
            f"stiffness: its lowest eigenvalue is {lowest:.1f} GPa, so the crystal gives way to a "
            "small strain; relax another structure of it"
        )
    return Moduli(float(tensor.k_vrh), float(tensor.g_vrh))


def shear_ratio(shear: float, lithium_shear: float) -> float:
    """G/G_Li, which linear theory wants to be at least about 2 for lithium to plate flat.

    Source: Monroe and Newman, J. Electrochem. Soc. 152, A396 (2005).

    Args:
        shear: G of the solid, GPa.
        lithium_shear: G of lithium metal from the same potential, GPa.

    Raises:
        ResultsError: a shear modulus of lithium that is not positive.
    """
    if not lithium_shear > 0:
        raise ResultsError(f"lithium_shear: {lithium_shear} is not positive; give G of Li in GPa")
    return shear / lithium_shear
