"""Updates by a bank on days that a test chooses."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.store import Balance
from plaidapp.store.base import types
from plaidapp.store.base.sums import joined
from plaidapp.store.connections import accounts, balances
from plaidapp.store.reports import derived
from plaidapp.store.transactions import item_rows
from tests import stored

TODAY = date(2026, 3, 10)
DAY = timedelta(days=1)
TYPES = {"a": "depository", "b": "credit", "c": "loan"}


class Clock:
    """It is noon in UTC on `day`."""

    day = TODAY

    def read(self):
        return datetime.combine(self.day, time(12), UTC)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(types, "read_clock", clock.read)
    return clock


@pytest.fixture
def bank_update(owner, item, account, clock):
    """Store an update by a bank, as a sync does. Returns our account ids by Plaid's."""

    def store(sent=(), removed=(), **currents):
        listed = [
            account(key, type=TYPES[key], balances={"current": Decimal(current)})
            for key, current in currents.items()
        ]
        ids, balance_days = accounts.save(owner, item.id, listed)
        sent_ids = [row.transaction_id for row in sent] + list(removed)
        places = list(item_rows.places_of(item.id, sent_ids))
        stored.save(owner, item.id, ids, sent)
        item_rows.mark_removed(item.id, list(removed))
        changed_days = {(account_id, day) for account_id, day, _ in places}
        changed_days.update((ids[row.account_id], row.date) for row in sent)
        derived.refresh(changed_days, balance_days)
        db.session.commit()
        return ids

    db.session.execute(balances.TABLE.delete())  # the balance of the `item` fixture
    db.session.commit()
    return store


@pytest.fixture
def rows_of(context):
    """Read the stored balances of an account, all or those of one source."""

    def read(account_id, source=None):
        query = select(Balance).where(Balance.account_id == account_id).order_by(Balance.date)
        if source:
            query = query.where(Balance.source == source)
        rows = db.session.scalars(query.execution_options(populate_existing=True))
        return [(row.date, joined(row.current, row.current_high)) for row in rows]

    return read
