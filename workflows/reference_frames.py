"""The frames that DFT labels first: small cells that hold what the screens ask about.

Bulk under strain, thin slabs, Li on and between their sites, small interfaces over a range of gaps,
vacancies and ordered compounds, built by `structures` from the crystal library.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from potentials.dft.cost import estimated_seconds
from potentials.dft.settings import dft_settings
from structures import (
    AdsorptionSite,
    Facet,
    StructureError,
    adsorption_sites,
    as_atoms,
    crystal,
    facet,
    interfaces,
)
from workflows.reference_cells import (
    PROTOTYPES,
    alternating_layers,
    opened_layers,
    ordered_cell,
    other_lattice,
)

FCC = ("Cu", "Ag", "Au", "Al", "Ni")
HCP = ("Mg", "Zn")
METALS = ("Li", *FCC, *HCP)
SALTS = ("LiF", "Li2O", "LiCl", "Li2S")
ALLOYS = ("LiAl", "LiAg", "LiAu", "LiMg", "LiZn", "Li3Au", "Li3Mg", "Li3Al2", "Li9Al4")
MAX_ATOMS = 20
MAX_SECONDS = 60.0
"""Longest that a frame may take by `estimated_seconds`."""
_SETTINGS = "pbe-quick"
_VACUUM = 9.0
_FACETS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "Li": ((1, 1, 0), (1, 0, 0), (1, 1, 1)),
    **dict.fromkeys(FCC, ((1, 1, 1), (1, 0, 0), (1, 1, 0))),
    **dict.fromkeys(HCP, ((0, 0, 1), (1, 0, 0))),
    "LiF": ((1, 0, 0), (1, 1, 0)),
    "LiCl": ((1, 0, 0), (1, 1, 0)),
    "Li2O": ((1, 1, 1), (1, 1, 0)),
    "Li2S": ((1, 1, 1), (1, 1, 0)),
}
_PAIRS = (
    *(("Li", (1, 1, 0), metal, (1, 1, 1)) for metal in FCC),
    *(("Li", (1, 0, 0), metal, (1, 0, 0)) for metal in FCC),
    *(("Li", (1, 1, 0), metal, (0, 0, 1)) for metal in HCP),
    *(("Li", (1, 0, 0), salt, (1, 0, 0)) for salt in ("LiF", "LiCl")),
    *(("Li", (1, 1, 0), salt, (1, 1, 1)) for salt in ("Li2O", "Li2S")),
    ("LiF", (1, 0, 0), "Cu", (1, 0, 0)),
)
_GAPS = (0.0, 0.5, 1.2, 2.5)
"""Widening over the gap at which the atoms touch, Å."""


@dataclass(frozen=True, eq=False)
class ReferenceFrame:
    """One structure to be labelled.

    Attributes:
        name: unique.
        family: what it stands for: bulk, ordered, vacancy, slab, adatom, hop or interface.
        system: the crystals in it, such as ``"Li|Cu"``; frames are held out by it.
        structure: the cell.
    """

    name: str
    family: str
    system: str
    structure: Structure


def reference_frames() -> list[ReferenceFrame]:
    """All frames, in the order in which each family of each system gets the same time."""
    frames = [
        *_bulk(),
        *_ordered(),
        *_other_lattices(),
        *_vacancies(),
        *_slabs(),
        *_adatoms(),
        *_interfaces(),
        *_layered_contacts(),
    ]
    small = {f.name: f for f in frames if len(f.structure) <= MAX_ATOMS}
    settings = dft_settings(_SETTINGS)
    costs = {
        name: estimated_seconds(as_atoms(frame.structure), settings)
        for name, frame in small.items()
    }
    return _spread([f for f in small.values() if costs[f.name] <= MAX_SECONDS], costs)


def _spread(frames: Iterable[ReferenceFrame], costs: dict[str, float]) -> list[ReferenceFrame]:
    """The frames in the order in which every family of every system gets the same time.

    Fair queueing: each queue, cheapest first, is served by the time that it has used.
    """
    used: dict[tuple[str, str], float] = defaultdict(float)
    served = {}
    for frame in sorted(frames, key=lambda frame: costs[frame.name]):
        used[frame.family, frame.system] += costs[frame.name]
        served[frame] = used[frame.family, frame.system]
    return sorted(served, key=lambda frame: served[frame])


def _bulk() -> Iterator[ReferenceFrame]:
    for name in (*METALS, *SALTS, *ALLOYS):
        cell = _primitive(crystal(name))
        wide = (-0.05, -0.03, -0.015, 0.0, 0.015, 0.03, 0.05)
        for linear in wide if name not in ALLOYS else (-0.03, 0.0, 0.03):
            yield _frame(f"bulk/{name}/{linear:+.3f}", "bulk", name, _strained(cell, linear))
        for axis, stretch in ((2, 0.04), (2, -0.04)):
            strain = np.zeros(3)
            strain[axis] = stretch
            label = f"bulk/{name}/uniaxial{stretch:+.2f}"
            yield _frame(label, "bulk", name, _strained(cell, strain))
        if name not in ALLOYS:
            shaken = _rattled(_doubled(cell), 0.10, name)
            yield _frame(f"bulk/{name}/rattled", "bulk", name, shaken)
    for name in ("Li-fcc", "Li-hcp"):
        for linear in (-0.02, 0.01):
            cell = _strained(_primitive(crystal(name)), linear)
            yield _frame(f"bulk/{name}/{linear:+.3f}", "bulk", name, cell)


def _ordered() -> Iterator[ReferenceFrame]:
    """Li with each metal on the sites of fcc (L1_2, L1_0) and bcc (B2, B32, D0_3)."""
    for metal in METALS[1:]:
        volumes = {symbol: _atomic_volume(symbol) for symbol in ("Li", metal)}
        for prototype in PROTOTYPES:
            for linear in (-0.05, -0.02, 0.02):
                cell = _primitive(ordered_cell(prototype, metal, volumes, linear))
                label = f"ordered/{metal}/{prototype}/{linear:+.2f}"
                yield _frame(label, "ordered", f"Li-{metal}", cell)


def _other_lattices() -> Iterator[ReferenceFrame]:
    """The metals with fewer or more neighbours than in their crystals."""
    for metal in METALS:
        lattices = {"sc": 1.1, "bcc": 1.0, "fcc": 1.0}
        lattices.pop("bcc" if metal == "Li" else "fcc")
        for lattice, room in lattices.items():
            if f"{metal}-{lattice}" == "Li-fcc":
                continue  # of the crystal library
            cell = _primitive(other_lattice(metal, lattice, room * _atomic_volume(metal)))
            for linear in (-0.04, 0.0, 0.04):
                label = f"bulk/{metal}-{lattice}/{linear:+.3f}"
                yield _frame(label, "bulk", f"{metal}-{lattice}", _strained(cell, linear))


def _vacancies() -> Iterator[ReferenceFrame]:
    for name in (*METALS, *SALTS):
        cell = _primitive(crystal(name))
        for size in ((2, 2, 2), (2, 2, 1)):
            large = cell * size
            if not 4 <= len(large) <= 17:
                continue
            victims = dict.fromkeys(site.specie.symbol for site in large)
            for symbol in victims if name in METALS else ("Li",):
                holed = large.copy()
                holed.remove_sites([[site.specie.symbol for site in large].index(symbol)])
                label = f"vacancy/{name}/{symbol}/{'x'.join(map(str, size))}"
                yield _frame(label, "vacancy", name, holed)


def _slabs() -> Iterator[ReferenceFrame]:
    """Clean slabs; then their outer layers moved in or out, symmetry kept."""
    for name in (*METALS, *SALTS):
        for index in _FACETS[name]:
            for slab in _thin(name, index, (2, 3, 4) if name in METALS else (2, 3)):
                layers = len(_layers(slab.structure))
                label = f"slab/{name}/{_index(index)}/{layers}"
                yield _frame(label, "slab", name, slab.structure)
                for shift in (-0.15, 0.15):
                    moved = _outer_layers_moved(slab.structure, shift)
                    yield _frame(f"{label}/{shift:+.2f}", "slab", name, moved)


def _adatoms() -> Iterator[ReferenceFrame]:
    """Li on each site at several heights, and half way between neighbouring sites."""
    for name in (*METALS, *SALTS):
        for index in _FACETS[name][: 2 if name in METALS else 1]:
            layers = 3 if name in METALS else 2
            slab = _thin(name, index, (layers,))[0]
            place = f"{name}/{_index(index)}"
            yield from _on_slab(slab, name, place, 2.4, (0.0, 0.35, 1.2))
            yield from _on_slab(slab, name, place, 4.2, (0.0, -0.25, 0.35))
    for metal in METALS:
        for index in _FACETS[metal]:
            slab = _thin(metal, index, (2,))[0]
            place = f"{metal}/{_index(index)}-{len(_layers(slab.structure))}"
            yield from _on_slab(slab, metal, place, 2.4, (-0.3, 0.0, 0.5))


def _on_slab(
    slab: Facet, name: str, place: str, separation: float, lifts: tuple[float, ...]
) -> Iterator[ReferenceFrame]:
    """Li on a slab, at least ``separation`` (Å) from its images."""
    sites = adsorption_sites(slab, min_separation=separation)
    if len(sites[0].structure) > MAX_ATOMS:
        return
    size = f"{1 / sites[0].coverage:.0f}"
    for site in sites:
        for lift in lifts:
            label = f"adatom/{place}/{size}/{site.label}/{lift:+.2f}"
            yield _frame(label, "adatom", f"Li on {name}", _lifted(site, lift))
    for i, site in enumerate(sites):
        for other in sites[i + 1 :]:
            label = f"hop/{place}/{size}/{site.label}-{other.label}"
            yield _frame(label, "hop", f"Li on {name}", _midpoint(site, other))


def _interfaces() -> Iterator[ReferenceFrame]:
    for film, film_index, substrate, index in _PAIRS:
        below = _thin(substrate, index, (3,) if substrate in METALS else (2,))[0]
        above = _thin(film, film_index, (3,) if film in METALS else (2,))[0]
        for strain in (0.06, 0.12, 0.2, 0.29):
            try:
                models = interfaces(
                    above,
                    below,
                    max_strain=strain,
                    max_atoms=MAX_ATOMS,
                    vacuum=_VACUUM,
                    registries=2,
                )
            except StructureError:
                continue
            break
        else:
            continue
        for number, model in enumerate(models[:2]):
            for wider in _GAPS:
                cell = _opened(model.structure, model.film_indices, wider)
                label = (
                    f"interface/{film}{_index(film_index)}/{substrate}{_index(index)}"
                    f"/{number}/{wider:+.1f}"
                )
                yield _frame(label, "interface", f"{film}|{substrate}", cell)


def _layered_contacts() -> Iterator[ReferenceFrame]:
    """Two layers of Li and two of a metal in turn, on the mean of their close-packed areas."""
    for metal in METALS[1:]:
        volumes = {symbol: _atomic_volume(symbol) for symbol in ("Li", metal)}
        for index in _FACETS[metal][: 1 if metal in HCP else 2]:
            slab = _thin(metal, index, (5,))[0].structure
            base = float(np.linalg.norm(np.cross(*slab.lattice.matrix[:2])))
            area = base * (volumes["Li"] / volumes[metal]) ** (1 / 3)
            layers = alternating_layers(slab, "Li", volumes, area, (2, 2))
            for wider in (-0.4, 0.0, 0.5, 1.2):
                label = f"interface/Li/{metal}{_index(index)}/layers/{wider:+.1f}"
                cell = opened_layers(layers, "Li", wider)
                yield _frame(label, "interface", f"Li|{metal}", cell)


def _frame(name: str, family: str, system: str, structure: Structure) -> ReferenceFrame:
    plain = Structure(structure.lattice, structure.species, structure.frac_coords)
    return ReferenceFrame(name, family, system, plain)


def _primitive(structure: Structure) -> Structure:
    return SpacegroupAnalyzer(structure, 0.01).get_primitive_standard_structure()


def _atomic_volume(name: str) -> float:
    cell = crystal(name)
    return float(cell.volume / len(cell))


def _strained(structure: Structure, strain: float | np.ndarray) -> Structure:
    """The cell stretched along x, y and z."""
    stretched = structure.lattice.matrix * (1.0 + np.broadcast_to(strain, 3))
    return Structure(Lattice(stretched), structure.species, structure.frac_coords)


def _doubled(structure: Structure) -> Structure:
    """A cell of at least three atoms, doubled along its shortest vectors."""
    cell = structure.copy()
    while len(cell) < 3:
        size = [1, 1, 1]
        size[int(np.argmin(cell.lattice.abc))] = 2
        cell = cell * size
    return cell


def _rattled(structure: Structure, size: float, name: str) -> Structure:
    """Every atom moved at random by about ``size``, Å; the same for the same name."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    moved = structure.cart_coords + rng.normal(scale=size, size=(len(structure), 3))
    return Structure(structure.lattice, structure.species, moved, coords_are_cartesian=True)


