"""What the report shows of one screen."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from results.documents import CandidateDocument, as_structure
from screen.candidates import candidate_of
from screen.criteria import Quantity
from screen.kinds import KINDS
from screen.ranking_output import RankedScreen

_PICTURE_DPI = 90
_PICTURE_COLOURS = 48
"""Sharp in the report's cards, and small enough for hundreds of candidates in one file."""

Figure = dict[str, Any]


@dataclass(frozen=True)
class ReportPart:
    """One screen's part of the report.

    Attributes:
        screen: its ranking.
        documents: its candidates, best first.
        template: name of the template that writes it, after the ranking's own macros.
        sections: id (without the screen's name before it) and label of each section, for the links
            at the top.
        figures: plots by the id of their place in the page, which starts with the screen's name.
        content: what the template needs besides.
        provenance: label and value of what belongs beside the potential at the page's end.
    """

    screen: RankedScreen
    documents: Sequence[CandidateDocument]
    template: str
    sections: Sequence[tuple[str, str]]
    figures: Mapping[str, Figure]
    content: Mapping[str, Any] = field(default_factory=dict)
    provenance: Sequence[tuple[str, str]] = ()

    @property
    def title(self) -> str:
        """What the screen is about."""
        return KINDS[self.screen.screen].title

    def quantity(self, name: str) -> Quantity:
        """One of the screen's quantities."""
        return KINDS[self.screen.screen].quantities[name]


def best_first(
    documents: Sequence[CandidateDocument], screen: RankedScreen
) -> list[CandidateDocument]:
    """The documents in the order of the ranking; what is not ranked comes last."""
    place = {entry.candidate.identity: entry.rank for entry in screen.ranking.ranked}
    return sorted(
        documents,
        key=lambda document: place.get(candidate_of(document).identity, len(documents) + 1),
    )


def ranking_sections(screen: RankedScreen) -> list[tuple[str, str]]:
    """The sections that the ranking itself has in every part."""
    apart = screen.ranking.below_threshold or screen.ranking.unconverged
    return [("ranking", "Ranking"), *([("apart", "Listed apart")] if apart else [])]


def picture_uri(structure: Mapping[str, Any] | None) -> str:
    """Picture of a document's structure as data URI; empty where there is no structure."""
    from structures.view import picture_png

    if structure is None:
        return ""
    image = picture_png(as_structure(structure), dpi=_PICTURE_DPI)
    return f"data:image/png;base64,{base64.b64encode(_small_png(image)).decode()}"


def _small_png(image: bytes) -> bytes:
    """The picture with as few colours as a drawing of atoms needs: about a fifth of the bytes."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(image)).convert("RGB").quantize(_PICTURE_COLOURS).save(
        buffer, format="png", optimize=True
    )
    return buffer.getvalue()
