"""Computed values beside published ones, for a potential: how far its numbers can be trusted."""

import csv
import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from potentials.potential import Potential
from structures import StructureError, crystal
from workflows.errors import WorkflowError
from workflows.validation_properties import PROPERTIES, Case, Crystals, Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Verdict = Literal["agrees", "deviates", "failed"]
PUBLISHED = Path(__file__).with_name("reference_values.csv")
_PANELS = 3
_COLUMNS = ("quantity", "system", "facet", "species", "value", "unit", "tolerance", "method")


@dataclass(frozen=True)
class Reference:
    """One published value.

    Attributes:
        case: what it is a value of.
        value: in ``unit``.
        unit: Å, Å³ (per atom), GPa, J/m², eV or V, as the quantity has it.
        tolerance: largest deviation that counts as agreement, in ``unit``.
        method: how it was obtained.
        source: where it is published.
    """

    case: Case
    value: float
    unit: str
    tolerance: float
    method: str
    source: str


@dataclass(frozen=True)
class ValidationRow:
    """A computed value beside the published one.

    Attributes:
        reference: the published value.
        computed: in the reference's unit; None where it failed.
        verdict: ``"agrees"`` within the tolerance, ``"deviates"``, or ``"failed"``.
        failure: why there is no computed value; None where there is one.
    """

    reference: Reference
    computed: float | None
    verdict: Verdict
    failure: str | None

    @property
    def deviation(self) -> float | None:
        """Computed minus published."""
        return None if self.computed is None else self.computed - self.reference.value

    def to_dict(self) -> dict[str, str | float | None]:
        """As one flat row of a table, quantity and system first."""
        reference, case = self.reference, self.reference.case
        return {
            "quantity": case.quantity,
            "system": case.system,
            "facet": " ".join(map(str, case.facet)),
            "species": case.species,
            "computed": self.computed,
            "published": reference.value,
            "deviation": self.deviation,
            "tolerance": reference.tolerance,
            "unit": reference.unit,
            "verdict": self.verdict,
            "failure": self.failure,
            "method": reference.method,
            "source": reference.source,
        }


OnQuantity = Callable[[str, int], None]
"""Called with (quantity, number of cases) before each quantity is computed."""


def validate(
    potential: Potential,
    against: str | Path | None = None,
    *,
    on_quantity: OnQuantity | None = None,
) -> list[ValidationRow]:
    """Compute what the potential covers of the published values and compare.

    Crystals are taken from the library and relaxed, cell and positions, with the potential itself.

    Args:
        potential: the potential.
        against: CSV file of published values with the columns of `reference_values.csv` in this
            package; None takes that one.
        on_quantity: told before each quantity starts.

    Returns:
        One row per published value whose elements the potential covers, in the order of the file.

    Raises:
        WorkflowError: if the file cannot be read, or the potential covers none of it.
    """
    references = [
        reference
        for reference in read_references(PUBLISHED if against is None else Path(against))
        if elements_of(reference.case) <= potential.elements
    ]
    if not references:
        raise WorkflowError(
            f"against: potential {potential.identity.name!r} covers no crystal of the file;"
            " give published values of crystals that it covers"
        )
    crystals = Crystals(potential.engine())
    outcomes: dict[Case, Outcome] = {}
    for quantity, compute in PROPERTIES.items():
        cases = [each.case for each in references if each.case.quantity == quantity]
        if not cases:
            continue
        if on_quantity is not None:
            on_quantity(quantity, len(cases))
        outcomes |= compute(crystals, cases)
    return [_row(reference, outcomes[reference.case]) for reference in references]


