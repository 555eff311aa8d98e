"""The quantities of a validation, each computed for all its crystals at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pymatgen.analysis.elasticity import ElasticTensor
from pymatgen.core import Structure

from potentials.protocol import Band, Calculation, Engine
from results.elasticity import stiffness
from results.quantities import lithiation_voltage, surface_energy
from structures import adatom_hops, adsorption_sites, crystal, facet
from structures.models import AdsorptionSite
from structures.strained import STRAIN, strained_cells

Outcome = float | str
"""A value, or why there is none."""

_FMAX_CRYSTAL = 0.005
_FMAX = 0.02
_SMALLEST_SUPERCELL = 8.0


@dataclass(frozen=True)
class Case:
    """One quantity of one system.

    Attributes:
        quantity: a key of `PROPERTIES`.
        system: crystal of the library; the lithiated phase of a voltage.
        facet: Miller index of a surface; empty otherwise.
        species: adatom or vacancy; the phase without (or with less) lithium of a voltage.
    """

    quantity: str
    system: str
    facet: tuple[int, ...] = ()
    species: str = ""


class Crystals:
    """Library crystals relaxed with one engine, cell and positions, each only once."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._relaxed: dict[str, Calculation] = {}
        self._tensors: dict[str, ElasticTensor | str] = {}

    def relaxed(self, names: Sequence[str]) -> dict[str, Calculation]:
        """Conventional cells of ``names``, relaxed; failed ones have ``failure`` set."""
        missing = [name for name in dict.fromkeys(names) if name not in self._relaxed]
        found = self.engine.relax(
            [crystal(name) for name in missing], fmax=_FMAX_CRYSTAL, cell="full"
        )
        self._relaxed |= dict(zip(missing, found, strict=True))
        return {name: self._relaxed[name] for name in names}

    def elastic_tensors(self, names: Sequence[str]) -> dict[str, ElasticTensor | str]:
        """Stiffness of relaxed crystals, GPa, from the stress under six small strains.

        Source: de Jong et al., Sci. Data 2, 150009 (2015); atoms are relaxed under each strain.
        """
        bulks = self.relaxed(names)
        missing = [name for name in dict.fromkeys(names) if name not in self._tensors]
        good = [name for name in missing if bulks[name].failure is None]
        self._tensors |= {name: str(bulks[name].failure) for name in missing}
        strained = [each for name in good for each in strained_cells(bulks[name].structure)]
        relaxed = self.engine.relax(strained, fmax=_FMAX_CRYSTAL)
        stressed = self.engine.evaluate([each.structure for each in relaxed])
        for i, name in enumerate(good):
            twelve = slice(12 * i, 12 * (i + 1))
            problem = next((each.failure for each in relaxed[twelve] if each.failure), None)
            self._tensors[name] = problem or _stiffness(stressed[twelve])
        return {name: self._tensors[name] for name in names}


def lattice_parameters(crystals: Crystals, cases: Sequence[Case]) -> dict[Case, Outcome]:
    """Length of the conventional cell's first edge, Å."""
    return _of_bulk(crystals, cases, lambda structure: float(structure.lattice.a))


def volumes_per_atom(crystals: Crystals, cases: Sequence[Case]) -> dict[Case, Outcome]:
    """Volume per atom, Å³."""
    return _of_bulk(crystals, cases, lambda structure: structure.volume / len(structure))


def elastic_moduli(crystals: Crystals, cases: Sequence[Case]) -> dict[Case, Outcome]:
    """Voigt-Reuss-Hill bulk and shear modulus, or one elastic constant, GPa.

    Constants refer to the conventional axes; those that cubic, hexagonal and tetragonal symmetry
    make equal are averaged. Source: Hill, Proc. Phys. Soc. A 65, 349 (1952).
    """
    tensors = crystals.elastic_tensors([case.system for case in cases])
    outcomes: dict[Case, Outcome] = {}
    for case in cases:
        tensor = tensors[case.system]
        if isinstance(tensor, str):
            outcomes[case] = tensor
            continue
        c = tensor.voigt
        outcomes[case] = float(
            {
                "bulk_modulus": tensor.k_vrh,
                "shear_modulus": tensor.g_vrh,
                "C11": (c[0, 0] + c[1, 1]) / 2,
                "C12": c[0, 1],
                "C44": (c[3, 3] + c[4, 4]) / 2,
            }[case.quantity]
        )
    return outcomes


