"""From the collector screen's documents to candidates that can be ranked."""

from collections.abc import Sequence

from results.documents import CollectorDocument
from screen.criteria import COLLECTOR_QUANTITIES, Criterion
from screen.errors import CampaignError
from screen.ranking import Candidate, Scalar, rank_candidates
from screen.ranking_output import RankedScreen


def candidate_of(document: CollectorDocument) -> Candidate:
    """What the ranking compares of one facet of one host."""
    values, errors, failures = {}, {}, {}
    for name, quantity in COLLECTOR_QUANTITIES.items():
        values[name] = getattr(document, quantity.key)
        evidence = document.evidence.get(quantity.key)
        errors[name] = evidence.error if evidence else None
        if evidence is not None and not evidence.converged:
            failures[name] = evidence.failure or "not converged"
    facts: dict[str, Scalar] = {
        "host": document.host,
        "miller_index": list(document.miller_index),
        "termination": document.termination,
    }
    identity = (document.host, *document.miller_index, document.termination)
    return Candidate(identity, facts, values, errors, failures)


def one_potential(documents: Sequence[CollectorDocument], wanted: str) -> list[CollectorDocument]:
    """The documents of one potential, because numbers of two are never ranked together.

    Args:
        documents: of one campaign.
        wanted: the potential's name, or at least six digits of its weights' SHA-256.

    Raises:
        CampaignError: if no document is left, or those left are of several potentials.
    """
    chosen = [
        document
        for document in documents
        if document.potential.name == wanted
        or (len(wanted) >= 6 and document.potential.sha256.startswith(wanted))
    ]
    if not chosen:
        names = sorted({document.potential.name for document in documents})
        raise CampaignError(
            f"potential = {wanted!r}: no results of it; choose from {', '.join(names)}"
        )
    return chosen


def ranked_collectors(
    documents: Sequence[CollectorDocument], criteria: Sequence[Criterion]
) -> RankedScreen:
    """Rank the documents of one campaign and one potential.

    Raises:
        CampaignError: if there is nothing to rank, or results of several potentials.
    """
    if not documents:
        raise CampaignError("results: no collectors yet; run a campaign (`lithiophile run`)")
    kinds = {d.potential.model_dump_json(exclude={"versions"}): d.potential for d in documents}
    if len(kinds) > 1:
        several = ", ".join(f"{p.name} (sha256 {p.sha256[:12]})" for p in kinds.values())
        raise CampaignError(f"potential: results of several, {several}; name one of them")
    return RankedScreen(
        screen="collectors",
        campaign=documents[0].campaign,
        potential=documents[0].potential.model_dump(),
        quantities=tuple(COLLECTOR_QUANTITIES.values()),
        ranking=rank_candidates([candidate_of(document) for document in documents], criteria),
    )
