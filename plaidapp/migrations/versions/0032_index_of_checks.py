"""The index by which the clock finds connections that are due to be checked.

Revision ID: 0032
Revises: 0031
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index(op.f("ix_item_check_at"), "item", ["check_at"], postgresql_concurrently=True)


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index(op.f("ix_item_check_at"), "item", postgresql_concurrently=True)
