"""The currency that a person's overview begins with.

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade():
    # Not in a batch: SQLite would copy and drop the table, and all that refers to it.
    op.add_column("user", sa.Column("main_currency", sa.String(), nullable=True))


def downgrade():
    op.drop_column("user", "main_currency")
