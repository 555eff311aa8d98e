"""What moving interfaces and drops are ranked by."""

from screen.criteria import Criterion, Quantity

DYNAMICS_QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity("mixed_zone_width", "mixed_zone_width_a", "Mixed zone", "Å", 2),
        Quantity("crossed_atoms", "crossed_per_nm2", "Atoms crossed", "1/nm²", 2),
        Quantity("bonds_broken", "bonds_broken_per_nm2", "Bonds broken", "1/nm²", 2),
        Quantity("void_fraction", "void_fraction", "Voids at contact", "1", 3),
        Quantity("li_diffusivity", "li_diffusivity", "D of Li", "10⁻⁶ cm²/s", 2),
        Quantity("li_activation_energy", "li_activation_energy_ev", "E_a of Li", "eV", 3),
    )
}
"""The quantities of interfaces in motion by name, in the order in which tables show them."""

DEFAULT_DYNAMICS_CRITERIA = (
    Criterion(DYNAMICS_QUANTITIES["void_fraction"], "min"),
    Criterion(DYNAMICS_QUANTITIES["bonds_broken"], "min"),
)
"""What they are ranked by where a campaign names nothing else: Li should stay in contact, and the
other side whole."""

WETTING_QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        Quantity("drop_angle", "drop_angle_deg", "Contact angle of the drop", "°", 0),
        Quantity("height_angle", "height_angle_deg", "Angle from mean height", "°", 0),
        Quantity("young_dupre_angle", "young_dupre_angle_deg", "Young–Dupré", "°", 0),
    )
}
"""The quantities of the wetting experiment."""

DEFAULT_WETTING_CRITERIA = (Criterion(WETTING_QUANTITIES["drop_angle"], "min"),)
"""The better lithium wets, the better."""
