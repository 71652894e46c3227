"""What people have to be told by mail about their banks, and whether they want that.

Revision ID: 0042
Revises: 0041
"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade():
    # Not in a batch: SQLite would copy and drop the table, and all that refers to it.
    for name in ("bank_mails", "check_mails"):
        op.add_column("user", sa.Column(name, sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(16), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("item_id", "topic", name=op.f("uq_notice_item_id_topic")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_notice_user_id_user"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["item.id"], name=op.f("fk_notice_item_id_item"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_notice_user_id"), "notice", ["user_id"])
    op.create_index(op.f("ix_notice_due_at"), "notice", ["due_at"])


def downgrade():
    op.drop_table("notice")
    for name in ("check_mails", "bank_mails"):
        op.drop_column("user", name)
