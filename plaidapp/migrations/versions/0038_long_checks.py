"""How far a check against a bank has come that is not over.

Revision ID: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade():
    # Not in a batch: SQLite would copy and drop the table, and all that refers to it.
    op.add_column("pull_item", sa.Column("comparison", sa.Text(), nullable=True))


def downgrade():
    op.drop_column("pull_item", "comparison")
