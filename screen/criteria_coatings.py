"""What coatings are ranked by."""

from screen.criteria import Criterion, Quantity

COATING_QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity("reaction_energy", "reaction_energy_ev", "Reaction energy", "eV/atom", 3),
        Quantity("migration_barrier", "migration_barrier_ev", "Migration barrier", "eV", 3),
        Quantity("work_of_adhesion", "work_of_adhesion_j_m2", "Work of adhesion of Li", "J/m²", 3),
        Quantity("contact_angle", "contact_angle_deg", "Contact angle", "°", 1),
        Quantity("energy_above_hull", "energy_above_hull_ev", "Above the hull", "eV/atom", 3),
        Quantity("reduction_limit", "reduction_limit_v", "Reduction limit", "V", 2),
        Quantity("oxidation_limit", "oxidation_limit_v", "Oxidation limit", "V", 2),
        Quantity(
            "electrolyte_adhesion",
            "electrolyte_adhesion_j_m2",
            "Adhesion to the electrolyte",
            "J/m²",
            3,
        ),
        Quantity("vacancy_barrier", "vacancy_barrier_ev", "Vacancy barrier", "eV", 3),
        Quantity(
            "interstitial_barrier", "interstitial_barrier_ev", "Interstitial barrier", "eV", 3
        ),
        Quantity("shear_modulus", "shear_modulus_gpa", "Shear modulus", "GPa", 1),
        Quantity("shear_ratio", "shear_ratio", "G/G_Li", "1", 1),
        Quantity("bulk_modulus", "bulk_modulus_gpa", "Bulk modulus", "GPa", 1),
        Quantity(
            "decomposition_energy",
            "decomposition_energy_ev",
            "Decomposition at 0 V",
            "eV/atom",
            3,
        ),
        Quantity("lithium_reaction", "lithium_reaction_ev", "Reaction with lithium", "eV/atom", 3),
        Quantity(
            "electrolyte_reaction",
            "electrolyte_reaction_ev",
            "Reaction with the electrolyte",
            "eV/atom",
            3,
        ),
        Quantity(
            "electrolyte_open_reaction",
            "electrolyte_open_reaction_ev",
            "The same, open to lithium",
            "eV/atom",
            3,
        ),
        Quantity(
            "cathode_reaction", "cathode_reaction_ev", "Reaction with the cathode", "eV/atom", 3
        ),
        Quantity(
            "cathode_open_reaction",
            "cathode_open_reaction_ev",
            "With the cathode, open to lithium",
            "eV/atom",
            3,
        ),
    )
}
"""The quantities of the coating screen by name, in the order in which tables show them."""

DEFAULT_COATING_CRITERIA = (
    Criterion(COATING_QUANTITIES["reaction_energy"], "max"),
    Criterion(COATING_QUANTITIES["migration_barrier"], "min"),
    Criterion(COATING_QUANTITIES["work_of_adhesion"], "max"),
)
"""What coatings are ranked by where a campaign names nothing else: they should react with neither
side, let lithium through and hold on to it."""
