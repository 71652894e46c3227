"""The whole schema, as it was on the day of the first release.

Revision ID: 0001
Revises:

"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up in INTEGER only
MOMENT = sa.DateTime(timezone=True)
SORT_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

SHOWN = "removed_at IS NULL"

# SQLite's search index. `detail=none` and `columnsize=0` keep it small: a search only asks whether
# a word occurs. The ASCII tokenizer treats every character beyond ASCII as part of a word.
SEARCH_TABLE = """
CREATE VIRTUAL TABLE transaction_search USING fts5(
  words, note_words, content='transaction', content_rowid='id',
  tokenize='ascii', detail='none', columnsize=0
)
"""
ADD_WORDS = """
INSERT INTO transaction_search (rowid, words, note_words)
VALUES (new.id, new.words, new.note_words);
"""
DELETE_WORDS = """
INSERT INTO transaction_search (transaction_search, rowid, words, note_words)
VALUES ('delete', old.id, old.words, old.note_words);
"""
SEARCH_TRIGGERS = (
    f"""
CREATE TRIGGER transaction_search_insert AFTER INSERT ON "transaction"
BEGIN {ADD_WORDS} END
""",
    f"""
CREATE TRIGGER transaction_search_delete AFTER DELETE ON "transaction"
BEGIN {DELETE_WORDS} END
""",
    f"""
