"""For whom Plaid was asked for a key of webhooks, so that strangers share their lookups.

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("webhook_key", sa.Column("sender", sa.String(100)))
    column = sa.Column("names_ours", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("webhook_key", column)


def downgrade():
    op.drop_column("webhook_key", "names_ours")
    op.drop_column("webhook_key", "sender")
