"""What a person is told by mail about their banks: when, how often, and with which words."""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import select

from plaidapp import policy
from plaidapp.auth import bank_mails
from plaidapp.extensions import db
from plaidapp.jobs.mail import postman
from plaidapp.store import Account, Item, Mail, Notice, User
from plaidapp.store.base.types import now
from plaidapp.store.connections import checks, item_states, items, notices, state_changes
from plaidapp.store.people import preferences, users

LOGIN = (item_states.LOGIN_REQUIRED, "ITEM_LOGIN_REQUIRED")
QUIET = {"seconds": policy.NOTICE_QUIET.total_seconds()}
SITE = "https://money.example.org"


@pytest.fixture
def olive(context, owner, mailbox):
    """A person who has confirmed her address, on a site that is reached from outside."""
    context.config["PLAIDAPP"] = replace(context.config["PLAIDAPP"], public_url=SITE)
    users.by_id(owner).email_confirmed_at = now()
    db.session.commit()
    return owner


@pytest.fixture
def connect(olive):
    def add(name="Tartan Bank", **fields):
        item = items.add(user_id=olive, plaid_item_id=name, access_token=b"sealed", **fields)
        item.institution_name = name
        db.session.commit()
        return item.id

    return add


@pytest.fixture
def change(context):
    """`change(item_id, state, code)` changes the state as a worker or a webhook does."""

    def store(item_id, state, code=None):
        state_changes.set_state(item_id, state, code, "A sentence.")
        db.session.commit()

    return store


@pytest.fixture
def sent(mailbox):
    """Let the clock write and send what is due. Return the mails."""

    def send():
        db.session.remove()
        bank_mails.write_due()
        db.session.remove()
        postman.send_due()
        return mailbox.take_all()

    return send


def text_of(mail):
    return " ".join(mail.get_content().split())


def test_a_bank_that_needs_a_log_in_is_told_once_while_it_does(connect, change, sent, later):
    item_id = connect()
    change(item_id, *LOGIN)
    assert sent() == [], "it may work again soon"

    later(**QUIET)
    (mail,) = sent()
    assert (mail["To"], mail["Subject"]) == (
        "olive@example.com",
        "Tartan Bank needs you to log in again",
    )
    assert f"{SITE}/finance/items/{item_id}" in mail.get_content().splitlines()
    assert "account olive." in text_of(mail)

    for _ in range(3):
        later(days=1)
        change(item_id, item_states.LOGIN_REQUIRED, "INVALID_CREDENTIALS")
        change(item_id, *LOGIN)
        assert sent() == []


def test_what_heals_by_itself_is_not_told(connect, change, sent, later):
    item_id = connect()
    change(item_id, *LOGIN)
    later(minutes=9)
    change(item_id, item_states.GOOD)
    later(days=3)

    assert sent() == []
    assert db.session.scalars(select(Notice.due_at)).all() == [None], "it is looked at for ever"


def test_what_comes_and_goes_is_told_in_the_end_and_once_a_day(connect, change, sent, later):
    item_id, mails = connect(), []
    for _ in range(12):  # an hour
        change(item_id, *LOGIN)
        later(minutes=4)
        mails += sent()
        change(item_id, item_states.GOOD)
        later(minutes=1)
        mails += sent()
    assert len(mails) <= 1

    change(item_id, *LOGIN)
    later(days=1)
    mails += sent()
    later(days=1)

    assert sent() == []
    assert 1 <= len(mails) <= 2


def test_the_same_bank_is_told_again_on_another_day(connect, change, sent, later):
    item_id = connect()
    change(item_id, *LOGIN)
    later(**QUIET)
    assert len(sent()) == 1
    change(item_id, item_states.GOOD)
    change(item_id, *LOGIN)
    later(hours=23)
    assert sent() == []
    later(hours=1)

    assert len(sent()) == 1


SUBJECTS = {
    LOGIN: "Bank 0 needs you to log in again",
    ("error", "ITEM_LOCKED"): "Bank 1 needs you to log in again",
    ("error", "NO_ACCOUNTS"): "Bank 2 needs you to choose accounts",
    ("error", "ITEM_NOT_FOUND"): "The connection to Bank 3 has ended",
    ("revoked", "ITEM_NOT_FOUND"): "The connection to Bank 4 has ended",
    ("revoked", "USER_PERMISSION_REVOKED"): "Access to Bank 5 was withdrawn",
    ("expiring", "PENDING_EXPIRATION"): "Access to Bank 6 ends soon",
    ("expiring", "PENDING_DISCONNECT"): "Access to Bank 7 ends soon",
    ("error", "INSTITUTION_DOWN"): None,
    ("error", "INVALID_API_KEYS"): None,
    ("error", "UNKNOWN"): None,
    ("error", None): None,
    ("new_accounts", "NEW_ACCOUNTS_AVAILABLE"): None,
}
"""What each state and code is told with, if at all."""


