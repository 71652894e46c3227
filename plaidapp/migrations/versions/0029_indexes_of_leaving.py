"""Indexes by which rows go with an Item or a session of Link that is deleted.

Revision ID: 0029
Revises: 0028
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

COLUMNS = (
    ("webhook", "session_id"),
    ("link_session", "item_id"),
    ("link_result", "item_id"),
    ("link_result", "like_item_id"),
)


def upgrade():
    with op.get_context().autocommit_block():
        for table, column in COLUMNS:
            name = op.f(f"ix_{table}_{column}")
            op.create_index(name, table, [column], postgresql_concurrently=True)


def downgrade():
    with op.get_context().autocommit_block():
        for table, column in COLUMNS:
            op.drop_index(op.f(f"ix_{table}_{column}"), table, postgresql_concurrently=True)
