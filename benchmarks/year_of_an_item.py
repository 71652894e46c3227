"""How much does a connection add to the database in a year, with the nightly deletion?

A year goes by in fast motion, with the app's own jobs. On each day, Plaid's webhook tells of two
new transactions, a sync stores them, another sync finds nothing, Plaid is asked when the bank last
delivered data, and the night deletes what is too old.
"""

import json
from datetime import UTC, datetime, timedelta

import msgspec
from flask_migrate import upgrade
from sqlalchemy import select, text

from benchmarks import harness
from benchmarks.pages import NO_REDIS
from plaidapp import create_app
from plaidapp.bank.client import Bank
from plaidapp.bank.link_payloads import ItemAnswer, ItemDetails
from plaidapp.bank.payloads import Accounts, Recurring
from plaidapp.extensions import db
from plaidapp.jobs import run as jobs
from plaidapp.jobs.pulls import item_requests
from plaidapp.jobs.retention import prune
from plaidapp.sealing import Sealed
from plaidapp.store import Item, Pull
from plaidapp.store.base import types
from plaidapp.store.connections import items
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls
from plaidapp.store.webhooks import deliveries
from tests.conftest import make_config

ITEMS, DAYS = 4, 365
QUICK_ITEMS, QUICK_DAYS = 2, 20
YEAR = 365
WEBHOOK = json.dumps(
    {
        "webhook_type": "TRANSACTIONS",
        "webhook_code": "SYNC_UPDATES_AVAILABLE",
        "item_id": "x" * 37,
        "initial_update_complete": True,
        "historical_update_complete": True,
        "environment": "production",
    }
)
SIZES = {
    "PostgreSQL": "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables",
    "SQLite": "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name) GROUP BY 1",
}


class DailyBank(Bank):
    """It has two new rows on each day for each Item, and a new balance of two accounts."""

    day = 0

    def sync_page(self, sealed_token: Sealed, cursor: str, *, patient: bool = False) -> bytes:
        newest = f"day {self.day}"
        rows = [self._row(number) for number in range(2)] if cursor != newest else []
        return json.dumps(
            {
                "accounts": [self._account(name) for name in ("a", "b")],
                "added": rows,
                "modified": [],
                "removed": [],
                "next_cursor": newest,
                "has_more": False,
                "transactions_update_status": "HISTORICAL_UPDATE_COMPLETE",
                "request_id": "r" * 15,
            }
        ).encode()

    def accounts(self, sealed_token: Sealed) -> Accounts:
        content = {
            "accounts": [self._account(name) for name in ("a", "b")],
            "item": {"institution_id": "ins_1"},
            "request_id": "r" * 15,
        }
        return msgspec.convert(content, Accounts, strict=False)

    def recurring(self, sealed_token: Sealed) -> Recurring:
        return Recurring([], [], "r" * 15)

    def item(self, sealed_token: Sealed) -> ItemAnswer:
        return ItemAnswer(item=ItemDetails("i"), request_id="r" * 15)

    def _account(self, name: str) -> dict[str, object]:
        return {
            "account_id": name * 37,
            "name": "Plaid Checking",
            "type": "depository",
            "balances": {"current": 1000 + self.day / 4, "iso_currency_code": "USD"},
        }

    def _row(self, number: int) -> dict[str, object]:
        day = types.now().date() - timedelta(days=1)
        return {
            "transaction_id": f"{self.day}-{number}".ljust(37, "t"),
            "account_id": "ab"[number] * 37,
            "date": str(day),
            "authorized_date": str(day),
            "amount": 12.5 + self.day,
            "iso_currency_code": "USD",
            "name": f"SPARKFUN ELECTRONICS 0{self.day}",
            "merchant_name": f"Sparkfun {self.day % 40}",
            "personal_finance_category": {
                "primary": "GENERAL_MERCHANDISE",
                "detailed": "GENERAL_MERCHANDISE_ELECTRONICS",
                "version": "v2",
            },
            "payment_channel": "in store",
            "pending": False,
            "counterparties": [{"name": "Sparkfun", "type": "merchant", "entity_id": "e" * 37}],
            "location": {"address": "300 Post St", "city": "San Francisco", "region": "CA"},
            "payment_meta": {"by_order_of": None, "payee": None, "ppd_id": None},
        }


