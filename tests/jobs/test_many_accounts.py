"""A log-in with many accounts takes as many statements as one with few: no more with each."""

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import event

from plaidapp.bank.payloads import Balances, PlaidAccount
from plaidapp.extensions import db
from plaidapp.store import Account, Balance, MonthlyTotal
from plaidapp.store.connections import account_moves, item_states, items, standby, state_changes
from plaidapp.store.connections.accounts import ids_of_item
from plaidapp.store.connections.reconnected_accounts import save_accounts
from plaidapp.store.pulls import kinds
from sandbox import custom_users

FEW, MANY, DAYS = 60, 300, 3
"""FEW accounts have a row each, more in a day than the overview shows, and more than PostgreSQL
stores without a temporary table."""
PAGES = (
    *("/finance/", "/finance/items", "/finance/items/{item}", "/finance/accounts.json"),
    *("/finance/recurring", "/finance/spending"),
)


@pytest.fixture
def log_in(today, monkeypatch):
    """Return a custom user's log-in: accounts with one row each, over a few months."""

    monkeypatch.setattr(custom_users, "MAX_ACCOUNTS", MANY)

    def build(accounts):
        day = [(today - timedelta(days=30 * age)).isoformat() for age in range(DAYS)]
        listed = [
            {
                "type": "depository",
                "subtype": "checking",
                "meta": {"name": f"Checking {number}"},
                "numbers": {"account": f"{accounts + number:04}"},  # no two users share one
                "transactions": [
                    {
                        "date_transacted": day[number % DAYS],
                        "date_posted": day[number % DAYS],
                        "amount": number + 1,
                        "description": f"row {number}",
                    }
                ],
            }
            for number in range(accounts)
        ]
        return {"username": "user_custom", "password": json.dumps({"override_accounts": listed})}

    return build


@pytest.fixture
def count(app):
    """`count(work)` returns the statements of this thread that `work` runs."""
    counted = []

    def look(_connection, _cursor, statement, *_):
        if threading.current_thread() is threading.main_thread():
            counted.append(statement.partition("\n")[0].partition(" IN (")[0])

    def of(work, *args, **options):
        counted.clear()
        work(*args, **options)
        return list(counted)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", look)
    yield of
    event.remove(engine, "before_cursor_execute", look)


@pytest.fixture
def statements(count, link, begin, run, rewrite, log_in):
    """Return the statements of a first sync, of new balances, and of reading everything again."""

    def of(accounts, institution_id):
        given = log_in(accounts)
        items = []
        connect = count(lambda: items.append(link(institution_id, **given)))
        refresh = count(run, begin(kinds.ACCOUNTS, items=items))
        resync = count(run, begin(kinds.REPAIR, items=items))
        return [connect, refresh, resync]

    def richer(page):
        for account in page["accounts"]:
            account["balances"]["current"] += 5
        return page

    rewrite("/accounts/balance/get", richer)
    return of


def test_jobs_take_no_statements_per_account(statements):
    few, many = statements(FEW, "ins_109508"), statements(MANY, "ins_109509")

    assert many == few
    db.session.remove()
    counts = [db.session.query(table).count() for table in (Account, MonthlyTotal)]
    assert counts == [FEW + MANY] * 2
    assert db.session.query(Balance).count() > 2 * MANY


def test_a_take_over_takes_no_statements_per_account(count, app, owner):
    """Two log-ins share all their accounts, and the first one ends."""

    def statements(accounts, first, second):
        listed = [
            PlaidAccount(f"{second.id}-{number}", "depository", Balances(), "Joint")
            for number in range(accounts)
        ]
        save_accounts(owner, second.id, listed, {})
        ids = ids_of_item(second.id)
        account_moves.move({ours: f"{first.id}-{ours}" for ours in ids.values()}, first.id)
        state_changes.set_state(first.id, item_states.REVOKED, None, None)
        found = count(standby.take_over, second.id)
        assert ids_of_item(second.id) == ids
        return [statement.partition(" IN ")[0] for statement in found]

    with app.app_context():
        connected = [
            items.add(user_id=owner, plaid_item_id=f"item-{number}", access_token=b"sealed")
            for number in range(4)
        ]
        few, many = statements(FEW, *connected[:2]), statements(MANY, *connected[2:])
    assert many == few


def test_pages_take_no_statements_per_account(alice, connect, count, log_in):
    def shown(accounts, number, institution_id):
        given = log_in(accounts)
        connect(
            alice,
            institution_id=institution_id,
            override_username=given["username"],
            override_password=given["password"],
        )
        found = []
        for page in PAGES:
            path = page.format(item=number)
            found.append(count(lambda path=path: answers.append(alice.client.get(path))))
        return found

    answers = []
    few, many = shown(FEW, 1, "ins_109508"), shown(MANY, 2, "ins_109509")

    assert {answer.status_code for answer in answers} == {200}
    assert many == few
