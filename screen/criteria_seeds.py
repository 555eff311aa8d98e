"""What seeds are ranked by."""

from screen.criteria import Criterion, Quantity

SEED_QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity("first_lithiation_voltage", "first_lithiation_voltage_v", "First voltage", "V", 3),
        Quantity("li_binding", "li_binding_ev", "Li binding", "eV", 3),
        Quantity("work_of_adhesion", "work_of_adhesion_j_m2", "Work of adhesion", "J/m²", 3),
        Quantity("vacancy_barrier", "vacancy_barrier_ev", "Vacancy barrier", "eV", 3),
        Quantity("substitution_energy", "substitution_energy_ev", "Solution in Li", "eV", 3),
        Quantity("volume_per_li", "volume_per_li_a3", "Growth", "Å³/Li", 1),
        Quantity("lithiation_voltage", "lithiation_voltage_v", "Mean voltage", "V", 3),
        Quantity("lithium_uptake", "lithium_uptake", "Uptake", "Li/M", 2),
        Quantity("contact_angle", "contact_angle_deg", "Contact angle", "°", 1),
        Quantity("lithiated_adhesion", "lithiated_adhesion_j_m2", "W on Li-rich phase", "J/m²", 3),
        Quantity(
            "lithiated_contact_angle",
            "lithiated_contact_angle_deg",
            "Angle on Li-rich phase",
            "°",
            1,
        ),
    )
}
"""The quantities of the seed screen by name, in the order in which tables show them."""

DEFAULT_SEED_CRITERIA = (
    Criterion(SEED_QUANTITIES["first_lithiation_voltage"], "max"),
    Criterion(SEED_QUANTITIES["li_binding"], "min"),
    Criterion(SEED_QUANTITIES["work_of_adhesion"], "max"),
    Criterion(SEED_QUANTITIES["vacancy_barrier"], "min"),
)
"""What seeds are ranked by where a campaign names nothing else: they should alloy before lithium
plates, bind its first atom, hold the metal, and let it through once they are lithiated."""
