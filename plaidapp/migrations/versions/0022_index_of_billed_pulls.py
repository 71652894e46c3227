"""An index that counts what a person has pressed within the last hour.

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

NAME = "ix_pull_user_id_kind_created_at"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index(
            NAME, "pull", ["user_id", "kind", "created_at"], postgresql_concurrently=True
        )


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index(NAME, "pull", postgresql_concurrently=True)
