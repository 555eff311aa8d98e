"""The tables, on SQLite and PostgreSQL alike.

Large arrays (forces, images, structures) are compressed blobs, stored in one transaction with the
document they belong to. What queries filter on stands in narrow tables of its own, so that asking
never reads documents. Times are ISO 8601 in UTC, which sort as text.

Whoever changes a table writes a migration (`results.migrations`) that brings older databases to the
same shape, and raises `SCHEMA_REVISION` to it.
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

SCHEMA_REVISION = "3"
"""The last migration: what a database made by this version has behind it."""

metadata = MetaData()

schema_revisions = Table(
    "lithiophile_revision", metadata, Column("version_num", String(32), primary_key=True)
)

first_schema = Table("lithiophile_schema", metadata, Column("version", Integer, primary_key=True))
"""Where the first version looks for its number; any other one makes it ask for an update."""

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
)

calculation_documents = Table(
    "calculation_documents",
    metadata,
    Column(
        "fingerprint",
        String(64),
        ForeignKey(calculations.c.fingerprint, ondelete="CASCADE"),
        primary_key=True,
    ),
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
    Column("miller_index", String, nullable=False),
    Column("termination", String, nullable=False),
    Column("potential_name", String, nullable=False),
    Column("potential_sha256", String, nullable=False),
    Column("potential_head", String),
    Column("potential_dtype", String),
    Column("potential_dispersion", String),
    Column("converged", Boolean, nullable=False),
    Column("rejected", Text),
    Column("created_at", String, nullable=False, index=True),
    Index("candidates_by_campaign", "campaign_id", "screen"),
)

candidate_documents = Table(
    "candidate_documents",
    metadata,
    Column(
        "candidate_id",
        Integer,
        ForeignKey(candidates.c.id, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("document", JSON, nullable=False),
    Column("arrays", LargeBinary, nullable=False),
)

candidate_elements = Table(
    "candidate_elements",
    metadata,
    Column(
        "candidate_id", Integer, ForeignKey(candidates.c.id, ondelete="CASCADE"), primary_key=True
    ),
    Column("symbol", String, primary_key=True),
    Index("candidates_by_element", "symbol", "candidate_id"),
    sqlite_with_rowid=False,
)

labels = Table(
    "labels",
    metadata,
    Column(
        "candidate_id", Integer, ForeignKey(candidates.c.id, ondelete="CASCADE"), primary_key=True
    ),
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
    Index("labels_by_value", "name", "value", "candidate_id"),
    sqlite_with_rowid=False,
)
"""Text that only some kinds of candidates have, such as the electrolyte of a coating."""

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
    # Stored in the order of the key, so that a candidate's properties lie together.
    sqlite_with_rowid=False,
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

store_documents = Table(
    "store_documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection", String, nullable=False),
    Column("document", JSON, nullable=False),
)
"""Documents of jobflow's stores (`results.jobflow_store`), without their large parts.

Each store makes indexes on the collection and a field inside the document as it needs them.
"""

store_blobs = Table(
    "store_blobs",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

store_blob_uses = Table(
    "store_blob_uses",
    metadata,
    Column(
        "document_id",
        Integer,
        ForeignKey(store_documents.c.id, ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("sha256", String(64), ForeignKey(store_blobs.c.sha256), primary_key=True, index=True),
    sqlite_with_rowid=False,
)
