"""The collector screen's part of the report."""

from collections.abc import Sequence

from results.documents import CollectorDocument
from screen.candidates import candidate_of
from screen.criteria import COLLECTOR_QUANTITIES, Quantity
from screen.ranking import Candidate
from screen.ranking_output import RankedScreen, all_candidates, candidate_text, facet_text
from screen.report_details import (
    interface_table,
    lithium_tension_notes,
    profile_curve,
    state_text,
    structure_views,
)
from screen.report_figures import colour, error_bars, symbol
from screen.report_parts import (
    CandidateDetail,
    DetailTable,
    Figure,
    Section,
)

_MOST_PROFILES = 16
"""Candidates, the best ones, whose profiles are drawn in one plot."""
_BARS = ("work_of_adhesion", "li_binding", "adatom_barrier", "surface_energy")


def section(documents: Sequence[CollectorDocument], ranked: RankedScreen) -> Section:
    """Hops, bars of the main quantities, and what stands behind each facet.

    Args:
        documents: best first.
        ranked: their ranking.
    """
    bars = [_bars(all_candidates(ranked.ranking), COLLECTOR_QUANTITIES[name]) for name in _BARS]
    return Section(
        details=tuple(_detail(document) for document in documents),
        figures=tuple(figure for figure in (_profiles(documents), *bars) if figure.figure["data"]),
        notes=lithium_tension_notes(
            (document.gamma_li_j_m2, document.gamma_li_source) for document in documents
        ),
    )


def _detail(document: CollectorDocument) -> CandidateDetail:
    candidate = candidate_of(document)
    structures = (
        ("best interface", document.interface_structure),
        ("Li on the best site", document.site_structure),
        ("bare facet", document.slab_structure),
    )
    facts = []
    if document.film_miller_index:
        facts.append(("Li facet", f"({' '.join(map(str, document.film_miller_index))})"))
    if document.film_strain is not None:
        facts.append(("Strain of Li, xx / yy / xy", _strain(document.film_strain)))
    if document.substrate_strain is not None:
        facts.append((f"Strain of {document.host}", _strain(document.substrate_strain)))
    if document.li_binding_site:
        facts.append(("Li binds on", document.li_binding_site))
    if document.adatom_barrier_ev is not None:
        direction = document.adatom_direction_deg
        way = "any direction" if direction is None else f"{direction:.0f}° against a"
        facts.append(("Li travels easiest along", way))
    curves = []
    if document.adatom_profile is not None:
        curves.append(profile_curve("Adatom hop", document.adatom_profile))
    adhesion = COLLECTOR_QUANTITIES["work_of_adhesion"]
    interfaces = interface_table("Interfaces tried", document.interfaces, adhesion)
    tables = [table for table in (_sites(document), interfaces) if table.rows]
    return CandidateDetail(
        identity=candidate.identity,
        facts=tuple(facts),
        structures=structure_views(structures),
        curves=tuple(curves),
        tables=tuple(tables),
    )


def _strain(values: Sequence[float]) -> str:
    return " / ".join(f"{100 * value:+.1f}" for value in values) + " %"


def _sites(document: CollectorDocument) -> DetailTable:
    binding = COLLECTOR_QUANTITIES["li_binding"]
    return DetailTable(
        title="Li on every distinct site",
        headings=("Site", "Li binding (eV)", "Coverage", "Multiplicity", "State"),
        rows=tuple(
            (
                site.label + (", best" if site.li_binding_ev == document.li_binding_ev else ""),
                binding.text(site.li_binding_ev),
                f"{site.coverage:.3f}",
                str(site.multiplicity),
                state_text(site.converged, site.failure)
                + (f", moved to {site.relaxed_label}" if site.relaxed_label else ""),
            )
            for site in document.li_binding_sites
        ),
    )


def _profiles(documents: Sequence[CollectorDocument]) -> Figure:
    hosts = _hosts(documents)
    known = [(one, one.adatom_profile) for one in documents if one.adatom_profile is not None]
    traces = []
    for document, profile in known[:_MOST_PROFILES]:
        place = hosts.index(document.host)
        siblings = [other for other in documents if other.host == document.host]
        name = candidate_text(candidate_of(document))
        hop = f"{profile.initial_label} → {profile.final_label}"
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": list(profile.distance),
                "y": list(profile.energies_ev),
                "line": {
                    "shape": "spline",
                    "smoothing": 0.6,
                    "color": colour(place),
                    "dash": ("solid", "dash", "dot", "dashdot")[siblings.index(document) % 4],
                },
                "marker": {"size": 7, "symbol": symbol(place)},
                "hovertemplate": f"{name}, {hop}<br>%{{x:.2f}} Å, %{{y:.3f}} eV<extra></extra>",
            }
        )
    layout = {
        "xaxis": {"title": {"text": "Path length (Å)"}},
        "yaxis": {"title": {"text": "Energy above the first site (eV)"}},
        "showlegend": True,
    }
    return Figure(
        place="collectors-profiles",
        title="Adatom hops",
        text="Energy of one Li atom along the highest hop of its easiest way across the facet "
        "(climbing-image NEB)."
        + (f" The best {len(traces)} are shown." if len(traces) < len(known) else ""),
        alt=f"Energy profiles of {len(traces)} hops",
        figure={"data": traces, "layout": layout},
    )


def _bars(candidates: Sequence[Candidate], quantity: Quantity) -> Figure:
    """Bars of one quantity, a host's facets side by side; hatched where it did not converge."""
    hosts = list(dict.fromkeys(str(candidate.facts["host"]) for candidate in candidates))
    ordered = sorted(candidates, key=lambda candidate: hosts.index(str(candidate.facts["host"])))
    shown = [
        (str(candidate.facts["host"]), candidate)
        for candidate in ordered
        if candidate.values[quantity.name] is not None
    ]
    trace = {
        "type": "bar",
        "x": [[host for host, _ in shown], [facet_text(candidate) for _, candidate in shown]],
        "y": [candidate.values[quantity.name] for _, candidate in shown],
        "error_y": error_bars([candidate.errors[quantity.name] for _, candidate in shown]),
        "marker": {
            "color": [colour(hosts.index(host)) for host, _ in shown],
            "pattern": {
                "shape": ["/" if quantity.name in c.failures else "" for _, c in shown],
            },
        },
        "text": [quantity.text(c.values[quantity.name], c.errors[quantity.name]) for _, c in shown],
        "textposition": "none",
        "hovertemplate": f"%{{x}}<br>{quantity.label} %{{text}} {quantity.unit}<extra></extra>",
    }
    layout = {"yaxis": {"title": {"text": quantity.unit}}, "showlegend": False}
    return Figure(
        place=f"collectors-bars-{quantity.name}",
        title=quantity.heading,
        text="",
        alt=f"{quantity.heading} of {len(shown)} facets as bars; hatched: did not converge",
        figure={"data": [trace] if shown else [], "layout": layout},
        small=True,
    )


def _hosts(documents: Sequence[CollectorDocument]) -> list[str]:
    return list(dict.fromkeys(document.host for document in documents))
