"""rows that are hidden, pending or removed are found without looking at the others

Revision ID: 0008
Revises: 0007

"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FLAGS = ("hidden", "pending")
REMOVED = sa.text("removed_at IS NOT NULL")


def upgrade():
    for flag in FLAGS:
        op.create_index(
            f"ix_transaction_{flag}",
            "transaction",
            ["user_id", "date", "id"],
            postgresql_where=sa.text(f"removed_at IS NULL AND {flag} IS true"),
            sqlite_where=sa.text(f"removed_at IS NULL AND {flag} IS 1"),
        )
    op.create_index(
        "ix_transaction_removed",
        "transaction",
        ["item_id"],
        postgresql_where=REMOVED,
        sqlite_where=REMOVED,
    )


def downgrade():
    op.drop_index("ix_transaction_removed", "transaction")
    for flag in FLAGS:
        op.drop_index(f"ix_transaction_{flag}", "transaction")
