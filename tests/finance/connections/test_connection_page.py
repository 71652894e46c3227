"""The page of one connection: why nothing is new, its history, and what Plaid's support needs."""

from datetime import UTC, datetime, timedelta

import pytest

from plaidapp.extensions import db
from plaidapp.store import Item, LinkResult, LinkSession
from plaidapp.store.connections import item_states, state_changes
from plaidapp.store.pulls import kinds, pulls
from tests.pages import Page

PATH = "/finance/items/1"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
USUAL = {
    "state": item_states.GOOD,
    "update_status": item_states.COMPLETE,
    "synced_at": NOW - 10 * MINUTE,
    "changed_at": NOW - 2 * DAY,
    "bank_updated_at": NOW - HOUR,
}
CLEAR = {
    "bank_failed_at": None,
    "refreshed_at": None,
    "failing_since": None,
    "failing_message": None,
    "preparing_since": None,
    "sync_refusal": None,
}
CONCLUSIONS = {  # fields of the Item, and the sentence
    "nothing new": ({}, "The bank has had nothing new since Tuesday at 12:00 PM UTC;"),
    "when we asked": ({}, "; last checked today at 11:50 AM UTC."),
    "the bank is silent": (
        {"bank_updated_at": NOW - 2 * DAY},
        "The bank has delivered nothing to Plaid since Tuesday at 12:00 PM UTC; last checked today",
    ),
    "Plaid fails at the bank": (
        {"bank_failed_at": NOW - MINUTE},
        "Plaid has had nothing from the bank since 11:00 AM UTC; its last try, today at"
        " 11:59 AM UTC, failed.",
    ),
    "it failed before": (
        {"bank_failed_at": NOW - 3 * HOUR},
        "The bank has had nothing new since Tuesday",
    ),
    "Plaid does not say": (
        {"bank_updated_at": None},
        "The bank has had nothing new since Tuesday",
    ),
    "there is something new": (
        {"changed_at": NOW - 10 * MINUTE},
        "Latest update Something new arrived today at 11:50 AM UTC.",
    ),
    "the bank was asked to look": (
        {"refreshed_at": NOW - MINUTE},
        "Plaid was asked to check the bank today at 11:59 AM UTC. A sync follows.",
    ),
    "never a transaction": (
        {"changed_at": None},
        "The bank has sent no transactions so far; last checked today",
    ),
    "a log-in is needed": (
        {"state": item_states.LOGIN_REQUIRED},
        "Nothing new can arrive while the connection isn’t working.",
    ),
    "disconnected": (
        {"state": item_states.DISCONNECTED},
        "This connection has ended, so nothing new arrives.",
    ),
    "an error": (
        {"state": item_states.ERROR},
        "Nothing new can arrive while the connection isn’t working.",
    ),
    "syncs fail": (
        {"failing_since": NOW - HOUR, "failing_message": "No."},
        "Syncs have failed since 11:00 AM UTC. They are tried again automatically.",
    ),
    "never synced": (
        {"synced_at": None},
        "The bank has not answered for the first time yet.",
    ),
    "preparing": (
        {"preparing_since": NOW - HOUR, "update_status": item_states.RECENT},
        "The bank has been preparing its history since 11:00 AM UTC.",
    ),
    "no transactions": (
        {"sync_refusal": "PRODUCTS_NOT_SUPPORTED"},
        "This bank provides no transactions.",
    ),
}


@pytest.fixture
def item(app, alice, set_clock):
    """A connection of Alice's, in the middle of the day; returns what changes it."""
    set_clock(NOW.isoformat())
    with app.app_context():
        db.session.add(
            Item(
                user_id=alice.id,
                plaid_item_id="item-of-alice",
                institution_id="ins_1",
                institution_name="Tartan Bank",
                access_token=b"sealed",
                created_at=NOW - 9 * DAY,
                **USUAL,
            )
        )
        db.session.commit()

    def change(**values):
        with app.app_context():
            db.session.execute(db.update(Item).values(USUAL | values))
            db.session.commit()

    return change


def why(person):
    return Page(person.client.get(PATH).text).find(id="why")[1]


