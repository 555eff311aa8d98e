"""Which kind of document each screen gives."""

from results.coating_documents import CoatingDocument
from results.documents import CandidateDocument, CollectorDocument
from results.dynamics_documents import InterfaceDynamicsDocument, WettingDocument
from results.seed_documents import SeedDocument

CANDIDATES: dict[str, type[CandidateDocument]] = {
    document.model_fields["screen"].default: document
    for document in (
        CollectorDocument,
        SeedDocument,
        CoatingDocument,
        InterfaceDynamicsDocument,
        WettingDocument,
    )
}
"""The kind of document of each screen, by the screen's name."""
