"""For whom a resident speaks stands on the ticket he said it for; what was told on a ticket so far stays told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kept = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
    # A plain column: rebuilding the table, as a batch does on SQLite, would lose the close gate's triggers.
    op.add_column("ticket", sa.Column("on_behalf_of", kept, nullable=True))
    op.execute(
        "UPDATE ticket SET on_behalf_of = (SELECT r.on_behalf_of FROM resident r WHERE r.id = ticket.resident_id) "
        "WHERE resident_id IN (SELECT id FROM resident WHERE on_behalf_of IS NOT NULL)"
    )


def downgrade() -> None:
    op.drop_column("ticket", "on_behalf_of")
