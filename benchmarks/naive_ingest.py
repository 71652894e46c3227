"""The naive way to ingest: plaid-python's typed models, and a select and an add per row."""

import time
from datetime import date
from decimal import Decimal

import plaid
from plaid.api import plaid_api
from plaid.model.transactions_sync_request import TransactionsSyncRequest
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.prepared_database import PreparedDatabase
from plaidapp.extensions import db

Date = date  # inside the model, `date` is a column


class NaiveBase(DeclarativeBase):
    pass


class NaiveTransaction(NaiveBase):
    """The plain table of benchmarks/bare_driver.py as a model."""

    __tablename__ = "naive"
    __table_args__ = (UniqueConstraint("item_id", "transaction_id"), Index("page", "date", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int]
    account_id: Mapped[str]
    transaction_id: Mapped[str]
    pending_transaction_id: Mapped[str | None]
    date: Mapped[Date]
    authorized_date: Mapped[Date | None]
    amount: Mapped[Decimal]
    iso_currency_code: Mapped[str | None]
    unofficial_currency_code: Mapped[str | None]
    name: Mapped[str]
    merchant_name: Mapped[str | None]
    payment_channel: Mapped[str]
    category_primary: Mapped[str]
    category_detailed: Mapped[str]
    pending: Mapped[bool]


SAME_NAMES = (
    "account_id", "pending_transaction_id", "date", "authorized_date", "iso_currency_code",
    "unofficial_currency_code", "name", "merchant_name", "payment_channel", "pending",
)  # fmt: skip


def ingest(prepared: PreparedDatabase) -> float:
    """Return rows per second for one page of 500 rows. Each further page costs the same."""
    with prepared.copy() as app:
        NaiveBase.metadata.create_all(db.engine)
        configuration = plaid.Configuration(
            host=app.config["PLAIDAPP"].plaid_url,
            api_key={"clientId": "local", "secret": "local"},
        )
        api = plaid_api.PlaidApi(plaid.ApiClient(configuration))
        start = time.perf_counter()
        request = TransactionsSyncRequest(access_token=prepared.token, cursor="", count=500)
        page = api.transactions_sync(request)
        for sent in page.added:
            query = db.select(NaiveTransaction).filter_by(
                item_id=prepared.item_id, transaction_id=sent.transaction_id
            )
            row = db.session.scalar(query)
            if row is None:
                row = NaiveTransaction(item_id=prepared.item_id, transaction_id=sent.transaction_id)
                db.session.add(row)
            for name in SAME_NAMES:
                setattr(row, name, sent[name])
            row.amount = Decimal(str(sent.amount))
            row.category_primary = sent.personal_finance_category.primary
            row.category_detailed = sent.personal_finance_category.detailed
        db.session.commit()
        return len(page.added) / (time.perf_counter() - start)
