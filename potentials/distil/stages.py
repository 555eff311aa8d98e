"""The stages of the sampling, in the order in which they are labelled."""

from collections.abc import Callable, Iterator

from potentials.distil import interfaces, systems
from potentials.distil.systems import Crystals, System

STAGES: dict[str, Callable[[Crystals], Iterator[System]]] = {
    "bulk": systems.bulk_systems,
    "slab": systems.slab_systems,
    "adatom": lambda crystals: systems.adatom_systems(crystals, range(8)),
    "vacancy": lambda crystals: systems.vacancy_systems(crystals, range(10)),
    "alloy": lambda crystals: systems.alloy_systems(crystals, range(6)),
    "ordered": systems.ordered_alloy_systems,
    "salt-slab": systems.salt_slab_systems,
    "interface": lambda crystals: interfaces.interface_systems(crystals, range(4)),
    "vacancy-more": lambda crystals: systems.vacancy_systems(crystals, range(10, 14)),
    "adatom-more": lambda crystals: systems.adatom_systems(crystals, range(8, 10)),
}
