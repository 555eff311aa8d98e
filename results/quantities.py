"""The formulas of the screened quantities, with their signs and units.

Energies in eV, lengths in Å, areas in Å². Every function is pure and takes total energies of cells
computed with one potential.
"""

import math

from results.errors import ResultsError

EV_PER_A2_IN_J_PER_M2 = 16.02176634
"""1 eV/Å² in J/m²: the elementary charge 1.602176634e-19 C (exact, SI 2019) over 1e-20 m²."""


def ev_per_a2_to_j_per_m2(value: float) -> float:
    """Convert an energy per area from eV/Å² to J/m²."""
    return value * EV_PER_A2_IN_J_PER_M2


def surface_energy(
    slab_energy: float, n_units: float, bulk_energy_per_unit: float, area: float
) -> float:
    """Surface energy γ = (E_slab − N e_bulk) / 2A of a slab with two equivalent faces, J/m².

    Positive for a stable crystal. Only a symmetric slab of the bulk's composition has one.
    Source: Fiorentini and Methfessel, J. Phys.: Condens. Matter 8, 6525 (1996).

    Args:
        slab_energy: E_slab, eV.
        n_units: N, units (atoms or formula units) in the slab.
        bulk_energy_per_unit: e_bulk per the same unit, from the same potential, eV.
        area: A of one face, Å².

    Raises:
        ResultsError: an area or number of units that is not positive.
    """
    _check_positive("n_units", n_units, "count the slab's atoms or formula units")
    _check_area(area)
    return ev_per_a2_to_j_per_m2((slab_energy - n_units * bulk_energy_per_unit) / (2 * area))


def li_binding(slab_with_li_energy: float, slab_energy: float, li_bulk_energy: float) -> float:
    """Li binding energy E_b = E(slab+Li) − E(slab) − e(Li, bcc bulk), eV per Li.

    Negative = bound more strongly than in Li metal = lithiophilic.
    Source: the convention of Pande and Viswanathan, ACS Energy Lett. 4, 2952 (2019).

    Args:
        slab_with_li_energy: slab with one Li adatom, eV.
        slab_energy: the same supercell without it, eV.
        li_bulk_energy: bcc Li per atom, eV.
    """
    return slab_with_li_energy - slab_energy - li_bulk_energy


def nucleation_overpotential(li_binding_energy: float) -> float:
    """Thermodynamic nucleation overpotential η = max(0, E_b) / e, V, at E_b's coverage.

    Source: Pande and Viswanathan, ACS Energy Lett. 4, 2952 (2019).

    Args:
        li_binding_energy: E_b of the best site, eV, as `li_binding` gives it.
    """
    return max(0.0, li_binding_energy)


def work_of_adhesion(
    film_energy: float, substrate_energy: float, interface_energy_total: float, area: float
) -> float:
    """Work of adhesion W = (E_A + E_B − E_AB) / A, J/m²; positive = bound.

    Source: Finnis, J. Phys.: Condens. Matter 8, 5811 (1996).

    Args:
        film_energy: E_A, the film relaxed alone in the interface's in-plane cell, eV.
        substrate_energy: E_B, the substrate likewise, eV.
        interface_energy_total: E_AB, the relaxed interface, eV.
        area: A of the contact, Å².

    Raises:
        ResultsError: an area that is not positive.
    """
    _check_area(area)
    return ev_per_a2_to_j_per_m2((film_energy + substrate_energy - interface_energy_total) / area)


def elastic_energy(strained_energy: float, unstrained_energy: float, area: float) -> float:
    """Elastic energy of one side of a coherent interface per contact area, J/m², at least about 0.

    Reported beside the work of adhesion, never mixed into it.

    Args:
        strained_energy: the slab relaxed in the interface's in-plane cell, eV.
        unstrained_energy: the same atoms with the bulk's own in-plane cell, eV.
        area: area of the contact, Å².

    Raises:
        ResultsError: an area that is not positive.
    """
    _check_area(area)
    return ev_per_a2_to_j_per_m2((strained_energy - unstrained_energy) / area)


def interface_energy(
    film_surface_energy: float, substrate_surface_energy: float, adhesion: float
) -> float:
    """Interface energy γ_AB = γ_A + γ_B − W (Dupré), J/m².

    Source: Dupré, Théorie mécanique de la chaleur (1869).

    Args:
        film_surface_energy: γ_A, J/m².
        substrate_surface_energy: γ_B, J/m².
        adhesion: W, J/m².
    """
    return film_surface_energy + substrate_surface_energy - adhesion


def contact_angle(adhesion: float, li_surface_energy: float) -> float:
    """Contact angle of Li by Young–Dupré, cos θ = W/γ_Li − 1, degrees from 0 to 180.

    The cosine is clipped: W ≥ 2γ_Li wets fully (0°), W ≤ 0 does not touch (180°).
    Source: Young (1805), Dupré (1869).

    Args:
        adhesion: W, J/m².
        li_surface_energy: γ_Li, J/m²; it belongs beside the angle wherever that is shown.

    Raises:
        ResultsError: a surface energy that is not positive.
    """
    _check_positive("li_surface_energy", li_surface_energy, "give γ_Li in J/m²")
    cosine = adhesion / li_surface_energy - 1
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def lithiation_voltage(
    lithiated_energy: float,
    delithiated_energy: float,
    n_li_added: float,
    li_bulk_energy: float,
) -> float:
    """Average voltage V = −[E(Li_y M) − E(Li_x M) − (y−x) e(Li)] / ((y−x) e), V vs Li/Li⁺.

    Source: Aydinol et al., Phys. Rev. B 56, 1354 (1997).

    Args:
        lithiated_energy: E(Li_y M), eV per M.
        delithiated_energy: E(Li_x M), eV per M.
        n_li_added: y − x, Li atoms per M.
        li_bulk_energy: bcc Li per atom, eV.

    Raises:
        ResultsError: no Li added between the two phases.
    """
    _check_positive("n_li_added", n_li_added, "give the phases in order of Li content")
    return -(lithiated_energy - delithiated_energy - n_li_added * li_bulk_energy) / n_li_added


def substitution_energy(
    doped_energy: float, n_li: int, li_bulk_energy: float, solute_bulk_energy: float
) -> float:
    """Energy to put one foreign atom on a site of bcc Li, E(Li_n M) − n e(Li) − e(M, bulk), eV.

    Negative = M dissolves in Li on its own.
    Source: the dilute heat of solution, as in Freysoldt et al., Rev. Mod. Phys. 86, 253 (2014).

    Args:
        doped_energy: E(Li_n M), a bcc Li cell with one Li replaced by M, relaxed, eV.
        n_li: n, Li atoms in that cell.
        li_bulk_energy: bcc Li per atom, eV.
        solute_bulk_energy: M's own bulk phase per atom, eV.

    Raises:
        ResultsError: a cell without Li.
    """
    _check_positive("n_li", n_li, "count the Li atoms of the cell")
    return doped_energy - n_li * li_bulk_energy - solute_bulk_energy


def _check_area(area: float) -> None:
    _check_positive("area", area, "give the in-plane area in Å²")


def _check_positive(field: str, value: float, mend: str) -> None:
    if not value > 0:
        raise ResultsError(f"{field}: {value} is not positive; {mend}")