def test_why_is_nothing_new_has_one_plain_conclusion(alice, item, subtests):
    for name, (changes, sentence) in CONCLUSIONS.items():
        with subtests.test(name):
            item(**CLEAR | changes)
            assert sentence in why(alice)


def test_its_facts_are_named(app, alice, item, tell, ask, pull, subtests):
    assert "Last syncToday at 11:50 AM UTC" in why(alice)
    assert "Plaid can’t reach this app" in why(alice)
    assert "Waitingnothing" in why(alice)
    assert "Next syncNovember 27 at 11:50 AM UTC" in why(alice)

    (row,) = ask(Item)
    tell(row, "ITEM", "NEW_ACCOUNTS_AVAILABLE")
    pull(kind=kinds.TRANSACTIONS, run_after=NOW + HOUR)
    text = why(alice)
    assert "Last notificationThe bank has new accountsToday at 12:00 PM UTC" in text
    assert "a request that starts today at 1:00 PM UTC" in text

    pull(kind=kinds.TRANSACTIONS, state=pulls.RUNNING)
    item(refreshed_at=NOW - MINUTE)
    text = why(alice)
    assert "A sync is running now." in text
    assert "a sync that is running" in text
    assert "Bank asked againToday at 11:59 AM UTC" in text

    item(state=item_states.REVOKED)
    assert "Next syncnone in this state" in why(alice)
    item(state=item_states.DISCONNECTED)
    assert "Last sync" in why(alice)
    assert "Next sync" not in why(alice)  # nothing of it is still to come


def test_the_states_and_the_notifications_are_listed_newest_first(app, alice, item, tell, ask):
    with app.app_context():
        for state, code, sentence in (
            (item_states.LOGIN_REQUIRED, "ITEM_LOGIN_REQUIRED", "The bank needs you."),
            (item_states.GOOD, None, None),
        ):
            state_changes.set_state(1, state, code, sentence)
        db.session.commit()
    (row,) = ask(Item)
    tell(row, "ITEM", "LOGIN_REPAIRED")
    tell(row, "NEWS", "UNHEARD_OF")

    page = Page(alice.client.get(PATH).text)
    states, webhooks = page.find(id="states")[1], page.find(id="webhooks")[1]
    assert states.index("Working") < states.index("Needs a new log-in") < states.index("Connected")
    assert "The bank needs you. DetailsITEM_LOGIN_REQUIRED" in states
    assert webhooks.index("needs nothing here DetailsNEWS UNHEARD_OF") < webhooks.index(
        "The log-in works again"
    )
    assert "DetailsITEM LOGIN_REPAIRED" in webhooks


def test_plaids_support_gets_ids_and_times_and_no_token(app, connected, ask, bank_server):
    with app.app_context():
        made, other = (
            LinkSession(
                user_id=connected.id,
                purpose="connect",
                link_session_id=name,
                request_id=f"request-{name}",
                exit_status="requires_credentials",
                sealed_token=b"link-secret",
            )
            for name in ("session-made", "session-other")
        )
        db.session.add_all([made, other])
        db.session.flush()
        db.session.add(
            LinkResult(
                session_id=made.id,
                token_hash="h",
                accounts="[]",
                item_id=1,
                expires_at=NOW,
            )
        )
        (item,) = db.session.scalars(db.select(Item)).all()
        token = app.extensions["cipher"].decrypt(item.token)
        db.session.commit()

    answer = connected.client.get(PATH)

    _, text = Page(answer.text).find(id="support")
    assert "For Plaid’s support" in text
    for part in (
        f"Item id: {item.plaid_item_id}",
        "Institution id: ins_109508",
        "Environment: sandbox",
        "State: good",
        "Last successful /transactions/sync: 20",
        "session-made request-session-made requires_credentials",
    ):
        assert part in text
    assert "session-other" not in text
    assert "link-secret" not in answer.text
    assert token not in answer.text
    requests = [part.request_id for part in ask(pulls.PullItem) if part.request_id]
    assert requests
    assert all(each in text for each in requests)


def test_another_persons_states_and_notifications_are_a_404(item, charlie):
    assert charlie.client.get(PATH).status_code == 404
