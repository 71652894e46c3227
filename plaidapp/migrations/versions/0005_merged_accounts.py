"""Merge accounts and separate them again, ask which are the same, and keep ids stable.

Revision ID: 0005
Revises: 0004

"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade():
    op.add_column("transaction", sa.Column("first_id", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("first_id", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("own_id", sa.BigInteger(), nullable=True))
    op.add_column("former_account", sa.Column("told", sa.Text(), nullable=True))
    op.add_column("former_account", sa.Column("left_at", MOMENT, nullable=True))
    op.add_column("former_account", sa.Column("ended_at", MOMENT, nullable=True))
    op.add_column("former_account", sa.Column("own_id", sa.BigInteger(), nullable=True))
    op.create_table(
        "former_row",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("plaid_transaction_id", sa.Text(), nullable=False),
        sa.Column("transaction_id", BIG_ID, nullable=False),
        sa.Column("page_id", sa.BigInteger(), nullable=True),
        sa.Column("first_id", sa.Text(), nullable=True),
        sa.Column("own_category", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("note_words", sa.Text(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=True),
        sa.Column("edited_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["transaction.id"],
            name=op.f("fk_former_row_transaction_id_transaction"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("item_id", "plaid_transaction_id", name=op.f("pk_former_row")),
    )
    op.create_index(op.f("ix_former_row_transaction_id"), "former_row", ["transaction_id"])
    op.create_table(
        "account_question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("one_id", BIG_ID, nullable=False),
        sa.Column("other_id", BIG_ID, nullable=False),
        sa.Column("common", sa.Integer(), nullable=False),
        sa.Column("different_at", MOMENT, nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{table}.id"],
                name=op.f(f"fk_account_question_{column}_{table}"),
                ondelete="CASCADE",
            )
            for column, table in (("user_id", "user"), ("one_id", "account"), ("other_id", "account"))
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_question")),
        sa.UniqueConstraint("one_id", "other_id", name=op.f("uq_account_question_one_id_other_id")),
    )
    op.create_index(op.f("ix_account_question_user_id"), "account_question", ["user_id"])
    op.create_index(op.f("ix_account_question_other_id"), "account_question", ["other_id"])


def downgrade():
    op.drop_table("account_question")
    op.drop_table("former_row")
    for column in ("told", "left_at", "ended_at", "own_id"):
        op.drop_column("former_account", column)
    op.drop_column("account", "own_id")
    op.drop_column("account", "first_id")
    op.drop_column("transaction", "first_id")
