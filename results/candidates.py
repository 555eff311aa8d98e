"""Which kind of document each screen gives."""

from results.coating_documents import CoatingDocument
from results.documents import CandidateDocument, CollectorDocument
from results.dynamics_documents import InterfaceDynamicsDocument, WettingDocument
from results.errors import ResultsError
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


def kind_of(screen: str) -> type[CandidateDocument]:
    """The kind of document of a stored candidate's screen.

    Raises:
        ResultsError: a screen of another version.
    """
    if screen not in CANDIDATES:
        raise ResultsError(
            f"database: holds candidates of the screen {screen!r}, which this lithiophile does not "
            "know; update it, or name another screen"
        )
    return CANDIDATES[screen]
