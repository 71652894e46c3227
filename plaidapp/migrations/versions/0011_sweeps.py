"""When the clock looks at an Item next, and how often it has had it synced in a row.

Revision ID: 0011
Revises: 0010

"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

LONG_AGO = "2000-01-01 00:00:00"
"""So the clock looks at every Item once, and then knows when to look next."""


def upgrade():
    op.add_column(
        "item",
        sa.Column(
            "next_look", sa.DateTime(timezone=True), nullable=False, server_default=LONG_AGO
        ),
    )
    op.add_column("item", sa.Column("sweeps", sa.Integer(), nullable=False, server_default="0"))


def downgrade():
    op.drop_column("item", "sweeps")
    op.drop_column("item", "next_look")
