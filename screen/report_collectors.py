"""The collector screen's part of the report."""

from results.documents import CollectorDocument
from screen.report_figures import collector_figures
from screen.report_part import ReportPart, best_first, picture_uri, ranking_sections
from screen.stored import StoredCampaign

SCREEN = "collectors"


def part(stored: StoredCampaign) -> ReportPart:
    """The part of the report on a campaign's collectors.

    Raises:
        CampaignError: if there is nothing to rank.
    """
    screen = stored.ranked(SCREEN)
    documents = [
        document
        for document in best_first(stored.of(SCREEN), screen)
        if isinstance(document, CollectorDocument)
    ]
    return ReportPart(
        screen=screen,
        documents=documents,
        template="report_collectors.html",
        sections=[
            *ranking_sections(screen),
            ("plots", "Plots"),
            ("interfaces", "Interfaces"),
            ("sites", "Sites"),
        ],
        figures=collector_figures(documents),
        content={"pictures": [(one, picture_uri(one.interface_structure)) for one in documents]},
        provenance=_provenance(documents),
    )


def _provenance(documents: list[CollectorDocument]) -> list[tuple[str, str]]:
    for document in documents:
        if document.gamma_li_j_m2 is not None:
            source = f", {document.gamma_li_source}" if document.gamma_li_source else ""
            return [("γ of Li in the contact angle", f"{document.gamma_li_j_m2:.3f} J/m²{source}")]
    return []
