"""All that a ranking compares into narrow tables: elements, the whole potential, rejections."""

import json

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"

_CHUNK = 5000


def upgrade() -> None:
    """Add the columns and fill them from the documents."""
    op.create_table(
        "candidate_elements",
        sa.Column(
            "candidate_id",
            sa.Integer,
            sa.ForeignKey("candidates.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("symbol", sa.String, primary_key=True),
        sa.Index("candidates_by_element", "symbol", "candidate_id"),
        sqlite_with_rowid=False,
    )
    for name in ("potential_head", "potential_dtype", "potential_dispersion", "rejected"):
        op.add_column("candidates", sa.Column(name, sa.Text if name == "rejected" else sa.String))
    connection = op.get_bind()
    candidates = sa.table(
        "candidates",
        *map(sa.column, ("id", "elements", "potential_head", "potential_dtype")),
        sa.column("potential_dispersion"),
    )
    documents = sa.table("candidate_documents", sa.column("candidate_id"), sa.column("document"))
    elements = sa.table("candidate_elements", sa.column("candidate_id"), sa.column("symbol"))
    ids = list(connection.execute(sa.select(candidates.c.id)).scalars())
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            sa.select(candidates.c.id, candidates.c.elements, documents.c.document)
            .join(documents, documents.c.candidate_id == candidates.c.id)
            .where(candidates.c.id.in_(ids[start : start + _CHUNK]))
        ).all()
        symbols, changes = [], []
        for candidate_id, listed, text in rows:
            potential = (json.loads(text) if isinstance(text, str) else text)["potential"]
            found = dict.fromkeys(listed.strip(",").split(","))
            symbols += [{"candidate_id": candidate_id, "symbol": symbol} for symbol in found]
            changes.append(
                {
                    "candidate": candidate_id,
                    "head": potential.get("head"),
                    "dtype": potential.get("dtype"),
                    "dispersion": potential.get("dispersion"),
                }
            )
        connection.execute(elements.insert(), symbols)
        connection.execute(
            candidates.update()
            .where(candidates.c.id == sa.bindparam("candidate"))
            .values(
                potential_head=sa.bindparam("head"),
                potential_dtype=sa.bindparam("dtype"),
                potential_dispersion=sa.bindparam("dispersion"),
            ),
            changes,
        )
    op.execute("ALTER TABLE candidates DROP COLUMN elements")
    op.execute("UPDATE lithiophile_schema SET version = 3")
