"""The dynamics screen's part of the report."""

from collections.abc import Sequence

from results.dynamics_documents import (
    Average,
    InterfaceDynamicsDocument,
    InterfaceRun,
    MeasuredDiffusivity,
)
from screen.candidates import candidate_of
from screen.facet_sections import facet_label
from screen.ranking_output import RankedScreen
from screen.report_figures import colour, error_bars, symbol
from screen.report_films import film_figure
from screen.report_parts import CandidateDetail, Curve, DetailTable, Figure, Section, StructureView

_MOST_FILMS = 3
_HEIGHT = "Height above the contact (Å)"


def section(
    documents: Sequence[InterfaceDynamicsDocument],
    ranked: RankedScreen,  # noqa: ARG001
) -> Section:
    """Arrhenius lines, mixing against time, films, and what stands behind each interface.

    Args:
        documents: best first.
        ranked: their ranking.
    """
    films = [
        film_figure(
            f"dynamics-film-{place}",
            f"Film: {_name(one)}, {_run_name(hottest)}",
            hottest.frames,
            one.initial_structure,
        )
        for place, one in enumerate(documents[:_MOST_FILMS])
        for hottest in [_hottest(one)]
        if hottest is not None
    ]
    figures = [_arrhenius(documents), _widths(documents), *films]
    return Section(
        details=tuple(_detail(document) for document in documents),
        figures=tuple(one for one in figures if one is not None and one.figure["data"]),
    )


def _name(document: InterfaceDynamicsDocument) -> str:
    return f"{document.film} on {document.host} {facet_label(document.miller_index, '')}".strip()


def _run_name(run: InterfaceRun) -> str:
    stress = "" if run.normal_stress_gpa is None else f", {1000 * run.normal_stress_gpa:g} MPa"
    return f"{run.temperature_k:g} K{stress}"


def _hottest(document: InterfaceDynamicsDocument) -> InterfaceRun | None:
    free = [run for run in document.runs if run.normal_stress_gpa is None]
    return max(free, key=lambda run: run.temperature_k, default=None)


def _arrhenius(documents: Sequence[InterfaceDynamicsDocument]) -> Figure:
    traces: list[dict[str, object]] = []
    for place, document in enumerate(documents):
        points = [
            (run.temperature_k, along.value_cm2_s, along.error_cm2_s)
            for run in document.runs
            if run.normal_stress_gpa is None and run.is_sound
            for along in [run.lithium_parallel]
            if along is not None and along.value_cm2_s is not None
        ]
        if points:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": _name(document),
                    "x": [1000 / kelvin for kelvin, _, _ in points],
                    "y": [value for _, value, _ in points],
                    "error_y": error_bars([error for _, _, error in points]),
                    "marker": {"color": colour(place), "symbol": symbol(place)},
                }
            )
        line = document.arrhenius
        if line is None:
            continue
        inverse = [1000 / kelvin for kelvin in line.temperatures_k]
        for values, dash in (
            (line.values_cm2_s, "solid"),
            (line.low_cm2_s, "dot"),
            (line.high_cm2_s, "dot"),
        ):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": inverse,
                    "y": values,
                    "showlegend": False,
                    "hoverinfo": "skip",
                    "line": {"color": colour(place), "dash": dash, "width": 1.5},
                }
            )
    return Figure(
        place="dynamics-arrhenius",
        title="Diffusion of lithium along the interface",
        text="Points with their standard errors; lines are Arrhenius fits with 95 % bands. A run "
        "too short to show diffusion, or not in equilibrium, has no point.",
        alt=f"Arrhenius plot of {len(documents)} interfaces",
        figure={
            "data": traces,
            "layout": {
                "xaxis": {"title": {"text": "1000 K / T"}},
                "yaxis": {"title": {"text": "D (cm²/s)"}, "type": "log", "exponentformat": "power"},
                "showlegend": True,
            },
        },
        small=True,
    )


def _widths(documents: Sequence[InterfaceDynamicsDocument]) -> Figure:
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": f"{_name(document)}, {_run_name(run)}",
            "x": run.windows_ps,
            "y": run.widths_a,
            "marker": {"color": colour(place), "symbol": symbol(which)},
            "line": {"color": colour(place)},
        }
        for place, document in enumerate(documents)
        for which, run in enumerate(document.runs)
        if run.windows_ps
    ]
    return Figure(
        place="dynamics-widths",
        title="Mixed zone against time",
        text="Width of the zone where atoms of both sides stand.",
        alt=f"Width of the mixed zone against time in {len(traces)} runs",
        figure={
            "data": traces,
            "layout": {
                "xaxis": {"title": {"text": "Time (ps)"}},
                "yaxis": {"title": {"text": "Width (Å)"}, "rangemode": "tozero"},
                "showlegend": True,
            },
        },
        small=True,
    )


