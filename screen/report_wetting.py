"""The wetting screen's part of the report."""

from collections.abc import Sequence

from results.dynamics_documents import WettingDocument
from screen.candidates import candidate_of
from screen.facet_sections import facet_label
from screen.ranking_output import RankedScreen
from screen.report_figures import colour, error_bars, symbol
from screen.report_films import film_figure
from screen.report_parts import CandidateDetail, Curve, DetailTable, Figure, Section, StructureView

_MOST_FILMS = 6


def section(documents: Sequence[WettingDocument], ranked: RankedScreen) -> Section:  # noqa: ARG001
    """Angle against time, outlines, films, and what stands behind each drop.

    Args:
        documents: best first.
        ranked: their ranking.
    """
    films = [
        film_figure(
            f"wetting-film-{place}", f"Film: {_name(one)}", one.frames, one.initial_structure
        )
        for place, one in enumerate(documents[:_MOST_FILMS])
    ]
    figures = [_angles(documents), _outlines(documents), *films]
    return Section(
        details=tuple(_detail(document) for document in documents),
        figures=tuple(one for one in figures if one is not None and one.figure["data"]),
        notes=(
            (
                "Size of the drops",
                "A cylinder has a straight contact line, so that its line tension does not act; a "
                "drop of a few nanometres is still curved, and its angle may differ by some "
                "degrees from that of a large one",
            ),
        ),
    )


def _name(document: WettingDocument) -> str:
    facet = facet_label(document.miller_index, "")
    return f"{document.host} {facet}, {document.temperature}".replace(" ,", ",")


def _angles(documents: Sequence[WettingDocument]) -> Figure:
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": _name(one),
            "x": one.windows_ps,
            "y": one.angles_deg,
            "error_y": error_bars(one.angle_errors_deg),
            "marker": {"color": colour(place), "symbol": symbol(place)},
            "line": {"color": colour(place)},
            "customdata": one.states,
            "hovertemplate": "%{x:.1f} ps: %{y:.0f}°, %{customdata}<extra>%{fullData.name}</extra>",
        }
        for place, one in enumerate(documents)
        if one.windows_ps
    ]
    return Figure(
        place="wetting-angles",
        title="Contact angle against time",
        text="From the circle through the drop's half-density line in each window; 0° is a film "
        "(complete wetting), 180° a drop that does not wet.",
        alt=f"Contact angle against time of {len(traces)} drops",
        figure={
            "data": traces,
            "layout": {
                "xaxis": {"title": {"text": "Time (ps)"}},
                "yaxis": {"title": {"text": "Contact angle (°)"}, "range": [-5, 185]},
                "showlegend": True,
            },
        },
    )


def _outlines(documents: Sequence[WettingDocument]) -> Figure:
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": _name(one),
            "x": [x for x, _ in one.outline],
            "y": [z for _, z in one.outline],
            "marker": {"color": colour(place), "symbol": symbol(place), "size": 5},
        }
        for place, one in enumerate(documents)
        if one.outline
    ]
    return Figure(
        place="wetting-outlines",
        title="Surface of the drops at the end",
        text="Where the density falls to half of the liquid's, above the layer at the base.",
        alt=f"Outlines of {len(traces)} drops",
        figure={
            "data": traces,
            "layout": {
                "xaxis": {"title": {"text": "Across (Å)"}},
                "yaxis": {"title": {"text": "Above the base (Å)"}, "scaleanchor": "x"},
                "showlegend": True,
            },
        },
        small=True,
    )


def _detail(document: WettingDocument) -> CandidateDetail:
    facts = [("Li atoms", str(document.n_lithium)), ("Simulated", f"{document.time_ps:g} ps")]
    if document.state is not None:
        facts.append(("State", document.state))
    if document.state_reason:
        facts.append(("Because", document.state_reason))
    if document.layer_beside is not None:
        told = f"{document.layer_beside:.2f} monolayers of Li on the facet"
        told += ", on which the drop stands" if document.floor_a else ""
        facts.append(("Beside the drop", told))
    settled = document.equilibrium_from_ps
    facts.append(("In equilibrium", "not shown" if settled is None else f"from {settled:g} ps on"))
    tension = document.liquid_tension_j_m2
    if tension is not None and tension.value is not None:
        told = f"{tension.value:.2f}"
        told += "" if tension.error is None else f" ± {tension.error:.2f}"
        told += f" J/m²{', ' + tension.reason if tension.reason else ''}"
        facts.append(("Surface tension of the liquid", told))
    if document.young_dupre_angle_deg is not None:
        source = f", {document.young_dupre_source}" if document.young_dupre_source else ""
        facts.append(("Young–Dupré", f"{document.young_dupre_angle_deg:.0f}°{source}"))
    if document.frames is not None:
        facts.append(("Frames", f"{document.frames.n_frames} in {document.frames.path}"))
    heights = document.heights_a or ()
    curves = [
        Curve(f"Density of {element}", "Height above the base (Å)", "Atoms/Å³", heights, density)
        for element, density in document.densities.items()
    ]
    structures = [
        StructureView(label, structure)
        for label, structure in (
            ("drop at the end", document.final_structure),
            ("drop at the start", document.initial_structure),
        )
        if structure is not None
    ]
    table = DetailTable(
        title="Angle in each window",
        headings=("Time (ps)", "State", "Angle (°)", "Error (°)"),
        rows=tuple(
            (
                f"{time:.2f}",
                state,
                "–" if angle is None else f"{angle:.0f}",
                "–" if error is None else f"{error:.0f}",
            )
            for time, state, angle, error in zip(
                document.windows_ps,
                document.states,
                document.angles_deg,
                document.angle_errors_deg,
                strict=True,
            )
        ),
    )
    return CandidateDetail(
        identity=candidate_of(document).identity,
        facts=tuple(facts),
        structures=tuple(structures),
        curves=tuple(curves),
        tables=(table,) if table.rows else (),
    )
