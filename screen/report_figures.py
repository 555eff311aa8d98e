"""The report's plots, as plain plotly figures (``data`` and ``layout``) without colours of a theme.

The page gives text and grid the colours of its theme; marks keep theirs in both.
"""

from collections.abc import Sequence
from typing import Any

from results.documents import CollectorDocument
from screen.candidates import candidate_of
from screen.criteria import COLLECTOR_QUANTITIES, Quantity
from screen.ranking_output import candidate_text, facet_text

Figure = dict[str, Any]

# Readable on white and on black, and told apart by the colour-blind: Okabe and Ito's set
# (https://jfly.uni-koeln.de/color/), its black and yellow left out, and two more.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8f7ee7", "#a6761d")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "triangle-down", "x")
_BARS = ("work_of_adhesion", "li_binding", "adatom_barrier", "surface_energy")


def collector_figures(documents: Sequence[CollectorDocument]) -> dict[str, Figure]:
    """Figures by the id of the place in the page; a plot without any number is left out."""
    figures = {"collectors-adhesion-binding": _adhesion_against_binding(documents)}
    figures["collectors-profiles"] = _profiles(documents)
    for name in _BARS:
        figures[f"collectors-bars-{name}"] = _bars(documents, COLLECTOR_QUANTITIES[name])
    return {place: figure for place, figure in figures.items() if figure["data"]}


def _adhesion_against_binding(documents: Sequence[CollectorDocument]) -> Figure:
    binding, adhesion = (COLLECTOR_QUANTITIES[name] for name in ("li_binding", "work_of_adhesion"))
    traces = []
    for place, host in enumerate(_hosts(documents)):
        shown = [
            candidate
            for document in documents
            if document.host == host
            for candidate in [candidate_of(document)]
            if None not in (candidate.values["li_binding"], candidate.values["work_of_adhesion"])
        ]
        if not shown:
            continue
        doubtful = [{"li_binding", "work_of_adhesion"} & set(c.failures) for c in shown]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "name": host,
                "x": [c.values["li_binding"] for c in shown],
                "y": [c.values["work_of_adhesion"] for c in shown],
                "error_x": _error_bars([c.errors["li_binding"] for c in shown]),
                "error_y": _error_bars([c.errors["work_of_adhesion"] for c in shown]),
                "text": [
                    candidate_text(c) + (" – not converged" if bad else "")
                    for c, bad in zip(shown, doubtful, strict=True)
                ],
                "textposition": "top center",
                "marker": {
                    "size": 11,
                    "color": _colour(place),
                    "symbol": [
                        _SYMBOLS[place % len(_SYMBOLS)] + ("-open" if bad else "")
                        for bad in doubtful
                    ],
                },
                "hovertemplate": f"%{{text}}<br>{binding.label} %{{x:.3f}} {binding.unit}"
                f"<br>{adhesion.label} %{{y:.3f}} {adhesion.unit}<extra></extra>",
            }
        )
    layout = {
        "xaxis": {"title": {"text": f"{binding.heading}, negative = lithiophilic"}},
        "yaxis": {"title": {"text": f"{adhesion.heading}, more = holds Li better"}},
        "showlegend": False,
        "shapes": [
            {
                "type": "line",
                "xref": "x",
                "yref": "paper",
                "x0": 0,
                "x1": 0,
                "y0": 0,
                "y1": 1,
                "line": {"dash": "dot", "width": 1.5, "color": "#888"},
            }
        ],
        "annotations": [
            {
                "x": 0,
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                "showarrow": False,
                "text": "as in Li metal",
            }
        ],
    }
    return {"data": traces, "layout": layout}


def _profiles(documents: Sequence[CollectorDocument]) -> Figure:
    hosts = _hosts(documents)
    traces = []
    for document in documents:
        profile = document.adatom_profile
        if profile is None:
            continue
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
                    "color": _colour(place),
                    "dash": ("solid", "dash", "dot", "dashdot")[siblings.index(document) % 4],
                },
                "marker": {"size": 7, "symbol": _SYMBOLS[place % len(_SYMBOLS)]},
                "hovertemplate": f"{name}, {hop}<br>%{{x:.2f}} Å, %{{y:.3f}} eV<extra></extra>",
            }
        )
    layout = {
        "xaxis": {"title": {"text": "Path length (Å)"}},
        "yaxis": {"title": {"text": "Energy above the first site (eV)"}},
        "showlegend": True,
    }
    return {"data": traces, "layout": layout}


def _bars(documents: Sequence[CollectorDocument], quantity: Quantity) -> Figure:
    """Bars of one quantity, a host's facets side by side; hatched where it did not converge."""
    hosts = _hosts(documents)
    ordered = sorted(documents, key=lambda document: hosts.index(document.host))
    shown = [
        (document.host, candidate)
        for document in ordered
        for candidate in [candidate_of(document)]
        if candidate.values[quantity.name] is not None
    ]
    if not shown:
        return {"data": [], "layout": {}}
    trace = {
        "type": "bar",
        "x": [[host for host, _ in shown], [facet_text(candidate) for _, candidate in shown]],
        "y": [candidate.values[quantity.name] for _, candidate in shown],
        "error_y": _error_bars([candidate.errors[quantity.name] for _, candidate in shown]),
        "marker": {
            "color": [_colour(hosts.index(host)) for host, _ in shown],
            "pattern": {
                "shape": ["/" if quantity.name in c.failures else "" for _, c in shown],
            },
        },
        "text": [quantity.text(candidate.values[quantity.name]) for _, candidate in shown],
        "textposition": "none",
        "hovertemplate": f"%{{x}}<br>{quantity.label} %{{text}} {quantity.unit}<extra></extra>",
    }
    layout = {
        "title": {"text": quantity.heading},
        "yaxis": {"title": {"text": quantity.unit}},
        "showlegend": False,
    }
    return {"data": [trace], "layout": layout}


def _error_bars(errors: Sequence[float | None]) -> dict[str, Any]:
    return {
        "type": "data",
        "array": [error or 0.0 for error in errors],
        "visible": any(error is not None for error in errors),
    }


def _hosts(documents: Sequence[CollectorDocument]) -> list[str]:
    return list(dict.fromkeys(document.host for document in documents))


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]