def surface_energies(crystals: Crystals, cases: Sequence[Case]) -> dict[Case, Outcome]:
    """Surface energy of the termination that cuts the fewest bonds, J/m²."""
    bulks = crystals.relaxed([case.system for case in cases])
    outcomes: dict[Case, Outcome] = {}
    slabs = {}
    for case in cases:
        bulk = bulks[case.system]
        if bulk.failure is not None:
            outcomes[case] = bulk.failure
            continue
        cut = facet(bulk.structure, case.facet, host=case.system)
        if cut.symmetric and cut.stoichiometric:
            slabs[case] = cut
        else:
            outcomes[case] = "no symmetric stoichiometric slab"
    found = crystals.engine.relax([cut.structure for cut in slabs.values()], fmax=_FMAX)
    for (case, cut), slab in zip(slabs.items(), found, strict=True):
        bulk = bulks[case.system]
        per_atom = bulk.energy / len(bulk.structure)
        outcomes[case] = slab.failure or surface_energy(
            slab.energy, len(slab.structure), per_atom, cut.area
        )
    return outcomes


def adatom_barriers(crystals: Crystals, cases: Sequence[Case]) -> dict[Case, Outcome]:
    """Lowest barrier, eV, of a hop between neighbouring stable sites of the bare facet.

    Counted from the lowest image: of a hop between unequal sites the way up counts, and a site that
    is no minimum of the potential is no end.
    """
    bulks = crystals.relaxed([case.system for case in cases])
    outcomes: dict[Case, Outcome] = {}
    for case in cases:
        bulk = bulks[case.system]
        if bulk.failure is not None:
            outcomes[case] = bulk.failure
            continue
        slab = facet(bulk.structure, case.facet, host=case.system)
        outcomes[case] = _lowest_hop(crystals.engine, adsorption_sites(slab, case.species))
    return outcomes


def vacancy_formation_energies(crystals: Crystals, cases: Sequence[Case]) -> dict[Case, Outcome]:
    """E(N-1) − (N-1)/N E(N) of an elemental crystal at the relaxed cell, eV."""
    bulks = crystals.relaxed([case.system for case in cases])
    outcomes: dict[Case, Outcome] = {case: _elemental(bulks[case.system]) for case in cases}
    good = [case for case in cases if outcomes[case] == ""]
    found = crystals.engine.relax(
        [_vacancy_pair(bulks[case.system].structure, case.species)[0] for case in good],
        fmax=_FMAX,
    )
    for case, vacancy in zip(good, found, strict=True):
        bulk = bulks[case.system]
        per_atom = bulk.energy / len(bulk.structure)
        outcomes[case] = vacancy.failure or vacancy.energy - len(vacancy.structure) * per_atom
    return outcomes


def vacancy_migration_barriers(crystals: Crystals, cases: Sequence[Case]) -> dict[Case, Outcome]:
    """Barrier of the nearest neighbour's hop into a vacancy, eV."""
    bulks = crystals.relaxed([case.system for case in cases])
    outcomes: dict[Case, Outcome] = {
        case: bulks[case.system].failure or "no such species" for case in cases
    }
    good = [
        case
        for case in cases
        if bulks[case.system].failure is None
        and case.species in bulks[case.system].structure.symbol_set
    ]
    ends = [
        end for case in good for end in _vacancy_pair(bulks[case.system].structure, case.species)
    ]
    relaxed = crystals.engine.relax(ends, fmax=_FMAX)
    bands = {}
    for i, case in enumerate(good):
        initial, final = relaxed[2 * i], relaxed[2 * i + 1]
        problem = initial.failure or final.failure
        if problem is None:
            bands[case] = Band(initial.structure, final.structure)
        else:
            outcomes[case] = problem
    paths = crystals.engine.neb(list(bands.values()))
    for case, path in zip(bands, paths, strict=True):
        outcomes[case] = path.failure or path.barrier
    return outcomes