def test_what_needs_the_person_is_told_and_nothing_else(connect, change, sent, later):
    for number, ((state, code), subject) in enumerate(SUBJECTS.items()):
        change(connect(f"Bank {number}"), state, code)
        later(**QUIET)

        assert [mail["Subject"] for mail in sent()] == ([subject] if subject else [])


def test_the_end_of_a_permission_is_the_persons_day(olive, connect, change, sent, later, set_clock):
    set_clock("2026-11-20T12:00Z")
    item = db.session.get(Item, connect())
    preferences.set_time_zone(users.by_id(olive), "Asia/Tokyo")
    item.consent_expires_at = now().replace(day=26, hour=18)
    change(item.id, item_states.EXPIRING, "PENDING_EXPIRATION")
    set_clock("2026-11-20T12:11Z")

    (mail,) = sent()

    assert "ends on November 27, 2026." in text_of(mail)


def test_several_banks_are_told_in_one_mail(connect, change, sent, later):
    ids = [connect(f"Bank {number}") for number in range(3)]
    for item_id in ids:
        change(item_id, *LOGIN)
        later(seconds=30)
    later(minutes=9)

    (mail,) = sent()

    assert mail["Subject"] == "3 things need you at your banks"
    for number, item_id in enumerate(ids):
        assert f"Bank {number} needs you" in text_of(mail)
        assert f"{SITE}/finance/items/{item_id}" in mail.get_content().splitlines()
    later(days=2)
    assert sent() == []


def test_a_bank_that_is_disconnected_meanwhile_is_not_told(connect, change, sent, later):
    item_id = connect()
    change(item_id, *LOGIN)
    state_changes.change(item_id, state=item_states.DISCONNECTING)
    db.session.commit()
    later(days=1)

    assert sent() == []


@pytest.fixture
def check(olive):
    """`check(item_id, differences)` stores what a check by the clock has found."""

    def store(item_id, differences):
        item = db.session.get(Item, item_id)
        account = db.session.scalar(select(Account).where(Account.item_id == item_id))
        if account is None:
            account = Account(
                user_id=item.user_id,
                item_id=item_id,
                plaid_account_id="a",
                name="Savings 47114711",
                type="depository",
                updated_at=now(),
            )
            db.session.add(account)
            db.session.flush()
        result = {"account_id": account.id, "checked_at": now(), "differences": differences}
        checks.save(item_id, [result], [])
        notices.compared(item_id, differs=differences > 0)
        db.session.commit()
        db.session.expire_all()

    return store


def test_a_difference_is_told_once_until_a_check_finds_none(connect, check, sent, later):
    item_id = connect()
    check(item_id, 2)
    assert sent() == []
    later(**QUIET)
    (mail,) = sent()
    assert mail["Subject"] == "A check of Tartan Bank has found a difference"
    assert "47114711" not in mail.as_string()
    assert "Savings" not in mail.as_string()
    for _ in range(2):
        later(days=1)
        check(item_id, 5)
        later(**QUIET)
        assert sent() == []

    check(item_id, 0)
    later(days=1)
    check(item_id, 1)
    later(**QUIET)

    assert len(sent()) == 1


def test_a_difference_that_is_repaired_at_once_is_not_told(connect, check, sent, later):
    item_id = connect()
    check(item_id, 1)
    check(item_id, 0)
    later(**QUIET)

    assert sent() == []


def test_a_need_and_a_difference_of_one_bank_are_not_told_on_one_day(
    connect, change, check, sent, later
):
    item_id = connect()
    change(item_id, *LOGIN)
    later(**QUIET)
    assert len(sent()) == 1
    check(item_id, 1)
    later(hours=20)
    assert sent() == []
    later(hours=4)

    assert len(sent()) == 1


