"""Who may open the pages for operators.

Revision ID: 0045
Revises: 0044
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade():
    # Not in a batch: SQLite would copy and drop the table, and all that refers to it.
    column = sa.Column("is_operator", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("user", column)


def downgrade():
    op.drop_column("user", "is_operator")
