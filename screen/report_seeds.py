"""The seed screen's part of the report."""

from collections.abc import Sequence

from results.seed_documents import SeedDocument
from screen.candidates import candidate_of
from screen.criteria_seeds import SEED_QUANTITIES
from screen.ranking_output import RankedScreen
from screen.report_details import (
    lithium_tension_notes,
    profile_curve,
    state_text,
    structure_views,
)
from screen.report_figures import colour, symbol
from screen.report_parts import (
    CandidateDetail,
    Curve,
    DetailTable,
    Figure,
    Section,
)


def section(documents: Sequence[SeedDocument], ranked: RankedScreen) -> Section:  # noqa: ARG001
    """Hulls, voltage curves, and what stands behind each seed.

    Args:
        documents: best first.
        ranked: their ranking.
    """
    figures = (_hulls(documents), _voltages(documents))
    return Section(
        details=tuple(_detail(document) for document in documents),
        figures=tuple(figure for figure in figures if figure.figure["data"]),
        notes=_notes(documents),
    )


def _notes(documents: Sequence[SeedDocument]) -> tuple[tuple[str, str], ...]:
    return (
        ("Reference of the voltages", "bcc Li of the same potential; total energies at 0 K"),
        *lithium_tension_notes((one.gamma_li_j_m2, one.gamma_li_source) for one in documents),
    )


def _hulls(documents: Sequence[SeedDocument]) -> Figure:
    """Formation energies against composition: the hull as a line, what lies above it as rings."""
    traces = []
    for place, document in enumerate(documents):
        for stable in (True, False):
            shown = [one for one in document.phases if (one.above_hull_ev == 0) is stable]
            if not shown:
                continue
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers" if stable else "markers",
                    "name": document.host,
                    "legendgroup": document.host,
                    "showlegend": stable,
                    "x": [one.li_fraction for one in shown],
                    "y": [one.formation_energy_ev for one in shown],
                    "customdata": [[one.name, one.above_hull_ev] for one in shown],
                    "line": {"color": colour(place)},
                    "marker": {
                        "size": 8,
                        "color": colour(place),
                        "symbol": symbol(place) + ("" if stable else "-open"),
                    },
                    "hovertemplate": "%{customdata[0]}<br>%{y:.3f} eV/atom, "
                    "%{customdata[1]:.3f} above the hull<extra></extra>",
                }
            )
    return Figure(
        place="seeds-hulls",
        title="Hulls",
        text="Formation energy of each phase with lithium. Lines: the hull, whose corners are the "
        "stable phases; open marks: phases above it.",
        alt="Formation energy against the fraction of Li of "
        + ", ".join(f"{document.host} ({len(document.phases)} phases)" for document in documents),
        figure={
            "data": traces,
            "layout": {
                "xaxis": {"title": {"text": "Li fraction"}, "range": [-0.02, 1.02]},
                "yaxis": {"title": {"text": "Formation energy (eV/atom)"}},
                "showlegend": True,
            },
        },
    )


def _voltages(documents: Sequence[SeedDocument]) -> Figure:
    """Voltage against Li taken up: each plateau a step."""
    traces = []
    for place, document in enumerate(documents):
        if not document.plateaus:
            continue
        x, y = _steps(document)
        steps = document.plateaus
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": document.host,
                "x": list(x),
                "y": list(y),
                "text": [f"{step.start} → {step.end}" for step in (*steps, steps[-1])],
                "line": {"shape": "hv", "color": colour(place), "width": 2.2},
                "hovertemplate": f"{document.host}, %{{text}}<br>%{{y:.3f}} V<extra></extra>",
            }
        )
    return Figure(
        place="seeds-voltages",
        title="Lithiation voltages",
        text="Plateaus between neighbouring stable phases. Where a curve ends, lithium plates at "
        "0 V; the higher a curve begins, the earlier lithium alloys instead.",
        alt="Voltage against Li per seed atom of "
        + ", ".join(f"{one.host} ({len(one.plateaus)} plateaus)" for one in documents),
        figure={
            "data": traces,
            "layout": {
                "xaxis": {"title": {"text": "Li per seed atom"}, "rangemode": "tozero"},
                "yaxis": {"title": {"text": "Voltage (V vs Li/Li⁺)"}, "rangemode": "tozero"},
                "showlegend": True,
            },
        },
    )


