"""Phases with the Materials Project's own energies, for a hull of DFT."""

from collections.abc import Iterable

from pymatgen.entries.computed_entries import ComputedEntry

from results.errors import ResultsError
from results.thermodynamics.phases import Phase

SCHEMES = {
    "GGA_GGA+U": "GGA and GGA+U with the corrections of 2020",
    "GGA_GGA+U_R2SCAN": "GGA, GGA+U and r2SCAN, mixed",
    "R2SCAN": "r2SCAN",
}
"""The Materials Project's hulls, ``thermo_type``, and the energies that each is made of."""


def materials_project_phases(
    entries: Iterable[ComputedEntry], thermo_type: str = "GGA_GGA+U"
) -> list[Phase]:
    """Entries of one of the Materials Project's hulls as phases.

    Their energies come with the corrections under which they are comparable with each other; they
    name them in ``energies_from``, so that no hull takes them together with a potential's, however
    the potential was trained.

    Args:
        entries: of mp-api, such as ``MPRester().get_entries_in_chemsys(["Li", "P", "S"],
            additional_criteria={"thermo_types": ["GGA_GGA+U"]})``.
        thermo_type: the hull that they are of, one of `SCHEMES`.

    Raises:
        ResultsError: an unknown hull, or no entries.
    """
    if thermo_type not in SCHEMES:
        raise ResultsError(
            f"thermo_type = {thermo_type!r}: unknown; choose from {', '.join(SCHEMES)}"
        )
    phases = [_phase(entry, thermo_type) for entry in entries]
    if not phases:
        raise ResultsError("entries: none; ask the Materials Project for the elements of the hull")
    return phases


def _phase(entry: ComputedEntry, thermo_type: str) -> Phase:
    formula, units = entry.composition.get_reduced_formula_and_factor()
    structure = getattr(entry, "structure", None)
    identifier = entry.data.get("material_id") or entry.entry_id
    return Phase(
        name=str(identifier),
        formula=formula,
        energy_ev=float(entry.energy) / units,
        volume_a3=None if structure is None else structure.volume / units,
        energies_from=f"Materials Project, {SCHEMES[thermo_type]}",
    )
