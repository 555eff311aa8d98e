"""The report: one HTML file that holds all it shows and opens without a network.

What it shows of each screen comes from ``screen.report_<name>``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files

from results.database import Database
from screen.candidates import candidate_of
from screen.criteria import Quantity
from screen.kinds import KINDS
from screen.ranking_output import (
    RankedScreen,
    candidate_text,
    facet_text,
    fact_headings,
    main_quantities,
    shown_facts,
)
from screen.report_part import ReportPart
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


def report_html(stored: StoredCampaign, database: Database) -> str:
    """The report of a campaign as HTML.

    Args:
        stored: the campaign with its documents.
        database: where the calculations behind the documents are kept.

    Raises:
        CampaignError: if there is nothing to rank.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    parts: list[ReportPart] = [
        import_module(f"screen.report_{name}").part(stored) for name in stored.screens
    ]
    documents = [document for part in parts for document in part.documents]
    fingerprints = sorted({one for document in documents for one in document.fingerprints()})
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
            candidate_of,
            candidate_text,
            fact_headings,
            facet_text,
            further_quantities,
            main_quantities,
            shown_facts,
        )
    }
    return environment.get_template("report.html").render(
        stored=stored,
        parts=parts,
        potential=parts[0].screen.potential,
        provenance=[entry for part in parts for entry in part.provenance],
        definitions=_definitions(stored),
        figures={place: figure for part in parts for place, figure in part.figures.items()},
        cost=_cost(fingerprints, database),
        software=_software(fingerprints, database),
        settings=_settings(stored),
        newest=max(document.created_at for document in documents),
        style=_template_text("report.css"),
        script=_template_text("report.js"),
        plotly=(files("plotly") / "package_data" / "plotly.min.js").read_text("utf-8"),
    )


def further_quantities(screen: RankedScreen) -> list[Quantity]:
    """The quantities that are not among the main ones."""
    main = main_quantities(screen)
    return [quantity for quantity in screen.quantities if quantity not in main]


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
