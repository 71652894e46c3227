"""When a person last changed their password.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("user", sa.Column("password_changed_at", sa.DateTime(timezone=True)))


def downgrade():
    op.drop_column("user", "password_changed_at")