CREATE TRIGGER transaction_search_update AFTER UPDATE OF words, note_words ON "transaction"
WHEN old.words <> new.words OR old.note_words <> new.note_words
BEGIN {DELETE_WORDS} {ADD_WORDS} END
""",
)

# PostgreSQL's search index: the words as they are, with no dictionary.
SEARCH_INDEX = """
CREATE INDEX ix_transaction_words ON "transaction"
USING gin (array_to_tsvector(string_to_array(ltrim(words || note_words), ' ')))
"""


def upgrade():
    create_people()
    create_connections()
    create_pulls()
    create_webhooks()
    create_transactions()
    create_transaction_indexes()
    create_edits()
    create_reports()
    create_recurring()


def downgrade():
    for table in ("recurring_payment", "recurring_stream", "monthly_total", "balance"):
        op.drop_table(table)
    for table in ("edit_row", "edit", "transaction"):
        op.drop_table(table)
    if not is_postgresql():
        op.execute("DROP TABLE transaction_search")
    for table in ("received_page", "webhook", "webhook_key", "pull_item", "pull"):
        op.drop_table(table)
    for table in ("former_account", "account", "item", "user"):
        op.drop_table(table)


def is_postgresql():
    return op.get_bind().dialect.name == "postgresql"


def belongs_to(table, owner):
    """A foreign key named as the models name it: the row goes when its owner goes."""
    column = f"{owner}_id"
    return sa.ForeignKeyConstraint(
        [column], [f"{owner}.id"], name=op.f(f"fk_{table}_{column}_{owner}"), ondelete="CASCADE"
    )


def create_people():
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("username_key", sa.String(length=256), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=512), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=False),
        sa.Column("ledger_revision", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email_key", name=op.f("uq_user_email_key")),
        sa.UniqueConstraint("username_key", name=op.f("uq_user_username_key")),
    )


def create_connections():
    op.create_table(
        "item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("plaid_item_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=True),
        sa.Column("institution_name", sa.Text(), nullable=True),
        sa.Column("access_token", sa.LargeBinary(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("update_status", sa.Text(), nullable=True),
        sa.Column("sync_requested", sa.Integer(), nullable=False),
        sa.Column("sync_applied", sa.Integer(), nullable=False),
        sa.Column("synced_at", MOMENT, nullable=True),
        sa.Column("swept_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=True),
        sa.Column("streams_at", MOMENT, nullable=True),
        sa.Column("streams_refusal", sa.Text(), nullable=True),
        belongs_to("item", "user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint("plaid_item_id", name=op.f("uq_item_plaid_item_id")),
    )
    op.create_index(op.f("ix_item_user_id"), "item", ["user_id"])
    op.create_table(
        "account",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("plaid_account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("official_name", sa.Text(), nullable=True),
        sa.Column("mask", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subtype", sa.Text(), nullable=True),
        sa.Column("available", sa.BigInteger(), nullable=True),
        sa.Column("current", sa.BigInteger(), nullable=True),
        sa.Column("limit", sa.BigInteger(), nullable=True),
        sa.Column("iso_currency_code", sa.Text(), nullable=True),
        sa.Column("unofficial_currency_code", sa.Text(), nullable=True),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("persistent_account_id", sa.Text(), nullable=True),
        belongs_to("account", "item"),
        belongs_to("account", "user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint(
            "item_id", "plaid_account_id", name=op.f("uq_account_item_id_plaid_account_id")
        ),
    )
    op.create_index(op.f("ix_account_user_id"), "account", ["user_id"])
    op.create_table(
        "former_account",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("plaid_account_id", sa.Text(), nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        belongs_to("former_account", "account"),
        belongs_to("former_account", "item"),
        sa.PrimaryKeyConstraint("item_id", "plaid_account_id", name=op.f("pk_former_account")),
    )
    op.create_index(op.f("ix_former_account_account_id"), "former_account", ["account_id"])


def create_pulls():
    op.create_table(
        "pull",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("asked_by", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("institution_id", sa.String(length=64), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("end_date", sa.Date(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("run_after", MOMENT, nullable=False),
        sa.Column("rung_at", MOMENT, nullable=True),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("heartbeat_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        belongs_to("pull", "user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pull")),
    )
    op.create_index("ix_pull_state_run_after", "pull", ["state", "run_after"])
    op.create_index("ix_pull_user_id_id", "pull", ["user_id", "id"])
    default_of_kept = None if is_postgresql() else "0"  # for an INSERT by hand; the app sets both
    op.create_table(
        "pull_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pull_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("modified", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("accounts_kept", sa.Integer(), nullable=False, server_default=default_of_kept),
        sa.Column("kept", sa.Integer(), nullable=False, server_default=default_of_kept),
        belongs_to("pull_item", "item"),
        belongs_to("pull_item", "pull"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pull_item")),
        sa.UniqueConstraint("pull_id", "item_id", name=op.f("uq_pull_item_pull_id_item_id")),
    )
    op.create_index(op.f("ix_pull_item_item_id"), "pull_item", ["item_id"])


def create_webhooks():
    op.create_table(
        "webhook_key",
        sa.Column("kid", sa.String(length=128), nullable=False),
        sa.Column("jwk", sa.Text(), nullable=True),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_webhook_key")),
    )
    op.create_table(
        "webhook",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("plaid_item_id", sa.Text(), nullable=True),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("handled_at", MOMENT, nullable=True),
        belongs_to("webhook", "item"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sa.UniqueConstraint("token", name=op.f("uq_webhook_token")),
    )
    op.create_index(op.f("ix_webhook_item_id"), "webhook", ["item_id"])


def create_transactions():
    # The account's own keys already guard the person and the Item. PostgreSQL spent a third of the
    # time it takes to store a row on checking all three keys again; SQLite checks almost for free.
    owners = ("account",) if is_postgresql() else ("account", "item", "user")
    op.create_table(
        "transaction",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("plaid_transaction_id", sa.Text(), nullable=False),
        sa.Column("pending_transaction_id", sa.Text(), nullable=True),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("authorized_date", sa.Date(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("iso_currency_code", sa.Text(), nullable=True),
        sa.Column("unofficial_currency_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("merchant_name", sa.Text(), nullable=True),
        sa.Column("category_primary", sa.Text(), nullable=True),
        sa.Column("category_detailed", sa.Text(), nullable=True),
        sa.Column("payment_channel", sa.Text(), nullable=True),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.Column("own_category", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("edited_at", MOMENT, nullable=True),
        sa.Column("words", sa.Text(), nullable=False, server_default=""),
        sa.Column("note_words", sa.Text(), nullable=False, server_default=""),
        sa.Column("title_key", SORT_KEY, nullable=False, server_default=""),
        sa.Column(
            "size", sa.BigInteger(), sa.Computed("abs(amount)", persisted=True), nullable=False
        ),
        sa.Column("page_id", sa.BigInteger(), nullable=True),
        *(belongs_to("transaction", owner) for owner in owners),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transaction")),
        sa.UniqueConstraint(
            "item_id",
            "plaid_transaction_id",
            name=op.f("uq_transaction_item_id_plaid_transaction_id"),
        ),
    )
    op.create_table(
        "received_page",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        belongs_to("received_page", "item"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received_page")),
    )
    op.create_index(op.f("ix_received_page_item_id"), "received_page", ["item_id"])


def create_transaction_indexes():
    create_partial_index("shown", ["user_id", "date", "id"], SHOWN)
    op.create_index("ix_transaction_account_id_date", "transaction", ["account_id", "date"])
    create_partial_index("by_size", ["user_id", "size", "id"], SHOWN)
    create_partial_index("by_title", ["user_id", "title_key", "id"], SHOWN)
    is_true = "IS true" if is_postgresql() else "IS 1"
    for flag in ("hidden", "pending"):
        create_partial_index(flag, ["user_id", "date", "id"], f"{SHOWN} AND {flag} {is_true}")
    create_partial_index("removed", ["item_id"], "removed_at IS NOT NULL")
    if is_postgresql():
        op.execute(SEARCH_INDEX)
    else:
        for statement in (SEARCH_TABLE, *SEARCH_TRIGGERS):
            op.execute(statement)


def create_partial_index(name, columns, condition):
    where = sa.text(condition)
    op.create_index(
        f"ix_transaction_{name}",
        "transaction",
        columns,
        postgresql_where=where,
        sqlite_where=where,
    )


def create_edits():
    op.create_table(
        "edit",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        belongs_to("edit", "user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edit")),
    )
    op.create_index(op.f("ix_edit_user_id"), "edit", ["user_id"])
    op.create_table(
        "edit_row",
        sa.Column("edit_id", BIG_ID, nullable=False),
        sa.Column("transaction_id", BIG_ID, nullable=False),
        sa.Column("own_category", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("note_words", sa.Text(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("edited_at", MOMENT, nullable=True),
        belongs_to("edit_row", "edit"),
        belongs_to("edit_row", "transaction"),
        sa.PrimaryKeyConstraint("edit_id", "transaction_id", name=op.f("pk_edit_row")),
    )
    op.create_index(op.f("ix_edit_row_transaction_id"), "edit_row", ["transaction_id"])


def create_reports():
    op.create_table(
        "balance",
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("current", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        belongs_to("balance", "account"),
        sa.PrimaryKeyConstraint("account_id", "date", name=op.f("pk_balance")),
    )
    op.create_table(
        "monthly_total",
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("money_in", sa.BigInteger(), nullable=False),
        sa.Column("money_out", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("hidden", sa.Integer(), nullable=False),
        belongs_to("monthly_total", "account"),
        sa.PrimaryKeyConstraint(
            "account_id", "month", "category", "currency", name=op.f("pk_monthly_total")
        ),
    )


def create_recurring():
    op.create_table(
        "recurring_stream",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
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
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("vanished_at", MOMENT, nullable=True),
        belongs_to("recurring_stream", "account"),
        belongs_to("recurring_stream", "item"),
        belongs_to("recurring_stream", "user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recurring_stream")),
        sa.UniqueConstraint(
            "item_id", "plaid_stream_id", name=op.f("uq_recurring_stream_item_id_plaid_stream_id")
        ),
    )
    op.create_index(op.f("ix_recurring_stream_account_id"), "recurring_stream", ["account_id"])
    op.create_index(op.f("ix_recurring_stream_user_id"), "recurring_stream", ["user_id"])
    op.create_table(
        "recurring_payment",
        sa.Column("plaid_transaction_id", sa.Text(), nullable=False),
        sa.Column("stream_id", BIG_ID, nullable=False),
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
    op.create_index(op.f("ix_recurring_payment_stream_id"), "recurring_payment", ["stream_id"])
