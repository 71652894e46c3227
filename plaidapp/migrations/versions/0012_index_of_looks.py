"""Find the Items that the clock has to look at.

Revision ID: 0012
Revises: 0011

"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NAME = "ix_item_next_look"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index(NAME, "item", ["next_look"], postgresql_concurrently=True)


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index(NAME, "item", postgresql_concurrently=True)
