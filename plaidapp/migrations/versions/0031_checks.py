"""What checks against the banks have found, and when each connection is checked next.

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
COLUMNS = (
    ("item", "check_at", MOMENT),
    ("item", "checked_at", MOMENT),
    ("item", "fully_checked_at", MOMENT),
    ("item", "check_message", sa.Text()),
    ("pull_item", "differences", sa.Integer()),
)


def upgrade():
    op.create_table(
        "account_check",
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("checked_at", MOMENT, nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("differences", sa.Integer(), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("older", sa.Integer(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("gap", sa.BigInteger(), nullable=True),
        sa.Column("impossible", sa.String(16), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_account_check_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_check")),
    )
    op.create_table(
        "check_difference",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("plaid_id", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=True),
        sa.Column("here", sa.Text(), nullable=True),
        sa.Column("at_bank", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_check_difference_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_difference")),
    )
    op.create_index(
        op.f("ix_check_difference_account_id"), "check_difference", ["account_id"]
    )
    # Not in a batch: SQLite would copy and drop the table, and all that refers to it.
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))


def downgrade():
    for table, name, _ in reversed(COLUMNS):
        op.drop_column(table, name)
    op.drop_table("check_difference")
    op.drop_table("account_check")
