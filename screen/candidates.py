"""From a screen's documents to candidates that can be ranked."""

from collections.abc import Sequence
from typing import Any

from results.documents import CandidateDocument
from results.garbage import making_many_objects
from screen.committee import (
    committee_candidates,
    committee_identity,
    committee_names,
    potentials_of,
    same_potential,
)
from screen.criteria import Criterion
from screen.errors import CampaignError
from screen.kinds import KINDS
from screen.ranking import DEFAULT_TOP, Candidate, rank_candidates
from screen.ranking_output import RankedScreen


def candidate_of(document: CandidateDocument) -> Candidate:
    """What the ranking compares of one result."""
    kind = KINDS[document.screen]
    values, errors, failures = {}, {}, {}
    behind = document.evidence
    for name, quantity in kind.quantities.items():
        values[name] = getattr(document, quantity.key)
        evidence = behind.get(quantity.key)
        errors[name] = evidence.error if evidence else None
        if evidence is not None and not evidence.converged:
            failures[name] = evidence.failure or "not converged"
    facts = kind.module.facts(document)
    identity = [
        part for fact in facts.values() for part in (fact if isinstance(fact, list) else [fact])
    ]
    return Candidate(tuple(identity), facts, values, errors, failures, rejected=document.rejected)


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
    screen: str,
    documents: Sequence[CandidateDocument],
    criteria: Sequence[Criterion],
    *,
    committee: bool = False,
    top: int = DEFAULT_TOP,
) -> RankedScreen:
    """Rank the documents of one screen of one campaign.

    Args:
        screen: name of the screen, one of `screen.kinds.KINDS`.
        documents: of that screen.
        criteria: what they are ranked by.
        committee: rank what several potentials say together (`screen.committee`).
        top: give the probability of being among so many best.

    Raises:
        CampaignError: if there is nothing to rank, or results of several potentials that are no
            committee.
    """
    if not documents:
        raise CampaignError(f"results: no {screen} yet; run a campaign (`lithiophile run`)")
    with making_many_objects():
        identity, candidates = _compared(documents, committee)
        ranking = rank_candidates(candidates, criteria, top=top)
    return RankedScreen(
        screen=screen,
        campaign=documents[0].campaign,
        potential=identity,
        quantities=tuple(KINDS[screen].quantities.values()),
        ranking=ranking,
    )


def _compared(
    documents: Sequence[CandidateDocument], committee: bool
) -> tuple[dict[str, Any], list[Candidate]]:
    """The identity of the potential, or of the committee, and what of it is ranked."""
    potentials = potentials_of(documents)
    if len(potentials) == 1:
        return potentials[0].model_dump(), [candidate_of(document) for document in documents]
    if not committee:
        several = ", ".join(f"{p.name} (sha256 {p.sha256[:12]})" for p in potentials)
        raise CampaignError(f"potential: results of several, {several}; name one of them")
    members = {
        name: [candidate_of(d) for d in documents if same_potential(d.potential, potential)]
        for name, potential in zip(committee_names(potentials), potentials, strict=True)
    }
    return committee_identity(potentials), committee_candidates(members)
