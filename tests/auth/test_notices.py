"""What a person is told by mail about their log-in."""

import pytest

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store.base.types import now
from plaidapp.store.people import passkeys, users
from tests.conftest import PASSWORD


@pytest.fixture
def confirmed(app, alice, mailbox):
    """Alice, whose address is confirmed, in Tokyo."""
    with app.app_context():
        user = users.by_id(alice.id)
        user.email_confirmed_at = now()
        user.time_zone = "Asia/Tokyo"
        db.session.commit()
    return alice


@pytest.fixture
def log_in(send_mails):
    def post(browser, password=PASSWORD):
        form = {"username": "alice", "password": password}
        answer = browser.post(
            "/auth/login",
            data=form,
            headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"},
        )
        send_mails()
        return answer.status_code

    return post


def text_of(mail):
    return " ".join(mail.get_content().split())


def test_a_log_in_from_a_new_device_is_told_once(app, confirmed, mailbox, log_in, set_clock):
    set_clock("2026-11-26T18:00Z")
    browser = app.test_client()
    assert log_in(browser) == 302

    mail = mailbox.take()
    assert (mail["To"], mail["Subject"]) == ("alice@example.com", "New log-in to your account")
    assert "November 27, 2026" in text_of(mail), "the day in Tokyo"
    assert "with Firefox on Linux, from the address 127.0.0.1." in text_of(mail)
    assert "http://localhost/auth/forgot" in mail.get_content().splitlines()
    browser.post("/auth/logout")
    assert log_in(browser) == 302
    assert mailbox.mails == [], "the device is known"


def test_a_wrong_password_is_not_told(app, confirmed, mailbox, log_in):
    assert log_in(app.test_client(), "not this one, surely") == 401
    assert mailbox.mails == []


def test_many_new_devices_do_not_fill_a_mailbox(app, confirmed, mailbox, log_in):
    for _ in range(policy.FREE_MAILS + 2):
        log_in(app.test_client())

    assert len(mailbox.mails) == policy.FREE_MAILS


def test_an_address_that_is_not_confirmed_is_told_nothing(app, alice, mailbox, log_in):
    """It may be a stranger's."""
    assert log_in(app.test_client()) == 302
    assert mailbox.mails == []


def test_a_new_password_is_told(confirmed, mailbox, send_mails):
    form = {"current_password": PASSWORD, "password": PASSWORD[::-1]}
    assert confirmed.client.post("/auth/password", data=form).status_code == 303
    send_mails()

    assert mailbox.take()["Subject"] == "Your password was changed"


def test_a_new_name_is_told(confirmed, mailbox, send_mails):
    assert confirmed.client.post("/auth/name", data={"username": "alicia"}).status_code == 303
    send_mails()

    assert "Username changed to alicia" in text_of(mailbox.take())


def test_new_recovery_codes_are_told(app, confirmed, mailbox, send_mails):
    key = {"host": "localhost", "name": "Key", "sign_count": 0, "can_be_copied": False}
    with app.app_context():
        passkeys.add(confirmed.id, credential_id=b"1", public_key=b"1", **key)
        db.session.commit()
    assert confirmed.client.post("/auth/factors/recovery-codes").status_code < 400
    send_mails()

    assert "New recovery codes made" in text_of(mailbox.take())
