"""What a screen gives to the report: its figures, and what stands behind each candidate.

A module ``screen.report_<screen>`` has one function,
``section(documents, ranked) -> Section``. Everything else in the page (tables, filters, the scatter
of any two quantities, structures in 3D, the comparison side by side) is made from these and the
ranking, alike for all screens. Text is escaped by the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from screen.ranking import Scalar


@dataclass(frozen=True)
class Figure:
    """One plot of the page.

    Attributes:
        place: id in the page, unique there: the screen's name and what it shows,
            ``"collectors-profiles"``.
        title: heading.
        text: what to read from it; a line or two.
        alt: what it shows, for those who cannot see it.
        figure: plotly's ``data`` and ``layout``, plain JSON types, without colours of a theme.
        small: whether two fit beside each other.
    """

    place: str
    title: str
    text: str
    alt: str
    figure: Mapping[str, Any]
    small: bool = False


@dataclass(frozen=True)
class Curve:
    """One curve of one candidate, such as an energy profile or voltages against composition.

    Attributes:
        title: what it is; the same for all candidates of a screen, so that they can be compared.
        x_label: with unit.
        y_label: with unit.
        x: abscissae.
        y: ordinates, as many.
        labels: what to call points, as many or none.
        step: whether each value holds up to the next abscissa (``hv`` steps), as voltages do.
        errors: of the ordinates, as many or none.
    """

    title: str
    x_label: str
    y_label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    labels: tuple[str, ...] = ()
    step: bool = False
    errors: tuple[float, ...] = ()


@dataclass(frozen=True)
class StructureView:
    """One structure that the page draws.

    Attributes:
        label: what it is, ``"best interface"``; the same for all candidates of a screen.
        structure: a pymatgen Structure's dictionary, as documents hold it.
    """

    label: str
    structure: Mapping[str, Any]


@dataclass(frozen=True)
class DetailTable:
    """A small table in a candidate's panel.

    Attributes:
        title: heading.
        headings: of the columns, with units.
        rows: formatted text, as many cells as headings.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class CandidateDetail:
    """What stands behind one candidate.

    Attributes:
        identity: that of its `screen.ranking.Candidate`.
        facts: label and text, besides the quantities.
        structures: the first is the one shown on its card.
        curves: shown when the pointer is on the candidate, and in its panel.
        tables: shown in its panel.
    """

    identity: tuple[Scalar, ...]
    facts: tuple[tuple[str, str], ...] = ()
    structures: tuple[StructureView, ...] = ()
    curves: tuple[Curve, ...] = ()
    tables: tuple[DetailTable, ...] = ()


@dataclass(frozen=True)
class Section:
    """One screen's part of the report.

    Attributes:
        details: of every candidate, ranked or not, in any order.
        figures: plots over all candidates; one without data is left out.
        notes: label and text of what all its numbers rest on, for the provenance.
    """

    details: tuple[CandidateDetail, ...]
    figures: tuple[Figure, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
