"""The report: one HTML file that holds all it shows and opens without a network."""

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from results.database import Database
from results.documents import CollectorDocument, as_structure
from screen.collectors import candidate_of, ranked_collectors
from screen.criteria import COLLECTOR_QUANTITIES
from screen.ranking_output import candidate_text, facet_text, main_quantities
from screen.report_figures import collector_figures
from screen.stored import StoredCampaign

_FINGERPRINTS_PER_QUERY = 500
_PICTURE_DPI = 90
_PICTURE_COLOURS = 48
"""Sharp in the report's cards, and small enough for hundreds of candidates in one file."""


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


def report_html(stored: StoredCampaign, database: Database) -> str:
    """The report of a campaign as HTML.

    Args:
        stored: the campaign with its documents.
        database: where the calculations behind the documents are kept.

    Raises:
        CampaignError: if there is nothing to rank.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    documents = stored.documents
    screen = ranked_collectors(documents, stored.criteria)
    shown = main_quantities(screen)
    fingerprints = _fingerprints(documents)
    ranked = [entry.candidate.identity for entry in screen.ranking.ranked]
    best_first = sorted(documents, key=lambda document: _place(document, ranked))
    environment = Environment(
        loader=PackageLoader("screen"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        stored=stored,
        screen=screen,
        ranking=screen.ranking,
        adhesion=COLLECTOR_QUANTITIES["work_of_adhesion"],
        binding=COLLECTOR_QUANTITIES["li_binding"],
        main_quantities=shown,
        further_quantities=[q for q in screen.quantities if q not in shown],
        definitions=_definitions(),
        documents=best_first,
        figures=collector_figures(best_first),
        pictures=list(_pictures(best_first)),
        cost=_cost(fingerprints, database),
        software=_software(fingerprints, database),
        settings=_settings(stored),
        newest=max(document.created_at for document in documents),
        candidate_of=candidate_of,
        candidate_text=candidate_text,
        facet_text=facet_text,
        style=_template_text("report.css"),
        script=_template_text("report.js"),
        plotly=(files("plotly") / "package_data" / "plotly.min.js").read_text("utf-8"),
    )


def _place(document: CollectorDocument, ranked: Sequence[tuple[Any, ...]]) -> int:
    """Place in the ranking; what is not ranked comes last."""
    identity = candidate_of(document).identity
    return ranked.index(identity) if identity in ranked else len(ranked)


def _pictures(documents: Sequence[CollectorDocument]) -> Iterator[tuple[CollectorDocument, str]]:
    """Each document with the picture of its best interface as data URI, empty without one."""
    from structures.view import picture_png

    for document in documents:
        picture = ""
        if document.interface_structure is not None:
            image = picture_png(as_structure(document.interface_structure), dpi=_PICTURE_DPI)
            picture = f"data:image/png;base64,{base64.b64encode(_small_png(image)).decode()}"
        yield document, picture


def _small_png(image: bytes) -> bytes:
    """The picture with as few colours as a drawing of atoms needs: about a fifth of the bytes."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(image)).convert("RGB").quantize(_PICTURE_COLOURS).save(
        buffer, format="png", optimize=True
    )
    return buffer.getvalue()


def _definitions() -> list[tuple[str, str]]:
    """Label and definition of each quantity, from the documents' own descriptions."""
    fields = CollectorDocument.model_fields
    return [(q.label, fields[q.key].description or "") for q in COLLECTOR_QUANTITIES.values()]


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


def _fingerprints(documents: Sequence[CollectorDocument]) -> list[str]:
    """The calculations behind the documents."""
    found: set[str] = set()
    for document in documents:
        found.update(*(evidence.fingerprints for evidence in document.evidence.values()))
        found.update(*(site.fingerprints for site in document.li_binding_sites))
        found.update(*(interface.fingerprints for interface in document.interfaces))
    return sorted(found)


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
