"""What is set aside may be only a part of a row, whose rest is stored.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade():
    column = sa.Column("is_part", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("set_aside", column)


def downgrade():
    op.drop_column("set_aside", "is_part")
