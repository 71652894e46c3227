"""What the person says of recurring payments, and which payments a new stream goes on with.

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

COLUMNS = {
    "series_id": sa.BigInteger(),
    "anchor": sa.Date(),
    "revised_at": sa.DateTime(timezone=True),
    "choice": sa.String(length=16),
    "chosen_at": sa.DateTime(timezone=True),
}


def upgrade():
    # Not in a batch: SQLite would copy and drop the table, and all that refers to it.
    for name, kind in COLUMNS.items():
        op.add_column("recurring_stream", sa.Column(name, kind, nullable=True))


def downgrade():
    for name in reversed(COLUMNS):
        op.drop_column("recurring_stream", name)