def read_references(path: Path) -> list[Reference]:
    """The published values of a CSV file.

    Raises:
        WorkflowError: naming the line and column that is wrong, with the nearest valid name.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WorkflowError(f"against: {path} cannot be read ({error}); give a CSV file") from error
    if not rows:
        raise WorkflowError(f"against: {path} has no rows; see workflows/reference_values.csv")
    missing = [column for column in _COLUMNS if column not in rows[0]]
    if missing:
        raise WorkflowError(f"against: {path} has no column {missing[0]!r}; add it")
    return [_reference(row, f"against: {path}, line {i}") for i, row in enumerate(rows, start=2)]


def write_validation(rows: Sequence[ValidationRow], path: Path) -> None:
    """Write the rows as CSV, computed beside published.

    Raises:
        WorkflowError: if the file cannot be written.
    """
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0].to_dict()) if rows else [])
            writer.writeheader()
            writer.writerows(row.to_dict() for row in rows)
    except OSError as error:
        raise WorkflowError(
            f"path: {path} cannot be written ({error.strerror}); choose another"
        ) from error


def parity_plot(rows: Sequence[ValidationRow], path: Path, *, title: str) -> None:
    """Draw computed against published values, a panel per unit, as PNG, SVG or PDF.

    Raises:
        WorkflowError: if the file cannot be written or has another ending.
    """
    from matplotlib.figure import Figure

    units = list(dict.fromkeys(row.reference.unit for row in rows if row.computed is not None))
    lines = max(-(-len(units) // _PANELS), 1)
    figure = Figure(figsize=(4.0 * _PANELS, 3.6 * lines), layout="constrained")
    for i, unit in enumerate(units):
        axes = figure.add_subplot(lines, _PANELS, i + 1)
        _panel(axes, [row for row in rows if row.reference.unit == unit])
        axes.set_xlabel(f"published ({unit})")
        axes.set_ylabel(f"computed ({unit})")
    figure.suptitle(title)
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise WorkflowError(f"path: {path} cannot be written ({error}); use a .png") from error


def _panel(axes: "Axes", rows: Sequence[ValidationRow]) -> None:
    """Points of one unit, their tolerances, and the line of perfect agreement."""
    for quantity in dict.fromkeys(row.reference.case.quantity for row in rows):
        points = [
            (row.reference.value, row.computed, row.reference.tolerance)
            for row in rows
            if row.reference.case.quantity == quantity and row.computed is not None
        ]
        if points:
            published, computed, tolerance = zip(*points, strict=True)
            label = quantity.replace("_", " ")
            axes.axline((published[0], published[0]), slope=1.0, color="0.7", zorder=0)
            axes.errorbar(published, computed, xerr=tolerance, fmt="o", markersize=4, label=label)
    axes.legend(fontsize=7)


def elements_of(case: Case) -> frozenset[str]:
    """Chemical symbols that a potential needs for a case."""
    symbols = {element.symbol for element in crystal(case.system).elements}
    if case.quantity == "lithiation_voltage":
        symbols |= {"Li"} | {element.symbol for element in crystal(case.species).elements}
    elif case.species:
        symbols.add(case.species)
    return frozenset(symbols)


def _row(reference: Reference, outcome: Outcome) -> ValidationRow:
    if isinstance(outcome, str):
        return ValidationRow(reference, None, "failed", outcome)
    agrees = abs(outcome - reference.value) <= reference.tolerance
    return ValidationRow(reference, outcome, "agrees" if agrees else "deviates", None)


def _reference(row: dict[str, str], where: str) -> Reference:
    quantity = row["quantity"]
    if quantity not in PROPERTIES:
        near = difflib.get_close_matches(quantity, PROPERTIES, n=1) or [", ".join(PROPERTIES)]
        raise WorkflowError(f"{where}: quantity {quantity!r} is unknown; did you mean {near[0]}?")
    try:
        facet = tuple(int(index) for index in row["facet"].split())
        value, tolerance = float(row["value"]), float(row["tolerance"])
    except ValueError as error:
        raise WorkflowError(f"{where}: {error}; give numbers, facet as 'h k l'") from error
    case = Case(quantity, row["system"], facet, row["species"])
    try:
        elements_of(case)
    except StructureError as error:
        raise WorkflowError(f"{where}: {error}") from error
    return Reference(case, value, row["unit"], tolerance, row["method"], row.get("source") or "")
