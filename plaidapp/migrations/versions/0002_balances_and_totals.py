"""Balances by day and totals by month, worked out for what is stored already.

Revision ID: 0002
Revises: 0001

"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# What the two databases write differently.
WORDS = {
    "sqlite": {
        "said_on": "date(updated_at)",
        "month": "date(date, 'start of month')",
        "opening": "date(min(date), '-1 day')",
        "clamped": "max(min({}, 9200000000000000000), -9200000000000000000)",
        "sum": "sum({0} / 100000000){1} * 100000000 + sum({0} % 100000000){1}",
    },
    "postgresql": {
        "said_on": "(updated_at AT TIME ZONE 'UTC')::date",
        "month": "date_trunc('month', date)::date",
        "opening": "min(date) - 1",
        "clamped": "greatest(least({}, 9200000000000000000), -9200000000000000000)",
        "sum": "sum({0}){1}",
    },
}

SAID = """
INSERT INTO balance (account_id, date, current, source)
SELECT id, {said_on}, current, 'bank' FROM account WHERE current IS NOT NULL
"""

# Each account has one word of the bank's by now, and its rows lead back from there.
COMPUTED = """
INSERT INTO balance (account_id, date, current, source)
WITH posted AS (
    SELECT t.account_id, t.date, t.amount, said.current, said.date AS said_on,
        CASE account.type WHEN 'credit' THEN -1 ELSE 1 END AS sign
    FROM "transaction" t
    JOIN account ON account.id = t.account_id
    JOIN balance said ON said.account_id = t.account_id
    WHERE account.type IN ('depository', 'credit') AND t.date <= said.date
        AND t.removed_at IS NULL AND NOT t.pending
        AND (
            coalesce(t.iso_currency_code, t.unofficial_currency_code) IS NULL
            OR coalesce(t.iso_currency_code, t.unofficial_currency_code)
                = coalesce(account.iso_currency_code, account.unofficial_currency_code)
        )
),
day AS (
    SELECT account_id, date, current, said_on, sign, {moved_amount} AS moved
    FROM posted GROUP BY account_id, date, current, said_on, sign
    UNION ALL
    SELECT account_id, {opening}, current, said_on, sign, 0
    FROM posted GROUP BY account_id, current, said_on, sign
),
valued AS (
    SELECT account_id, date, said_on, {current_value} AS current FROM day
),
stepped AS (
    SELECT valued.*, lag(current) OVER (PARTITION BY account_id ORDER BY date) AS before
    FROM valued
)
SELECT account_id, date, CAST(current AS BIGINT), 'computed' FROM stepped
WHERE date < said_on AND (before IS NULL OR before <> current)
"""

TOTALS = """
INSERT INTO monthly_total
    (account_id, month, category, currency, money_in, money_out, count, hidden)
SELECT account_id, month, category, currency, CAST({money_in} AS BIGINT),
    CAST({money_out} AS BIGINT), sum(CASE WHEN hidden THEN 0 ELSE 1 END),
    sum(CASE WHEN hidden THEN 1 ELSE 0 END)
FROM (
    SELECT account_id, {month} AS month, hidden,
        coalesce(iso_currency_code, unofficial_currency_code, '') AS currency,
        CASE
            WHEN own_category IS NOT NULL THEN own_category
            WHEN category_detailed = 'LOAN_PAYMENTS_CREDIT_CARD_PAYMENT'
                THEN CASE WHEN amount > 0 THEN 'TRANSFER_OUT' ELSE 'TRANSFER_IN' END
            ELSE coalesce(category_primary, 'OTHER')
        END AS category,
        CASE WHEN amount < 0 AND NOT hidden THEN -amount ELSE 0 END AS came,
        CASE WHEN amount > 0 AND NOT hidden THEN amount ELSE 0 END AS went
    FROM "transaction" WHERE removed_at IS NULL
) counted
GROUP BY account_id, month, category, currency
"""


def upgrade():
    account_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "balance",
        sa.Column("account_id", account_id, nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("current", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_balance_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "date", name=op.f("pk_balance")),
    )
    op.create_table(
        "monthly_total",
        sa.Column("account_id", account_id, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("money_in", sa.BigInteger(), nullable=False),
        sa.Column("money_out", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("hidden", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_monthly_total_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "month", "category", "currency", name=op.f("pk_monthly_total")
        ),
    )
    with op.batch_alter_table("transaction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_transaction_account_id"))
        batch_op.create_index("ix_transaction_account_id_date", ["account_id", "date"])
    _fill()


def _fill():
    words = WORDS[op.get_bind().dialect.name]

    def added(column, over=""):
        return words["clamped"].format(words["sum"].format(column, over))

    over = (
        " OVER (PARTITION BY account_id ORDER BY date DESC"
        " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    )
    later = words["sum"].format("moved", over)
    current = words["clamped"].format(f"current + sign * coalesce({later}, 0)")
    op.execute(SAID.format(said_on=words["said_on"]))
    op.execute(
        COMPUTED.format(
            moved_amount=added("amount"), opening=words["opening"], current_value=current
        )
    )
    op.execute(
        TOTALS.format(money_in=added("came"), money_out=added("went"), month=words["month"])
    )


def downgrade():
    with op.batch_alter_table("transaction", schema=None) as batch_op:
        batch_op.drop_index("ix_transaction_account_id_date")
        batch_op.create_index(batch_op.f("ix_transaction_account_id"), ["account_id"])
    op.drop_table("monthly_total")
    op.drop_table("balance")