def main() -> None:
    quick = harness.arguments(__doc__ or "").quick
    count, days = (QUICK_ITEMS, QUICK_DAYS) if quick else (ITEMS, DAYS)
    found = {kind: grown(kind, count, days) for kind in harness.DATABASES}
    names = sorted(found["PostgreSQL"], key=lambda name: -found["PostgreSQL"][name])
    rows = [[name, *(found[kind].get(name, 0) for kind in found)] for name in names]
    rows = [row for row in rows if any(row[1:])]
    rows.append(["all", *(sum(found[kind].values()) for kind in found)])
    harness.table(
        f"Bytes that an Item adds in a year, of {days} days of {count} Items", ["", *found], rows
    )


def grown(kind: str, count: int, days: int) -> dict[str, int]:
    """Return the bytes of each table, with its indexes, for an Item and a year."""
    with harness.database(kind) as url:
        app = create_app(make_config(url, NO_REDIS, "http://localhost:1"))
        bank = DailyBank("http://localhost:1", "local", "local", app.extensions["cipher"], 5)
        app.extensions["bank"] = bank
        begun = datetime.now(UTC).replace(hour=8) - timedelta(days=days)
        with app.app_context():
            upgrade()
            at(begun)
            user = users.add("olive", "olive@example.com", "no hash")
            db.session.commit()
            for number in range(count):
                fields = {"institution_id": "ins_1", "institution_name": "Bank of Loopback"}
                items.add(user_id=user.id, plaid_item_id=f"i{number}", access_token=b"", **fields)
            db.session.commit()
            live(kind, bank, begun, 1)
            before = sizes(kind)
            live(kind, bank, begun + timedelta(days=1), days)
            after = sizes(kind)
            db.session.remove()
            db.engine.dispose()
    per_year = YEAR / days / count
    return {name: round((size - before[name]) * per_year) for name, size in after.items()}


def at(moment: datetime) -> None:
    types.read_clock = lambda: moment


def live(kind: str, bank: DailyBank, begun: datetime, days: int) -> None:
    ids = [item.id for item in items.everyone()]
    for day in range(days):
        bank.day += 1
        morning = begun + timedelta(days=day)
        at(morning)
        for item_id in ids:
            sync(item_id, pulls.WEBHOOK)
        at(morning + timedelta(hours=12))
        for item_id in ids:
            sync(item_id, pulls.CLOCK)
        at(morning + timedelta(hours=20))  # the next morning, before the first webhook
        while prune.step() is not None:
            pass
        if day % 30 == 29:
            vacuum(kind)
    vacuum(kind)


def sync(item_id: int, asked_by: str) -> None:
    """Run the pull of a request, and those that it adds."""
    item = db.session.get_one(Item, item_id)
    if asked_by == pulls.WEBHOOK:
        deliveries.save(
            f"{item.id} {types.now()}".ljust(64, "x"),
            WEBHOOK,
            type="TRANSACTIONS",
            code="SYNC_UPDATES_AVAILABLE",
            plaid_item_id=item.plaid_item_id,
            item_id=item.id,
            session_id=None,
            handled=True,
        )
    item_requests.sync(item, asked_by)
    db.session.commit()
    query = select(Pull.id).where(Pull.state == pulls.QUEUED, Pull.run_after <= types.now())
    while (pull_id := db.session.scalar(query.limit(1))) is not None:
        db.session.rollback()
        jobs.run(pull_id)
    db.session.remove()


def vacuum(kind: str) -> None:
    """Do what autovacuum does within the hour, in a year that takes a minute."""
    db.session.remove()
    if kind == "PostgreSQL":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM"))


def sizes(kind: str) -> dict[str, int]:
    with db.engine.connect() as connection:
        return {name: int(size) for name, size in connection.execute(text(SIZES[kind]))}


if __name__ == "__main__":
    main()
