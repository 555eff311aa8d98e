"""The stages of the sampling, in the order in which they are labelled."""

from collections.abc import Callable, Iterator

from potentials.distil import compounds, interfaces, systems
from potentials.distil.crystals import SALTS
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
    "compound-slab": compounds.slab_systems,
    "electrolyte-contact": compounds.contact_systems,
    "hop": lambda crystals: compounds.hop_systems(crystals, range(16)),
    "adatom-again": lambda crystals: systems.adatom_systems(crystals, range(10, 13)),
    "hop-path": lambda crystals: systems.hop_path_systems(crystals, range(14)),
    "melt": lambda crystals: systems.melt_systems(crystals, range(30)),
    "melt-contact": interfaces.melt_contact_systems,
    "salt-interface-more": lambda crystals: interfaces.interface_systems(
        crystals, range(4, 8), SALTS
    ),
    "hot-contact": lambda crystals: interfaces.hot_contact_systems(crystals, range(2)),
    "vacancy-salt": lambda crystals: systems.vacancy_systems(crystals, range(14, 24)),
}
