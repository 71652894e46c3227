"""Match everybody's transfers again: two rows without a hint may be the sides of one now, and pay,
refunds and payments to other people no longer are.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade():
    op.execute('UPDATE "user" SET transfers_matched = false')


def downgrade():
    """Matches that the former rule would not make stay until their rows change."""