def _steps(document: SeedDocument) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Corners of the voltage curve, each voltage holding up to the next abscissa."""
    steps = document.plateaus
    return (
        (*(step.li_start for step in steps), steps[-1].li_end),
        (*(step.voltage_v for step in steps), 0.0),
    )


def _detail(document: SeedDocument) -> CandidateDetail:
    structures = (
        ("Li on the seed", document.interface_structure),
        ("Li on the Li-rich phase", document.lithiated_interface_structure),
        ("Li atom on the best site", document.site_structure),
    )
    facts = []
    stable = [one.name for one in document.phases if one.above_hull_ev == 0]
    if stable:
        facts.append(("Stable phases", ", ".join(stable)))
    if document.lithiated_phase:
        facts.append(("Li-rich phase in contact", document.lithiated_phase))
    if document.phases_left_out:
        facts.append(("Left out of the hull", "; ".join(document.phases_left_out)))
    tables = (_phases(document), _plateaus(document), _hops(document), _contacts(document))
    return CandidateDetail(
        identity=candidate_of(document).identity,
        facts=tuple(facts),
        structures=structure_views(structures),
        curves=_curves(document),
        tables=tuple(table for table in tables if table.rows),
    )


def _curves(document: SeedDocument) -> tuple[Curve, ...]:
    """The voltages, and the decisive hop in the phase whose barrier counts."""
    curves = []
    if document.plateaus:
        x, y = _steps(document)
        curves.append(
            Curve(
                title="Lithiation voltage",
                x_label="Li per seed atom",
                y_label="Voltage (V vs Li/Li⁺)",
                x=x,
                y=y,
                labels=(*(step.start for step in document.plateaus), document.plateaus[-1].end),
                step=True,
            )
        )
    curves += [
        profile_curve("Li vacancy hop", hop.profile)
        for migration in document.migrations[:1]
        for hop in migration.hops
        if hop.decisive and hop.profile is not None
    ]
    return tuple(curves)


def _phases(document: SeedDocument) -> DetailTable:
    return DetailTable(
        title="Phases",
        headings=("Phase", "Li fraction", "Formation (eV/atom)", "Above the hull", "Å³/atom"),
        rows=tuple(
            (
                one.name,
                f"{one.li_fraction:.3f}",
                f"{one.formation_energy_ev:.3f}",
                f"{one.above_hull_ev:.3f}" if one.above_hull_ev else "stable",
                "–" if one.volume_a3 is None else f"{one.volume_a3:.2f}",
            )
            for one in document.phases
        ),
    )


def _plateaus(document: SeedDocument) -> DetailTable:
    growth = SEED_QUANTITIES["volume_per_li"]
    return DetailTable(
        title="Plateaus",
        headings=("From", "To", "Li per seed atom", "Voltage (V)", growth.heading),
        rows=tuple(
            (
                step.start,
                step.end,
                f"{step.li_start:.2f} to {step.li_end:.2f}",
                f"{step.voltage_v:.3f}",
                growth.text(step.volume_per_li_a3),
            )
            for step in document.plateaus
        ),
    )


def _hops(document: SeedDocument) -> DetailTable:
    barrier = SEED_QUANTITIES["vacancy_barrier"]
    rows = []
    for one in document.migrations:
        way = f"leads along {one.dimensions}" if one.dimensions else "leads nowhere"
        value = barrier.text(one.barrier_ev, one.error_ev)
        rows.append((one.phase, way, "", value, state_text(one.converged, one.failure)))
        rows += [
            (
                one.phase,
                f"{hop.start} to {hop.end}",
                f"{hop.distance:.2f}",
                f"{barrier.text(hop.barrier_ev)}, back {barrier.text(hop.reverse_barrier_ev)}",
                state_text(hop.converged, hop.failure),
            )
            for hop in one.hops
        ]
    return DetailTable(
        title="Li vacancies in Li-rich phases",
        headings=("Phase", "Hop", "Å", "Barrier (eV)", "State"),
        rows=tuple(rows),
    )


def _contacts(document: SeedDocument) -> DetailTable:
    adhesion, angle, binding = (
        SEED_QUANTITIES[name] for name in ("work_of_adhesion", "contact_angle", "li_binding")
    )
    return DetailTable(
        title="Contacts with lithium",
        headings=("Facet", adhesion.heading, angle.heading, binding.heading, "State"),
        rows=tuple(
            (
                f"{one.host} ({' '.join(map(str, one.miller_index))}) {one.termination}",
                adhesion.text(one.work_of_adhesion_j_m2),
                angle.text(one.contact_angle_deg),
                binding.text(one.li_binding_ev),
                state_text(one.converged, one.failure),
            )
            for one in document.contacts
        ),
    )
