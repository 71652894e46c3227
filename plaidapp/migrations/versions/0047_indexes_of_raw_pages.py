"""The indexes by which raw pages are found that no row refers to anymore.

Revision ID: 0047
Revises: 0046
"""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

TABLES = ("transaction", "former_row")


def upgrade():
    with op.get_context().autocommit_block():
        for table in TABLES:
            name = op.f(f"ix_{table}_page_id")
            op.create_index(name, table, ["page_id"], postgresql_concurrently=True)


def downgrade():
    with op.get_context().autocommit_block():
        for table in TABLES:
            op.drop_index(op.f(f"ix_{table}_page_id"), table, postgresql_concurrently=True)