def _thin(name: str, index: tuple[int, int, int], numbers: tuple[int, ...]) -> list[Facet]:
    """The slabs with the fewest atomic layers that are at least each of ``numbers``."""
    found: dict[int, Facet] = {}
    for thickness in np.arange(1.0, 14.0, 0.8):
        slab = facet(name, index, min_thickness=float(thickness), min_vacuum=_VACUUM)
        found.setdefault(len(_layers(slab.structure)), slab)
    return [found[min(n for n in found if n >= number)] for number in numbers]


def _layers(slab: Structure) -> list[list[int]]:
    """Sites by height, those within 0.4 Å together, lowest first."""
    order = np.argsort(slab.cart_coords[:, 2])
    heights = slab.cart_coords[order, 2]
    cuts = np.flatnonzero(np.diff(heights) > 0.4) + 1
    return [part.tolist() for part in np.split(order, cuts)]


def _outer_layers_moved(slab: Structure, shift: float) -> Structure:
    """Both outer layers moved outwards by ``shift``, Å."""
    moved = slab.cart_coords.copy()
    layers = _layers(slab)
    moved[layers[-1], 2] += shift
    moved[layers[0], 2] -= shift
    return Structure(slab.lattice, slab.species, moved, coords_are_cartesian=True)


def _lifted(site: AdsorptionSite, lift: float) -> Structure:
    """The site with its adatom moved up by ``lift``, Å."""
    cell = site.structure.copy()
    cell.translate_sites([len(cell) - 1], [0, 0, lift], frac_coords=False, to_unit_cell=False)
    return _in_vacuum(cell)


