"""The coating screen's part of the report: the funnel, reaction energies and windows."""

from collections.abc import Sequence

from results.coating_documents import CoatingDocument
from screen.candidates import candidate_of
from screen.criteria_coatings import COATING_QUANTITIES
from screen.ranking_output import RankedScreen
from screen.report_details import (
    interface_table,
    lithium_tension_notes,
    profile_curve,
    state_text,
    structure_views,
)
from screen.report_figures import colour
from screen.report_parts import (
    CandidateDetail,
    DetailTable,
    Figure,
    Section,
)
from workflows.coating_funnel import LABELS

_CONTACTS = (
    ("lithium_reaction_ev", "lithium"),
    ("electrolyte_reaction_ev", "electrolyte"),
    ("electrolyte_open_reaction_ev", "electrolyte, open to Li"),
    ("cathode_reaction_ev", "cathode"),
    ("cathode_open_reaction_ev", "cathode, open to Li"),
)
# Orange: reactive; light grey: not at all.
_REACTIVE = ((0.0, "#b3541e"), (0.5, "#e9b872"), (1.0, "#d9dde1"))
_NO_LIMIT = 6.5
"""Where the bar of a window without an upper end is cut, V."""


def section(documents: Sequence[CoatingDocument], ranked: RankedScreen) -> Section:  # noqa: ARG001
    """The funnel, the reaction energies, the windows, and what stands behind each coating.

    Args:
        documents: best first.
        ranked: their ranking.
    """
    figures = (_funnel(documents), _reactions(documents), _windows(documents))
    return Section(
        details=tuple(_detail(document) for document in documents),
        figures=tuple(figure for figure in figures if figure.figure["data"]),
        notes=_notes(documents),
    )


def funnel_counts(documents: Sequence[CoatingDocument]) -> list[tuple[str, int]]:
    """How many coatings are left after each threshold that some of them missed, all of them first.

    A coating that misses several is counted at the first one.
    """
    coatings = [document for document in documents if document.coating is not None]
    first = [document.rejections[0] for document in coatings if document.rejections]
    counts, left = [("all coatings", len(coatings))], len(coatings)
    for label in LABELS:
        missed = [one for one in first if one.label == label]
        left -= len(missed)
        if missed:
            counts.append((f"{label} ({_plain(missed[0].threshold)} {missed[0].unit})", left))
    return counts


def _funnel(documents: Sequence[CoatingDocument]) -> Figure:
    counts = funnel_counts(documents)
    trace = {
        "type": "funnel",
        "y": [label for label, _ in counts],
        "x": [count for _, count in counts],
        "textinfo": "value",
        "marker": {"color": [colour(0)] * len(counts)},
        "connector": {"fillcolor": "rgba(127,127,127,0.15)"},
        "hovertemplate": "%{y}: %{x} left<extra></extra>",
    }
    text = "Coatings left after each threshold that some missed; each counts at its first miss."
    if len(counts) == 1:
        text = "No coating missed a threshold, or none was set."
    return Figure(
        place="coatings-funnel",
        title="The funnel",
        text=text,
        alt="Funnel: " + "; ".join(f"{label}: {count}" for label, count in counts),
        figure={
            "data": [trace] if counts[0][1] else [],
            "layout": {"showlegend": False, "height": 120 + 40 * len(counts)},
        },
    )


def _reactions(documents: Sequence[CoatingDocument]) -> Figure:
    shown = sorted((one for one in documents if one.reactions), key=lambda one: one.electrolyte)
    columns = [
        (field, label)
        for field, label in _CONTACTS
        if any(getattr(document, field) is not None for document in shown)
    ]
    names = [_pair(document) for document in shown]
    values = [[getattr(document, field) for field, _ in columns] for document in shown]
    trace = {
        "type": "heatmap",
        "x": [label for _, label in columns],
        "y": names,
        "z": values,
        "zmax": 0,
        "zmin": min([-0.1, *(v for row in values for v in row if v is not None)]),
        "colorscale": _REACTIVE,
        "colorbar": {"title": {"text": "eV/atom"}, "thickness": 12},
        "texttemplate": "%{z:.3f}",
        "customdata": [[_products(document, field) for field, _ in columns] for document in shown],
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": "%{y} with %{x}: %{z:.3f} eV/atom<br>%{customdata}<extra></extra>",
    }
    return Figure(
        place="coatings-reactions",
        title="Reaction energies",
        text="Lowest mutual reaction energy of each contact, eV/atom of the reactants; 0: they do "
        "not react. The pointer shows the products.",
        alt=f"Heat map of the reaction energies of {len(shown)} candidates with "
        + ", ".join(label for _, label in columns),
        figure={
            "data": [trace] if shown and columns else [],
            "layout": {
                "xaxis": {"showgrid": False},
                "yaxis": {"autorange": "reversed", "showgrid": False},
                "height": 140 + 26 * len(shown),
            },
        },
    )


