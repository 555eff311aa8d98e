"""Campaigns as the database keeps them, and what their last run found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from results.database import Database
from results.documents import CollectorDocument
from screen.campaign import Campaign, suggestion
from screen.collectors import one_potential
from screen.criteria import DEFAULT_COLLECTOR_CRITERIA, Criterion
from screen.errors import CampaignError


@dataclass(frozen=True)
class StoredCampaign:
    """A campaign and the results of its last run.

    Attributes:
        name: its name.
        campaign: what its file said; None if it was stored by other means than a file.
        text: the file as it was; empty if there was none.
        documents: the candidates of its last run.
    """

    name: str
    campaign: Campaign | None
    text: str
    documents: tuple[CollectorDocument, ...]

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """What its collectors are ranked by."""
        if self.campaign is None:
            return DEFAULT_COLLECTOR_CRITERIA
        return self.campaign.ranking.collector_criteria


def store_campaign(
    database: Database,
    campaign: Campaign,
    text: str,
    documents: Sequence[CollectorDocument] | None = None,
) -> None:
    """Keep a campaign's file, and which candidates its run gave once it has ended."""
    content: dict[str, Any] = {"campaign": campaign.model_dump(mode="json"), "text": text}
    if documents is not None:
        content["last_run"] = [_identity(document) for document in documents]
    database.add_campaign(campaign.name, content)


def load_campaign(
    database: Database, name: str | None = None, potential: str | None = None
) -> StoredCampaign:
    """A campaign with its candidates.

    Args:
        database: where it is stored.
        name: its name; None if the database holds only one.
        potential: take all its candidates of this potential (name, or first digits of the weights'
            SHA-256) instead of those of its last run.

    Raises:
        CampaignError: no such campaign, several without a name, or no results.
    """
    known = database.campaigns()
    if not known:
        raise CampaignError(f"database: {database.name} holds no campaign; run one first")
    if name is None and len(known) > 1:
        raise CampaignError(f"--campaign: several here: {', '.join(known)}; name one")
    name = name or next(iter(known))
    if name not in known:
        raise CampaignError(
            f"--campaign = {name!r}: not in the database; {suggestion(name, list(known))}"
        )
    documents = [
        document
        for document in database.candidates(f'screen=collectors campaign="{name}"')
        if isinstance(document, CollectorDocument)
    ]
    if not documents:
        raise CampaignError(f"campaign {name}: has no results yet; run it (`lithiophile run`)")
    if potential is not None:
        documents = one_potential(documents, potential)
    elif last := known[name].get("last_run"):
        documents = [document for document in documents if _identity(document) in last]
    return StoredCampaign(
        name, _campaign(known[name]), str(known[name].get("text", "")), tuple(documents)
    )


def _identity(document: CollectorDocument) -> list[Any]:
    """What tells a candidate from the others of its campaign, as JSON types."""
    potential = document.potential.model_dump(mode="json", exclude={"versions"})
    return [document.host, list(document.miller_index), document.termination, potential]


def _campaign(content: Mapping[str, Any]) -> Campaign | None:
    """The campaign itself; None where other software or another version stored it."""
    try:
        return Campaign.model_validate(content.get("campaign"))
    except ValidationError:
        return None
