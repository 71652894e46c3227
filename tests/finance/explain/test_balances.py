"""An account's balance on a day, written out as a sum."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.formats import money
from plaidapp.store import Account, Balance, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.base.upsert import upsert
from plaidapp.store.connections import balances
from plaidapp.store.reports import derived
from tests import stored
from tests.pages import Page


def receipt(person, url):
    """The exact amounts of a receipt: the figure, then each line and result in order."""
    answer = person.htmx("GET", url)
    assert answer.status_code == 200, url
    figure, *parts = (
        Decimal(attributes["value"])
        for tag, attributes, _ in Page(answer.text).elements
        if tag == "data"
    )
    return figure, parts


@pytest.fixture
def checking(app, alice, connect, small_user):
    connect(alice, **small_user)
    with app.app_context():
        return db.session.scalars(select(Account).order_by(Account.id)).first()


def test_the_lines_add_up_to_the_balance(app, alice, checking, today):
    figure, (*lines, result) = receipt(alice, f"/finance/explain/balance/{checking.id}")

    assert figure == result == sum(lines) == checking.balance
    assert len(lines) > 1


def test_what_rows_do_not_explain_is_a_line(app, alice, checking, today):
    """The bank changes its balance without a transaction."""
    with app.app_context():
        of_today = Balance.account_id == checking.id, Balance.date == today
        db.session.execute(update(Balance).where(*of_today).values(current=Balance.current + 7))
        db.session.commit()

    answer = alice.client.get(f"/finance/explain/balance/{checking.id}")
    figure, (*lines, _) = receipt(alice, f"/finance/explain/balance/{checking.id}")

    assert "Not explained by transactions" in answer.text
    assert figure == sum(lines) == checking.balance + 7
    assert Decimal(7) in lines


def test_hidden_rows_count_and_pending_ones_do_not(app, alice, checking):
    before = receipt(alice, f"/finance/explain/balance/{checking.id}")
    with app.app_context():
        db.session.execute(update(Transaction).values(hidden=True))
        db.session.commit()

    assert receipt(alice, f"/finance/explain/balance/{checking.id}") == before


def test_a_closed_account_is_worth_nothing(app, alice, checking):
    with app.app_context():
        db.session.execute(update(Account).values(closed_at=now()))
        db.session.commit()

    figure, (*lines, _) = receipt(alice, f"/finance/explain/balance/{checking.id}")

    assert figure == sum(lines) == 0
    assert lines[0] != 0


def test_a_day_without_a_figure_is_a_404(alice, checking, subtests):
    url = f"/finance/explain/balance/{checking.id}?day="
    ends = "9999-12-31", "0001-01-01", "1899-12-31"
    for day in ("tomorrow", "2026-02-30", *ends, "20260101", "١"):
        with subtests.test(day):
            assert alice.client.get(url + day).status_code == 404


def test_a_day_long_ago_is_an_estimate(alice, checking):
    url = f"/finance/explain/balance/{checking.id}?day=1990-01-01"

    assert "estimate" in alice.client.get(url).text
    figure, (*lines, _) = receipt(alice, url)
    assert figure == sum(lines)


def test_another_persons_account_is_a_404(charlie, checking):
    assert charlie.client.get(f"/finance/explain/balance/{checking.id}").status_code == 404


def test_a_report_before_later_rows_of_its_day_is_no_confirmation(app, alice, checking, today):
    """The bank reported a balance in the morning of the day before, and a row posted after it."""
    with app.app_context():
        row = db.session.scalars(select(Transaction).where(Transaction.pending.is_(False))).first()
        yesterday, amount = today - timedelta(days=1), Decimal("41.25")
        changes = {"plaid_transaction_id": "late", "date": yesterday, "amount": amount}
        db.session.execute(stored.copy_of(row.id, **changes, account_id=checking.id))
        reported = {"account_id": checking.id, "date": yesterday, "source": balances.BANK}
        reported["current"] = checking.balance + amount
        upsert(balances.TABLE, ("account_id", "date"), [reported])
        derived.rebuild([checking.id])
        db.session.commit()

    url = f"/finance/explain/balance/{checking.id}?day="
    figure, (*lines, _) = receipt(alice, f"{url}{yesterday}")
    assert figure == sum(lines) == checking.balance
    said = money(checking.balance + amount, checking.currency)
    assert f"that day the bank reported {said}" in alice.client.get(f"{url}{yesterday}").text
    assert "Not explained by transactions" not in alice.client.get(f"{url}{today}").text
