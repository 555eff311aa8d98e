"""The tables, on SQLite and PostgreSQL alike.

Large arrays (forces, images, structures) are compressed blobs in the row that needs them, so that
a document and its arrays are stored in one transaction or not at all. The columns beside the
documents are what queries filter on. Times are ISO 8601 in UTC, which sort as text.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

SCHEMA_VERSION = 1
"""Raised whenever a table changes; a database of another version is refused."""

metadata = MetaData()

schema_versions = Table(
    "lithiophile_schema", metadata, Column("version", Integer, primary_key=True)
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("document", JSON, nullable=False),
    Column("created_at", String, nullable=False),
)

structures = Table(
    "structures",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("formula", String, nullable=False, index=True),
    Column("n_atoms", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

calculations = Table(
    "calculations",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("kind", String, nullable=False),
    Column("task", String, nullable=False),
    Column("potential_name", String, nullable=False, index=True),
    Column("potential_sha256", String, nullable=False),
    Column("initial_structure", String(64), ForeignKey(structures.c.sha256), nullable=False),
    Column("final_structure", String(64), ForeignKey(structures.c.sha256)),
    Column("energy_ev", Double),
    Column("barrier_ev", Double),
    Column("max_force", Double),
    Column("converged", Boolean, nullable=False),
    Column("failure", Text),
    Column("steps", Integer, nullable=False),
    Column("force_evaluations", Integer, nullable=False),
    Column("wall_time_s", Double, nullable=False),
    Column("created_at", String, nullable=False, index=True),
    Column("document", JSON, nullable=False),
    Column("arrays", LargeBinary, nullable=False),
)

candidates = Table(
    "candidates",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("campaign_id", Integer, ForeignKey(campaigns.c.id), nullable=False),
    Column("screen", String, nullable=False),
    Column("host", String, nullable=False, index=True),
    Column("elements", String, nullable=False),
    Column("miller_index", String, nullable=False),
    Column("termination", String, nullable=False),
    Column("potential_name", String, nullable=False),
    Column("potential_sha256", String, nullable=False),
    Column("converged", Boolean, nullable=False),
    Column("created_at", String, nullable=False),
    Column("document", JSON, nullable=False),
    Column("arrays", LargeBinary, nullable=False),
    Index("candidates_by_campaign", "campaign_id", "screen"),
)

properties = Table(
    "properties",
    metadata,
    Column(
        "candidate_id", Integer, ForeignKey(candidates.c.id, ondelete="CASCADE"), primary_key=True
    ),
    Column("name", String, primary_key=True),
    Column("value", Double),
    Column("unit", String, nullable=False),
    Column("error", Double),
    Column("converged", Boolean, nullable=False),
    Column("reference_state", Text),
    Column("failure", Text),
    Column("fingerprints", JSON, nullable=False),
    Index("properties_by_value", "name", "value", "candidate_id"),
)

rankings = Table(
    "rankings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("campaign_id", Integer, ForeignKey(campaigns.c.id), nullable=False),
    Column("screen", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("document", JSON, nullable=False),
)
