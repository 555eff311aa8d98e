"""Candidates without their documents: who they are, and their quantities with what stands behind.

A ranking of ten thousand candidates needs no more, and reading them whole takes a hundred times
longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from results.candidates import CANDIDATES, kind_of
from results.documents import Potential, labels, quantities
from results.garbage import making_many_objects
from results.schema import campaigns, candidate_documents, candidates, properties
from results.schema import labels as label_rows


class Behind(NamedTuple):
    """What stands behind one quantity; see `results.documents.Evidence`."""

    converged: bool
    error: float | None
    failure: str | None


@dataclass
class CandidateSummary:
    """A candidate as the narrow tables hold it.

    It answers as its document does for the fields below, and for the fields of its labels and
    quantities, which are None where there is no value.

    Attributes:
        screen: as in the document, and so on.
        evidence: by the quantity's field, as in the document.
    """

    screen: str
    campaign: str
    host: str
    miller_index: tuple[int, ...] | None
    termination: str
    potential: Potential
    converged: bool
    rejected: str
    evidence: dict[str, Behind]

    if TYPE_CHECKING:  # labels and quantities

        def __getattr__(self, name: str) -> Any: ...


def read_summaries(
    connection: sa.Connection, condition: sa.ColumnElement[bool]
) -> list[CandidateSummary]:
    """The summaries of the candidates that meet a condition, in the order they were added."""
    chosen = sa.select(candidates.c.id).join(campaigns).where(condition)
    columns = candidates.c["id", "screen", "host", "miller_index", "termination"]
    identity = candidates.c[
        "potential_name", "potential_sha256", "potential_head", "potential_dtype"
    ]
    rows = connection.execute(
        sa.select(
            *columns,
            *candidates.c["converged", "rejected"],
            campaigns.c.name,
            *identity,
            candidates.c.potential_dispersion,
        )
        .join(campaigns)
        .where(condition)
        .order_by(candidates.c.id)
    ).all()
    empty = {screen: _empty(screen) for screen in {row[1] for row in rows}}
    potentials: dict[Sequence[Any], Potential] = {}
    found: dict[int, CandidateSummary] = {}
    for candidate_id, screen, host, facet, termination, converged, rejected, campaign, *own in rows:
        key = tuple(own)
        if key not in potentials:
            potentials[key] = _potential(connection, candidate_id)
        summary = found[candidate_id] = CandidateSummary(
            screen,
            campaign,
            host,
            tuple(map(int, facet.split(","))) if facet else None,
            termination,
            potentials[key],
            converged,
            rejected or "",
            {},
        )
        vars(summary).update(empty[screen])
    with making_many_objects():
        _add_labels(connection, chosen, found)
        _add_quantities(connection, chosen, found)
    return list(found.values())


def _potential(connection: sa.Connection, candidate_id: int) -> Potential:
    """A candidate's potential, with the versions that only its document tells."""
    document = connection.execute(
        sa.select(candidate_documents.c.document).where(
            candidate_documents.c.candidate_id == candidate_id
        )
    ).scalar_one()
    return Potential.model_validate(document["potential"])


def _empty(screen: str) -> dict[str, None]:
    kind = kind_of(screen)
    return dict.fromkeys([*labels(kind), *quantities(kind)])


def _add_labels(
    connection: sa.Connection, chosen: sa.Select, found: dict[int, CandidateSummary]
) -> None:
    field_of = {
        screen: {name: field for field, name in labels(kind).items()}
        for screen, kind in CANDIDATES.items()
    }
    rows = connection.execute(
        sa.select(*label_rows.c["candidate_id", "name", "value"]).where(
            label_rows.c.candidate_id.in_(chosen)
        )
    ).all()
    for candidate_id, name, value in rows:
        summary = found[candidate_id]
        field = field_of[summary.screen].get(name)
        if field is not None:  # a label that another version had
            vars(summary)[field] = value


def _add_quantities(
    connection: sa.Connection, chosen: sa.Select, found: dict[int, CandidateSummary]
) -> None:
    field_of = {
        screen: {name: field for field, (name, _) in quantities(kind).items()}
        for screen, kind in CANDIDATES.items()
    }
    columns = properties.c["candidate_id", "name", "value", "error", "converged", "failure"]
    having = properties.c.candidate_id.in_(chosen)
    rows = connection.execute(sa.select(*columns).where(having)).all()
    for candidate_id, name, value, error, converged, failure in rows:
        summary = found[candidate_id]
        field = field_of[summary.screen].get(name)
        if field is not None:  # a quantity that another version had
            vars(summary)[field] = value
            summary.evidence[field] = Behind(converged, error, failure)
