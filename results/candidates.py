"""Which kind of document each screen gives."""

from results.documents import CandidateDocument, CollectorDocument

CANDIDATES: dict[str, type[CandidateDocument]] = {
    document.model_fields["screen"].default: document for document in (CollectorDocument,)
}
"""The kind of document of each screen, by the screen's name."""
