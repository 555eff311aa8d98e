"""The tables of the first version, which it made itself and without Alembic.

Nothing runs this on a database of the first version: it counts as done there.
"""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table("lithiophile_schema", sa.Column("version", sa.Integer, primary_key=True))
    op.execute("INSERT INTO lithiophile_schema (version) VALUES (1)")
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
    )
    op.create_table(
        "structures",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("formula", sa.String, nullable=False, index=True),
        sa.Column("n_atoms", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    structure = "structures.sha256"
    op.create_table(
        "calculations",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("task", sa.String, nullable=False),
        sa.Column("potential_name", sa.String, nullable=False, index=True),
        sa.Column("potential_sha256", sa.String, nullable=False),
        sa.Column("initial_structure", sa.String(64), sa.ForeignKey(structure), nullable=False),
        sa.Column("final_structure", sa.String(64), sa.ForeignKey(structure)),
        sa.Column("energy_ev", sa.Double),
        sa.Column("barrier_ev", sa.Double),
        sa.Column("max_force", sa.Double),
        sa.Column("converged", sa.Boolean, nullable=False),
        sa.Column("failure", sa.Text),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("force_evaluations", sa.Integer, nullable=False),
        sa.Column("wall_time_s", sa.Double, nullable=False),
        sa.Column("created_at", sa.String, nullable=False, index=True),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("arrays", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "candidates",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("screen", sa.String, nullable=False),
        sa.Column("host", sa.String, nullable=False, index=True),
        sa.Column("elements", sa.String, nullable=False),
        sa.Column("miller_index", sa.String, nullable=False),
        sa.Column("termination", sa.String, nullable=False),
        sa.Column("potential_name", sa.String, nullable=False),
        sa.Column("potential_sha256", sa.String, nullable=False),
        sa.Column("converged", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("arrays", sa.LargeBinary, nullable=False),
        sa.Index("candidates_by_campaign", "campaign_id", "screen"),
    )
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
        sa.Index("properties_by_value", "name", "value", "candidate_id"),
    )
    op.create_table(
        "rankings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("campaign_id", sa.Integer, sa.ForeignKey("campaigns.id"), nullable=False),
        sa.Column("screen", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
    )