def lithiation_voltages(crystals: Crystals, cases: Sequence[Case]) -> dict[Case, Outcome]:
    """Average voltage between a phase and a lithiated one, V vs Li/Li⁺."""
    names = [name for case in cases for name in (case.system, case.species)]
    bulks = crystals.relaxed([*names, "Li"])
    outcomes: dict[Case, Outcome] = {}
    for case in cases:
        phases = [bulks[name] for name in (case.system, case.species, "Li")]
        problem = next((phase.failure for phase in phases if phase.failure), None)
        outcomes[case] = problem or _voltage(*phases)
    return outcomes


PROPERTIES: dict[str, Callable[[Crystals, Sequence[Case]], dict[Case, Outcome]]] = {
    "lattice_a": lattice_parameters,
    "volume_per_atom": volumes_per_atom,
    "bulk_modulus": elastic_moduli,
    "shear_modulus": elastic_moduli,
    "C11": elastic_moduli,
    "C12": elastic_moduli,
    "C44": elastic_moduli,
    "surface_energy": surface_energies,
    "adatom_barrier": adatom_barriers,
    "vacancy_formation_energy": vacancy_formation_energies,
    "vacancy_migration_barrier": vacancy_migration_barriers,
    "lithiation_voltage": lithiation_voltages,
}


def _of_bulk(
    crystals: Crystals, cases: Sequence[Case], measure: Callable[[Structure], float]
) -> dict[Case, Outcome]:
    bulks = crystals.relaxed([case.system for case in cases])
    return {
        case: bulks[case.system].failure or measure(bulks[case.system].structure) for case in cases
    }


def _stiffness(strained: Sequence[Calculation]) -> ElasticTensor | str:
    """From the stresses of `strained_cells`."""
    problem = next((each.failure for each in strained if each.failure), None)
    if problem is not None:
        return problem
    stresses = [each.stress for each in strained if each.stress is not None]
    if len(stresses) < len(strained):
        return "the potential gives no stress"
    return stiffness(stresses, STRAIN)


def _lowest_hop(engine: Engine, sites: list[AdsorptionSite]) -> Outcome:
    relaxed = engine.relax([site.structure for site in sites], fmax=_FMAX)
    good = [i for i, each in enumerate(relaxed) if each.failure is None]
    if not good:
        return str(relaxed[0].failure)
    hops = adatom_hops(
        [replace(sites[i], structure=relaxed[i].structure) for i in good],
        [relaxed[i].energy for i in good],
    )
    paths = engine.neb([Band(hop.initial, hop.final) for hop in hops])
    barriers = [np.ptp(path.energies) for path in paths if path.failure is None]
    if not barriers:
        return str(paths[0].failure) if paths else "no hop between neighbouring sites"
    return float(min(barriers))


def _elemental(bulk: Calculation) -> str:
    """Why a crystal has no vacancy formation energy without a reservoir; empty if it has one."""
    if bulk.failure is not None:
        return bulk.failure
    return "" if len(bulk.structure.symbol_set) == 1 else "needs an elemental crystal"


def _vacancy_pair(bulk: Structure, species: str) -> tuple[Structure, Structure]:
    """A supercell with one vacancy, and the same after its nearest neighbour hopped into it.

    The neighbour keeps its place in the list of sites.
    """
    repeats = [max(1, int(np.ceil(_SMALLEST_SUPERCELL / length))) for length in bulk.lattice.abc]
    supercell = bulk.copy()
    supercell.make_supercell(repeats)
    removed, *others = (i for i, site in enumerate(supercell) if site.species_string == species)
    neighbour = min(others, key=lambda i: supercell.get_distance(removed, i))
    _, image = supercell.lattice.get_distance_and_image(
        supercell.frac_coords[neighbour], supercell.frac_coords[removed]
    )
    hopped = supercell.copy()
    hopped.replace(neighbour, species, supercell.frac_coords[removed] + image)
    for structure in (supercell, hopped):
        structure.remove_sites([removed])
    return supercell, hopped


def _voltage(lithiated: Calculation, delithiated: Calculation, lithium: Calculation) -> float:
    """Per atom of the host element, the one beside lithium in the lithiated phase."""
    host = next(symbol for symbol in lithiated.structure.symbol_set if symbol != "Li")
    full, empty = (phase.structure.composition for phase in (lithiated, delithiated))
    return lithiation_voltage(
        lithiated.energy / full[host],
        delithiated.energy / empty[host],
        full["Li"] / full[host] - empty["Li"] / empty[host],
        lithium.energy / len(lithium.structure),
    )
