"""What is simulated: crystals, facets, adsorption sites, hops, interfaces, and views of them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structures.adsorption import adsorption_sites
    from structures.coherent_interfaces import interfaces
    from structures.conversion import as_atoms, as_structure
    from structures.crystal_library import (
        CrystalFact,
        crystal,
        crystal_fact,
        crystal_names,
        crystal_names_within,
    )
    from structures.errors import StructureError
    from structures.hops import adatom_hops
    from structures.models import AdsorptionSite, Facet, Hop, InterfaceModel
    from structures.notebook import explore, show
    from structures.slabs import facet, facet_set, facets, with_frozen_bottom
    from structures.view import picture, picture_png

# pymatgen takes a second to import, so a name's module is imported when the name is first used.
_MODULES = {
    "AdsorptionSite": "models",
    "CrystalFact": "crystal_library",
    "Facet": "models",
    "Hop": "models",
    "InterfaceModel": "models",
    "StructureError": "errors",
    "adatom_hops": "hops",
    "adsorption_sites": "adsorption",
    "as_atoms": "conversion",
    "as_structure": "conversion",
    "crystal": "crystal_library",
    "crystal_fact": "crystal_library",
    "crystal_names": "crystal_library",
    "crystal_names_within": "crystal_library",
    "explore": "notebook",
    "facet": "slabs",
    "facet_set": "slabs",
    "facets": "slabs",
    "interfaces": "coherent_interfaces",
    "picture": "view",
    "picture_png": "view",
    "show": "notebook",
    "with_frozen_bottom": "slabs",
}

__all__ = [
    "AdsorptionSite",
    "CrystalFact",
    "Facet",
    "Hop",
    "InterfaceModel",
    "StructureError",
    "adatom_hops",
    "adsorption_sites",
    "as_atoms",
    "as_structure",
    "crystal",
    "crystal_fact",
    "crystal_names",
    "crystal_names_within",
    "explore",
    "facet",
    "facet_set",
    "facets",
    "interfaces",
    "picture",
    "picture_png",
    "show",
    "with_frozen_bottom",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'structures' has no attribute '{name}'")
    return getattr(import_module(f"structures.{_MODULES[name]}"), name)
