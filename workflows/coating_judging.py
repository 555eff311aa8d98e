"""The cheap half of the coating screen: what the hull says of every coating and contact."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from jobflow import job
from monty.json import MSONable
from pydantic import TypeAdapter
from pymatgen.analysis.phase_diagram import GrandPotentialPhaseDiagram, PhaseDiagram
from pymatgen.core.composition import Composition

from results.coating_documents import CoatingDocument, ContactReaction
from results.documents import CalculationDocument, Evidence, as_structure
from results.errors import ResultsError
from results.thermodynamics.phases import Phase, phase_diagram, phase_of
from results.thermodynamics.reactions import (
    MutualReaction,
    closed_reaction,
    open_diagram,
    open_reaction,
)
from results.thermodynamics.windows import (
    Decomposition,
    ElectrochemicalWindow,
    decomposition_at,
    electrochemical_window,
    height_above,
    hull_level,
)
from structures import crystal_fact
from workflows.coating_funnel import Funnel, rejections
from workflows.packing import pack, unpack

LITHIUM = "Li"
Value = TypeVar("Value")


@dataclass(frozen=True)
class CoatingPlan(MSONable):
    """What a coating screen compares.

    Attributes:
        campaign: name in the documents.
        electrolytes: names of crystals.
        coatings: names of crystals, each put on every electrolyte.
        cathode: name of the crystal on the other side; None without.
        voltage: lower and upper potential at which open reactions are computed, V vs Li/Li⁺.
        competing: names of the crystals whose hull counts, the elements among them.
        tabulated: phases whose energies are known, from the teacher of a distilled potential; the
            hull is then made of these, and the competing crystals are not relaxed. None: the
            potential's own energies.
        funnel: thresholds; None computes everything.
    """

    campaign: str
    electrolytes: list[str]
    coatings: list[str]
    cathode: str | None
    voltage: tuple[float, float]
    competing: list[str]
    tabulated: list[Phase] | None
    funnel: Funnel | None

    @property
    def crystals(self) -> list[str]:
        """Every crystal that is relaxed, each once, lithium first."""
        named = [LITHIUM, *self.electrolytes, *self.coatings]
        named += [self.cathode] if self.cathode else []
        return list(dict.fromkeys(named + ([] if self.tabulated is not None else self.competing)))


@dataclass
class Candidates(MSONable):
    """The candidates as far as they are computed, packed as strings for jobflow.

    Attributes:
        documents: those that are computed further, the bare electrolytes among them.
        lithium: the relaxation of bulk lithium.
        stopped: the others, packed: of many coatings most are never looked at again.
    """

    documents: list[CoatingDocument]
    lithium: CalculationDocument
    stopped: tuple[str, ...] = ()

    def hosts(self) -> list[str]:
        """Crystals of those that are computed further, each once."""
        return list(dict.fromkeys(document.host for document in self.documents))

    def sieved(self, documents: Sequence[CoatingDocument]) -> "Candidates":
        """The candidates with ``documents`` in the place of their own, those rejected stopped."""
        going = [document for document in documents if _goes_on(document)]
        ended = [document for document in documents if not _goes_on(document)]
        stopped = (*self.stopped, *((_packed(ended),) if ended else ()))
        return Candidates(going, self.lithium, stopped)

    def every(self) -> list[CoatingDocument]:
        """All candidates, in the order in which they stopped."""
        ended = [document for packed in self.stopped for document in _documents(packed)]
        return [*ended, *self.documents]

    def collected(self, electrolytes: list[str], coatings: list[str]) -> "Collected":
        """All candidates, in the order of the names, with those that stopped as they are packed."""
        return Collected((*self.stopped, _packed(self.documents)), electrolytes, coatings)

    def as_dict(self) -> dict[str, Any]:
        """The documents packed, and how many they are beside them."""
        return {
            "@module": type(self).__module__,
            "@class": type(self).__name__,
            "going": len(self.documents),
            "documents": _packed(self.documents),
            "lithium": pack(self.lithium.model_dump_json()),
            "stopped": list(self.stopped),
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> "Candidates":
        """What `as_dict` gave."""
        return cls(
            _documents(d["documents"]),
            CalculationDocument.model_validate_json(unpack(d["lithium"])),
            tuple(d["stopped"]),
        )


@dataclass
class Collected(MSONable):
    """The documents that the flow ends with, unpacked when they are asked for.

    Attributes:
        packed: the documents, several to a string.
        electrolytes: names, in the order in which their documents come.
        coatings: names, in the order in which their documents come after the bare electrolyte's.
    """

    packed: tuple[str, ...]
    electrolytes: list[str]
    coatings: list[str]

    @property
    def documents(self) -> list[CoatingDocument]:
        """Of each electrolyte the bare one, then its coatings."""
        found = [document for packed in self.packed for document in _documents(packed)]
        electrolytes = {name: place for place, name in enumerate(self.electrolytes)}
        coatings = {name: place for place, name in enumerate(self.coatings)}

        def place(document: CoatingDocument) -> tuple[int, int]:
            own = -1 if document.coating is None else coatings[document.coating]
            return electrolytes[document.electrolyte], own

        return sorted(found, key=place)


def _packed(documents: Sequence[CoatingDocument]) -> str:
    return pack(f"[{','.join(one.model_dump_json() for one in documents)}]")


def _documents(packed: str) -> list[CoatingDocument]:
    return _DOCUMENTS.validate_json(unpack(packed))


_DOCUMENTS = TypeAdapter(list[CoatingDocument])


def _goes_on(document: CoatingDocument) -> bool:
    return not document.rejections and document.crystal_structure is not None


@job
def judge_by_hull(plan: CoatingPlan, bulks: list[CalculationDocument]) -> Candidates:
    """The candidates with all that follows from the energies of crystals.

    Args:
        plan: what is compared.
        bulks: the relaxation of each of ``plan.crystals``.
    """
    judge = _Judge(plan, bulks)
    return Candidates([], judge.bulk[LITHIUM]).sieved(judge.documents())


@dataclass
class _Judge:
    """Reads everything off the hulls, each composition and each pair only once."""

    plan: CoatingPlan
    bulks: Sequence[CalculationDocument]
    _known: dict[Any, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bulk = dict(zip(self.plan.crystals, self.bulks, strict=True))
        self.problems: dict[str, str] = {}
        self.phases: dict[str, Phase] = {}
        for name, bulk in self.bulk.items():
            try:
                self.phases[name] = phase_of(name, bulk)
            except ResultsError as error:
                self.problems[name] = str(error)
        if self.plan.tabulated is not None:
            self._take_tabulated(self.plan.tabulated)
        hull = [*self.plan.competing, LITHIUM, *self.plan.electrolytes]
        hull += [self.plan.cathode] if self.plan.cathode else []
        self.hull = list(dict.fromkeys(hull))
        self.compositions = {
            name: Composition(phase.formula) for name, phase in self.phases.items()
        }
        self.elements = {
            name: frozenset(e.symbol for e in composition.elements)
            for name, composition in self.compositions.items()
        }

    def _take_tabulated(self, known: list[Phase]) -> None:
        """Put the teacher's energies in the place of the potential's own."""
        for phase in known:
            if phase.name not in self.problems:
                self.phases[phase.name] = phase
        for source in {phase.energies_from for phase in known}:
            # What the table lacks keeps its energy, which is fitted to the same scale.
            for name, phase in self.phases.items():
                self.phases[name] = replace(phase, energies_from=source)
        for name in self.plan.competing:
            if name not in self.phases:
                self.problems.setdefault(name, f"{name}: the potential's teacher has no energy")

    def documents(self) -> list[CoatingDocument]:
        """One per electrolyte and coating, the bare electrolyte before its coatings."""
        return [
            self._document(electrolyte, coating)
            for electrolyte in self.plan.electrolytes
            for coating in (None, *self.plan.coatings)
        ]

    def _document(self, electrolyte: str, coating: str | None) -> CoatingDocument:
        host = coating or electrolyte
        bulk = self.bulk[host]
        structure = bulk.final_structure or bulk.initial_structure
        found: dict[str, Any] = {}
        evidence: dict[str, Evidence] = {}
        for part in (self._alone, self._contacts):
            values, its_evidence = part(electrolyte, coating)
            found |= values
            evidence |= its_evidence
        names = self._names(self._system(host, electrolyte))
        document = CoatingDocument(
            campaign=self.plan.campaign,
            host=host,
            elements=self._symbols(host),
            electrolyte=electrolyte,
            coating=coating,
            cathode=self.plan.cathode,
            voltage=self.plan.voltage,
            potential=bulk.potential,
            evidence=evidence,
            hull_phases=names,
            hull_left_out=self._left_out(self._system(host, electrolyte)),
            hull_energies=self.phases[host].energies_from if host in self.phases else "",
            crystal_structure=structure if bulk.converged else None,
            **found,
        )
        missed = rejections(document, self.plan.funnel, "thermodynamics")
        return document.model_copy(update={"rejections": missed})

    def _alone(self, electrolyte: str, coating: str | None) -> tuple[dict[str, Any], dict]:
        """What the crystal does on its own."""
        host = coating or electrolyte
        names = (
            "energy_above_hull_ev",
            "reduction_limit_v",
            "oxidation_limit_v",
            "decomposition_energy_ev",
        )
        if host not in self.phases:
            return {}, _missing(names, self.problems[host])
        try:
            above, window, at_zero = self._stability(host)
        except ResultsError as error:
            return {}, _missing(names, str(error))
        kept = Evidence(
            converged=True,
            reference_state="hull of the competing phases",
            fingerprints=self._fingerprints(host),
        )
        values: dict[str, Any] = {
            names[0]: above,
            names[1]: window.reduction_limit,
            names[3]: at_zero.energy,
            "reduction_products": window.reduction_products,
            "oxidation_products": window.oxidation_products,
            "decomposition_products": at_zero.products,
        }
        evidence = {name: kept for name in names if name in values}
        if window.oxidation_limit is not None:
            values[names[2]], evidence[names[2]] = window.oxidation_limit, kept
        return values, evidence

    def _contacts(self, electrolyte: str, coating: str | None) -> tuple[dict[str, Any], dict]:
        """The reactions of every contact."""
        host = coating or electrolyte
        low, high = self.plan.voltage
        asked: list[tuple[str, str, str, float | None]] = [
            ("lithium_reaction_ev", "lithium", LITHIUM, None)
        ]
        if coating is not None:
            asked += [
                ("electrolyte_reaction_ev", "electrolyte", electrolyte, None),
                ("electrolyte_open_reaction_ev", "electrolyte", electrolyte, low),
            ]
        if self.plan.cathode is not None:
            asked += [
                ("cathode_reaction_ev", "cathode", self.plan.cathode, None),
                ("cathode_open_reaction_ev", "cathode", self.plan.cathode, high),
            ]
        values: dict[str, Any] = {}
        evidence: dict[str, Evidence] = {}
        reactions: list[ContactReaction] = []
        for name, contact, partner, potential in asked:
            try:
                found = self._reaction(host, partner, potential)
            except ResultsError as error:
                evidence |= _missing((name,), str(error))
                continue
            values[name] = found.energy
            evidence[name] = Evidence(
                converged=True,
                reference_state="hull at either composition",
                fingerprints=self._fingerprints(host, partner),
            )
            reactions.append(_contact(contact, (host, partner), found))
        problems = [f"{one.failure}" for one in evidence.values() if one.failure]
        if problems:
            evidence |= _missing(("reaction_energy_ev",), problems[0])
        else:
            values["reaction_energy_ev"] = min(values.values())
            evidence["reaction_energy_ev"] = Evidence(
                converged=True,
                reference_state="hull at either composition",
                fingerprints=tuple(
                    dict.fromkeys(key for one in evidence.values() for key in one.fingerprints)
                ),
            )
        return values | {"reactions": tuple(reactions)}, evidence

    def _stability(self, name: str) -> tuple[float, ElectrochemicalWindow, Decomposition]:
        """Height above the hull, window, and decomposition at 0 V."""
        phase, composition = self.phases[name], self.compositions[name]
        diagram, key = self._diagram(name)
        formula = (key, phase.formula)
        level = self._once(("level", *formula), lambda: hull_level(diagram, composition))
        above = height_above(level, phase.energy_per_atom_ev)
        window = self._once(
            ("window", *formula), lambda: electrochemical_window(diagram, composition)
        )
        at_zero = self._once(
            ("at zero", *formula), lambda: decomposition_at(diagram, composition, 0.0)
        )
        return above, window, at_zero

    def _reaction(self, one: str, other: str, potential: float | None) -> MutualReaction:
        for name in (one, other):
            if name not in self.phases:
                raise ResultsError(self.problems[name])
        diagram, key = self._diagram(one, other)
        first, second = self.compositions[one], self.compositions[other]
        label = ("reaction", key, first.reduced_formula, second.reduced_formula, potential)
        if potential is None:
            return self._once(label, lambda: closed_reaction(diagram, first, second))
        opened: GrandPotentialPhaseDiagram = self._once(
            ("open", key, potential), lambda: open_diagram(diagram, potential)
        )
        return self._once(label, lambda: open_reaction(diagram, opened, first, second))

    def _diagram(self, *names: str) -> tuple[PhaseDiagram, Any]:
        """The hull of the elements of ``names`` and lithium, and what tells it from other hulls.

        A coating that is none of the hull's phases joins it only where it lies below.
        """
        system = self._system(*names)
        extra: tuple[str, ...] = ()
        for name in names:
            if name in self.hull or name not in self.phases:
                continue
            if self._lies_below(name):
                extra += (name,)
        return self._hull(system, extra), (system, extra)

    def _lies_below(self, name: str) -> bool:
        """Whether a phase that is none of the hull's lies below it."""
        phase, system = self.phases[name], self._system(name)

        def level() -> float:
            hull = self._hull(system, ())
            return float(hull.get_hull_energy_per_atom(self.compositions[name]))

        return phase.energy_per_atom_ev < self._once(("lowest", system, phase.formula), level)

    def _hull(self, system: frozenset[str], extra: tuple[str, ...]) -> PhaseDiagram:
        def build() -> PhaseDiagram:
            return phase_diagram([self.phases[name] for name in (*self._names(system), *extra)])

        return self._once(("hull", system, extra), build)

    def _names(self, system: frozenset[str]) -> tuple[str, ...]:
        """The hull's phases in a chemical system."""
        return self._once(
            ("names", system),
            lambda: tuple(
                name for name in self.hull if name in self.phases and self.elements[name] <= system
            ),
        )

    def _left_out(self, system: frozenset[str]) -> tuple[str, ...]:
        """The phases of a chemical system that have no energy, each with the reason."""
        return self._once(
            ("left out", system),
            lambda: tuple(
                self.problems[name]
                for name in self.hull
                if name in self.problems and set(self._symbols(name)) <= system
            ),
        )

    def _system(self, *names: str) -> frozenset[str]:
        return frozenset({LITHIUM}.union(*(self._symbols(name) for name in names)))

    def _symbols(self, name: str) -> tuple[str, ...]:
        """Elements of a crystal: of its energy, else of what was relaxed, else of the library's."""

        def held() -> tuple[str, ...]:
            if name in self.elements:
                return tuple(sorted(self.elements[name]))
            if name in self.bulk:
                return tuple(sorted(as_structure(self.bulk[name].initial_structure).symbol_set))
            return tuple(sorted({site.element for site in crystal_fact(name).sites}))

        return self._once(("symbols", name), held)

    def _fingerprints(self, *names: str) -> tuple[str, ...]:
        return tuple(self.bulk[name].fingerprint for name in names)

    def _once(self, key: Any, make: Callable[[], Value]) -> Value:
        if key not in self._known:
            self._known[key] = make()
        found: Value = self._known[key]
        return found


def _missing(names: Sequence[str], reason: str) -> dict[str, Evidence]:
    return dict.fromkeys(names, Evidence(converged=False, failure=reason))


def _contact(contact: str, reactants: tuple[str, str], found: MutualReaction) -> ContactReaction:
    return ContactReaction(
        contact=contact,
        reactants=reactants,
        potential_v=found.potential,
        energy_ev=found.energy,
        fraction=found.fraction,
        products=found.products,
    )