def _detail(document: InterfaceDynamicsDocument) -> CandidateDetail:
    hottest = _hottest(document)
    curves: list[Curve] = []
    structures = []
    if hottest is not None:
        curves = [*_densities(hottest), *_shares(hottest)]
        if hottest.final_structure is not None:
            structures.append(StructureView("after the hottest run", hottest.final_structure))
    if document.initial_structure is not None:
        structures.append(StructureView("relaxed interface", document.initial_structure))
    tables = (_runs(document), _bonds(document), _slabs(document))
    return CandidateDetail(
        identity=candidate_of(document).identity,
        facts=(("Comes from", document.origin), *_line(document)),
        structures=tuple(structures),
        curves=tuple(curves),
        tables=tuple(table for table in tables if table.rows),
    )


def _line(document: InterfaceDynamicsDocument) -> list[tuple[str, str]]:
    line = document.arrhenius
    if line is None:
        return []
    told = f"E_a {line.activation_energy_ev:.3f} ± {line.error_ev:.3f} eV"
    if line.misfit > 1:
        told += (
            f", χ² {line.misfit:.1f} per degree of freedom, by which the error is widened: no one "
            "line goes through all points, as where lithium melts in between"
        )
    return [("Arrhenius line", told)]


def _densities(run: InterfaceRun) -> list[Curve]:
    return [
        Curve(
            f"Density of {element}",
            _HEIGHT,
            "Atoms/Å³",
            run.heights_a or (),
            row,
            errors=run.density_errors.get(element, ()),
        )
        for element, row in run.densities.items()
    ]


def _shares(run: InterfaceRun) -> list[Curve]:
    """The composition where there are atoms, over two bins; of one element it says nothing."""
    heights, rows = run.heights_a or (), list(run.densities.values())
    if len(rows) < 2:
        return []
    places = range(0, len(heights) - 1, 2)
    totals = {i: sum(row[i] + row[i + 1] for row in rows) for i in places}
    held = [i for i in places if totals[i] > 0]
    return [
        Curve(
            f"Share of {element}",
            _HEIGHT,
            "Atoms of all",
            tuple((heights[i] + heights[i + 1]) / 2 for i in held),
            tuple((row[i] + row[i + 1]) / totals[i] for i in held),
        )
        for element, row in run.densities.items()
    ]


def _runs(document: InterfaceDynamicsDocument) -> DetailTable:
    return DetailTable(
        title="Runs",
        headings=(
            "Run",
            "Time (ps)",
            "In equilibrium",
            "Separation (Å)",
            "Energy (eV)",
            "Voids",
            "Mixed zone (Å)",
            "Crossed",
            "D along, all Li (cm²/s)",
        ),
        rows=tuple(
            (
                _run_name(run),
                f"{run.time_ps:g}",
                run.failure
                or run.equilibrium_reason
                or f"from {run.equilibrium_from_ps:.2f} ps on",
                _mean(run.separation_a, 2),
                _mean(run.energy_ev, 2),
                _mean(run.void_fraction, 3),
                _mean(run.width_a, 1),
                _crossed(run),
                _diffusivity(run.lithium_parallel),
            )
            for run in document.runs
        ),
    )


def _bonds(document: InterfaceDynamicsDocument) -> DetailTable:
    return DetailTable(
        title="Bonds",
        headings=("Run", "Bond", "At the start", "At the end", "Broken", "Formed"),
        rows=tuple(
            (
                _run_name(run),
                "–".join(bonds.pair),
                str(bonds.at_start),
                f"{bonds.at_end:.1f}" + ("" if bonds.error is None else f" ± {bonds.error:.1f}"),
                str(bonds.broken),
                str(bonds.formed),
            )
            for run in document.runs
            for bonds in run.bonds
        ),
    )


def _slabs(document: InterfaceDynamicsDocument) -> DetailTable:
    return DetailTable(
        title="Diffusion of lithium by slab",
        headings=("Run", "Slab above contact (Å)", "D along (cm²/s)", "D across (cm²/s)"),
        rows=tuple(
            (
                _run_name(run),
                f"{slab.low_a:.0f} to {slab.high_a:.0f}",
                _diffusivity(slab.parallel),
                _diffusivity(slab.normal),
            )
            for run in document.runs
            for slab in run.slabs
        ),
    )


def _crossed(run: InterfaceRun) -> str:
    """Atoms by kind, and all of them as a mean with its error."""
    if not run.crossed:
        return "none"
    kinds = ", ".join(f"{n} {kind}" for kind, n in run.crossed.items())
    return (
        kinds if run.crossed_in_all is None else f"{kinds}; in all {_mean(run.crossed_in_all, 1)}"
    )


def _mean(average: Average | None, digits: int) -> str:
    if average is None or average.value is None:
        return "–"
    error = "" if average.error is None else f" ± {average.error:.{digits}f}"
    return f"{average.value:.{digits}f}{error}"


def _diffusivity(found: MeasuredDiffusivity | None) -> str:
    if found is None:
        return "–"
    if found.value_cm2_s is None:
        return found.reason or "–"
    return f"{found.value_cm2_s:.2g} ({found.low_cm2_s:.2g} to {found.high_cm2_s:.2g})"
