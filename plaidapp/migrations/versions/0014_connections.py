"""Sessions of Hosted Link, the states of connections, and how persons arrange their accounts.

Revision ID: 0014
Revises: 0013

"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ITEM = (
    ("failing_code", sa.Text()),
    ("failing_until", MOMENT),
    ("refresh_refusal", sa.Text()),
    ("refreshed_at", MOMENT),
    ("refresh_after", MOMENT),
    ("consent_expires_at", MOMENT),
    ("expiry_reason", sa.Text()),
    ("bank_updated_at", MOMENT),
    ("bank_failed_at", MOMENT),
    ("status_read_at", MOMENT),
    ("disconnected_at", MOMENT),
)
ACCOUNT = (("nickname", sa.Text()), ("position", sa.Integer()))
FLAGS = (
    ("item", "is_separate"),
    ("item", "deletes_history"),
    ("account", "is_hidden"),
    ("user", "hides_accounts"),
)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    for table, columns in (("item", ITEM), ("account", ACCOUNT)):
        for name, type_ in columns:
            op.add_column(table, sa.Column(name, type_))
    for table, name in FLAGS:
        column = sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        op.add_column(table, column)
    op.add_column("user", sa.Column("opaque_id", sa.String(32)))
    zero = {"nullable": False, "server_default": "0"}
    op.add_column("pull", sa.Column("lost_workers", sa.Integer(), **zero))
    op.create_table(
        "institution",
        sa.Column("institution_id", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text()),
        sa.Column("status", sa.Text()),
        sa.Column("status_read_at", MOMENT),
    )
    op.create_table(
        "state_change",
        sa.Column("id", BIG, primary_key=True),
        _to("item", "item_id", "CASCADE", nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_state_change_item_id", "state_change", ["item_id"])
    _create_link_session()
    _create_link_result()


def _create_link_session():
    op.create_table(
        "link_session",
        sa.Column("id", sa.Integer(), primary_key=True),
        _to("user", "user_id", "CASCADE", nullable=False),
        _to("item", "item_id", "CASCADE"),
        _to("pull", "pull_id", "SET NULL"),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("token_hash", sa.String(64)),
        sa.Column("sealed_token", sa.LargeBinary()),
        sa.Column("sealed_url", sa.LargeBinary()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("returned_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("look_requested", sa.Integer(), nullable=False),
        sa.Column("look_applied", sa.Integer(), nullable=False),
        sa.Column("looked_at", MOMENT),
        sa.Column("look_after", MOMENT),
        sa.Column("exit_code", sa.Text()),
        sa.Column("exit_message", sa.Text()),
        sa.Column("exit_status", sa.Text()),
        sa.Column("link_session_id", sa.Text()),
        sa.Column("request_id", sa.Text()),
        sa.UniqueConstraint("token_hash"),
    )
    for column in ("user_id", "pull_id", "look_after"):
        op.create_index(f"ix_link_session_{column}", "link_session", [column])


def _create_link_result():
    op.create_table(
        "link_result",
        sa.Column("id", sa.Integer(), primary_key=True),
        _to("link_session", "session_id", "CASCADE", nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("sealed_token", sa.LargeBinary()),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("institution_id", sa.Text()),
        sa.Column("institution_name", sa.Text()),
        sa.Column("accounts", sa.Text(), nullable=False),
        _to("item", "like_item_id", "SET NULL"),
        _to("item", "item_id", "SET NULL"),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_link_result_session_id", "link_result", ["session_id"])


def _to(table, name, ondelete, **options):
    key = sa.ForeignKey(f"{table}.id", ondelete=ondelete)
    return sa.Column(name, sa.Integer(), key, **options)


def downgrade():
    for table in ("link_result", "link_session", "state_change", "institution"):
        op.drop_table(table)
    op.drop_column("user", "opaque_id")
    op.drop_column("pull", "lost_workers")
    for table, columns in (("item", ITEM), ("account", ACCOUNT)):
        for name, _ in columns:
            op.drop_column(table, name)
    for table, name in FLAGS:
        op.drop_column(table, name)
