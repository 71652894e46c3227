"""Match everybody's transfers again: pay, refunds and payments to other people no longer match.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade():
    op.execute('UPDATE "user" SET transfers_matched = false')


def downgrade():
    """Matches that the former rule would not make stay until their rows change."""
