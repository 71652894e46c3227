"""Persons who have everything deleted, and the sessions of Link that webhooks are about.

Deliveries about an Item or a session that is not stored belong to nobody who could delete them.
Nothing shows them.

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

NAMELESS = """
DELETE FROM webhook WHERE item_id IS NULL AND (plaid_item_id IS NOT NULL OR type = 'LINK')
"""


def upgrade():
    op.execute(NAMELESS)
    op.add_column("user", sa.Column("leaving_since", sa.DateTime(timezone=True)))
    with op.batch_alter_table("webhook") as batch:  # SQLite adds no constraint to a table
        batch.add_column(sa.Column("session_id", sa.Integer()))
        batch.create_foreign_key(
            op.f("fk_webhook_session_id_link_session"),
            "link_session",
            ["session_id"],
            ["id"],
            ondelete="CASCADE",
        )


def downgrade():
    with op.batch_alter_table("webhook") as batch:
        batch.drop_constraint(op.f("fk_webhook_session_id_link_session"), type_="foreignkey")
        batch.drop_column("session_id")
    op.drop_column("user", "leaving_since")
