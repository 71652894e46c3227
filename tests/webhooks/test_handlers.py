"""What each webhook does to its Item."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs import run as jobs
from plaidapp.store import Account, Item, Pull, User, Webhook
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, items
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls

SYNC_CODES = [
    "SYNC_UPDATES_AVAILABLE",
    "INITIAL_UPDATE",
    "HISTORICAL_UPDATE",
    "DEFAULT_UPDATE",
    "TRANSACTIONS_REMOVED",
]
STATES = [item_states.GOOD, item_states.LOGIN_REQUIRED, item_states.ERROR, item_states.REVOKED]
STATES += [item_states.EXPIRING, item_states.NEW_ACCOUNTS]


@pytest.fixture
def read(ask):
    """Return the Item as it is now."""

    def one(item):
        (found,) = [row for row in ask(Item) if row.id == item.id]
        return found

    return one


@pytest.fixture
def change(app):
    def write(item, **values):
        with app.app_context():
            db.session.execute(update(Item).where(Item.id == item.id).values(**values))
            db.session.commit()

    return write


@pytest.fixture
def make_item(app):
    """Add an Item without a bank, with the given fields."""

    def make(**fields):
        with app.app_context():
            user = db.session.scalars(select(User)).first()
            user = user or users.add("olive", "olive@example.com", "no hash")
            db.session.flush()
            number = len(items.everyone())
            item = items.add(
                user_id=user.id,
                plaid_item_id=f"item-{number}",
                access_token=b"",
                update_status=item_states.COMPLETE,
                **fields,
            )
            db.session.commit()
            return item

    return make


@pytest.fixture
def linked(alice, connect, ask):
    """An Item of the sandbox, with its transactions."""
    connect(alice, override_username="user_transactions_dynamic", override_password="any")
    (item,) = ask(Item)
    return item


def syncs(ask):
    """Return the pulls that read transactions, not recurring payments."""
    return [pull for pull in ask(Pull) if pull.kind != kinds.RECURRING]


def test_many_webhooks_about_transactions_start_one_sync(tell, ask, read, make_item):
    for code in SYNC_CODES:
        item = make_item()
        for _ in range(3):
            tell(item, "TRANSACTIONS", code)
        assert read(item).sync_requested == 3

    asked = [(pull.kind, pull.asked_by, pull.state) for pull in ask(Pull)]
    assert asked == [("transactions", "webhook", "queued")] * len(SYNC_CODES)


def test_the_sync_stores_the_rows(tell, ask, read, linked, work, bank_server, app):
    before = read(linked)
    for code in SYNC_CODES:
        tell(linked, "TRANSACTIONS", code)
    work()

    after = read(linked)
    assert after.sync_applied == after.sync_requested == before.sync_requested + len(SYNC_CODES)
    assert after.synced_at > before.synced_at
    assert [pull.state for pull in syncs(ask)] == ["done", "done"]


@pytest.mark.parametrize("state", STATES)
def test_only_a_revoked_item_is_not_synced(tell, ask, read, make_item, state):
    item = make_item(state=state)

    for code in SYNC_CODES:
        tell(item, "TRANSACTIONS", code)

    revoked = state == item_states.REVOKED
    assert read(item).sync_requested == (0 if revoked else len(SYNC_CODES))
    assert len(ask(Pull)) == (0 if revoked else 1)
    assert len(ask(Webhook)) == len(SYNC_CODES)


@pytest.mark.parametrize("state", STATES)
def test_a_webhook_about_recurring_payments_starts_their_pull_and_no_sync(
    tell, ask, read, make_item, state
):
    item = make_item(state=state)

    for _ in range(3):
        tell(item, "TRANSACTIONS", "RECURRING_TRANSACTIONS_UPDATE", account_ids=["a"])

    closed = state in item_states.NOT_SYNCED
    asked = [(pull.kind, pull.asked_by, pull.state) for pull in ask(Pull)]
    assert asked == ([] if closed else [("recurring", "webhook", "queued")])
    assert (read(item).sync_requested, len(ask(Webhook))) == (0, 3)


@pytest.mark.parametrize("status", [None, "INITIAL_UPDATE_COMPLETE"])
def test_recurring_payments_are_not_read_before_the_history_is_complete(
    tell, ask, make_item, change, status
):
    item = make_item()
    change(item, update_status=status)

    tell(item, "TRANSACTIONS", "RECURRING_TRANSACTIONS_UPDATE", account_ids=["a"])

    assert ask(Pull) == []
    assert ask(Webhook)[0].handled_at is not None


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("ITEM", "WEBHOOK_UPDATE_ACKNOWLEDGED"),
        ("ITEM", "USER_ACCOUNT_REVOKED"),  # without an account
    ],
)
def test_some_webhooks_need_no_action(tell, ask, read, make_item, kind, code):
    item = make_item()
    tell(item, kind, code)

    assert ask(Webhook)[0].handled_at is not None
    assert (read(item).state, read(item).sync_requested, ask(Pull)) == ("good", 0, [])


def waiting_pull(app, item, **fields):
    """A pull that connects a bank that is not ready. Its next attempt is in half a minute."""
    with app.app_context():
        later = now() + timedelta(seconds=30)
        pull = pulls.add(item.user_id, kinds.LINK, items=[item], run_after=later, **fields)
        db.session.commit()
        return pull.id


def test_a_pull_that_waits_for_a_preparing_bank_becomes_due(app, tell, ask, make_item):
    for code in SYNC_CODES:
        item = make_item(sync_requested=1)
        pull_id = waiting_pull(app, item, attempt=3)

        tell(item, "TRANSACTIONS", code)

        pull = ask(Pull)[-1]
        assert (pull.id, pull.state) == (pull_id, "queued"), code
        assert pull.run_after <= now()
        assert app.extensions["redis"].lpop("rq:queue:default") == b"pull-%d-3" % pull_id
        with app.app_context():  # a person has few pulls in the line at a time
            db.session.execute(update(Pull).values(state=pulls.DONE))
            db.session.commit()


def test_a_pull_that_waits_after_a_failure_keeps_waiting(app, tell, ask, read, make_item):
    item = make_item(sync_requested=1)
    waiting_pull(app, item, attempt=1, failures=1)

    tell(item, "TRANSACTIONS", "SYNC_UPDATES_AVAILABLE")

    (pull,) = ask(Pull)
    assert pull.run_after > now() + timedelta(seconds=20)
    assert app.extensions["redis"].llen("rq:queue:default") == 0
    assert read(item).sync_requested == 2


@pytest.mark.both_databases
def test_a_webhook_during_a_pull_makes_it_sync_again(
    app, tell, ask, read, linked, bank_server, poll
):
    tell(linked, "TRANSACTIONS", "DEFAULT_UPDATE")
    pull_id = max(pull.id for pull in ask(Pull))

    def run():
        with app.app_context():
            jobs.run(pull_id)

    def asked():
        return bank_server.faults.rulebook.report()["calls"].get("/transactions/sync", 0)

    before = asked()
    bank_server.misbehave(path="/transactions/sync", kind="delay", seconds=60, times=1)
    worker = threading.Thread(target=run)
    worker.start()
    poll(lambda: asked() > before, what="the call to the bank")
    for _ in range(3):
        tell(linked, "TRANSACTIONS", "SYNC_UPDATES_AVAILABLE")
    assert read(linked).is_behind
    bank_server.faults.rulebook.replace([])  # ends the delayed call
    worker.join()

    after = read(linked)
    assert after.sync_applied == after.sync_requested
    assert [(pull.id, pull.state) for pull in syncs(ask)][1:] == [(pull_id, "done")]
    assert asked() == before + 2


LOGIN = {
    "error_type": "ITEM_ERROR",
    "error_code": "ITEM_LOGIN_REQUIRED",
    "error_message": "the login details of this item have changed",
    "display_message": None,
    "status": 400,
}
DOWN = {"error_type": "INSTITUTION_ERROR", "error_code": "INSTITUTION_DOWN", "error_message": "x"}
WITH_DISPLAY_MESSAGE = {
    "error_type": "ITEM_ERROR",
    "error_code": "NEW_IN_2031",
    "error_message": "for developers",
    "display_message": "Look into your mail.",
}
REPORTS_A_PROBLEM = "The bank reports a problem with this connection."
ERRORS = {
    "log-in": ({"error": LOGIN}, "login_required", "The bank needs you to log in again."),
    "display message": ({"error": WITH_DISPLAY_MESSAGE}, "error", "Look into your mail."),
    "null": ({"error": None}, "error", REPORTS_A_PROBLEM),
    "text": ({"error": "ITEM_LOGIN_REQUIRED"}, "error", REPORTS_A_PROBLEM),
    "absent": ({}, "error", REPORTS_A_PROBLEM),
}


@pytest.mark.parametrize(("fields", "state", "sentence"), ERRORS.values(), ids=ERRORS)
def test_an_error_becomes_a_state_and_a_sentence(
    tell, ask, read, make_item, fields, state, sentence
):
    item = make_item()
    tell(item, "ITEM", "ERROR", **fields)

    after = read(item)
    assert (after.state, after.error_message) == (state, sentence)
    error = fields.get("error")
    assert after.error_code == (error["error_code"] if isinstance(error, dict) else None)
    asked = [] if isinstance(error, dict) else [kinds.STATUS]  # Plaid knows what is wrong
    assert [pull.kind for pull in ask(Pull)] == asked


def test_an_error_that_may_pass_is_no_state(tell, ask, read, make_item):
    item = make_item()
    tell(item, "ITEM", "ERROR", error=DOWN)

    after = read(item)
    assert (after.state, after.error_code) == ("good", None)
    assert after.failing_message == "The bank is down right now."
    assert (after.failing_code, ask(Pull)) == ("INSTITUTION_DOWN", [])


def test_a_revoked_permission_may_come_as_an_error(tell, read, make_item):
    item = make_item()
    error = {"error_type": "INVALID_INPUT", "error_code": "USER_PERMISSION_REVOKED"}
    tell(item, "ITEM", "ERROR", error=error | {"error_message": "m"})
    assert read(item).state == "revoked"


def test_a_repaired_log_in_makes_the_item_good_and_starts_a_sync(tell, ask, read, make_item):
    item = make_item(state=item_states.LOGIN_REQUIRED, error_code="X", error_message="Log in.")
    tell(item, "ITEM", "LOGIN_REPAIRED")

    after = read(item)
    assert (after.state, after.error_code, after.error_message) == ("good", None, None)
    assert after.sync_requested == 1
    assert [pull.asked_by for pull in ask(Pull)] == ["webhook"]


@pytest.mark.parametrize("state", STATES)
def test_new_accounts_are_announced_unless_the_item_has_a_problem(tell, read, make_item, state):
    item = make_item(state=state, error_message="before")
    tell(item, "ITEM", "NEW_ACCOUNTS_AVAILABLE")

    after = read(item)
    if state == item_states.GOOD:
        assert after.state == "new_accounts"
        assert after.error_message == "The bank has new accounts to share."
    else:
        assert (after.state, after.error_message) == (state, "before")


EXPIRING = [
    ("PENDING_EXPIRATION", {"consent_expiration_time": "2031-02-03T23:59:59Z"}, "2031-02-03"),
    (
        "PENDING_DISCONNECT",
        {"disconnect_time": "2031-02-03T00:00:00Z", "reason": "INSTITUTION_MIGRATION"},
        "2031-02-03",
    ),
    ("PENDING_EXPIRATION", {"consent_expiration_time": "one day"}, None),
    ("PENDING_EXPIRATION", {"consent_expiration_time": None}, None),
    ("PENDING_DISCONNECT", {}, None),
]


@pytest.mark.parametrize(("code", "fields", "day"), EXPIRING)
def test_the_end_of_a_permission_is_announced_with_its_date(
    tell, read, make_item, code, fields, day
):
    item = make_item()
    tell(item, "ITEM", code, **fields)

    after = read(item)
    when = f"on {day}" if day else "soon"
    assert after.state == "expiring"
    assert after.error_message.startswith(f"Access to this bank ends {when}. Log in")
    assert (after.consent_expires_at is not None) == (day is not None)
    assert after.expiry_reason == fields.get("reason")


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        ("2031-02-03T23:59:59Z", "Asia/Tokyo", "on 2031-02-04"),
        ("2031-02-03T00:00:00Z", "America/Los_Angeles", "on 2031-02-02"),
        ("2031-02-03", "America/Los_Angeles", "on 2031-02-03"),
        ("9999-12-31T23:59:59Z", "Asia/Tokyo", "soon"),
    ],
)
def test_the_end_of_a_permission_is_on_the_persons_day(
    tell, read, make_item, alice, live_in, moment, zone, day
):
    live_in(alice, zone)
    item = make_item()
    tell(item, "ITEM", "PENDING_EXPIRATION", consent_expiration_time=moment)
    assert read(item).error_message.startswith(f"Access to this bank ends {day}. Log in")


@pytest.mark.parametrize("state", [item_states.LOGIN_REQUIRED, item_states.REVOKED])
def test_an_announced_end_does_not_hide_an_expired_log_in(tell, read, make_item, state):
    item = make_item(state=state, error_message="before")
    tell(item, "ITEM", "PENDING_EXPIRATION", consent_expiration_time="2031-02-03T23:59:59Z")

    assert (read(item).state, read(item).error_message) == (state, "before")


def test_a_revoked_permission_stops_the_syncs(app, tell, ask, read, change, make_item):
    item = make_item(sync_requested=1)
    tell(item, "ITEM", "USER_PERMISSION_REVOKED", error=LOGIN)

    assert read(item).state == "revoked"
    assert "revoked access" in read(item).error_message

    tell(item, "TRANSACTIONS", "SYNC_UPDATES_AVAILABLE")
    long_ago = now() - timedelta(days=30)
    change(item, synced_at=long_ago, swept_at=long_ago, created_at=long_ago, update_status=None)
    with app.app_context():
        clock.ask_for_neglected()
    assert ask(Pull) == []


def test_a_revoked_permission_stays_revoked_until_it_is_given_again(tell, read, make_item):
    item = make_item(state=item_states.REVOKED)
    tell(item, "ITEM", "ERROR", error=DOWN)
    assert read(item).state == "revoked"

    tell(item, "ITEM", "LOGIN_REPAIRED")
    assert read(item).state == "good"


def test_a_running_pull_does_not_undo_the_revocation(tell, ask, read, linked, work, bank_server):
    tell(linked, "TRANSACTIONS", "DEFAULT_UPDATE")
    tell(linked, "ITEM", "USER_PERMISSION_REVOKED")
    bank_server.misbehave(
        path="/transactions/sync",
        kind="error",
        status=400,
        error_type="ITEM_ERROR",
        error_code="ITEM_NOT_FOUND",
    )
    work()

    assert [pull.state for pull in syncs(ask)] == ["done", "failed"]
    assert read(linked).state == "revoked"


def test_a_revoked_account_is_closed(tell, ask, linked, make_item):
    first, second, *_ = ask(Account)
    tell(make_item(), "ITEM", "USER_ACCOUNT_REVOKED", account_id=second.plaid_account_id)
    tell(linked, "ITEM", "USER_ACCOUNT_REVOKED", account_id="no such account")
    assert not any(account.closed_at for account in ask(Account))

    tell(linked, "ITEM", "USER_ACCOUNT_REVOKED", account_id=first.plaid_account_id)
    assert [account.id for account in ask(Account) if account.closed_at] == [first.id]


def test_a_successful_sync_ends_an_error(read, linked, change, work, alice):
    for state in STATES:
        change(linked, state=state, error_code="CODE", error_message="sentence")
        alice.client.post(f"/finance/items/{linked.id}/sync")
        work()

        after = read(linked)
        assert not after.is_behind
        mended = state in (item_states.LOGIN_REQUIRED, item_states.ERROR)
        assert after.state == ("good" if mended else state)
        assert after.error_code == (None if mended else "CODE")
        assert after.error_message == (None if mended else "sentence")


CHANGES = [
    ("ERROR", {"error": LOGIN}),
    ("LOGIN_REPAIRED", {}),
    ("NEW_ACCOUNTS_AVAILABLE", {}),
    ("PENDING_EXPIRATION", {}),
    ("USER_PERMISSION_REVOKED", {}),
    ("USER_ACCOUNT_REVOKED", {"account_id": "x"}),
]


def test_every_change_increments_the_ledger_revision(tell, ask, make_item):
    for code, fields in CHANGES:
        (before,) = ask(User.ledger_revision) or [0]
        tell(make_item(), "ITEM", code, **fields)
        assert ask(User.ledger_revision) == [before + 1], code


def test_the_owner_reads_what_happened(tell, linked, alice):
    tell(linked, "ITEM", "ERROR", error=LOGIN)
    for path in ("/finance/", f"/finance/items/{linked.id}"):
        assert "First Platypus Bank needs you to log in." in alice.client.get(path).text