def _midpoint(site: AdsorptionSite, other: AdsorptionSite) -> Structure:
    """The adatom half way to the other site's nearest image."""
    first, second = (each.structure.frac_coords[-1] for each in (site, other))
    way = second - first
    way -= np.round(way)
    cell = site.structure.copy()
    cell.replace(len(cell) - 1, "Li", first + way / 2)
    return _in_vacuum(cell)


def _in_vacuum(slab: Structure) -> Structure:
    """The slab in a cell that leaves `_VACUUM` above its highest atom, half of it below."""
    moved = slab.cart_coords.copy()
    moved[:, 2] += _VACUUM / 2 - moved[:, 2].min()
    matrix = slab.lattice.matrix.copy()
    matrix[2] = (0.0, 0.0, moved[:, 2].max() + _VACUUM / 2)
    return Structure(Lattice(matrix), slab.species, moved, coords_are_cartesian=True)


def _opened(structure: Structure, film: tuple[int, ...], wider: float) -> Structure:
    """The film lifted by ``wider``, Å, and the cell made as much higher."""
    moved = structure.cart_coords.copy()
    moved[list(film), 2] += wider
    matrix = structure.lattice.matrix.copy()
    matrix[2, 2] += wider
    return Structure(Lattice(matrix), structure.species, moved, coords_are_cartesian=True)


def _index(index: tuple[int, int, int]) -> str:
    return "".join(map(str, index))
