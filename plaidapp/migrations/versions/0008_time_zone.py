"""Each person's time zone. People who signed up before keep UTC.

Revision ID: 0008
Revises: 0007

"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade():
    column = sa.Column("time_zone", sa.String(64), server_default="UTC", nullable=False)
    op.add_column("user", column)


def downgrade():
    op.drop_column("user", "time_zone")
