"""Which kind of document each screen gives."""

from results.coating_documents import CoatingDocument
from results.documents import CandidateDocument, CollectorDocument

CANDIDATES: dict[str, type[CandidateDocument]] = {
    document.model_fields["screen"].default: document
    for document in (CollectorDocument, CoatingDocument)
}
"""The kind of document of each screen, by the screen's name."""
