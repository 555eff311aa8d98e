"""The report: one HTML file that holds all it shows and opens without a network.

What it shows of each screen comes from the function ``section`` of ``screen.report_<name>``.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.resources import files
from typing import Any

from results.database import Database
from results.documents import CandidateDocument
from screen.candidates import candidate_of
from screen.committee import potentials_of, same_potential
from screen.kinds import KINDS
from screen.ranking_output import (
    RankedScreen,
    all_candidates,
    candidate_text,
    fact_headings,
    interval_text,
    main_quantities,
    probability_text,
    shown_facts,
    uncertainty_notes,
)
from screen.report_data import elements_data, screen_data
from screen.report_figures import certainty_figures
from screen.report_parts import CandidateDetail, DetailTable, Figure, Section
from screen.stored import StoredCampaign

_FINGERPRINTS_PER_QUERY = 500


@dataclass(frozen=True)
class Cost:
    """What the calculations behind a report took.

    Attributes:
        calculations: how many.
        force_evaluations: energy-and-force evaluations in all.
        wall_time_s: time in all, s.
    """

    calculations: int
    force_evaluations: int
    wall_time_s: float


@dataclass(frozen=True)
class _Part:
    """One screen with its ranking and its section."""

    ranked: RankedScreen
    section: Section
    documents: tuple[CandidateDocument, ...]

    @property
    def name(self) -> str:
        return self.ranked.screen

    @property
    def title(self) -> str:
        return KINDS[self.name].title

    @property
    def figures(self) -> tuple[Figure, ...]:
        return (*certainty_figures(self.ranked), *self.section.figures)

    @property
    def details(self) -> dict[Any, CandidateDetail]:
        return {detail.identity: detail for detail in self.section.details}


def report_html(stored: StoredCampaign, database: Database, *, watch: str | None = None) -> str:
    """The report of a campaign as HTML.

    Args:
        stored: the campaign with its documents.
        database: where the calculations behind the documents are kept.
        watch: state of the database that the page shows, where a server gives it out: the page then
            asks for ``state`` beside it and says when there is something newer. None for a file.

    Raises:
        CampaignError: if there is nothing to rank.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    parts = [_part(stored, name) for name in stored.screens]
    fingerprints = sorted({one for document in stored.documents for one in document.fingerprints()})
    screens = [screen_data(part.title, part.ranked, part.section) for part in parts]
    data = {
        "screens": screens,
        "elements": elements_data(screens),
        "figures": {figure.place: figure.figure for part in parts for figure in part.figures},
    }
    environment = Environment(
        loader=PackageLoader("screen"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        function.__name__: function
        for function in (
            candidate_text,
            fact_headings,
            interval_text,
            main_quantities,
            probability_text,
            shown_facts,
            uncertainty_notes,
        )
    }
    return environment.get_template("report.html").render(
        stored=stored,
        parts=parts,
        potential=parts[0].ranked.potential,
        definitions=_definitions(stored),
        cost=_cost(fingerprints, database),
        software=_software(fingerprints, database),
        settings=_settings(stored),
        newest=max(document.created_at for document in stored.documents),
        watch=watch,
        data=_script_json(data),
        style=_template_text("report.css"),
        scripts=[_template_text(name) for name in _SCRIPTS],
        plotly=(files("plotly") / "package_data" / "plotly.min.js").read_text("utf-8"),
    )


_SCRIPTS = ("report_structures.js", "report_plots.js", "report_explorer.js", "report.js")


def _part(stored: StoredCampaign, name: str) -> _Part:
    ranked = stored.ranked(name)
    place = {entry.candidate.identity: entry.rank for entry in ranked.ranking.ranked}
    # Of a committee, structures and curves are those of the first potential.
    (first, *_) = potentials_of(stored.of(name))
    documents = sorted(
        (one for one in stored.of(name) if same_potential(one.potential, first)),
        key=lambda document: place.get(candidate_of(document).identity, len(place) + 1),
    )
    section = import_module(f"screen.report_{name}").section(documents, ranked)
    section = replace(section, details=_with_potentials(section.details, ranked))
    return _Part(ranked, section, tuple(documents))


def _with_potentials(
    details: Sequence[CandidateDetail], ranked: RankedScreen
) -> tuple[CandidateDetail, ...]:
    """The details, with what each potential of a committee says."""
    each = {one.identity: one.by_potential for one in all_candidates(ranked.ranking)}
    found = []
    for detail in details:
        values = each.get(detail.identity, {})
        table = DetailTable(
            title="Each potential",
            headings=("Quantity", *values),
            rows=tuple(
                (q.heading, *(q.text(one.get(q.name)) for one in values.values()))
                for q in ranked.quantities
            ),
        )
        found.append(replace(detail, tables=(*detail.tables, table)) if values else detail)
    return tuple(found)


def _script_json(data: Any) -> str:
    """JSON that stays inside a script element whatever its texts hold."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _definitions(stored: StoredCampaign) -> list[tuple[str, str]]:
    """Label and definition of each quantity, from the documents' own descriptions."""
    found: dict[tuple[str, str], None] = {}
    for screen in stored.screens:
        for quantity in KINDS[screen].quantities.values():
            info = type(stored.of(screen)[0]).model_fields[quantity.key]
            found[quantity.label, info.description or ""] = None
    return list(found)


def _settings(stored: StoredCampaign) -> list[tuple[str, str]]:
    """The numerical settings, defaults included, as ``section.field`` and value."""
    if stored.campaign is None:
        return []
    return [
        (f"{section}.{field}", f"{value}")
        for section, fields in stored.campaign.model_dump(
            include={"limits", "slab", "relaxation", "neb"}
        ).items()
        for field, value in fields.items()
    ]


def _cost(fingerprints: Sequence[str], database: Database) -> Cost:
    """What the calculations took; those that the database lost count as nothing."""
    calculations, evaluations, seconds = 0, 0, 0.0
    for start in range(0, len(fingerprints), _FINGERPRINTS_PER_QUERY):
        # Documents take nothing but 64 hexadecimal digits for a fingerprint.
        listed = ", ".join(f"'{f}'" for f in fingerprints[start : start + _FINGERPRINTS_PER_QUERY])
        (row,) = database.sql(
            "SELECT count(*) AS n, sum(force_evaluations) AS e, sum(wall_time_s) AS s "
            f"FROM calculations WHERE fingerprint IN ({listed})"
        ).rows
        calculations += row["n"]
        evaluations += row["e"] or 0
        seconds += row["s"] or 0.0
    return Cost(calculations, evaluations, seconds)


def _software(fingerprints: Sequence[str], database: Database) -> dict[str, str]:
    """Versions of what wrote the calculations, from one of them."""
    for document in database.find(fingerprints[:1]).values():
        return document.software
    return {}


def _template_text(name: str) -> str:
    return (files("screen") / "templates" / name).read_text("utf-8")
