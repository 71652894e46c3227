"""Find the due pulls of persons behind any number of others.

Revision ID: 0013
Revises: 0012

"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NAME = "ix_pull_state_asked_by_run_after"


def upgrade():
    columns = ["state", "asked_by", "run_after"]
    with op.get_context().autocommit_block():
        op.create_index(NAME, "pull", columns, postgresql_concurrently=True)


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index(NAME, "pull", postgresql_concurrently=True)
