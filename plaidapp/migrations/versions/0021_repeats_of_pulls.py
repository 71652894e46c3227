"""How often a pull had to ask the banks once more, because its button was pressed again.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade():
    for name in ("repeats", "repeats_begun"):
        op.add_column("pull", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))


def downgrade():
    op.drop_column("pull", "repeats_begun")
    op.drop_column("pull", "repeats")
