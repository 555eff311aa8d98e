"""From a screen's documents to candidates that can be ranked."""

from collections.abc import Sequence

from results.documents import CandidateDocument
from screen.criteria import Criterion
from screen.errors import CampaignError
from screen.kinds import KINDS
from screen.ranking import Candidate, rank_candidates
from screen.ranking_output import RankedScreen


def candidate_of(document: CandidateDocument) -> Candidate:
    """What the ranking compares of one result."""
    kind = KINDS[document.screen]
    values, errors, failures = {}, {}, {}
    for name, quantity in kind.quantities.items():
        values[name] = getattr(document, quantity.key)
        evidence = document.evidence.get(quantity.key)
        errors[name] = evidence.error if evidence else None
        if evidence is not None and not evidence.converged:
            failures[name] = evidence.failure or "not converged"
    facts = kind.module.facts(document)
    identity = [
        part for fact in facts.values() for part in (fact if isinstance(fact, list) else [fact])
    ]
    return Candidate(tuple(identity), facts, values, errors, failures)


def one_potential(documents: Sequence[CandidateDocument], wanted: str) -> list[CandidateDocument]:
    """The documents of one potential, because numbers of two are never ranked together.

    Args:
        documents: of one campaign.
        wanted: the potential's name, or at least six digits of its weights' SHA-256.

    Raises:
        CampaignError: if no document is left.
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


def ranked_screen(
    screen: str, documents: Sequence[CandidateDocument], criteria: Sequence[Criterion]
) -> RankedScreen:
    """Rank the documents of one screen of one campaign, of one potential.

    Args:
        screen: name of the screen, one of `screen.kinds.KINDS`.
        documents: of that screen.
        criteria: what they are ranked by.

    Raises:
        CampaignError: if there is nothing to rank, or results of several potentials.
    """
    if not documents:
        raise CampaignError(f"results: no {screen} yet; run a campaign (`lithiophile run`)")
    kinds = {d.potential.model_dump_json(exclude={"versions"}): d.potential for d in documents}
    if len(kinds) > 1:
        several = ", ".join(f"{p.name} (sha256 {p.sha256[:12]})" for p in kinds.values())
        raise CampaignError(f"potential: results of several, {several}; name one of them")
    return RankedScreen(
        screen=screen,
        campaign=documents[0].campaign,
        potential=documents[0].potential.model_dump(),
        quantities=tuple(KINDS[screen].quantities.values()),
        ranking=rank_candidates([candidate_of(document) for document in documents], criteria),
    )
