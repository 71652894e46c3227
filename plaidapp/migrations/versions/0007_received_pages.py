"""pages as they were received

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-22 21:40:00.000000

"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "received_page",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["item.id"], name="fk_received_page_item_id_item", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_received_page"),
    )
    op.create_index("ix_received_page_item_id", "received_page", ["item_id"])
    op.add_column("transaction", sa.Column("page_id", sa.BigInteger(), nullable=True))


def downgrade():
    op.drop_column("transaction", "page_id")
    op.drop_index("ix_received_page_item_id", "received_page")
    op.drop_table("received_page")
