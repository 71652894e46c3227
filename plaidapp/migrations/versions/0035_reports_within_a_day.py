"""What a bank reported on a day on which rows posted after its report.

Revision ID: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade():
    # Not in a batch: SQLite would copy and drop the table, and all that refers to it.
    op.add_column("balance", sa.Column("reported", sa.BigInteger(), nullable=True))


def downgrade():
    op.drop_column("balance", "reported")