@pytest.mark.parametrize("why", ["off", "unconfirmed", "no mail server"])
def test_who_does_not_want_it_or_may_not_have_it_gets_none(
    context, olive, connect, change, sent, later, why
):
    config, user = context.config["PLAIDAPP"], users.by_id(olive)
    if why == "off":
        preferences.set_mails(user, banks=False)
    elif why == "unconfirmed":
        user.email_confirmed_at = None
    else:
        context.config["PLAIDAPP"] = replace(config, mail_url=None)
    db.session.commit()
    change(connect(), *LOGIN)
    later(**QUIET)
    assert sent() == []

    context.config["PLAIDAPP"] = config
    user = db.session.get(User, olive)
    preferences.set_mails(user, banks=True)
    user.email_confirmed_at = now()
    db.session.commit()
    later(days=1)
    assert sent() == [], "the moment to tell it has gone"


@pytest.mark.parametrize("what", ["turned off", "another address", "unconfirmed"])
def test_a_mail_that_waits_for_its_server_is_not_sent_once_it_must_not_be(
    olive, connect, change, mailbox, later, what
):
    change(connect(), *LOGIN)
    later(**QUIET)
    mailbox.answers = ["450 Try again later"]
    bank_mails.write_due()
    postman.send_due()
    user = users.by_id(olive)
    if what == "turned off":
        preferences.set_mails(user, banks=False, checks=False)
    elif what == "another address":
        user.email, user.email_key = "new@example.com", "new@example.com"
    else:
        user.email_confirmed_at = None
    db.session.commit()
    later(hours=1)

    postman.send_due()

    assert mailbox.mails == []
    assert db.session.scalars(select(Mail)).all() == []


def test_who_wants_no_mails_of_checks_still_gets_the_others(
    olive, connect, change, check, sent, later
):
    preferences.set_mails(users.by_id(olive), checks=False)
    item_id = connect()
    check(item_id, 1)
    change(item_id, *LOGIN)
    later(**QUIET)

    assert [mail["Subject"] for mail in sent()] == ["Tartan Bank needs you to log in again"]


def test_the_mail_has_the_headers_and_the_link_that_end_it(connect, change, sent, later):
    change(connect(), *LOGIN)
    later(**QUIET)
    (mail,) = sent()

    stop = mail["List-Unsubscribe"].removeprefix("<").removesuffix(">")
    assert stop.startswith(f"{SITE}/auth/mails/stop/")
    assert stop in mail.get_content().splitlines()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"List-Unsubscribe: <{stop}>" in mail.as_string(
        policy=mail.policy.clone(max_line_length=None)
    )


def test_without_an_address_of_the_site_there_is_no_link(context, connect, change, sent, later):
    context.config["PLAIDAPP"] = replace(context.config["PLAIDAPP"], public_url=None)
    change(connect(), *LOGIN)
    later(**QUIET)
    (mail,) = sent()

    assert "://" not in mail.get_content()
    assert mail["List-Unsubscribe"] is None
    assert "Open Connections in plaidapp." in text_of(mail)


def test_a_banks_name_can_change_nothing_else_of_the_mail(connect, change, sent, later, mailbox):
    for name in ("Evil\r\nBcc: all@example.com", "B\x1b[31mank", "Bänk " * 40):
        change(connect(name), *LOGIN)
        later(**QUIET)
        (mail,) = sent()

        assert mailbox.envelopes[-1][1] == ["olive@example.com"]
        assert mail["Bcc"] is None
        assert "\x1b" not in mail.get_content()
        assert mail["Subject"].endswith("needs you to log in again")


def test_two_clocks_write_each_mail_once(context, connect, change, later):
    for number in range(6):
        change(connect(f"Bank {number}"), *LOGIN)
    later(**QUIET)
    start = threading.Barrier(2)

    def clock():
        with context.app_context():
            start.wait()
            bank_mails.write_due()
            db.session.remove()

    clocks = [threading.Thread(target=clock) for _ in range(2)]
    for each in clocks:
        each.start()
    for each in clocks:
        each.join()

    assert len(db.session.scalars(select(Mail)).all()) == 1


def test_a_clock_that_dies_before_its_commit_has_neither_written_nor_lost_it(
    connect, change, sent, later, monkeypatch
):
    change(connect(), *LOGIN)
    later(**QUIET)
    with monkeypatch.context() as patch:
        patch.setattr(notices, "told", lambda _about: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bank_mails.write_due()
    db.session.rollback()
    assert db.session.scalars(select(Mail)).all() == []

    assert len(sent()) == 1
    assert sent() == []


def test_a_change_that_is_rolled_back_is_not_told(connect, sent, later):
    state_changes.set_state(connect(), *LOGIN, "A sentence.")
    db.session.rollback()
    later(**QUIET)

    assert sent() == []
