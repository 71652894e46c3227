"""what accounts were called at Items that they have left

Revision ID: 0003
Revises: 0002

"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COUNTS = ("accounts_kept", "kept")


def upgrade():
    op.create_table(
        "former_account",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("plaid_account_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_former_account_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["item.id"],
            name=op.f("fk_former_account_item_id_item"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("item_id", "plaid_account_id", name=op.f("pk_former_account")),
    )
    with op.batch_alter_table("former_account") as batch_op:
        batch_op.create_index(batch_op.f("ix_former_account_account_id"), ["account_id"])
    op.add_column("account", sa.Column("persistent_account_id", sa.Text(), nullable=True))
    for name in COUNTS:
        column = sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        op.add_column("pull_item", column)
        if op.get_bind().dialect.name == "postgresql":
            op.alter_column("pull_item", name, server_default=None)


def downgrade():
    for name in COUNTS:
        op.drop_column("pull_item", name)
    op.drop_column("account", "persistent_account_id")
    op.drop_table("former_account")
