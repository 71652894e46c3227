"""The version of Plaid's categories that a transaction's category is from.

Revision ID: 0002
Revises: 0001

"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("transaction", sa.Column("category_version", sa.Text(), nullable=True))


def downgrade():
    op.drop_column("transaction", "category_version")
