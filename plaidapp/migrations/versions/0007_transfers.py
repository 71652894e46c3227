"""The two sides of a transfer name each other.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NO = sa.false()


def upgrade():
    op.add_column("transaction", sa.Column("other_side_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "transaction", sa.Column("not_transfer", sa.Boolean(), nullable=False, server_default=NO)
    )
    op.add_column(
        "edit_row", sa.Column("not_transfer", sa.Boolean(), nullable=False, server_default=NO)
    )
    op.add_column("former_row", sa.Column("not_transfer", sa.Boolean(), nullable=True))
    op.add_column(
        "user", sa.Column("transfers_matched", sa.Boolean(), nullable=False, server_default=NO)
    )


def downgrade():
    op.drop_column("user", "transfers_matched")
    op.drop_column("former_row", "not_transfer")
    op.drop_column("edit_row", "not_transfer")
    op.drop_column("transaction", "not_transfer")
    op.drop_column("transaction", "other_side_id")
