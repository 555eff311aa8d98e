"""Documents out of the tables that queries scan; labels; documents of jobflow's stores."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Make the new tables, move the documents into theirs, and drop what they left."""
    _move_documents("calculations", "fingerprint", sa.String(64), "fingerprint")
    _move_documents("candidates", "id", sa.Integer(), "candidate_id")
    op.create_index("ix_candidates_created_at", "candidates", ["created_at"])
    op.create_table(
        "labels",
        sa.Column(
            "candidate_id",
            sa.Integer,
            sa.ForeignKey("candidates.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
        sa.Index("labels_by_value", "name", "value", "candidate_id"),
        sqlite_with_rowid=False,
    )
    _order_properties()
    op.create_table(
        "store_documents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("collection", sa.String, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
    )
    op.create_table(
        "store_blobs",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "store_blob_uses",
        sa.Column(
            "document_id",
            sa.Integer,
            sa.ForeignKey("store_documents.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(
            "sha256",
            sa.String(64),
            sa.ForeignKey("store_blobs.sha256"),
            primary_key=True,
            index=True,
        ),
        sqlite_with_rowid=False,
    )
    op.execute("UPDATE lithiophile_schema SET version = 2")


def _move_documents(table: str, key: str, kind: sa.types.TypeEngine, name: str) -> None:
    """Move ``document`` and ``arrays`` of a table into a table of their own."""
    target = f"{table.removesuffix('s')}_documents"
    op.create_table(
        target,
        sa.Column(
            name,
            kind,
            sa.ForeignKey(f"{table}.{key}", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("arrays", sa.LargeBinary, nullable=False),
    )
    op.execute(
        f"INSERT INTO {target} ({name}, document, arrays) "
        f"SELECT {key}, document, arrays FROM {table}"
    )
    for column in ("document", "arrays"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def _order_properties() -> None:
    """On SQLite, keep the properties in the order of their key."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.drop_index("properties_by_value", "properties")
    op.rename_table("properties", "properties_before")
    op.create_table(
        "properties",
        sa.Column(
            "candidate_id",
            sa.Integer,
            sa.ForeignKey("candidates.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.Double),
        sa.Column("unit", sa.String, nullable=False),
        sa.Column("error", sa.Double),
        sa.Column("converged", sa.Boolean, nullable=False),
        sa.Column("reference_state", sa.Text),
        sa.Column("failure", sa.Text),
        sa.Column("fingerprints", sa.JSON, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO properties SELECT * FROM properties_before ORDER BY candidate_id, name")
    op.drop_table("properties_before")
    op.create_index("properties_by_value", "properties", ["name", "value", "candidate_id"])