def _windows(documents: Sequence[CoatingDocument]) -> Figure:
    shown = {
        document.host: document for document in documents if document.reduction_limit_v is not None
    }
    hosts = list(shown.values())
    lower = [document.reduction_limit_v or 0.0 for document in hosts]
    upper = [_upper(document) for document in hosts]
    bare = [document.coating is None for document in hosts]
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": [document.host for document in hosts],
        "base": lower,
        "x": [high - low for low, high in zip(lower, upper, strict=True)],
        "marker": {"color": [colour(1 if one else 0) for one in bare]},
        "customdata": [
            [
                f"{low:.2f}",
                "none" if document.oxidation_limit_v is None else f"{high:.2f}",
                ", ".join(document.reduction_products) or "–",
                ", ".join(document.oxidation_products) or "–",
            ]
            for document, low, high in zip(hosts, lower, upper, strict=True)
        ],
        "hovertemplate": "%{y}: %{customdata[0]} to %{customdata[1]} V<br>below: %{customdata[2]}"
        "<br>above: %{customdata[3]}<extra></extra>",
    }
    limits = sorted({potential for document in hosts for potential in document.voltage})
    lines = [
        {
            "type": "line",
            "x0": potential,
            "x1": potential,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"dash": "dot", "width": 1.5, "color": "#888"},
        }
        for potential in limits
    ]
    return Figure(
        place="coatings-windows",
        title="Electrochemical windows",
        text="Potentials between which no lithium is taken up or given off; orange: electrolytes. "
        "Dotted: the voltage range of the campaign. The pointer shows the products beyond.",
        alt="Windows, V vs Li/Li⁺: "
        + "; ".join(
            f"{document.host} {low:.2f} to {high:.2f}"
            for document, low, high in zip(hosts, lower, upper, strict=True)
        ),
        figure={
            "data": [trace] if hosts else [],
            "layout": {
                "xaxis": {"title": {"text": "V vs Li/Li⁺"}},
                "yaxis": {"autorange": "reversed"},
                "shapes": lines,
                "showlegend": False,
                "height": 120 + 26 * len(hosts),
            },
        },
    )


def _upper(document: CoatingDocument) -> float:
    return _NO_LIMIT if document.oxidation_limit_v is None else document.oxidation_limit_v


def _pair(document: CoatingDocument) -> str:
    if document.coating is None:
        return f"{document.electrolyte}, bare"
    return f"{document.coating} on {document.electrolyte}"


def _products(document: CoatingDocument, field: str) -> str:
    """Products of the reaction whose energy a field holds."""
    contact = field.split("_")[0]
    found = [
        one
        for one in document.reactions
        if one.contact == contact and (one.potential_v is not None) == ("_open_" in field)
    ]
    if not found:
        return ""
    lowest = min(found, key=lambda one: one.energy_ev)
    return ("to " if lowest.energy_ev < 0 else "stays ") + ", ".join(lowest.products)


def _detail(document: CoatingDocument) -> CandidateDetail:
    structures = (
        ("Li on it", document.lithium_interface_structure),
        ("on the electrolyte", document.electrolyte_interface_structure),
        ("crystal", document.crystal_structure),
    )
    facts = []
    if document.decomposition_products:
        facts.append(("At 0 V", ", ".join(document.decomposition_products)))
    if document.reduction_products and document.reduction_limit_v:
        facts.append(("Just below its window", ", ".join(document.reduction_products)))
    if document.oxidation_products:
        facts.append(("Just above its window", ", ".join(document.oxidation_products)))
    if document.migration_dimensions is not None:
        facts.append(("Li percolates along", f"{document.migration_dimensions} directions"))
    if document.hull_left_out:
        facts.append(("Left out of its hull", "; ".join(document.hull_left_out)))
    tables = [_reaction_table(document), _hop_table(document)]
    adhesion = COATING_QUANTITIES["work_of_adhesion"]
    tables += [
        interface_table("Interfaces with Li", document.lithium_interfaces, adhesion),
        interface_table(
            "Interfaces with the electrolyte", document.electrolyte_interfaces, adhesion
        ),
    ]
    curves = [
        profile_curve(f"Li hop, {hop.kind}", hop.profile)
        for hop in document.hops
        if hop.decisive and hop.profile is not None
    ]
    return CandidateDetail(
        identity=candidate_of(document).identity,
        facts=tuple(facts),
        structures=structure_views(structures),
        curves=tuple(curves),
        tables=tuple(table for table in tables if table.rows),
    )


def _reaction_table(document: CoatingDocument) -> DetailTable:
    energy = COATING_QUANTITIES["reaction_energy"]
    return DetailTable(
        title="Reactions",
        headings=("Contact", "Li at (V)", "Energy (eV/atom)", "Fraction", "Products"),
        rows=tuple(
            (
                f"{one.reactants[0]} | {one.reactants[1]}",
                "closed" if one.potential_v is None else f"{one.potential_v:.2f}",
                energy.text(one.energy_ev),
                f"{one.fraction:.2f}",
                ", ".join(one.products),
            )
            for one in document.reactions
        ),
    )


def _hop_table(document: CoatingDocument) -> DetailTable:
    barrier = COATING_QUANTITIES["migration_barrier"]
    return DetailTable(
        title="Hops of Li",
        headings=("What", "From", "To", "Distance (Å)", "Barrier (eV)", "Back (eV)", "State"),
        rows=tuple(
            (
                hop.kind,
                hop.start,
                hop.end,
                f"{hop.distance:.2f}",
                barrier.text(hop.barrier_ev),
                barrier.text(hop.reverse_barrier_ev),
                state_text(hop.converged, hop.failure),
            )
            for hop in document.hops
        ),
    )


def _notes(documents: Sequence[CoatingDocument]) -> tuple[tuple[str, str], ...]:
    notes = []
    sources = dict.fromkeys(document.hull_energies for document in documents)
    if any(sources):
        notes.append(("Energies of the hulls", "; ".join(source for source in sources if source)))
    notes += lithium_tension_notes((one.gamma_li_j_m2, one.gamma_li_source) for one in documents)
    return tuple(notes)


def _plain(value: float) -> str:
    return f"{value:g}".replace("-", "−")
