"""what recurs

Revision ID: 0006
Revises: 0005

"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade():
    big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.add_column(sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("streams_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("streams_refusal", sa.Text(), nullable=True))

    op.create_table(
        "recurring_stream",
        sa.Column("id", big_id, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("account_id", big_id, nullable=False),
        sa.Column("plaid_stream_id", sa.Text(), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("merchant_name", sa.Text(), nullable=True),
        sa.Column("category_primary", sa.Text(), nullable=True),
        sa.Column("category_detailed", sa.Text(), nullable=True),
        sa.Column("frequency", sa.Text(), nullable=False),
        sa.Column("first_date", sa.Date(), nullable=False),
        sa.Column("last_date", sa.Date(), nullable=False),
        sa.Column("predicted_next_date", sa.Date(), nullable=True),
        sa.Column("average_amount", sa.BigInteger(), nullable=False),
        sa.Column("last_amount", sa.BigInteger(), nullable=False),
        sa.Column("previous_amount", sa.BigInteger(), nullable=True),
        sa.Column("changed_on", sa.Date(), nullable=True),
        sa.Column("iso_currency_code", sa.Text(), nullable=True),
        sa.Column("unofficial_currency_code", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("vanished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_recurring_stream_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["item.id"],
            name=op.f("fk_recurring_stream_item_id_item"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_recurring_stream_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recurring_stream")),
        sa.UniqueConstraint(
            "item_id", "plaid_stream_id", name=op.f("uq_recurring_stream_item_id_plaid_stream_id")
        ),
    )
    with op.batch_alter_table("recurring_stream", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recurring_stream_account_id"), ["account_id"])
        batch_op.create_index(batch_op.f("ix_recurring_stream_user_id"), ["user_id"])

    op.create_table(
        "recurring_payment",
        sa.Column("plaid_transaction_id", sa.Text(), nullable=False),
        sa.Column("stream_id", big_id, nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"],
            ["recurring_stream.id"],
            name=op.f("fk_recurring_payment_stream_id_recurring_stream"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "plaid_transaction_id", "stream_id", name=op.f("pk_recurring_payment")
        ),
    )
    with op.batch_alter_table("recurring_payment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recurring_payment_stream_id"), ["stream_id"])


def downgrade():
    op.drop_table("recurring_payment")
    op.drop_table("recurring_stream")
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.drop_column("streams_refusal")
        batch_op.drop_column("streams_at")
        batch_op.drop_column("changed_at")
