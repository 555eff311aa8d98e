"""Campaigns as the database keeps them, and what their last run found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from results.candidates import CANDIDATES
from results.database import Database
from results.documents import CandidateDocument, labels
from results.errors import nearest
from results.garbage import making_many_objects
from screen.campaign import Campaign
from screen.candidates import one_potential, ranked_screen
from screen.criteria import Criterion
from screen.errors import CampaignError
from screen.kinds import KINDS
from screen.ranking import DEFAULT_TOP
from screen.ranking_output import RankedScreen, as_dict


@dataclass(frozen=True)
class StoredCampaign:
    """A campaign and the results of its last run.

    Attributes:
        name: its name.
        campaign: what its file said; None if it was stored by other means than a file.
        text: the file as it was; empty if there was none.
        documents: the candidates of its last run, of all its screens.
    """

    name: str
    campaign: Campaign | None
    text: str
    documents: tuple[CandidateDocument, ...]

    @property
    def screens(self) -> tuple[str, ...]:
        """Names of the screens that have candidates."""
        held = {document.screen for document in self.documents}
        return tuple(name for name in KINDS if name in held)

    def of(self, screen: str) -> tuple[CandidateDocument, ...]:
        """The candidates of one screen."""
        return tuple(document for document in self.documents if document.screen == screen)

    def criteria(self, screen: str) -> tuple[Criterion, ...]:
        """What the candidates of one screen are ranked by."""
        if self.campaign is None:
            return KINDS[screen].default_criteria
        return self.campaign.ranking.criteria(screen)

    def ranked(self, screen: str, *, top: int = DEFAULT_TOP) -> RankedScreen:
        """The ranking of one screen.

        Args:
            screen: its name.
            top: give the probability of being among so many best.

        Raises:
            CampaignError: if there is nothing to rank, or results of several potentials that the
                campaign does not name together.
        """
        committee = self.campaign is not None and len(self.campaign.potentials) > 1
        documents, criteria = self.of(screen), self.criteria(screen)
        return ranked_screen(screen, documents, criteria, committee=committee, top=top)


def store_campaign(
    database: Database,
    campaign: Campaign,
    text: str,
    documents: Sequence[CandidateDocument] | None = None,
) -> None:
    """Keep a campaign's file, and which candidates its run gave.

    Args:
        database: where it is kept.
        campaign: as read.
        text: its file.
        documents: what its run gave; None before it has ended: until then, and for good if it is
            killed, the candidates are those of the run before.
    """
    content: dict[str, Any] = {"campaign": campaign.model_dump(mode="json"), "text": text}
    if documents is not None:
        content["last_run"] = [_identity(document) for document in documents]
    elif campaign.name in database.campaign_names():
        before = database.campaign(campaign.name)
        content |= {key: before[key] for key in ("last_run",) if key in before}
    database.add_campaign(campaign.name, content)


@making_many_objects()
def load_campaign(
    database: Database,
    name: str | None = None,
    potential: str | None = None,
    screen: str | None = None,
    *,
    whole: bool = True,
) -> StoredCampaign:
    """A campaign with its candidates.

    Args:
        database: where it is stored.
        name: its name; None if the database holds only one.
        potential: take all its candidates of this potential (name, or first digits of the weights'
            SHA-256) instead of those of its last run.
        screen: only the candidates of this screen; None for all.
        whole: False for their summaries, which are all that a ranking needs and read much faster.

    Raises:
        CampaignError: no such campaign, several without a name, an unknown screen, or no results.
    """
    known = database.campaign_names()
    if not known:
        raise CampaignError(f"database: {database.name} holds no campaign; run one first")
    if name is None and len(known) > 1:
        raise CampaignError(f"--campaign: several here: {', '.join(known)}; name one")
    name = name or known[0]
    if name not in known:
        raise CampaignError(f"--campaign = {name!r}: not in the database; {nearest(name, known)}")
    if screen is not None and screen not in KINDS:
        raise CampaignError(f"--screen = {screen!r}: unknown; {nearest(screen, KINDS)}")
    content = database.campaign(name)
    chosen = "" if screen is None else f"screen={screen} "
    read = database.candidates if whole else database.summaries
    documents: list[Any] = list(read(f'{chosen}campaign="{name}"'))
    if documents and potential is not None:
        documents = one_potential(documents, potential)
    elif last := content.get("last_run"):
        # Runs stored with the first tables do not name the screen, which was always the same.
        held = {_key(one) for one in last}
        own = [_key(_identity(document)) for document in documents]
        documents = [
            document
            for document, one in zip(documents, own, strict=True)
            if one in held or one[1:] in held
        ]
    if not documents:
        kind = "" if screen is None else f" of the {screen} screen"
        raise CampaignError(
            f"campaign {name}: has no results{kind} yet; run it (`lithiophile run`)"
        )
    return StoredCampaign(name, _campaign(content), str(content.get("text", "")), tuple(documents))


def store_rankings(database: Database, stored: StoredCampaign) -> None:
    """Keep the ranking of each screen beside earlier ones; `Database.latest_ranking` reads it."""
    for screen in stored.screens:
        database.add_ranking(stored.name, screen, as_dict(stored.ranked(screen)))


def _identity(document: CandidateDocument) -> list[Any]:
    """What tells a candidate from the others of its campaign, as JSON types."""
    potential = document.potential.model_dump(mode="json", exclude={"versions"})
    facet = [] if document.miller_index is None else list(document.miller_index)
    named = [getattr(document, field) for field in labels(CANDIDATES[document.screen])]
    return [document.screen, document.host, facet, document.termination, *named, potential]


def _key(identity: Sequence[Any]) -> tuple[Any, ...]:
    """An identity as something that can be looked up."""
    *named, potential = identity
    parts = [tuple(one) if isinstance(one, list) else one for one in named]
    return (*parts, tuple(sorted(potential.items())))


def _campaign(content: Mapping[str, Any]) -> Campaign | None:
    """The campaign itself; None where other software or another version stored it."""
    try:
        return Campaign.model_validate(content.get("campaign"))
    except ValidationError:
        return None
